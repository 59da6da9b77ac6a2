"""Fusion by a quadtree of blocks with a weighted focus measure."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from methods import method
from methods._filters import (
    clean,
    disk,
    levels,
    modified_laplacian,
    odd_window,
    only_mask,
)
from methods._multiscale import shared_first

cv2 = lazy.load("cv2")

Array = NDArray[Any]

#: Steps per level to which focus is rounded: the filter's noise must not decide between equals.
PRECISION = 2**16


@method(
    "quadtree",
    title="Quadtree with a weighted focus measure",
    kind="decision",
    colour="channels",
    family="spatial",
    paper="Bai, Zhang, Zhou, Xue, Quadtree-based multi-focus image fusion using a weighted "
    "focus-measure, Information Fusion 22, 2015",
    doi="10.1016/j.inffus.2014.05.003",
    aliases=("QB",),
)
def quadtree(
    sources: Array,
    *,
    threshold: float = 5.0,
    window: int = 17,
    split: float = 0.98,
    min_area: float = 1 / 40,
    opening: int = 3,
) -> Array:
    """Decide for blocks, which are split as long as their pixels disagree.

    Focus: the modified Laplacian, zero below a threshold, summed with weights that fall with the
    distance. A block of the quadtree is split where the sums of the focus over it differ between
    the sources by less than a share of the difference that its pixels could reach by themselves.
    A block takes the source of the largest sum. The map is opened and closed, small regions
    are removed, and what stays undecided takes the pixel's own source of the largest focus.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    threshold : float
        Least modified Laplacian that counts, in levels of 0..255.
    window : int
        Odd side of the weighted sum.
    split : float
        Share of the reachable difference below which a block is split.
    min_area : float
        Smallest region that stays, as a share of the image's area.
    opening : int
        Radius of the disk that opens and closes the map.

    Returns
    -------
    ndarray
        float32 (N, H, W): 1 for the source that is copied, shared where several tie.

    Raises
    ------
    UsageError
        `window` is not odd, `threshold`, `split` or `opening` is negative, or `min_area` lies
        outside [0, 1].

    Notes
    -----
    fidelity: steps and constants are those of the authors' code, also for more than two
    sources. Mean PSNR to the images of the 2020 survey at hand (g_01-g_05, c_01-c_03; equal
    ones count as 99 dB): 96.3 dB gray, 99 colour; those were made channel by channel. The code
    stops at images of more than 1024 pixels a side; this one does not. Published JPEG images of
    MFI-WHU, after the same JPEG: 80.0 dB, one of four equal.

    References
    ----------
    Bai, Zhang, Zhou, Xue 2015, https://doi.org/10.1016/j.inffus.2014.05.003

    Examples
    --------
    >>> import numpy as np
    >>> from methods.quadtree import quadtree
    >>> sharp = np.random.default_rng(0).random((32, 32), np.float32)
    >>> float(quadtree(np.stack([sharp, np.full_like(sharp, 0.5)]))[0].mean())
    1.0
    """
    kernel = _kernel(odd_window(window))
    if min(threshold, split, opening) < 0 or not 0 <= min_area <= 1:
        raise UsageError(
            "threshold, split and opening must not be negative, and min_area must lie in [0, 1]"
        )
    focus = np.stack([_focus(source, threshold, kernel) for source in sources])
    labels = _tree(focus, split)
    element, count = disk(opening), range(len(sources))
    masks = [(labels == n).astype(np.uint8) for n in count]
    masks = [cv2.morphologyEx(mask, cv2.MORPH_OPEN, element) for mask in masks]
    masks = [cv2.morphologyEx(mask, cv2.MORPH_CLOSE, element) > 0 for mask in masks]
    labels = only_mask(masks)
    labels = only_mask([clean(labels == n, min_area * labels.size) for n in count])
    return _weights(labels, focus)


def _weights(labels: Array, focus: Array) -> Array:
    """The labelled source; elsewhere the one of the largest focus, or all if several tie."""
    weights = np.zeros(focus.shape, np.float32)
    for n, weight in enumerate(weights):
        weight[labels == n] = 1
    open_pixels = labels < 0
    own = shared_first(focus[:, open_pixels])
    own[:, (own > 0).sum(axis=0) > 1] = np.float32(1 / len(focus))
    weights[:, open_pixels] = own
    return weights


def _kernel(side: int) -> Array:
    """Weights 1 / (distance to the centre + 1)."""
    place = np.arange(side) - side // 2
    return 1 / (np.hypot(place[:, None], place) + 1)


def _focus(source: Array, threshold: float, kernel: Array) -> Array:
    strength = modified_laplacian(levels(source), cv2.BORDER_REFLECT)
    strength[strength < threshold] = 0
    focus = cv2.filter2D(strength, -1, kernel, borderType=cv2.BORDER_REFLECT)
    return np.rint(focus * PRECISION) / PRECISION


def _tree(focus: Array, split: float) -> Array:
    """Number (H, W) of the source that a pixel's block takes, -1 where several sources tie."""
    height, width = focus.shape[1:]
    side = 1 << (max(height, width) - 1).bit_length()
    top, left = (side - height + 1) // 2, (side - width + 1) // 2
    labels = np.full((side, side), -1, np.int16)
    sums, spread = _level_sums(focus, side, top, left)
    ends = np.ones((1, 1), bool)
    for total, reach in zip(sums[::-1], spread[::-1], strict=True):
        block = side // total.shape[1]
        ends = np.repeat(
            np.repeat(ends, total.shape[1] // len(ends), 0), total.shape[1] // len(ends), 1
        )
        ordered = np.sort(total, axis=0)
        apart = ordered[-1] - ordered[0]
        parted = ends & (apart > 0) & (apart < split * reach) & (block > 2)
        label = np.where(ordered[-1] > ordered[-2], total.argmax(axis=0), -1).astype(np.int16)
        rows, columns = np.nonzero(ends & ~parted)
        view = labels.reshape(len(reach), block, len(reach), block)
        view[rows, :, columns, :] = label[rows, columns, None, None]
        ends = parted
    return labels[top : top + height, left : left + width]


def _level_sums(focus: Array, side: int, top: int, left: int) -> tuple[list[Array], list[Array]]:
    """Sums over blocks of 2, 4, … side pixels of the focus, and of its largest difference."""
    count, height, width = focus.shape
    padded = np.zeros((count + 1, side, side))
    padded[:count, top : top + height, left : left + width] = focus
    padded[count] = padded[:count].max(axis=0) - padded[:count].min(axis=0)
    pyramid = [padded]
    while pyramid[-1].shape[1] > 1:
        fine = pyramid[-1]
        rows = fine[:, ::2] + fine[:, 1::2]
        pyramid.append(rows[:, :, ::2] + rows[:, :, 1::2])
    pyramid = pyramid[1:] or pyramid
    return [level[:count] for level in pyramid], [level[count] for level in pyramid]
