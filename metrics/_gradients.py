"""Image gradients by correlation, zeros beyond the border as in the field's MATLAB code."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from metrics._parts import GrayImage, shared

cv2 = lazy.load("cv2")


def _pair(image: GrayImage, smooth: list[int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Horizontal and vertical difference, smoothed across; 16-bit integers hold them exactly."""
    across, along = np.array(smooth, float), np.array([-1.0, 0.0, 1.0])
    zeros = cv2.BORDER_CONSTANT
    return (
        cv2.sepFilter2D(image.levels, cv2.CV_16S, along, across, borderType=zeros),
        cv2.sepFilter2D(image.levels, cv2.CV_16S, across, along, borderType=zeros),
    )


@shared
def sobel(image: GrayImage) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Sobel differences along x and along y, zero padded."""
    return _pair(image, [1, 2, 1])


@shared
def sobel_magnitude(image: GrayImage) -> NDArray[np.float64]:
    """Length of the Sobel gradient."""
    gx, gy = sobel(image)
    return _root(_squared_length(gx, gy))


@shared
def prewitt_squared(image: GrayImage) -> NDArray[np.int32]:
    """Squared length of the Prewitt gradient: whole numbers."""
    return _squared_length(*_pair(image, [1, 1, 1]))


@shared
def prewitt_magnitude(image: GrayImage) -> NDArray[np.float64]:
    """Length of the Prewitt gradient."""
    return _root(prewitt_squared(image))


def _root(squares: NDArray[np.int32]) -> NDArray[np.float64]:
    root = squares.astype(np.float64)
    return np.sqrt(root, out=root)


def _squared_length(gx: NDArray[np.int16], gy: NDArray[np.int16]) -> NDArray[np.int32]:
    total = np.square(gx, dtype=np.int32)
    total += np.square(gy, dtype=np.int32)
    return total
