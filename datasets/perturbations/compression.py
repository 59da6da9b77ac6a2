"""Compression of the files that the sources are stored in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.core.jpeg import through_jpeg
from bench.core.pixels import quantise
from datasets.perturbations._base import Source, perturbation


@perturbation(
    "jpeg",
    title="all sources stored as JPEG",
    unit="quality, of libjpeg with 4:2:0",
    stage="file",
    first=True,
    low=1,
    high=100,
    identity=100,
    exact=False,
    whole=True,
)
def jpeg(image: NDArray[np.float64], amount: float, source: Source) -> NDArray[np.float64]:
    """What a JPEG file of that quality gives back, with 8 bits."""
    return through_jpeg(quantise(image), int(amount)) / 255.0
