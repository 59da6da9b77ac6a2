"""Metrics against the all-in-focus reference, for scenes that have one."""

from __future__ import annotations

import math

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from metrics import GrayImage, metric
from metrics._parts import shared
from metrics._windows import (
    SSIM_C1,
    SSIM_C2,
    SSIM_WINDOW,
    gaussian_covariance,
    gaussian_moments,
    similarity,
)

cv2 = lazy.load("cv2")

Array = NDArray[np.float64]


@metric(
    "psnr",
    label="PSNR",
    title="Peak signal-to-noise ratio",
    family="reference",
    higher_is_better=True,
    bounds=(0, math.inf),
    needs="reference",
    paper="Wang, Bovik 2009, IEEE Signal Processing Magazine 26(1)",
    doi="10.1109/MSP.2008.930649",
    formula="20 log10(255 / sqrt(mean (R - F)^2)), in dB",
    golden="octave PSNR_A, octave PSNR_B",
    tolerance=1e-9,
    deviations="Codes that scale images to 0..1 but keep the peak 255 give values 48 dB higher.",
)
def psnr(reference: GrayImage, fused: GrayImage) -> float:
    """Peak signal-to-noise ratio in decibels.

    Parameters
    ----------
    reference, fused : ndarray
        Two images of one size, see `bench.core.pixels.as_image`; colour counts as luminance.

    Returns
    -------
    float
        At least 0; infinite when the images are equal.

    Raises
    ------
    ImageError
        Sizes differ, or an image is 1 pixel high or wide.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.reference import psnr
    >>> dark, bright = np.zeros((8, 8), np.uint8), np.full((8, 8), 255, np.uint8)
    >>> psnr(dark, bright), psnr(dark, dark)
    (0.0, inf)
    """
    error = float(np.mean(np.square(reference.gray - fused.gray)))
    return 10 * math.log10(255**2 / error) if error > 0 else math.inf


@shared
def _ssim_map(fused: GrayImage, reference: GrayImage) -> Array:
    return similarity(
        gaussian_moments(reference, SSIM_WINDOW),
        gaussian_moments(fused, SSIM_WINDOW),
        gaussian_covariance(fused, reference, SSIM_WINDOW),
        SSIM_C1,
        SSIM_C2,
    )


@metric(
    "ssim",
    label="SSIM",
    title="Structural similarity",
    family="reference",
    higher_is_better=True,
    bounds=(-1, 1),
    needs="reference",
    paper="Wang, Bovik, Sheikh, Simoncelli 2004, IEEE Transactions on Image Processing 13(4)",
    doi="10.1109/TIP.2003.819861",
    formula="mean of (2 m m' + C1)(2 c + C2) / ((m^2 + m'^2 + C1)(v + v' + C2))",
    golden="octave SSIM_A, octave SSIM_B",
    tolerance=1e-9,
    smallest=11,
)
def ssim(reference: GrayImage, fused: GrayImage) -> float:
    """Mean structural similarity: Gaussian 11x11 windows of sigma 1.5, wholly inside.

    Parameters
    ----------
    reference, fused : ndarray
        Two images of one size, see `bench.core.pixels.as_image`; colour counts as luminance.

    Returns
    -------
    float
        In [-1, 1]; 1 when the images are equal.

    Raises
    ------
    ImageError
        Sizes differ, or an image is smaller than 11x11.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.reference import ssim
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> round(ssim(ramp, ramp), 6)
    1.0
    """
    return float(_ssim_map(fused, reference).mean())


SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  #: Of MS-SSIM, finest first.


@shared
def _halved(image: GrayImage, times: int) -> Array:
    """The image averaged over 2x2 and halved, several times; mirrored beyond the border."""
    if times == 0:
        return image.gray
    finer = np.pad(_halved(image, times - 1), ((0, 1), (0, 1)), mode="symmetric")
    return (finer[:-1:2, :-1:2] + finer[1::2, :-1:2] + finer[:-1:2, 1::2] + finer[1::2, 1::2]) / 4


