"""Multi-scale weighted gradient-based fusion (MWGF)."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from methods import Blend, method
from methods._filters import differences, disk, levels, saliency_of_gradients, structure_saliency

cv2 = lazy.load("cv2")

Array = NDArray[Any]

#: Standard deviation of the saliency that orders the sources, on a quarter of the size.
ORDER_SIGMA, ORDER_SHRINK = 6.0, 4
#: Radius of the closing, and the margin within which runs of the map are trimmed.
CLOSING, TRIM = 9, 12
#: Least denominator.
TINY = 2.0**-52
#: Step of the reconstruction.
STEP = 0.1


@method(
    "mwgf",
    title="Multi-scale weighted gradients (MWGF)",
    kind="decision",
    family="spatial",
    stack="pairwise",
    paper="Zhou, Li, Wang, Multi-scale weighted gradient-based fusion for multi-focus images, "
    "Information Fusion 20, 2014",
    doi="10.1016/j.inffus.2013.11.005",
    rounded_luminance=True,
    symmetric=False,
    exact=False,
    in_all=False,
)
def mwgf(
    sources: Array,
    *,
    sigmas: tuple[float, ...] = (4.0, 0.5),
    threshold: float = 0.8,
    share: float = 0.5,
    margins: tuple[int, ...] = (6, 9),
    rounds: int = 500,
) -> Blend:
    """Weight the gradients of the sources at two scales, and reconstruct from them.

    The saliency of a large scale finds the focused region; near its border the saliency of a small
    scale gives the weights. The gradient of the fused image is the main direction of the weighted
    gradients. The weighted mean of the sources is changed step by step until its Laplacian is the
    gradient's divergence.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    sigmas : tuple of float
        Standard deviations of the large and the small scale.
    threshold : float
        Least difference of the saliencies that starts the focused region.
    share : float
        Share of the largest small-scale saliencies above which a pixel counts as sharp.
    margins : tuple of int
        Sides of the squares that erode and dilate the region.
    rounds : int
        Steps of the reconstruction.

    Returns
    -------
    Blend
        Blends one channel (N, H, W) to (H, W).

    Raises
    ------
    UsageError
        A tuple has another length than 2, or a number is out of range.

    Notes
    -----
    fidelity: constants are those of the authors' code for registered pairs, which runs on 8-bit
    levels and rounds within each step. Mean PSNR to the images of the 2020 survey at hand
    (g_01-g_05, c_01-c_03; equal ones count as 99 dB): 66.1 dB gray, 70.9 colour: exact ties of
    the rounding are decided by the last bit. The border's gradient counts as zero, so that
    equal sources change there. Two sources by nature; more are folded from the left.

    References
    ----------
    Zhou, Li, Wang 2014, https://doi.org/10.1016/j.inffus.2013.11.005

    Examples
    --------
    >>> import numpy as np
    >>> from methods.mwgf import mwgf
    >>> image = np.random.default_rng(0).random((20, 30), np.float32)
    >>> stack = np.stack([image, image])
    >>> mwgf(stack)(stack).shape
    (20, 30)
    """
    if not len(sigmas) == len(margins) == 2:
        raise UsageError("sigmas and margins must have two values each")
    if min(*sigmas, *margins) <= 0 or not 0 < share <= 1 or rounds < 0:
        raise UsageError("sigmas, margins and share must be positive, rounds not negative")
    images = [levels(source) for source in sources]
    swapped = _swapped(images)
    if swapped:
        images.reverse()
    (large_a, small_a), (large_b, small_b) = (structure_saliency(i, sigmas) for i in images)
    region = _trimmed(_region(large_a > large_b + threshold))
    within = _squared(region, margins[0], cv2.erode)
    reach = _squared(region, margins[1], cv2.dilate)
    weight = _weights(small_a, small_b, within, ~reach, share)
    if swapped:
        weight = 1 - weight
    weight = _median(np.pad(weight, 1))

    def blend(channel: Array, /) -> Array:
        return _reconstructed([levels(image) for image in channel], weight, rounds) / 255

    return blend


def _swapped(images: list[Array]) -> bool:
    """Whether the first source is the more salient one at most pixels of a quarter of the size."""
    found = []
    for image in images:
        size = tuple(-(-length // ORDER_SHRINK) for length in reversed(image.shape))
        across, down = (
            cv2.resize(d, size, interpolation=cv2.INTER_AREA) for d in differences(image)
        )
        found.append(saliency_of_gradients(across, down, [ORDER_SIGMA])[0])
    return float(np.mean(found[0] > found[1])) > 0.5


def _median(wide: Array) -> Array:
    """Median of 3 x 3 values, without the outer ring."""
    height, width = wide.shape
    parts = [wide[dy : height - 2 + dy, dx : width - 2 + dx] for dy in range(3) for dx in range(3)]
    return np.partition(np.stack(parts), 4, axis=0)[4]


def _region(start: Array) -> Array:
    """The largest region of the closed map, without holes."""
    closed = cv2.morphologyEx(start.astype(np.uint8), cv2.MORPH_CLOSE, disk(CLOSING))
    return ~_largest(~_largest(closed > 0))


def _largest(mask: Array) -> Array:
    _, regions, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if len(stats) < 2:
        return np.zeros(mask.shape, bool)
    return regions == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()


def _trimmed(region: Array) -> Array:
    """Without short runs of ones at the ends of columns, then of rows."""
    region = region.copy()
    views = (region.T, region.T[:, ::-1], region, region[:, ::-1])
    for longest, view in zip((TRIM - 1, TRIM, TRIM - 1, TRIM), views, strict=True):
        run = np.where(view.all(axis=1), 0, view.argmin(axis=1))
        short = run <= longest
        place = np.arange(view.shape[1])
        view[(place < run[:, None]) & short[:, None]] = False
    return region


def _squared(region: Array, side: int, change: Any) -> Array:
    element = np.ones((side, side), np.uint8)
    anchor = ((side - 1) // 2,) * 2
    return change(region.astype(np.uint8), element, anchor=anchor) > 0


def _weights(first: Array, second: Array, inside: Array, outside: Array, share: float) -> Array:
    """Weight of the first source: 1 inside, 0 outside, by the small scale's saliency between."""
    limits = (
        _limit(first[outside & (first > second)], share),
        _limit(second[inside & (first < second)], share),
    )
    weight = inside.astype(np.float64)
    between = ~inside & ~outside
    a, b = first[between], second[between]
    weight[between] = np.where(a >= b, _share(a, b, limits[0]), 1 - _share(b, a, limits[1]))
    return weight


