"""Metrics of edge transfer: the share of the sources' gradients that the fused image keeps."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from metrics import GrayImage, metric
from metrics._gradients import sobel, sobel_magnitude
from metrics._parts import dot, shared, strips

cv2 = lazy.load("cv2")

Array = NDArray[np.float64]


class Sigmoid(NamedTuple):
    """top / (1 + exp(slope (middle - x)))."""

    top: float
    slope: float
    middle: float

    def at(self, x: float) -> float:
        """The value for one argument."""
        return self.top / (1 + math.exp(self.slope * (self.middle - x)))


STRENGTH = Sigmoid(0.9994, 15, 0.5)
ANGLE = Sigmoid(0.9879, 22, 0.8)
STRENGTH_2012 = Sigmoid(1, 10, 0.5)
ANGLE_2012 = Sigmoid(1, 20, 0.75)
STEEPEST = 4 * 255  #: The largest Sobel difference.
TINY = 1e-5  #: Replaces a gradient of 0 as a divisor.


@shared
def _strength(image: GrayImage) -> Array:
    return np.maximum(sobel_magnitude(image), TINY)


@lru_cache(maxsize=1)
def _angles() -> Array:
    """Table of directions by the absolute Sobel differences along y and x."""
    steps = np.arange(STEEPEST + 1.0)
    return np.arctan(steps[:, None] / np.where(steps == 0, TINY, steps))


@shared
def _angle(image: GrayImage) -> Array:
    """Direction in (-pi/2, pi/2), 0 where there is no gradient."""
    angle = np.empty(image.shape)
    for strip in strips(image.shape[0]):
        gx, gy = (g[strip] for g in sobel(image))
        index = np.abs(gy).astype(np.intp)
        index *= STEEPEST + 1
        index += np.abs(gx)
        np.take(_angles(), index, out=angle[strip], mode="clip")
        angle[strip] *= 1 - 2 * ((gx ^ gy) < 0)
    return angle


def _agreement(fused: GrayImage, source: GrayImage, strip: slice) -> tuple[Array, Array]:
    """Ratio of the strengths in (0, 1], and the difference of the angles in [0, pi)."""
    f, s = _strength(fused)[strip], _strength(source)[strip]
    ratio = np.minimum(f, s)
    ratio /= np.maximum(f, s)
    angle = _angle(fused)[strip] - _angle(source)[strip]
    return ratio, np.abs(angle, out=angle)


def _preserved(ratio: Array, agreement: Array, strength: Sigmoid, angle: Sigmoid) -> Array:
    """Product of the two sigmoids; the arguments are overwritten."""
    for x, sigmoid in ((ratio, strength), (agreement, angle)):
        np.subtract(sigmoid.middle, x, out=x)
        x *= sigmoid.slope
        cv2.exp(x, dst=x)
        x += 1
    ratio *= agreement
    return np.divide(strength.top * angle.top, ratio, out=ratio)


@metric(
    "qabf",
    label="Xydeas",
    title="Gradient transfer Q^AB/F",
    family="gradient",
    higher_is_better=True,
    bounds=(0, STRENGTH.at(1) * ANGLE.at(1)),
    needs="sources",
    paper="Xydeas, Petrović 2000, Electronics Letters 36(4)",
    doi="10.1049/el:20000267",
    formula="sum(Q_AF g_A + Q_BF g_B) / sum(g_A + g_B), Q = sigmoid(strength) sigmoid(angle)",
    golden="liu2020 QG, octave QG",
    tolerance=1e-6,
    deviations=(
        "A gradient of the fused image that is 0 counts as 1e-5 for every source; the public "
        "code does so from the second on (below 1e-7). Codes without the corrections of 2020 "
        "give values 0.05 lower: see qabf_liu2012."
    ),
    smallest=3,
)
def qabf(sources: list[GrayImage], fused: GrayImage) -> float:
    """Share of the sources' Sobel gradients that the fused image preserves.

    A gradient's strength and its direction (without sense, not wrapped around) are compared
    pixel by pixel; both agreements pass a sigmoid, and their product is averaged with the
    source's strength as weight. The images count as black outside the border, so
    their frame counts as an edge. For N sources the sums run over all of them.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.core.pixels.as_image`; colour counts as luminance.
    fused : ndarray
        An image of the same height and width.

    Returns
    -------
    float
        In (0, 0.9748]; 0.9748 when all images are equal, black ones included.

    Raises
    ------
    ImageError
        Sizes differ, or an image is smaller than 3x3.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.gradient import qabf
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> round(qabf([ramp, ramp], ramp), 4)
    0.9748
    """
    kept = weight = 0.0
    for strip in strips(fused.shape[0]):
        for source in sources:
            ratio, angle = _agreement(fused, source, strip)
            angle *= -2 / np.pi
            angle += 1
            quality = _preserved(ratio, angle, STRENGTH, ANGLE)
            kept += dot(quality, _strength(source)[strip])
            weight += float(_strength(source)[strip].sum())
    return kept / weight


@metric(
    "qabf_liu2012",
    variant_of="qabf",
    label="Xydeas (2012)",
    title="Gradient transfer Q^AB/F as in the toolbox of 2012",
    family="gradient",
    higher_is_better=True,
    bounds=(0, STRENGTH_2012.at(1) * ANGLE_2012.at(1)),
    needs="sources",
    paper="Liu, Blasch, Xue, Zhao, Laganière, Wu 2012, IEEE TPAMI 34(1)",
    doi="10.1109/TPAMI.2011.109",
    formula="mean (Q_AF g_A + Q_BF g_B) / (g_A + g_B), other sigmoids, angles wrapped",
    golden="octave QG_zheng",
    tolerance=1e-6,
    deviations="0.05 lower than qabf on average (-0.15 to +0.004); the order of methods differs.",
    smallest=3,
)
def qabf_liu2012(sources: list[GrayImage], fused: GrayImage) -> float:
    """`qabf` as the widespread toolbox of 2012 computes it, to compare with older papers.

    Angles that differ by pi agree as well as equal ones, the sigmoids have other constants,
    and the weighted mean of the sources is taken in every pixel before all pixels are
    averaged. Parameters and exceptions are those of `qabf`.

    Returns
    -------
    float
        In (0, 0.9867]; 0.9867 when all images are equal.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.gradient import qabf_liu2012
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> round(qabf_liu2012([ramp, ramp], ramp), 4)
    0.9867
    """
    total = 0.0
    for strip in strips(fused.shape[0]):
        kept = weight = np.zeros(())
        for source in sources:
            ratio, angle = _agreement(fused, source, strip)
            agreement = np.abs(angle - np.pi / 2) * (2 / np.pi)
            quality = _preserved(ratio, agreement, STRENGTH_2012, ANGLE_2012)
            kept = kept + quality * _strength(source)[strip]
            weight = weight + _strength(source)[strip]
        total += float((kept / weight).sum())
    return total / fused.levels.size


def _agreement_tang(fused: GrayImage, source: GrayImage, strip: slice) -> tuple[Array, Array]:
    """As `_agreement`, with two quirks: equal strengths, and directions across the image."""
    f, s = sobel_magnitude(fused)[strip], sobel_magnitude(source)[strip]
    larger = np.maximum(f, s)
    ratio = np.minimum(f, s)
    equal = f == s
    np.divide(ratio, larger, out=ratio, where=~equal)  # where equal, the strength itself remains
    angle = _angle_tang(fused, strip)
    angle -= _angle_tang(source, strip)
    return ratio, np.abs(angle, out=angle)


def _angle_tang(image: GrayImage, strip: slice) -> Array:
    """Direction, -pi/2 where nothing changes along x: also where there is no gradient at all."""
    return np.where(sobel(image)[0][strip] == 0, -np.pi / 2, _angle(image)[strip])


@metric(
    "qabf_tang",
    variant_of="qabf",
    label="Xydeas (Tang)",
    title="Gradient transfer Q^AB/F as Tang's evaluation code computes it",
    family="gradient",
    higher_is_better=True,
    bounds=(0, STRENGTH.top * ANGLE.at(1)),
    needs="sources",
    paper="Xydeas, Petrović 2000, Electronics Letters 36(4)",
    doi="10.1049/el:20000267",
    formula="as qabf, but equal strengths count as the strength itself instead of as ratio 1",
    golden="octave QABF_tang",
    tolerance=1e-9,
    deviations=(
        "Keeps the code's comparison, in which equal strengths miss the ratio, and its angles. On "
        "the 120 given images -0.0007 to +0.0033 from qabf, and 4 of 15 pairs order the methods "
        "differently."
    ),
    smallest=3,
)
def qabf_tang(sources: list[GrayImage], fused: GrayImage) -> float:
    """`qabf` with the flaws of a widespread code, to compare with papers that used it.

    Where source and fused image have equally strong gradients, the ratio of the strengths is
    not 1 but that strength, in gray levels; and a gradient along y only has one direction,
    whatever its sign. Sums over N sources, parameters and exceptions are those of `qabf`.

    Returns
    -------
    float
        In [0, 0.9753]; 0.9753 when all images are equal; 0 when all sources are black, where
        the code gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.gradient import qabf_tang
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> round(qabf_tang([ramp, ramp], ramp), 4)
    0.9753
    """
    kept = weight = 0.0
    for strip in strips(fused.shape[0]):
        for source in sources:
            ratio, angle = _agreement_tang(fused, source, strip)
            angle *= -2 / np.pi
            angle += 1
            strength = sobel_magnitude(source)[strip]
            kept += dot(_preserved(ratio, angle, STRENGTH, ANGLE), strength)
            weight += float(strength.sum())
    return kept / weight if weight > 0 else 0.0