@metric(
    "ms_ssim",
    label="MS-SSIM",
    title="Multi-scale structural similarity",
    family="reference",
    higher_is_better=True,
    bounds=(0, 1),
    needs="reference",
    paper="Wang, Simoncelli, Bovik 2003, Asilomar Conference on Signals, Systems and Computers",
    doi="10.1109/ACSSC.2003.1292216",
    formula="product of mean(c s)^w over the 4 finer of 5 scales and mean(l c s)^w at the coarsest",
    deviations="A mean below 0, which has no real power, counts as 0.",
    smallest=161,
)
def ms_ssim(reference: GrayImage, fused: GrayImage) -> float:
    """Structural similarity at five scales, each half the size of the one before.

    With means m, variances v and covariance c in Gaussian 11x11 windows of sigma 1.5, wholly
    inside, contrast and structure are (2 c + C2) / (v + v' + C2) and luminance is
    (2 m m' + C1) / (m^2 + m'^2 + C1), C1 = (0.01 255)^2 and C2 = (0.03 255)^2. The coarsest scale
    takes the mean of their product over the windows, the finer ones that of contrast and
    structure alone. The means are raised to 0.0448, 0.2856, 0.3001, 0.2363 and 0.1333, finest
    first, and multiplied. An image is halved by averaging every pixel with its neighbours below
    and to the right, the last row and column repeated, and keeping every second from the first
    on; an odd side is rounded up.

    Parameters
    ----------
    reference, fused : ndarray
        Two images of one size, see `bench.core.pixels.as_image`; colour counts as luminance.

    Returns
    -------
    float
        In [0, 1]; 1 when the images are equal.

    Raises
    ------
    ImageError
        Sizes differ, or an image is smaller than 161x161.

    Examples
    --------
    >>> from skimage.data import camera
    >>> from metrics.reference import ms_ssim
    >>> ms_ssim(camera(), camera())
    1.0
    """
    product = 1.0
    for k, weight in enumerate(SCALE_WEIGHTS):
        x, y = _halved(reference, k), _halved(fused, k)
        mx, my = SSIM_WINDOW.valid(x), SSIM_WINDOW.valid(y)
        variances = SSIM_WINDOW.valid(np.square(x) + np.square(y)) - np.square(mx) - np.square(my)
        cov = SSIM_WINDOW.valid(x * y) - mx * my
        quality = (2 * cov + SSIM_C2) / (variances + SSIM_C2)
        if k == len(SCALE_WEIGHTS) - 1:
            quality *= (2 * mx * my + SSIM_C1) / (np.square(mx) + np.square(my) + SSIM_C1)
        product *= max(0.0, float(quality.mean())) ** weight
    return product


@shared
def _coarse_gradient(image: GrayImage) -> Array:
    """Prewitt magnitude, a third of the sums, of the image averaged over 2x2 and halved."""
    padded = np.pad(image.gray, ((0, 1), (0, 1)))
    x = padded[:-1:2, :-1:2] + padded[1::2, :-1:2] + padded[:-1:2, 1::2] + padded[1::2, 1::2]
    across, along = np.ones(3) / 3, np.array([-1.0, 0.0, 1.0])
    zeros = cv2.BORDER_CONSTANT
    gx = cv2.sepFilter2D(x / 4, cv2.CV_64F, along, across, borderType=zeros)
    gy = cv2.sepFilter2D(x / 4, cv2.CV_64F, across, along, borderType=zeros)
    return np.sqrt(np.square(gx) + np.square(gy))


@metric(
    "gmsd",
    label="GMSD",
    title="Gradient magnitude similarity deviation",
    family="reference",
    higher_is_better=False,
    bounds=(0, 1),
    needs="reference",
    paper="Xue, Zhang, Mou, Bovik 2014, IEEE Transactions on Image Processing 23(2)",
    doi="10.1109/TIP.2013.2293423",
    formula="sample standard deviation of (2 g g' + 170) / (g^2 + g'^2 + 170)",
    golden="octave GMSD_A, octave GMSD_B",
    tolerance=1e-9,
    smallest=3,
)
def gmsd(reference: GrayImage, fused: GrayImage) -> float:
    """Deviation of the similarity of the halved images' Prewitt gradients; lower is better.

    Parameters
    ----------
    reference, fused : ndarray
        Two images of one size, see `bench.core.pixels.as_image`; colour counts as luminance.

    Returns
    -------
    float
        At least 0; 0 when the images are equal.

    Raises
    ------
    ImageError
        Sizes differ, or an image is smaller than 3x3.

    Examples
    --------
    >>> from skimage.data import camera
    >>> from metrics.reference import gmsd
    >>> gmsd(camera(), camera())
    0.0
    """
    g, h = _coarse_gradient(reference), _coarse_gradient(fused)
    return float(((2 * g * h + 170) / (g * g + h * h + 170)).std(ddof=1))
