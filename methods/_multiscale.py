"""Pyramids and the choice between sub-bands, shared by the multi-scale methods.

REDUCE and EXPAND are Burt and Adelson's, with the kernel [1 4 6 4 1]/16 and images mirrored
about their border pixels (d c b | a b c d). They keep constants at every size, also odd.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from bench.core.pixels import strips
from methods import Planes

cv2 = lazy.load("cv2")

Array = NDArray[Any]

#: A level and the next one expanded to its size, to a band, or back.
Split = Callable[[Array, Array], Array]

KERNEL = np.array([1, 4, 6, 4, 1], np.float32) / np.float32(16)


def usable_levels(shape: Sequence[int], levels: int) -> int:
    """How often an image can be halved before its shorter side is a single pixel.

    Parameters
    ----------
    shape : sequence of int
        (H, W).
    levels : int
        The requested number, at least 1.

    Returns
    -------
    int
        The largest number up to `levels` for which 2**number <= min(H, W); 0 for an image
        one pixel thin, of which only the base is merged.

    Raises
    ------
    UsageError
        `levels` is below 1.

    Examples
    --------
    >>> from methods._multiscale import usable_levels
    >>> usable_levels((512, 512), 4), usable_levels((3, 5), 4), usable_levels((1, 9), 4)
    (4, 1, 0)
    """
    if levels < 1:
        raise UsageError(f"levels must be at least 1, got {levels}")
    return min(levels, min(shape).bit_length() - 1)


def reduce(image: Array) -> Array:
    """Low-pass and keep every second pixel: (H, W) to (ceil(H/2), ceil(W/2))."""
    return cv2.pyrDown(image)


def expand(image: Array, shape: Sequence[int]) -> Array:
    """Interpolate to `shape`, whose REDUCE has the size of `image`."""
    return expand_rows(image, shape, slice(0, shape[0]))


def expand_rows(image: Array, shape: Sequence[int], rows: slice) -> Array:
    """Some rows of `expand`, the first of them an even one.

    OpenCV's pyrUp mirrors the small image instead of the large one, and so disagrees with
    the definition along the border of odd sizes.
    """
    top, stop = max(rows.start - 2, 0), min(rows.stop + 2, shape[0])
    spread = np.zeros((stop - top, shape[1]), image.dtype)
    spread[::2, ::2] = image[top // 2 : (stop + 1) // 2]
    taps = 2 * KERNEL
    wide = cv2.sepFilter2D(spread, -1, taps, taps, borderType=cv2.BORDER_REFLECT_101)
    return wide[rows.start - top : rows.stop - top]


def gaussian_pyramid(image: Array, levels: int) -> list[Array]:
    """The image and its `levels` successive REDUCEs, finest first."""
    pyramid = [image]
    for _ in range(levels):
        pyramid.append(reduce(pyramid[-1]))
    return pyramid


def fuse_pyramids(sources: Array | Planes, levels: int, split: Split, join: Split) -> Array:
    """Choose between the bands of pyramids by the larger magnitude; of the bases take the mean.

    One source after the other: the pyramid of one, and of all the largest and the smallest bands
    so far, are in memory, whatever the number of sources.

    Parameters
    ----------
    sources : ndarray or Planes
        float32 (N, H, W).
    levels : int
        Number of bands; see `usable_levels`.
    split, join : callable
        ``split(fine, expanded)`` makes a band of a level and the next one expanded;
        ``join(band, expanded)`` is its inverse.

    Returns
    -------
    ndarray
        float32 (H, W).

    Examples
    --------
    >>> import numpy as np
    >>> from methods._multiscale import fuse_pyramids
    >>> image = np.random.default_rng(0).random((40, 30), np.float32)
    >>> fused = fuse_pyramids(np.stack([image, image]), 3, np.subtract, np.add)
    >>> bool(np.abs(fused - image).max() < 1e-6)
    True
    """
    highest: list[Array] = []
    lowest: list[Array] = []
    for number, source in enumerate(sources):
        *fine, base = gaussian_pyramid(source, levels)
        if number == 0:
            image = base.copy()
            highest = [np.full_like(level, -np.inf) for level in fine]
            lowest = [np.full_like(level, np.inf) for level in fine]
        else:
            image += base
        for k, (level, coarser) in enumerate(pairwise([*fine, base])):
            for rows in strips(len(level)):
                band = split(level[rows], expand_rows(coarser, level.shape, rows))
                np.maximum(highest[k][rows], band, out=highest[k][rows])
                np.minimum(lowest[k][rows], band, out=lowest[k][rows])
        del fine, base, source
    image /= np.float32(len(sources))
    for band, low in zip(reversed(highest), reversed(lowest), strict=True):
        for rows in strips(len(band)):
            chosen = larger_magnitude(band[rows], low[rows])
            band[rows] = join(chosen, expand_rows(image, band.shape, rows))
        image = band
    return image


def larger_magnitude(highest: Array, lowest: Array) -> Array:
    """Per position, of the largest and the smallest value that of the larger magnitude.

    Of two values that differ in sign only the positive one is taken, so that the order of
    the sources does not matter.
    """
    return np.where(highest + lowest >= 0, highest, lowest)


def most_active(bands: Array, activity: Array) -> Array:
    """Per position, the band of the largest activity; the mean of those that tie for it."""
    return np.einsum("nhw,nhw->hw", shared_first(activity), bands)


def shared_first(scores: Array) -> Array:
    """Weights (N, H, W) of sum 1: all for the largest score, shared equally where several tie."""
    first = (scores == scores.max(axis=0)).astype(np.float32)
    return first / first.sum(axis=0)


def larger_window(first: Array, second: Array) -> Array:
    """Bool (h, w): where a coefficient comes from the first of two bands.

    The activity of a band is the largest magnitude within 3 x 3 coefficients. A coefficient
    comes from the band that is the more active one at five or more of the 3 x 3 positions around
    it. Bands are mirrored by one coefficient, with zeros at the four corners, and these
    positions vote too.

    Parameters
    ----------
    first, second : ndarray
        Magnitudes or their squares, float (h, w).
    """
    active = [_activity(magnitude) for magnitude in (first, second)]
    larger = (active[0] > active[1]).astype(np.uint8)
    votes = cv2.boxFilter(larger, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return votes[1:-1, 1:-1] >= 5


def _activity(magnitude: Array) -> Array:
    wide = cv2.copyMakeBorder(magnitude, 1, 1, 1, 1, cv2.BORDER_REFLECT_101)
    wide[[0, 0, -1, -1], [0, -1, 0, -1]] = 0
    return cv2.dilate(wide, np.ones((3, 3), np.uint8))
