"""Noise of the sensor, and the bits of its converter: in all sources, independent of each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datasets.perturbations._base import Source, perturbation

#: Largest level of 8 bits.
WHITE = 255


@perturbation(
    "noise",
    title="Gaussian noise in all sources, independent of each other",
    unit="sigma in 8-bit levels",
    stage="sensor",
    first=True,
    low=0,
    high=128,
)
def noise(image: NDArray[np.float64], amount: float, source: Source) -> NDArray[np.float64]:
    """White Gaussian noise; `amount` is its standard deviation in levels of 255.

    That holds for images of 16 bits too. Every channel has its own noise. What leaves the range
    is clipped.
    """
    return image + amount / WHITE * source.rng.standard_normal(image.shape)


@perturbation(
    "bits",
    title="all sources rounded to fewer bits",
    unit="bits a sample; those that the images have, or more, change nothing",
    stage="converter",
    first=True,
    low=1,
    high=16,
    identity=16,
    whole=True,
)
def bits(image: NDArray[np.float64], amount: float, source: Source) -> NDArray[np.float64]:
    """The nearest of ``2**amount`` equally spaced levels from black to white."""
    top = 2.0**amount - 1
    return np.floor(image * top + 0.5) / top
