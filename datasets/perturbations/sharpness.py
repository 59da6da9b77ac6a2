"""A softer lens."""

from __future__ import annotations

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from datasets.perturbations._base import Source, perturbation

scipy = lazy.load("scipy")


@perturbation(
    "blur",
    title="all sources through a softer lens",
    unit="sigma in pixels",
    stage="optics",
    first=True,
    low=0,
    high=20,
)
def blur(image: NDArray[np.float64], amount: float, source: Source) -> NDArray[np.float64]:
    """Convolution with a Gaussian of a standard deviation of `amount` pixels; mirrored border."""
    if not amount:
        return image
    sigmas = (amount, amount, 0)[: image.ndim]
    return np.asarray(scipy.ndimage.gaussian_filter(image, sigmas, mode="reflect"))
