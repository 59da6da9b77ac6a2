"""Changes of brightness of the second and later sources against the first one, in linear light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datasets.perturbations._base import Source, perturbation


def to_linear(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear light of sRGB values in [0, 1] (IEC 61966-2-1)."""
    return np.where(image <= 0.04045, image / 12.92, ((image + 0.055) / 1.055) ** 2.4)


def from_linear(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `to_linear`; what is brighter than white becomes white."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


@perturbation(
    "exposure",
    title="the second and later sources brighter, or darker with a negative amount",
    unit="stops",
    stage="light",
    first=False,
    low=-5,
    high=5,
)
def exposure(image: NDArray[np.float64], amount: float, source: Source) -> NDArray[np.float64]:
    """The light times ``2**amount``, through the tone curve of sRGB; white is clipped.

    A tenth of a stop is 7 % of the light and 3 % of the values.
    """
    return from_linear(to_linear(image) * 2.0**amount)


@perturbation(
    "vignetting",
    title="the second and later sources darker towards the corners",
    unit="share of light lost in corners",
    stage="light",
    first=False,
    low=0,
    high=1,
    default=0.3,
)
def vignetting(image: NDArray[np.float64], amount: float, source: Source) -> NDArray[np.float64]:
    """The light times ``1 - amount * (r / R)**2``: r from the centre, R that of the corners.

    Vignetting of a lens changes with its focus; what all sources have in common is no
    difference that fusion could mistake for sharpness.
    """
    height, width = image.shape[:2]
    y = (np.arange(height) - (height - 1) / 2)[:, None]
    x = (np.arange(width) - (width - 1) / 2)[None, :]
    square = (x**2 + y**2) / max(((height - 1) ** 2 + (width - 1) ** 2) / 4, 1.0)
    falloff = 1 - amount * square
    return from_linear(to_linear(image) * (falloff[..., None] if image.ndim == 3 else falloff))
