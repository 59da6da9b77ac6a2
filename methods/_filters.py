"""Filters, structuring elements and clean-up of maps that several methods share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from bench.core.pixels import strips
from methods import Blend

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
        float32 or float64 (H, W), both of one type; `guide` in [0, 1].
    radius : int
        The window's side is 2 radius + 1.
    eps : float
        Regularisation: variances below it are smoothed over.

    Returns
    -------
    ndarray
        (H, W), of the same type.

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
    variance += guide.dtype.type(eps)
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


def clean(mask: Array, min_area: float) -> Array:
    """Remove small regions of a mask, then small holes.

    Parameters
    ----------
    mask : ndarray
        bool (H, W). Regions and holes are 8-connected.
    min_area : float
        Fewest pixels of a region or a hole that stays.

    Returns
    -------
    ndarray
        bool (H, W).

    Examples
    --------
    >>> import numpy as np
    >>> from methods._filters import clean
    >>> clean(np.array([[1, 0, 1, 1, 1]], bool), 2).astype(int)
    array([[0, 0, 1, 1, 1]])
    """
    return ~large_regions(~large_regions(mask, min_area), min_area)


def large_regions(mask: Array, min_area: float, connectivity: int = 8) -> Array:
    """The regions of a mask, bool (H, W), that have at least `min_area` pixels."""
    _, regions, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=connectivity
    )
    large = stats[:, cv2.CC_STAT_AREA] >= min_area
    large[0] = False  # the background
    return large[regions]


def only_mask(masks: Sequence[Array]) -> Array:
    """Number (H, W) of the one mask that is set at a pixel, -1 where none or several are."""
    labels = np.full(masks[0].shape, -1, np.int16)
    several = np.zeros(masks[0].shape, bool)
    for n, mask in enumerate(masks):
        several |= mask & (labels >= 0)
        labels[mask] = n
    labels[several] = -1
    return labels


def levels(image: Array) -> Array:
    """Values on the scale 0..255, float64 (H, W); whole ones for 8-bit images.

    Float32 holds k/255 with an error that would decide between equal sums: what lies within a
    thousandth of a whole level is that level. The levels of 16-bit images lie 1/257 apart.
    """
    scaled = image * np.float64(255)
    whole = np.rint(scaled)
    return np.where(np.abs(scaled - whole) < 1e-3, whole, scaled)


def rounded_levels(image: Array) -> Array:
    """Values on the scale 0..255 rounded half up, float64 (H, W)."""
    return np.floor(levels(image) + 0.5)


def disk(radius: int) -> Array:
    """The structuring element, uint8, that stands for a disk in MATLAB's code.

    It is a disk up to radius 2. From 3 on it is an octagon, the sum of four segments, and
    reaches one pixel less than its radius.

    Examples
    --------
    >>> from methods._filters import disk
    >>> [int(disk(radius).sum()) for radius in (1, 2, 3, 5, 7, 9, 11, 20)]
    [5, 13, 25, 69, 157, 249, 357, 1301]
    """
    if radius < 3:
        place = np.arange(-radius, radius + 1)
        return (place[:, None] ** 2 + place**2 <= radius**2).astype(np.uint8)
    length = 2 * radius / (1 / math.tan(math.pi / 8) + 1 / math.sin(math.pi / 8))
    straight, oblique = int(length), int(length / math.sqrt(2))
    rest = radius - (straight + 2 * oblique) - 1
    straight += max(rest, 0)
    half = straight + 2 * oblique
    shape = np.zeros((2 * half + 1, 2 * half + 1), np.uint8)
    shape[half, half] = 1
    segments = [np.eye(2 * oblique + 1, dtype=np.uint8)]
    segments += [segments[0][::-1], np.ones((1, 2 * straight + 1), np.uint8)]
    for segment in (*segments, segments[2].T):
        shape = cv2.dilate(shape, np.ascontiguousarray(segment))
    return shape


def blend_of(weights: Array) -> Blend:
    """A `Blend` of weights (N, H, W) that may leave [0, 1], as guided filters make them."""

    def blend(channel: Array, /) -> Array:
        fused = np.empty(channel.shape[1:], weights.dtype)
        for rows in strips(len(fused)):
            fused[rows] = np.einsum("nhw,nhw->hw", weights[:, rows], channel[:, rows])
        return fused

    return blend


def blend_two(weight: Array) -> Blend:
    """A `Blend` of two sources: the first one times `weight` (H, W), the second times the rest."""
    return blend_of(np.stack([weight, 1 - weight]))


def structure_saliency(levels: Array, sigmas: Sequence[float], alpha: float = 0.5) -> list[Array]:
    """Strength of the structure tensor at several scales.

    The tensor's entries are products of backward differences, smoothed by a Gaussian of each
    standard deviation. With its eigenvalues l1, l2 the saliency is
    sqrt((sqrt(l1) + sqrt(l2))^2 + alpha (sqrt(l1) - sqrt(l2))^2), here in closed form.

    Parameters
    ----------
    levels : ndarray
        float64 (H, W).
    sigmas : sequence of float
        Standard deviations in pixels.
    alpha : float
        Weight of the anisotropy.

    Returns
    -------
    list of ndarray
        float64 (H, W) for each of `sigmas`.

    References
    ----------
    Zhou, Li, Wang 2014, https://doi.org/10.1016/j.inffus.2013.11.005
    """
    return saliency_of_gradients(*differences(levels), sigmas, alpha)


def saliency_of_gradients(
    across: Array, down: Array, sigmas: Sequence[float], alpha: float = 0.5
) -> list[Array]:
    """`structure_saliency` of an image whose differences are given, float64 (H, W)."""
    products = (across * across, across * down, down * down)
    found = []
    for sigma in sigmas:
        taps = _gaussian(sigma)
        xx, xy, yy = (
            cv2.sepFilter2D(p, -1, taps, taps, borderType=cv2.BORDER_REFLECT) for p in products
        )
        root = np.sqrt(np.maximum(xx * yy - xy * xy, 0))
        found.append(np.sqrt((1 + alpha) * (xx + yy) + 2 * (1 - alpha) * root))
    return found


def _gaussian(sigma: float) -> Array:
    """Taps of a Gaussian of sum 1, over six standard deviations made odd."""
    side = math.ceil(6 * sigma)
    side += 1 - side % 2
    place = np.arange(side) - side // 2
    taps = np.exp(-(place**2) / (2 * sigma**2))
    return taps / taps.sum()


def differences(levels: Array) -> tuple[Array, Array]:
    """Backward differences across and down (H, W); both are 0 along the image's border."""
    across, down = np.zeros_like(levels), np.zeros_like(levels)
    across[1:-1, 1:-1] = levels[1:-1, 1:-1] - levels[1:-1, :-2]
    down[1:-1, 1:-1] = levels[1:-1, 1:-1] - levels[:-2, 1:-1]
    return across, down


def modified_laplacian(levels: Array, border: int) -> Array:
    """Sum of the magnitudes of the second differences across and down, float64 (H, W)."""
    taps = np.array([[-1.0, 2, -1]])
    across = cv2.filter2D(levels, -1, taps, borderType=border)
    down = cv2.filter2D(levels, -1, taps.T, borderType=border)
    return np.abs(across) + np.abs(down)
