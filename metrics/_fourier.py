"""Filtering of real images by their Fourier transform, in OpenCV's packed layout.

The transform of a real image is symmetric; packed, its real and imaginary parts take the memory of
the image itself: column 0 holds frequency 0, then two columns each frequency, and in a width that
is even the last column holds the highest. Those two lone columns are packed alike along the rows.
A filter that is real and even multiplies this element by element; one that is odd does so once
the transform was turned by -i.
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


def turned(spectrum: Array) -> Array:
    """A packed transform times -i, as `filtered` needs it for an odd response."""
    height, width = spectrum.shape
    out = np.empty_like(spectrum)
    pairs = slice(1, width - 1 + width % 2)  # columns of frequencies with real and imaginary part
    out[:, pairs][:, ::2] = spectrum[:, pairs][:, 1::2]
    out[:, pairs][:, 1::2] = -spectrum[:, pairs][:, ::2]
    rows = slice(1, height - 1 + height % 2)
    for lone in {0, width - 1} if width % 2 == 0 else {0}:
        out[:, lone] = 0
        out[rows, lone][::2] = spectrum[rows, lone][1::2]
        out[rows, lone][1::2] = -spectrum[rows, lone][::2]
    return out


def filtered(spectrum: Array, response: Array) -> Array:
    """The image of a packed spectrum times a response of `packed`."""
    product = spectrum * response
    return cv2.dft(product, dst=product, flags=cv2.DFT_INVERSE)


def laid_out(half: NDArray[Any], width: int) -> NDArray[Any]:
    """A real response, even or odd, as the factors of a packed spectrum.

    `half` is given at the frequencies of `numpy.fft.rfft2`. An odd one belongs to a `turned`
    spectrum.
    """
    rows, columns = (np.arange(half.shape[0]) + 1) // 2, (np.arange(width) + 1) // 2
    response = np.take(half, columns, axis=1)
    for lone in {0, width - 1} if width % 2 == 0 else {0}:
        response[:, lone] = response[rows, lone]
    return response


def packed(half: NDArray[Any], width: int) -> NDArray[Any]:
    """The same, with the scale of the inverse transform, as `filtered` takes it."""
    return laid_out(half, width) / (half.shape[0] * width)


def good_size(length: int) -> int:
    """The least size from `length` on whose transform is fast."""
    return int(cv2.getOptimalDFTSize(length))
