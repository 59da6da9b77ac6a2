"""Indexes against the all-in-focus truth, where a scene has it."""

from __future__ import annotations

import math

import numpy as np

from metrics import Plane, metric
from metrics._parts import shared
from metrics._windows import Gaussian, gaussian_covariance, gaussian_moments, similarity

SSIM_WINDOW = Gaussian(11, 1.5)
SSIM_C1, SSIM_C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


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
    deviations="Codes that scale images to 0..1 but keep the peak 255 read 48 dB higher.",
)
def psnr(reference: Plane, fused: Plane) -> float:
    """Peak signal-to-noise ratio in decibels.

    Parameters
    ----------
    reference, fused : ndarray
        Two images of one size, see `bench.images.as_image`; colour counts as luminance.

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
def _ssim_map(fused: Plane, reference: Plane) -> np.ndarray:
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
def ssim(reference: Plane, fused: Plane) -> float:
    """Mean structural similarity: Gaussian 11x11 windows of sigma 1.5, wholly inside.

    Parameters
    ----------
    reference, fused : ndarray
        Two images of one size, see `bench.images.as_image`; colour counts as luminance.

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
