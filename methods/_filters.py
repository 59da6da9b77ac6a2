"""Filters and map clean-up that several methods share. Images are float32 (H, W)."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from bench.core.pixels import strips

cv2 = lazy.load("cv2")
scipy = lazy.load("scipy")

Array = NDArray[Any]


def odd_window(side: int, name: str = "window") -> int:
    """`side` if it is odd and positive, else `UsageError`."""
    if side < 1 or side % 2 == 0:
        raise UsageError(f"{name} must be odd and positive, got {side}")
    return side


def box_sum(image: Array, radius: int) -> Array:
    """Sum over a square of side 2 radius + 1; pixels outside the image count as 0."""
    side = 2 * radius + 1
    return cv2.boxFilter(image, -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)


def guided_filter(guide: Array, image: Array, radius: int, eps: float) -> Array:
    """He, Sun and Tang's guided filter with a gray guide.

    In each window the image is fitted by a line in the guide, q = a I + b with
    a = cov(I, p) / (var(I) + eps), b = mean(p) - a mean(I); the result takes the mean of a
    and b over the windows that contain a pixel. Windows shrink at the border.

    Parameters
    ----------
    guide, image : ndarray
        float32 (H, W); `guide` in [0, 1].
    radius : int
        The window's side is 2 radius + 1.
    eps : float
        Regularisation: variances below it are smoothed over.

    Returns
    -------
    ndarray
        float32 (H, W).

    References
    ----------
    He, Sun, Tang 2013, https://doi.org/10.1109/TPAMI.2012.213
    """

    def mean(values: Array) -> Array:
        return _per_pixel(box_sum(values, radius), radius)

    mean_guide, mean_image = mean(guide), mean(image)
    work = guide * guide
    variance = mean(work)
    variance -= np.multiply(mean_guide, mean_guide, out=work)
    variance += np.float32(eps)
    slope = mean(np.multiply(guide, image, out=work))
    slope -= np.multiply(mean_guide, mean_image, out=work)
    slope /= variance
    del variance
    offset = np.multiply(slope, mean_guide, out=mean_guide)
    np.subtract(mean_image, offset, out=offset)
    fitted = mean(slope)
    fitted *= guide
    fitted += mean(offset)
    return fitted


def _per_pixel(sums: Array, radius: int) -> Array:
    """The sums of `box_sum`, divided in place by the number of summed pixels."""
    down, right = (_reach(length, radius) for length in sums.shape)
    for rows in strips(len(sums)):
        sums[rows] /= down[rows, None] * right
    return sums


def _reach(length: int, radius: int) -> Array:
    """Number of positions around each that lie within the image, along one axis."""
    place = np.arange(length)
    return (np.minimum(place + radius, length - 1) - np.maximum(place - radius, 0) + 1).astype(
        np.float32
    )


def one_hot(labels: Array, count: int) -> Array:
    """Weight maps float32 (count, H, W) that are 1 where `labels` (H, W) names the source."""
    sources = np.arange(count).reshape(-1, 1, 1)
    return (labels[None] == sources).astype(np.float32)


def remove_small_regions(labels: Array, min_area: float) -> Array:
    """Give every connected region below `min_area` pixels to its nearest larger one.

    Parameters
    ----------
    labels : ndarray
        Whole numbers (H, W): the chosen source of each pixel. Regions are 8-connected.
    min_area : float
        Smallest region that stays.

    Returns
    -------
    ndarray
        (H, W), of the type of `labels`; unchanged when no region is large enough.

    Examples
    --------
    >>> import numpy as np
    >>> from methods._filters import remove_small_regions
    >>> remove_small_regions(np.array([[0, 0, 0, 1, 0, 0]]), 2)
    array([[0, 0, 0, 0, 0, 0]])
    """
    small = np.zeros(labels.shape, bool)
    for label in np.unique(labels):
        _, regions, stats, _ = cv2.connectedComponentsWithStats(
            (labels == label).astype(np.uint8), connectivity=8
        )
        areas = stats[:, cv2.CC_STAT_AREA]
        areas[0] = labels.size  # the background has another label
        small |= (areas < min_area)[regions]
    if not small.any() or small.all():
        return labels
    _, (rows, columns) = scipy.ndimage.distance_transform_edt(small, return_indices=True)
    return labels[rows, columns]
