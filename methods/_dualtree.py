"""The dual-tree complex wavelet transform, with near-symmetric and q-shift filters.

Kingsbury 2001, https://doi.org/10.1006/acha.2000.0343
"""

from __future__ import annotations

import functools
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

cv2 = lazy.load("cv2")
scipy = lazy.load("scipy")

Array = NDArray[Any]
Band = tuple[Array, Array]

#: Filters of level 1 (near_sym_a): low and high of the analysis, then of the synthesis.
LOW1 = np.array([-1, 5, 12, 5, -1]) / 20
HIGH1 = np.array([3, -15, -73, 170, -73, -15, 3]) / 280
BACK_LOW1 = np.array([-3, -15, 73, 170, 73, -15, -3]) / 280
BACK_HIGH1 = np.array([-1, -5, 12, -5, -1]) / 20

#: Analysis filters of tree a from level 2 on (q-shift 06); those of tree b are their reverse.
LOW = np.zeros(10)
LOW[[0, 2, 3, 4, 5, 7]] = (
    0.03516383657149474,
    -0.08832942445107285,
    0.23389032060723564,
    0.7602723690661257,
    0.5875182977235605,
    -0.11430183714424873,
)
HIGH = LOW[::-1] * (-1.0) ** np.arange(10)
#: Rows that these filters reach beyond the image, at most.
MARGIN = 10


def forward(image: Array, levels: int) -> tuple[Array, list[list[Array]]]:
    """Low-pass image and, from fine to coarse, the three bands of each level as real quads.

    Parameters
    ----------
    image : ndarray
        float (H, W).
    levels : int
        At least 1.

    Returns
    -------
    low : ndarray
        float32, as the bands are.
    bands : list of list of ndarray
        For each level three arrays, each of which holds two complex bands; see `complex_bands`.
    """
    grow = [(0, length % 2) for length in image.shape]
    wide = np.pad(image.astype(np.float64), grow, mode="edge")
    low = _filter(wide, LOW1, LOW1)
    pairs = (HIGH1, LOW1), (LOW1, HIGH1), (HIGH1, HIGH1)
    bands = [[_filter(wide, down, across) for down, across in pairs]]
    for _ in range(levels - 1):
        low = np.pad(low, [(length % 4 // 2,) * 2 for length in low.shape], mode="edge")
        low_rows, high_rows = _down(low, LOW), _down(low, HIGH)
        low = _down(low_rows.T, LOW).T
        bands.append(
            [_down(high_rows.T, LOW).T, _down(low_rows.T, HIGH).T, _down(high_rows.T, HIGH).T]
        )
    return low, bands


def inverse(low: Array, bands: list[list[Array]]) -> Array:
    """The image, of even sides, from what `forward` gives."""
    for level in range(len(bands) - 1, -1, -1):
        vertical, horizontal, diagonal = bands[level]
        low = _cropped(low, vertical.shape)
        if level:
            left = _up(low, LOW) + _up(vertical, HIGH)
            right = _up(horizontal, LOW) + _up(diagonal, HIGH)
            low = (_up(left.T, LOW) + _up(right.T, HIGH)).T
            continue
        image = _filter(low, BACK_LOW1, BACK_LOW1)
        image += _filter(vertical, BACK_HIGH1, BACK_LOW1)
        image += _filter(horizontal, BACK_LOW1, BACK_HIGH1)
        image += _filter(diagonal, BACK_HIGH1, BACK_HIGH1)
    return image


def _cropped(image: Array, shape: tuple[int, ...]) -> Array:
    """Without the first and the last row or column where the finer band is smaller."""
    cut = [(have - want) // 2 for have, want in zip(image.shape, shape, strict=True)]
    return image[cut[0] : image.shape[0] - cut[0], cut[1] : image.shape[1] - cut[1]]


def complex_bands(quads: Array) -> tuple[Band, Band]:
    """Two complex bands, times the root of 2, that an array of 2 x 2 quads (h, w) holds.

    Returns
    -------
    tuple of tuple of ndarray
        Real and imaginary part (h/2, w/2) of each.
    """
    a, b, c, d = quads[::2, ::2], quads[::2, 1::2], quads[1::2, ::2], quads[1::2, 1::2]
    return (a - d, b + c), (a + d, b - c)


def quads_of(minus: Band, plus: Band) -> Array:
    """The inverse of `complex_bands`."""
    height, width = minus[0].shape
    quads = np.empty((2 * height, 2 * width))
    np.add(plus[0], minus[0], out=quads[::2, ::2])
    np.subtract(plus[0], minus[0], out=quads[1::2, 1::2])
    np.add(plus[1], minus[1], out=quads[::2, 1::2])
    np.subtract(minus[1], plus[1], out=quads[1::2, ::2])
    quads *= 0.5
    return quads


def _filter(image: Array, down: Array, across: Array) -> Array:
    """Symmetric filters along columns and rows."""
    return cv2.sepFilter2D(image, -1, across, down, borderType=cv2.BORDER_REFLECT)


def _down(image: Array, taps: Array) -> Array:
    """Both trees' filters along columns and every fourth row of each: half the rows."""
    return _down_matrix(len(image), taps is HIGH) @ image


def _up(image: Array, taps: Array) -> Array:
    """The transpose of `_down`: twice the rows."""
    return _up_matrix(len(image), taps is HIGH) @ image


@functools.lru_cache(maxsize=64)
def _down_matrix(rows: int, high: bool) -> Any:
    """Tree a, in the even rows, has the reversed filter, tree b has the filter."""
    taps = HIGH if high else LOW
    trees = [(taps[::-1], 0), (taps, 1)]
    if high:
        trees.reverse()
    count = rows // 4
    terms = []
    for tree, (filters, shift) in enumerate(trees):
        for n in np.nonzero(filters)[0]:
            start = 2 * MARGIN + shift - 2 * n
            terms.append((filters[n], slice(tree, None, 2), slice(start, start + 4 * count, 4)))
    return _matrix(2 * count, rows, terms)


@functools.lru_cache(maxsize=64)
def _up_matrix(rows: int, high: bool) -> Any:
    taps = HIGH if high else LOW
    offsets = (5, 4) if high else (4, 5)
    terms = []
    for place in range(4):
        filters, offset = (taps, offsets[0]) if place % 2 == 0 else (taps[::-1], offsets[1])
        for j in range(5):
            start = MARGIN + offset - 2 * j
            weight = filters[2 * j + place // 2]
            terms.append((weight, slice(place, None, 4), slice(start, start + rows, 2)))
    return _matrix(2 * rows, rows, terms)


def _matrix(height: int, width: int, terms: list[tuple[float, slice, slice]]) -> Any:
    """Sparse matrix from weights of rows that are made and rows of the mirrored image."""
    made, mirrored = np.arange(height), np.pad(np.arange(width), MARGIN, mode="symmetric")
    places = [np.stack([made[to], mirrored[of]]) for _, to, of in terms]
    weights = np.repeat([weight for weight, _, _ in terms], [p.shape[1] for p in places])
    matrix = scipy.sparse.coo_array((weights, np.concatenate(places, axis=1)), (height, width))
    return matrix.tocsr()
