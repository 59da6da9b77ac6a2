"""Visual information fidelity: for fusion, and of each source by itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from metrics import GrayImage, metric
from metrics._parts import shared, strips
from metrics._windows import Gaussian, Moments

Array = NDArray[np.float64]

WINDOWS = tuple(Gaussian(size, size / 5) for size in (17, 9, 5, 3))  #: One per scale.
SHARES = (1 / 2.15, 0.0, 0.15 / 2.15, 1 / 2.15)  #: Weight of each scale.
NOISE = 0.005 * 255**2  #: Variance of the eye's own noise.
NOISE_TANG = 2.0  #: The same in `vif_tang`.
TINY = 1e-10


@shared
def _scale(image: GrayImage, k: int) -> Array:
    """The image at scale k: scale k - 1 filtered with ``WINDOWS[k]`` and halved."""
    if k == 0:
        return image.gray
    return np.ascontiguousarray(WINDOWS[k].valid(_scale(image, k - 1))[::2, ::2])


@shared
def _moments(image: GrayImage, k: int) -> Moments:
    x = _scale(image, k)
    mean = WINDOWS[k].valid(x)
    var = WINDOWS[k].valid(np.square(x)) - np.square(mean)
    return Moments(mean, np.maximum(var, 0, out=var))


class Channel(NamedTuple):
    """Model of the fused image in each window: gain times source, plus distortion.

    Attributes
    ----------
    gain : ndarray
        Factor of the source.
    signal, rest : ndarray
        Variance of gain times source, and of the distortion.
    """

    gain: Array
    signal: Array
    rest: Array


def _channel(fused: GrayImage, source: GrayImage, k: int) -> Channel:
    x, f = _moments(source, k), _moments(fused, k)
    cov = WINDOWS[k].valid(_scale(source, k) * _scale(fused, k)) - x.mean * f.mean
    silent = x.var < TINY
    gain = cov / (x.var + TINY)
    rest = f.var - gain * cov
    gain[silent] = 0
    rest[silent] = f.var[silent]
    lost = f.var < TINY
    gain[lost] = 0
    rest[lost] = 0
    reversed_ = gain < 0
    rest[reversed_] = f.var[reversed_]
    gain[reversed_] = 0
    np.maximum(rest, TINY, out=rest)
    signal = np.square(gain)
    signal *= _source_variance(source, k)
    return Channel(gain, signal, rest)


def _source_variance(source: GrayImage, k: int) -> Array:
    """Variance of the source, 0 where it is negligible."""
    var = _moments(source, k).var
    return np.where(var < TINY, 0, var)


def _sum_of_logs(ratio: Array) -> float:
    """Sum of log10(1 + ratio): logarithms of products of 32, which stay below 1e308."""
    ratio += 1
    columns = (np.multiply.reduce(ratio[strip]) for strip in strips(ratio.shape[0]))
    return sum(float(np.log10(column).sum()) for column in columns)


class Pooled(NamedTuple):
    """Sums over the windows of one scale.

    Attributes
    ----------
    fusion : float
        Information with distortion over that without, of the source with the smallest gain.
    each : tuple of float
        Information with distortion for each source by itself, with the noise of `vif_tang`.
    """

    fusion: float
    each: tuple[float, ...]


@shared
def _pooled(fused: GrayImage, sources: tuple[GrayImage, ...], k: int) -> Pooled:
    each, chosen = [], None
    for source in sources:
        gain, signal, rest = _channel(fused, source, k)
        each.append(_sum_of_logs(signal / (rest + NOISE_TANG)))
        top = np.log10(1 + signal / (rest + NOISE))
        bottom = np.log10(1 + _source_variance(source, k) / NOISE)
        if chosen is not None:
            later = gain <= chosen[0]
            gain, top, bottom = (
                np.where(later, new, old)
                for new, old in zip((gain, top, bottom), chosen, strict=True)
            )
        chosen = gain, top, bottom
    return Pooled(float((top + 1e-7).sum() / (bottom + 1e-7).sum()), tuple(each))


@shared
def _own_information(source: GrayImage, k: int) -> float:
    """Information in the source itself, with the noise of `vif_tang`."""
    return _sum_of_logs(_source_variance(source, k) / NOISE_TANG)


@metric(
    "viff",
    label="VIFF",
    title="Visual information fidelity for fusion",
    family="perceptual",
    higher_is_better=True,
    bounds=(0, np.inf),
    needs="sources",
    symmetric=False,
    paper="Han, Cai, Cao, Xu 2013, Information Fusion 14(2)",
    doi="10.1016/j.inffus.2011.08.002",
    formula="sum over scales of p sum(N) / sum(D), N and D of the source with the smaller gain",
    golden="octave VIFF",
    tolerance=1e-9,
    deviations="Luminance only; the paper's colour version adds the chroma channels.",
    smallest=41,
)
def viff(sources: list[GrayImage], fused: GrayImage) -> float:
    """Visual information of the fused image over that of the sources.

    At four scales the fused image is modelled as gain times source plus distortion in each
    window; per window the source with the smallest gain counts (of equal gains the last
    source, so the order has a small influence). Defined in the same way for N sources.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.core.pixels.as_image`; colour counts as luminance.
    fused : ndarray
        An image of the same height and width.

    Returns
    -------
    float
        At least 0; 1 when all images are equal, above 1 when contrast is enhanced.

    Raises
    ------
    ImageError
        Sizes differ, or an image is smaller than 41x41.

    Examples
    --------
    >>> from skimage.data import camera
    >>> from metrics.viff import viff
    >>> round(viff([camera()[:64, :64]] * 2, camera()[:64, :64]), 6)
    1.0
    """
    scales = (k for k, share in enumerate(SHARES) if share > 0)
    return sum(SHARES[k] * _pooled(fused, tuple(sources), k).fusion for k in scales)


@metric(
    "vif_tang",
    variant_of="viff",
    label="VIF",
    title="Visual information fidelity, summed over the sources",
    family="perceptual",
    higher_is_better=True,
    bounds=(0, np.inf),
    needs="sources",
    paper="Sheikh, Bovik 2006, IEEE Transactions on Image Processing 15(2)",
    doi="10.1109/TIP.2005.859378",
    formula="V(A,F) + V(B,F), V = sum log(1 + g^2 v/(s + 2)) / sum log(1 + v/2) over 4 scales",
    golden="octave VIF_tang",
    tolerance=1e-9,
    deviations=(
        "On pixels, not on wavelets, as in Tang's evaluation code. Sums over the sources, where "
        "viff chooses between them in every window: 1.05 to 1.46 on the 120 given images, and "
        "13 of 15 pairs order the methods differently."
    ),
    smallest=41,
)
def vif_tang(sources: list[GrayImage], fused: GrayImage) -> float:
    """Visual information fidelity against each source, summed, as in Tang's evaluation code.

    The windows and scales are those of `viff`, all of one weight, with noise of variance 2. For
    N sources the sum is multiplied by 2/N, which keeps the range.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.core.pixels.as_image`; colour counts as luminance.
    fused : ndarray
        An image of the same height and width.

    Returns
    -------
    float
        At least 0; 2 when all images are equal, above 2 when contrast is enhanced. A constant
        source has no information: its term, 0/0 in the public code, is 0.

    Raises
    ------
    ImageError
        Sizes differ, or an image is smaller than 41x41.

    Examples
    --------
    >>> from skimage.data import camera
    >>> from metrics.viff import vif_tang
    >>> round(vif_tang([camera()[:64, :64]] * 2, camera()[:64, :64]), 6)
    2.0
    """
    scales = range(len(WINDOWS))
    pooled = [_pooled(fused, tuple(sources), k).each for k in scales]
    total = 0.0
    for source, kept in zip(sources, zip(*pooled, strict=True), strict=True):
        present = sum(_own_information(source, k) for k in scales)
        total += sum(kept) / present if present > 0 else 0.0
    return 2 / len(sources) * total
