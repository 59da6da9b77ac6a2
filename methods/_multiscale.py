"""Pyramids and the choice between sub-bands, shared by the multi-scale methods.

REDUCE and EXPAND are Burt and Adelson's, with the kernel [1 4 6 4 1]/16 and images mirrored
about their border pixels (d c b | a b c d). They keep constants at every size, also odd.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.errors import UsageError

cv2 = lazy.load("cv2")

Array = NDArray[Any]

KERNEL = np.array([1, 4, 6, 4, 1], np.float32) / np.float32(16)


def usable_levels(shape: Sequence[int], levels: int) -> int:
    """How often an image can be halved before its shorter side is a single pixel.

    Parameters
    ----------
    shape : sequence of int
        (H, W).
    levels : int
        The number wanted, at least 1.

    Returns
    -------
    int
        The largest number up to `levels` for which 2**number <= min(H, W); 0 for an image
        one pixel thin, which leaves nothing but the base to be merged.

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


def reduce(plane: Array) -> Array:
    """Low-pass and keep every second pixel: (H, W) to (ceil(H/2), ceil(W/2))."""
    return cv2.pyrDown(plane)


def expand(plane: Array, shape: Sequence[int]) -> Array:
    """Interpolate to `shape`, whose REDUCE has the size of `plane`.

    OpenCV's pyrUp mirrors the small image instead of the large one, and so disagrees with
    the definition along the border of odd sizes.
    """
    spread = np.zeros((shape[0], shape[1]), plane.dtype)
    spread[::2, ::2] = plane
    taps = 2 * KERNEL
    return cv2.sepFilter2D(spread, -1, taps, taps, borderType=cv2.BORDER_REFLECT_101)


def gaussian_pyramid(plane: Array, levels: int) -> list[Array]:
    """The plane and its `levels` successive REDUCEs, finest first."""
    pyramid = [plane]
    for _ in range(levels):
        pyramid.append(reduce(pyramid[-1]))
    return pyramid


def laplacian_pyramid(plane: Array, levels: int) -> list[Array]:
    """Differences between each level and the next one expanded; the last entry is the base."""
    gaussian = gaussian_pyramid(plane, levels)
    bands = [fine - expand(coarse, fine.shape) for fine, coarse in pairwise(gaussian)]
    return [*bands, gaussian[-1]]


def from_laplacian(bands: Sequence[Array]) -> Array:
    """Inverse of `laplacian_pyramid`."""
    plane = bands[-1]
    for band in reversed(bands[:-1]):
        plane = band + expand(plane, band.shape)
    return plane


def ratio_pyramid(plane: Array, levels: int, guard: float) -> list[Array]:
    """Each level divided by the next one expanded, both raised by `guard`; last the base.

    Black on black therefore has the ratio 1: no contrast.
    """
    gaussian = gaussian_pyramid(plane, levels)
    raised = np.float32(guard)
    ratios = [
        (fine + raised) / (expand(coarse, fine.shape) + raised)
        for fine, coarse in pairwise(gaussian)
    ]
    return [*ratios, gaussian[-1]]


def from_ratio(ratios: Sequence[Array], guard: float) -> Array:
    """Inverse of `ratio_pyramid`."""
    plane = ratios[-1]
    raised = np.float32(guard)
    for ratio in reversed(ratios[:-1]):
        plane = ratio * (expand(plane, ratio.shape) + raised) - raised
    return plane


def larger_magnitude(bands: Array) -> Array:
    """Per position, the value of the largest magnitude over the first axis.

    Of two values that differ in sign only the positive one is taken, so that the order of
    the sources does not matter.
    """
    highest, lowest = bands.max(axis=0), bands.min(axis=0)
    return np.where(highest + lowest >= 0, highest, lowest)


def most_active(bands: Array, activity: Array) -> Array:
    """Per position, the band of the largest activity; the mean of those that tie for it."""
    return np.einsum("nhw,nhw->hw", shared_first(activity), bands)


def shared_first(scores: Array) -> Array:
    """Weights (N, H, W) of sum 1: all for the largest score, shared equally where several tie."""
    first = (scores == scores.max(axis=0)).astype(np.float32)
    return first / first.sum(axis=0)


def merge_pyramids(pyramids: Sequence[Sequence[Array]]) -> list[Array]:
    """Sub-bands by the larger magnitude, the base by the mean."""
    *bands, base = (np.stack(level) for level in zip(*pyramids, strict=True))
    return [*(larger_magnitude(band) for band in bands), base.mean(axis=0)]
