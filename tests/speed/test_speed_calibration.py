"""A fixed piece of work by which the timings of two machines are compared as ratios."""

from __future__ import annotations

import cv2
import numpy as np
import scipy.fft


def kernel(image: np.ndarray) -> float:
    """Filtering, a Fourier transform and a matrix product: what fusion spends its time on."""
    smooth = cv2.GaussianBlur(image, (0, 0), 5)
    spectrum = scipy.fft.rfft2(smooth)
    return float(np.abs(spectrum).sum() + (smooth @ smooth.T).sum())


def test_calibration(benchmark):
    image = np.random.default_rng(0).random((512, 512))
    assert benchmark(kernel, image) > 0
