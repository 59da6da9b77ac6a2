"""Filtering of real images by their Fourier transform, in OpenCV's packed layout.

The transform of a real image is symmetric; packed, its real and imaginary parts take the room of
the image itself: column 0 holds frequency 0, then two columns each frequency, and in a width that
is even the last column holds the highest. Those two lone columns are packed alike along the rows.
A filter that is real and symmetric multiplies this element by element.
"""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

cv2 = lazy.load("cv2")

Array = NDArray[np.float64]


def transform(image: Array) -> Array:
    """Fourier transform of a real image, packed."""
    return cv2.dft(image)


def filtered(spectrum: Array, response: Array) -> Array:
    """The image of a packed spectrum times a response of `packed`."""
    product = spectrum * response
    return cv2.dft(product, dst=product, flags=cv2.DFT_INVERSE)


def packed(half: NDArray[Any], width: int) -> Array:
    """A real response, symmetric along both axes, for the packed spectrum of an image.

    `half` is given at the frequencies of `numpy.fft.rfft2`. The scale of the inverse transform
    is included.
    """
    height = half.shape[0]
    rows, columns = (np.arange(height) + 1) // 2, (np.arange(width) + 1) // 2
    response = half[:, columns] / (height * width)
    for lone in {0, width - 1} if width % 2 == 0 else {0}:
        response[:, lone] = response[rows, lone]
    return np.ascontiguousarray(response)


def good_size(length: int) -> int:
    """The least size from `length` on whose transform is fast."""
    return int(cv2.getOptimalDFTSize(length))
