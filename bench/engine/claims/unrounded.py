"""Metrics of images that were not rounded to whole levels, as codes that compute in floats have.

Our metrics are defined on 8-bit levels. Many Python codes make colour gray in floating point and
never round; the numbers differ in the third or fourth digit, and entropy, which counts equal
values, by bits. On whole levels each function gives what the metric of its name gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.engine.claims.view import ImageSet

Gray = NDArray[np.float64]

PEAK = 255.0

#: Side and standard deviation of the window of SSIM, pixels, and its constants.
SSIM_SIDE, SSIM_SIGMA = 11, 1.5
SSIM_C1, SSIM_C2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2

#: The sigmoids of Q^AB/F, of strength and of angle: height, slope and centre.
STRENGTH = (0.9994, 15.0, 0.5)
ANGLE = (0.9879, 22.0, 0.8)

#: What a gradient of 0 counts as in Q^AB/F, gray levels.
NO_GRADIENT = 1e-5


class UnroundedView:
    """The metrics of images in floating point; NaN for those that have no such version.

    Parameters
    ----------
    images : ImageSet
        Gray float64 images, on the scale 0..255 but not whole.
    """

    def __init__(self, images: ImageSet) -> None:
        self._images = images
        self.count = len(images.sources)

    def value(self, name: str, against: int | None = None) -> float:
        """The metric `name`, with source `against` as the reference."""
        images = self._images
        reference = images.reference if against is None else images.sources[against]
        if name in OF_FUSED:
            return OF_FUSED[name](images.fused)
        if name in OF_SOURCES and (self.count == 2 or name not in ("scd",)):
            return OF_SOURCES[name](images.sources, images.fused)
        if name in OF_REFERENCE and reference is not None:
            return OF_REFERENCE[name](reference, images.fused)
        return math.nan


def _entropy(fused: Gray) -> float:
    share = np.unique(fused, return_counts=True)[1] / fused.size
    return float(-(share * np.log2(share)).sum())


def _spatial_frequency(fused: Gray) -> float:
    total = sum(float((np.diff(fused, axis=axis) ** 2).sum()) for axis in (0, 1))
    return math.sqrt(total / fused.size)


def _spatial_frequency_tang(fused: Gray) -> float:
    return math.sqrt(sum(float((np.diff(fused, axis=axis) ** 2).mean()) for axis in (0, 1)))


def _average_gradient(fused: Gray) -> float:
    dx, dy = np.zeros_like(fused), np.zeros_like(fused)
    dx[:, :-1], dy[:-1] = np.diff(fused, axis=1), np.diff(fused, axis=0)
    return float(np.sqrt((dx**2 + dy**2) / 2).mean())


def _average_gradient_tang(fused: Gray) -> float:
    dy, dx = np.gradient(fused)
    height, width = fused.shape
    return float(np.sqrt((dx**2 + dy**2) / 2).sum()) / ((height - 1) * (width - 1))


def _edge_intensity(fused: Gray) -> float:
    dx, dy = (
        cv2.Sobel(fused, cv2.CV_64F, *order, borderType=cv2.BORDER_REPLICATE)
        for order in ((1, 0), (0, 1))
    )
    return float(np.hypot(dx, dy).mean())


def _squared_error(one: Gray, other: Gray) -> float:
    return float(((one - other) ** 2).mean())


def _mse_sources(sources: Sequence[Gray], fused: Gray) -> float:
    return fmean(_squared_error(source, fused) for source in sources) / PEAK**2


def _psnr_sources(sources: Sequence[Gray], fused: Gray) -> float:
    error = _mse_sources(sources, fused)
    return 20 * math.log10(PEAK / math.sqrt(error)) if error else math.inf


def _psnr(reference: Gray, fused: Gray) -> float:
    error = _squared_error(reference, fused)
    return 20 * math.log10(PEAK / math.sqrt(error)) if error else math.inf


def _correlation(one: Gray, other: Gray) -> float:
    x, y = one - one.mean(), other - other.mean()
    size = math.sqrt(float((x * x).sum()) * float((y * y).sum()))
    return float((x * y).sum()) / size if size else 0.0


def _cc(sources: Sequence[Gray], fused: Gray) -> float:
    return fmean(_correlation(source, fused) for source in sources)


def _scd(sources: Sequence[Gray], fused: Gray) -> float:
    a, b = sources
    return _correlation(fused - b, a) + _correlation(fused - a, b)


def _ssim(reference: Gray, fused: Gray) -> float:
    border = SSIM_SIDE // 2
    window = cv2.getGaussianKernel(SSIM_SIDE, SSIM_SIGMA)

    def mean(image: Gray) -> Gray:
        blurred = cv2.sepFilter2D(image, cv2.CV_64F, window, window)
        return np.asarray(blurred, np.float64)[border:-border, border:-border]

    x, y = mean(reference), mean(fused)
    spread = mean(reference**2) + mean(fused**2) - x**2 - y**2
    common = mean(reference * fused) - x * y
    upper = (2 * x * y + SSIM_C1) * (2 * common + SSIM_C2)
    return float((upper / ((x**2 + y**2 + SSIM_C1) * (spread + SSIM_C2))).mean())


def _xydeas(sources: Sequence[Gray], fused: Gray) -> float:
    strength, angle = _gradient(fused)
    total, weights = 0.0, 0.0
    for source in sources:
        own, direction = _gradient(source)
        ratio = np.minimum(own, strength) / np.maximum(own, strength)
        turned = 1 - np.abs(direction - angle) * 2 / math.pi
        total += float((_sigmoid(ratio, STRENGTH) * _sigmoid(turned, ANGLE) * own).sum())
        weights += float(own.sum())
    return total / weights


def _gradient(image: Gray) -> tuple[Gray, Gray]:
    """Strength, never 0, and angle of the Sobel gradient with black around the image."""
    dx, dy = (
        np.asarray(cv2.Sobel(image, cv2.CV_64F, *order, borderType=cv2.BORDER_CONSTANT), np.float64)
        for order in ((1, 0), (0, 1))
    )
    strength = np.hypot(dx, dy)
    strength[strength == 0] = NO_GRADIENT
    return strength, np.arctan(dy / np.where(dx == 0, NO_GRADIENT, dx))


def _sigmoid(x: Gray, shape: tuple[float, float, float]) -> Gray:
    height, slope, centre = shape
    return height / (1 + np.exp(-slope * (x - centre)))


#: By the names of the metrics that they are on whole levels.
OF_FUSED: dict[str, Callable[[Gray], float]] = {
    "ie": _entropy,
    "en_nat": lambda fused: _entropy(fused) * math.log(2),
    "sd": lambda fused: float(fused.std(0, ddof=1).mean()),
    "sd_global": lambda fused: float(fused.std()),
    "sf": _spatial_frequency,
    "sf_tang": _spatial_frequency_tang,
    "ag": _average_gradient,
    "ag_tang": _average_gradient_tang,
    "ei": _edge_intensity,
}
OF_SOURCES: dict[str, Callable[[Sequence[Any], Any], float]] = {
    "mse_tang": _mse_sources,
    "psnr_tang": _psnr_sources,
    "cc": _cc,
    "scd": _scd,
    "qabf": _xydeas,
}
OF_REFERENCE: dict[str, Callable[[Gray, Gray], float]] = {"psnr": _psnr, "ssim": _ssim}
