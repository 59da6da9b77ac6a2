"""Feature mutual information: shared information of the 3x3 windows of two images.

The pixels of a window, scaled to sum 1, are read as a distribution over the nine positions.
The joint distribution of two windows is modelled between independence and the strongest
dependence that the two allow (the Fréchet bound), in proportion to their correlation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from metrics import GrayImage, metric
from metrics._parts import dot, shared, strips

cv2 = lazy.load("cv2")

Array = NDArray[np.float64]

CHUNK = 1 << 14  #: Windows treated at a time, so that they stay in the cache.
TINY = 1e-300
POSITIONS = np.arange(1.0, 10)[:, None]


def _neighbours(x: NDArray[Any]) -> list[NDArray[Any]]:
    """The nine pixels of all 3x3 windows, each (H - 2, W - 2), column by column."""
    height, width = x.shape
    return [
        x[row : height - 2 + row, column : width - 2 + column]
        for column in range(3)
        for row in range(3)
    ]


def _windows(image: GrayImage, strip: slice) -> Array:
    """The 3x3 windows whose first rows are in a strip, (9, n)."""
    pixels = _neighbours(image.levels[strip.start : strip.stop + 2])
    return np.stack(pixels, dtype=np.float64).reshape(9, -1)


def _strips(image: GrayImage) -> Iterator[slice]:
    """Rows of windows, as many at a time as stay in the cache."""
    return strips(image.shape[0] - 2, max(1, CHUNK // image.shape[1]))


def _scaled(windows: Array) -> Array:
    """Each window from 0 to 1; a flat one as 1 everywhere."""
    low = windows.min(axis=0)
    extent = windows.max(axis=0) - low
    flat = extent == 0
    return np.where(flat, 1.0, (windows - low) / np.where(flat, 1.0, extent))


def _spread(p: Array) -> Array:
    """Standard deviation of the position under each distribution."""
    mean = (p * POSITIONS).sum(axis=0)
    return np.sqrt(np.maximum((p * POSITIONS**2).sum(axis=0) - mean**2, 0))


def _entropy(p: Array) -> Array:
    return -_times_log(p).sum(axis=0) / np.log(2)


def _correlation(p: Array, q: Array) -> Array:
    """Pearson correlation of two distributions: 1 for equal ones, 0 if just one is flat."""
    pc, qc = p - p.mean(axis=0), q - q.mean(axis=0)
    bottom = np.sqrt((pc**2).sum(axis=0) * (qc**2).sum(axis=0))
    flat = bottom < 1e-15
    c = np.where(flat, 0, (pc * qc).sum(axis=0) / np.where(flat, 1, bottom))
    return np.where((p == q).all(axis=0), 1.0, c)


def _information(p: Array, q: Array) -> Array:
    """2 I / (H + H) of the modelled joint distribution, for each pair of distributions."""
    c = _correlation(p, q)
    # reversing one image's positions turns the lower Fréchet bound into the upper one
    q = np.where(c < 0, q[::-1], q)
    upper_p, upper_q = p.cumsum(axis=0), q.cumsum(axis=0)
    bound = sum(np.minimum(a, b) for a in upper_p[:8] for b in upper_q[:8])
    covariance = bound - upper_p[:8].sum(axis=0) * upper_q[:8].sum(axis=0)
    spread = _spread(p) * _spread(q)
    related = (spread > 1e-12) & (np.abs(covariance) > 1e-12)
    phi = np.where(related, np.abs(c) * spread / np.where(related, covariance, 1), 0)
    total = _mixture_information(p, q, upper_p, upper_q, phi)
    entropies = _entropy(p) + _entropy(q)
    informative = (entropies > 0) & (np.abs(total) > 1e-14)
    return np.where(informative, 2 * total / np.where(informative, entropies, 1), 0)


def _mixture_information(p: Array, q: Array, upper_p: Array, upper_q: Array, phi: Array) -> Array:
    """Mutual information in bits of phi times the bound plus 1 - phi times the product.

    Since phi may exceed 1, the mixture may be negative at some pairs; the logarithm is taken of
    its absolute value, which is the real part that the public code keeps.
    """
    rest = 1 - phi
    independent = _times_log(rest)
    total = independent.copy()  # the value if the bound had no mass
    lane = np.arange(phi.size)
    i, j = np.zeros((2, phi.size), np.intp)
    low = np.zeros(phi.shape)
    # the mass of the bound lies on a staircase: all windows follow it step by step
    for _ in range(17):
        at_p, at_q = i * phi.size + lane, j * phi.size + lane
        end_p, end_q = upper_p.take(at_p, mode="clip"), upper_q.take(at_q, mode="clip")
        high = np.minimum(end_p, end_q)
        product = p.take(at_p, mode="clip")
        product *= q.take(at_q, mode="clip")
        ratio = high - low
        ratio *= phi
        ratio /= np.maximum(product, TINY)
        ratio += rest
        gain = _times_log(ratio)
        gain -= independent
        gain *= product
        total += gain
        i += end_p <= end_q
        j += end_q <= end_p
        np.minimum(i, 8, out=i)
        np.minimum(j, 8, out=j)
        low = high
    return total / np.log(2)


def _times_log(x: Array) -> Array:
    """Each x log |x|, 0 at 0."""
    return x * cv2.log(np.maximum(np.abs(x), TINY)).reshape(x.shape)


@shared
def _pixel_information(fused: GrayImage, source: GrayImage) -> Array:
    """Information between the windows of two images, as if none were identical."""
    parts = []
    for strip in _strips(fused):
        p, q = (_scaled(_windows(image, strip)) for image in (source, fused))
        parts.append(_information(p / p.sum(axis=0), q / q.sum(axis=0)))
    return np.concatenate(parts)


def _identical(one: GrayImage, other: GrayImage) -> NDArray[np.bool_]:
    """Which windows are the same in both images."""
    return np.logical_and.reduce(_neighbours(one.levels == other.levels)).ravel()


def _mean_score(fused: GrayImage, source: GrayImage, same: NDArray[np.bool_]) -> float:
    """Mean information of the windows, 1 for those that are the same."""
    information = _pixel_information(fused, source)
    return float(information.sum(where=~same) + np.count_nonzero(same)) / same.size


@shared
def _edge_codes(image: GrayImage) -> NDArray[np.int32]:
    """The 3x3 windows of the edge map as nine-bit numbers.

    Sobel gradients with the border repeated; an edge is where the squared length exceeds four
    times its mean and both neighbours along a row or along a column.
    """
    gx, gy = (
        cv2.Sobel(image.levels, cv2.CV_16S, *order, borderType=cv2.BORDER_REPLICATE)
        for order in ((1, 0), (0, 1))
    )
    strength = np.square(gx, dtype=np.int32) + np.square(gy, dtype=np.int32)
    around = np.pad(strength, 1)
    row = (strength > around[1:-1, :-2]) & (strength > around[1:-1, 2:])
    column = (strength > around[:-2, 1:-1]) & (strength > around[2:, 1:-1])
    edges = (row | column) & (strength > 4 * strength.mean())
    codes = np.zeros((image.shape[0] - 2, image.shape[1] - 2), np.int32)
    for neighbour in _neighbours(edges):
        codes <<= 1
        codes |= neighbour
    return codes.ravel()


def _edge_information(fused: GrayImage, source: GrayImage) -> float:
    """Mean over windows; only the pairs of windows that occur are computed."""
    counts = np.bincount(_edge_codes(source) * 512 + _edge_codes(fused))
    pairs = np.flatnonzero(counts)
    codes = np.stack([pairs // 512, pairs % 512])
    s, f = ((codes[k] >> np.arange(9)[::-1, None]) & 1 for k in (0, 1))
    p, q = _scaled(s.astype(np.float64)), _scaled(f.astype(np.float64))
    values = _information(p / p.sum(axis=0), q / q.sum(axis=0))
    values[codes[0] == codes[1]] = 1
    return dot(values, counts[pairs]) / float(counts.sum())


@metric(
    "fmi",
    label="FMI",
    title="Feature mutual information of edges",
    family="information",
    higher_is_better=True,
    bounds=(-np.inf, np.inf),
    needs="sources",
    paper="Haghighat, Razian 2014, Fast-FMI, IEEE AICT",
    doi="10.1109/ICAICT.2014.7036000",
    formula="mean over sources and 3x3 windows of the edge maps of 2 I / (H + H)",
    golden="octave FMI",
    tolerance=2e-3,
    deviations=(
        "Edges as in Octave, up to ties of gradients (3e-4); MATLAB thins edges differently, which "
        "gives values 0.007 to 0.010 higher."
    ),
    smallest=3,
)
def fmi(sources: list[GrayImage], fused: GrayImage) -> float:
    """Mutual information of the edge maps in 3x3 windows, with a modelled joint distribution.

    For N sources the mean runs over all of them.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.core.pixels.as_image`; colour counts as luminance.
    fused : ndarray
        An image of the same height and width.

    Returns
    -------
    float
        About 0.9 for photos, most of whose area has no edges; 1 when all images are equal.

    Raises
    ------
    ImageError
        Sizes differ, or an image is smaller than 3x3.

    Examples
    --------
    >>> from skimage.data import camera
    >>> from metrics.fmi import fmi
    >>> fmi([camera(), camera()], camera())
    1.0
    """
    return sum(_edge_information(fused, source) for source in sources) / len(sources)


@metric(
    "fmi_pixel",
    variant_of="fmi",
    label="FMI (pixels)",
    title="Feature mutual information of pixels",
    family="information",
    higher_is_better=True,
    bounds=(-np.inf, np.inf),
    needs="sources",
    paper="Haghighat, Razian 2014, Fast-FMI, IEEE AICT",
    doi="10.1109/ICAICT.2014.7036000",
    formula="mean over sources and 3x3 windows of the pixels of 2 I / (H + H)",
    golden="octave FMI_none",
    tolerance=2.5e-3,
    deviations=(
        "The public code overwrites the fused window before it compares the second source: "
        "1e-4 as a rule, 2.5e-3 where the fused image equals a source. See fmi_pixel_toolbox."
    ),
    smallest=3,
)
def fmi_pixel(sources: list[GrayImage], fused: GrayImage) -> float:
    """`fmi` of the pixels themselves instead of edge maps.

    Identical windows score 1, and so do windows of equal shape, flat ones included, unless a
    single pixel stands out. Parameters, exceptions and the case of N sources are those of
    `fmi`.

    Examples
    --------
    >>> from skimage.data import camera
    >>> from metrics.fmi import fmi_pixel
    >>> fmi_pixel([camera()[:64]] * 2, camera()[:64])
    1.0
    """
    scores = (_mean_score(fused, source, _identical(source, fused)) for source in sources)
    return sum(scores) / len(sources)


@metric(
    "fmi_pixel_toolbox",
    variant_of="fmi",
    label="FMI (pixels, toolbox)",
    title="Feature mutual information of pixels as the public code computes it",
    family="information",
    higher_is_better=True,
    bounds=(-np.inf, np.inf),
    needs="sources",
    symmetric=False,
    stack="two",
    paper="Haghighat, Razian 2014, Fast-FMI, IEEE AICT",
    doi="10.1109/ICAICT.2014.7036000",
    formula="as fmi_pixel; the second source is compared with a fused window scaled to 0..1",
    golden="octave FMI_none",
    tolerance=1e-9,
    deviations="Keeps the public code's error, to compare with published values only.",
    smallest=3,
)
def fmi_pixel_toolbox(sources: list[GrayImage], fused: GrayImage) -> float:
    """`fmi_pixel` as the public code computes it, which depends on the order of the sources.

    Where the fused window differs from that of the first source, it is scaled to 0..1 before
    the second source's window is compared with it, so identical windows are not recognised.
    Parameters and exceptions are those of `fmi`, for two sources.

    Examples
    --------
    >>> from skimage.data import camera
    >>> from metrics.fmi import fmi_pixel_toolbox
    >>> fmi_pixel_toolbox([camera()[:64]] * 2, camera()[:64])
    1.0
    """
    first, second = sources
    same_first = _identical(first, fused)
    same_second = np.empty_like(same_first)
    start = 0
    for strip in _strips(fused):
        f, s = _windows(fused, strip), _windows(second, strip)
        part = slice(start, start := start + f.shape[1])
        same_second[part] = (s == np.where(same_first[part], f, _scaled(f))).all(axis=0)
    scores = _mean_score(fused, first, same_first), _mean_score(fused, second, same_second)
    return sum(scores) / 2