def _limit(values: Array, share: float) -> float:
    """The value that is exceeded by a share of all; infinity if there are none."""
    if not values.size:
        return np.inf
    rank = int(np.ceil(share * values.size))
    return float(np.partition(values, values.size - rank)[values.size - rank])


def _share(larger: Array, smaller: Array, limit: float) -> Array:
    excess = -5.0 if np.isinf(limit) else 5 * (larger - limit) / (limit + TINY)
    sharpness = 1 + np.exp(np.minimum(excess, 700))
    return 1 / (1 + np.exp((smaller - larger) / (larger + smaller + TINY)) / sharpness)


def _reconstructed(images: list[Array], weight: Array, rounds: int) -> Array:
    """The image whose gradient is nearest to the main one of the weighted gradients."""
    rest = 1 - weight
    divergence = _divergence(*_main_gradient(images, weight, rest))
    fused = weight * images[0] + rest * images[1]
    kernel = np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])
    change = np.empty_like(fused)
    before = None
    for _ in range(rounds):
        whole = np.floor(fused + 0.5).astype(np.int16)
        if before is None or not np.array_equal(whole, before):
            change = STEP * (
                cv2.filter2D(whole, cv2.CV_16S, kernel, borderType=cv2.BORDER_REPLICATE)
                - divergence
            )
        before = whole
        fused += change
        np.clip(fused, 0, 255, out=fused)
    return np.floor(fused + 0.5)


def _main_gradient(images: list[Array], weight: Array, rest: Array) -> tuple[Array, Array]:
    """Main direction and strength of the weighted gradients, with the sign of their sum."""
    (dx_a, dy_a), (dx_b, dy_b) = (differences(image) for image in images)
    px, py, qx, qy = weight * dx_a, weight * dy_a, rest * dx_b, rest * dy_b
    c11, c12, c22 = px * px + qx * qx, px * py + qx * qy, py * py + qy * qy
    root = np.sqrt((c11 - c22) ** 2 + 4 * c12**2)
    strength = np.sqrt((c11 + c22 + root) / 2)
    slope = (c11 - c22 + root) / (2 * c12 + TINY)
    norm = np.sqrt(slope**2 + 1)
    across, down = strength * slope / norm, strength / norm
    sign = np.sign(across * (px + qx) + down * (py + qy) + TINY)
    return across * sign, down * sign


def _divergence(across: Array, down: Array) -> Array:
    wide = np.pad(across, ((0, 0), (0, 1)))
    tall = np.pad(down, ((0, 1), (0, 0)))
    return (wide[:, 1:] - across) + (tall[1:] - down)
