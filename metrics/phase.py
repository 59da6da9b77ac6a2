"""The phase congruency metric of Zhao, Laganière and Liu."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import lazy_loader as lazy
import numpy as np

from metrics import GrayImage, metric
from metrics._log_gabor import Real
from metrics._parts import shared, strips
from metrics._phase import Congruency, phase_congruency
from metrics._windows import Array, Gaussian

cv2 = lazy.load("cv2")

WINDOW = Gaussian(11, 1.5)
FEATURE = 0.1  #: Least phase congruency of a feature.
C = 1e-4

#: Pixels of the largest image treated as a whole, and rows per strip of larger images.
WHOLE, STRIP = 1 << 22, 256


class Moments(NamedTuple):
    """Weighted mean and standard deviation around each pixel."""

    mean: Real
    deviation: Real


class Features(NamedTuple):
    """The three maps of an image at its features, their moments, and a map that is 1 there."""

    maps: tuple[Real, ...]
    moments: tuple[Moments, ...]
    mask: Real


def _same_moments(x: Real) -> Moments:
    """Moments; of a variance that rounding made negative the absolute value is taken."""
    mean = WINDOW.same(x)
    square = np.square(x)
    var = WINDOW.same(square)
    var -= np.square(mean, out=square)
    np.abs(var, out=var)
    return Moments(mean, cv2.sqrt(var, var))


def _features(congruency: Congruency) -> Features:
    mask = (congruency.phase > FEATURE).astype(congruency.phase.dtype)
    maps = tuple(x * mask for x in congruency)
    return Features(maps, tuple(_same_moments(x) for x in maps), mask)


@shared
def _own_features(image: GrayImage) -> Features:
    return _features(phase_congruency(image))


@shared
def _fused_moments(image: GrayImage) -> tuple[Moments, ...]:
    return tuple(_same_moments(x) for x in phase_congruency(image))


@shared
def _joint_features(first: GrayImage, others: tuple[GrayImage, ...]) -> Features:
    return _features(_strongest([phase_congruency(image) for image in (first, *others)]))


def _strongest(sources: Sequence[Congruency]) -> Congruency:
    """The maps of a perfect fusion: at each pixel those of the stronger phase."""
    best, *others = sources
    for one in others:
        later = ~(best.phase > one.phase)
        best = Congruency(*(np.where(later, x, y) for x, y in zip(one, best, strict=True)))
    return best


def _correlation(features: Features, k: int, fused: Real, own: Moments) -> Real:
    """Correlation of one map with the fused image's around each feature, 0 elsewhere."""
    moments = features.moments[k]
    part = features.maps[k] * fused
    cov = WINDOW.same(part)
    cov -= np.multiply(moments.mean, own.mean, out=part)
    cov += C
    spread = np.multiply(moments.deviation, own.deviation, out=part)
    spread += C
    cov /= spread
    cov *= features.mask
    return cov


class Stage(NamedTuple):
    """Some rows of a scene.

    Attributes
    ----------
    candidates : sequence of Features
        Of each source, and the joint ones last.
    maps, moments : Congruency, sequence of Moments
        Of the fused image.
    inside : slice
        The rows without their margin.
    """

    candidates: Sequence[Features]
    maps: Congruency
    moments: Sequence[Moments]
    inside: slice

    def sums(self) -> tuple[int, Array]:
        """Number of joint features, and the sum of the best correlation for each map."""
        sums = np.zeros(3)
        for k, (image, moments) in enumerate(zip(self.maps, self.moments, strict=True)):
            correlations = (_correlation(one, k, image, moments) for one in self.candidates)
            best = functools.reduce(np.maximum, correlations)
            sums[k] = best[self.inside].sum(dtype=np.float64)
        return int(np.count_nonzero(self.candidates[-1].mask[self.inside])), sums


def _stages(sources: list[GrayImage], fused: GrayImage) -> Iterator[Stage]:
    """The whole image with parts kept for the next one; a large image in strips."""
    if fused.levels.size <= WHOLE:
        joint = _joint_features(sources[0], tuple(sources[1:]))
        candidates = [*(_own_features(source) for source in sources), joint]
        yield Stage(candidates, phase_congruency(fused), _fused_moments(fused), slice(None))
        return
    congruencies = [phase_congruency(image) for image in (*sources, fused)]
    reach = WINDOW.size // 2
    for strip in strips(fused.shape[0], STRIP):
        top = max(strip.start - reach, 0)
        *cut, own = (Congruency(*(x[top : strip.stop + reach] for x in c)) for c in congruencies)
        candidates = [_features(one) for one in (*cut, _strongest(cut))]
        inside = slice(strip.start - top, strip.stop - top)
        yield Stage(candidates, own, [_same_moments(x) for x in own], inside)


@metric(
    "qp",
    label="QP",
    title="Phase congruency metric",
    family="perceptual",
    higher_is_better=True,
    bounds=(-1, 1),
    needs="sources",
    paper="Zhao, Laganière, Liu 2007, Int. J. Innovative Computing, Information and Control 3(6A)",
    formula="product over phase congruency and its two moments of mean max(r_A, r_B, r_max)",
    golden="liu2020 QP, octave QP",
    tolerance=2e-6,
    deviations=(
        "Transforms in single precision (below 2e-6 on photos), in double precision where the "
        "image has areas without any noise, as in drawings, so that this error would matter, which "
        "takes twice the memory. By its definition a fused image without any feature scores "
        "about 1, more than every fusion: 0.999 for a constant image on g_01, where dwt, gff and "
        "cnn have 0.69 to 0.82."
    ),
    smallest=11,
)
def qp(sources: list[GrayImage], fused: GrayImage) -> float:
    """Correlation of features with those of the sources: phase congruency and its moments.

    Three maps per image: phase congruency, and the largest and smallest moment of it over
    orientations. Each is correlated in Gaussian 11x11 windows with that of every source and
    with the pixelwise strongest of them; the max over sources and this map counts where
    the strongest has a feature, and the means over the three maps are multiplied. Defined in the
    same way for N sources.

    Where the fused image has no feature at all, its maps are constant: covariance and spread are
    0, and the correlation C/C = 1. A constant image thus scores about 1, more than any
    fusion. Use a metric such as `metrics.gradient.qabf` too, which gives it almost 0.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.core.pixels.as_image`; colour counts as luminance.
    fused : ndarray
        An image of the same height and width.

    Returns
    -------
    float
        At most 1. Equal images score about 0.97, since the maps of the sources are cut to their
        features and those of the fused image are not; 0 when the sources have no features.

    Raises
    ------
    ImageError
        Sizes differ, or an image is smaller than 11x11.

    Examples
    --------
    >>> from skimage.data import camera
    >>> from metrics.phase import qp
    >>> crop = camera()[100:164, 200:264]
    >>> round(qp([crop, crop], crop), 3)
    0.965
    """
    stages = [stage.sums() for stage in _stages(sources, fused)]
    count = sum(count for count, _ in stages)
    if count == 0:
        return 0.0
    return float(np.prod(sum(sums for _, sums in stages) / count))
