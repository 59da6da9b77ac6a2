"""Metrics of local structure: similarity to the sources in each window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from metrics import GrayImage, metric
from metrics._parts import dot, shared, strips
from metrics._windows import (
    SSIM_C1,
    SSIM_C2,
    SSIM_WINDOW,
    Array,
    Field,
    box_covariance,
    box_moments,
    box_strip,
    field_rows,
    robust_moments,
    robust_strip,
    similarity,
)

PIELLA_C = (1e-6 * 255) ** 2  #: Keeps the quality index of two flat windows defined.


class Pooled(NamedTuple):
    """Mean local quality of all windows: plain, and weighted by max over sources of saliency."""

    plain: float
    weighted: float


@shared
def _piella(fused: GrayImage, sources: tuple[GrayImage, ...], field: Field) -> Pooled:
    """Pool the qualities of each window, weighted by the sources' saliencies."""
    known = [box_moments(source, field) for source in sources]

    def qualities(strip: slice) -> Iterator[Array]:
        values, own = field_rows(fused, field, strip), box_strip(fused, field, strip)
        for source, moments in zip(sources, known, strict=True):
            m = moments.rows(strip)
            cov = box_covariance(values, field_rows(source, field, strip), own.mean, m.mean)
            yield similarity(m, own, cov, PIELLA_C, PIELLA_C)

    return _pool([m.var for m in known], qualities)


def _pool(saliencies: list[Array], qualities: Callable[[slice], Iterator[Array]]) -> Pooled:
    """Pool the result of `qualities` for each source in a strip of windows."""
    plain = weighted = weights = 0.0
    for strip in strips(saliencies[0].shape[0]):
        salient = [s[strip] for s in saliencies]
        total = np.add.reduce(salient)
        flat = total == 0  # no saliency at all: equal weights
        dead = bool(flat.any())
        total[flat] = len(saliencies)
        quality = np.zeros(total.shape)
        for saliency, one in zip(salient, qualities(strip), strict=True):
            one *= np.where(flat, 1.0, saliency) if dead else saliency
            quality += one
        quality /= total
        most = np.maximum.reduce(salient)
        plain += float(quality.sum())
        weighted += dot(quality, most)
        weights += float(most.sum())
    plain /= saliencies[0].size
    return Pooled(plain, weighted / weights if weights > 0 else plain)


@shared
def _piella_2012(fused: GrayImage, sources: tuple[GrayImage, ...]) -> Pooled:
    """As `_piella`, with the window and the constants of SSIM."""
    known = [robust_moments(source, SSIM_WINDOW) for source in sources]

    def qualities(strip: slice) -> Iterator[Array]:
        under, own = SSIM_WINDOW.under(strip), robust_strip(fused, SSIM_WINDOW, strip)
        for source, moments in zip(sources, known, strict=True):
            m = moments.rows(strip)
            cov = SSIM_WINDOW.valid(fused.gray[under] * source.gray[under])
            cov -= own.mean * m.mean
            yield similarity(m, own, cov, SSIM_C1, SSIM_C2)

    return _pool([m.var for m in known], qualities)


PIELLA: dict[str, Any] = {
    "family": "structural",
    "higher_is_better": True,
    "bounds": (-1, 1),
    "needs": "sources",
    "paper": "Piella, Heijmans 2003, IEEE ICIP",
    "doi": "10.1109/ICIP.2003.1247209",
    "smallest": 8,
}


@metric(
    "q",
    label="Piella Q",
    title="Fusion quality index",
    formula="mean over 8x8 windows of s q(A,F) + (1-s) q(B,F), s = var A/(var A + var B)",
    golden="octave Q_piella_flat0, octave Q_piella",
    tolerance=1e-9,
    deviations=(
        "A window that is flat in all sources gives equal weights, as in the public code. "
        "Codes with an 11x11 Gaussian window and the constants of SSIM give 0.1 more: see "
        "q_zheng."
    ),
    **PIELLA,
)
def q(sources: list[GrayImage], fused: GrayImage) -> float:
    """Local quality index of Wang and Bovik against each source, weighted by local variance.

    Uniform 8x8 windows, stride 1, wholly inside. For N sources the weights are each source's
    share of the sum of variances, as in the paper's own definition.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.core.pixels.as_image`; colour counts as luminance.
    fused : ndarray
        An image of the same height and width.

    Returns
    -------
    float
        In [-1, 1]; 1 when all images are equal, constant ones included.

    Raises
    ------
    ImageError
        Sizes differ, or an image is smaller than 8x8.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.structural import q
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> round(q([ramp, ramp], ramp), 6)
    1.0
    """
    return _piella(fused, tuple(sources), "levels").plain


@metric(
    "qw",
    label="Piella Qw",
    title="Weighted fusion quality index",
    formula="as q, windows weighted by max(var A, var B)",
    golden="octave QW_flat0, octave QW",
    tolerance=1e-9,
    deviations=(
        "A window that is flat in all sources has weight 0; the public code gives it 0.5 where "
        "its arithmetic is exact (6.1e-5 at most under Octave, 1e-7 in the median). Codes with "
        "an 11x11 Gaussian window give 0.01 more: see qw_zheng."
    ),
    **PIELLA,
)
def qw(sources: list[GrayImage], fused: GrayImage) -> float:
    """`q` with every window weighted by the max over sources of the variance.

    Parameters, exceptions and the case of N sources are those of `q`.

    Returns
    -------
    float
        In [-1, 1]; 1 when all images are equal. When all sources are flat everywhere no
        window has a weight, and the plain mean is taken.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.structural import qw
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> round(qw([ramp, ramp], ramp), 6)
    1.0
    """
    return _piella(fused, tuple(sources), "levels").weighted


@metric(
    "qe",
    label="Piella Qe",
    title="Edge-dependent fusion quality index",
    formula="qw of the images times qw of their Prewitt magnitudes",
    golden="liu2020 QE, octave QE_flat0, octave QE",
    tolerance=1e-4,
    deviations=(
        "A window that is flat in all sources has weight 0 among the edges too; the public code "
        "gives it 0.5 there (4.3e-5 at most in the authors' MATLAB values, 6.5e-5 under Octave, "
        "1e-7 in the median)."
    ),
    **PIELLA,
)
def qe(sources: list[GrayImage], fused: GrayImage) -> float:
    """`qw` of the images times `qw` of their edge images.

    An edge image is the length of the Prewitt gradient, zeros beyond the border, neither
    scaled nor rounded. The paper's exponent of the second factor is 1. Parameters, exceptions
    and the case of N sources are those of `q`.

    Returns
    -------
    float
        In [-1, 1]; 1 when all images are equal. See `qw` for flat sources.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.structural import qe
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> round(qe([ramp, ramp], ramp), 6)
    1.0
    """
    images = _piella(fused, tuple(sources), "levels").weighted
    return images * _piella(fused, tuple(sources), "edges").weighted


PIELLA_2012 = PIELLA | {
    "paper": "Liu, Blasch, Xue, Zhao, Laganière, Wu 2012, IEEE TPAMI 34(1)",
    "doi": "10.1109/TPAMI.2011.109",
    "smallest": SSIM_WINDOW.size,
}


@metric(
    "q_zheng",
    variant_of="q",
    label="Piella Q (2012)",
    title="Fusion quality index as in the toolbox of 2012",
    formula="as q, in 11x11 Gaussian windows of sigma 1.5 and with the constants of SSIM",
    golden="octave Q_piella_zheng",
    tolerance=1e-6,
    deviations=(
        "0.009 to 0.18 above q on the 120 given images, 0.11 on average; 7 of 15 pairs order the "
        "methods differently. The toolbox weights flat windows by rounding (7.2e-7 at most)."
    ),
    **PIELLA_2012,
)
def q_zheng(sources: list[GrayImage], fused: GrayImage) -> float:
    """`q` in the windows and with the constants of SSIM, to compare with older papers.

    The constants, 6.5 and 58.5 in place of 6.5e-8, raise the value of windows of low
    contrast. A variance within rounding of 0 counts as 0. Parameters and the case of N sources
    are those of `q`.

    Returns
    -------
    float
        In [-1, 1]; 1 when all images are equal.

    Raises
    ------
    ImageError
        Sizes differ, or an image is smaller than 11x11.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.structural import q_zheng
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> round(q_zheng([ramp, ramp], ramp), 6)
    1.0
    """
    return _piella_2012(fused, tuple(sources)).plain


@metric(
    "qw_zheng",
    variant_of="qw",
    label="Piella Qw (2012)",
    title="Weighted fusion quality index as in the toolbox of 2012",
    formula="as qw, in 11x11 Gaussian windows of sigma 1.5 and with the constants of SSIM",
    golden="octave QW_zheng",
    tolerance=1e-9,
    deviations=(
        "-0.004 to +0.028 from qw on the 120 given images, 0.014 on average; 7 of 15 pairs order "
        "the methods differently."
    ),
    **PIELLA_2012,
)
def qw_zheng(sources: list[GrayImage], fused: GrayImage) -> float:
    """`q_zheng` with every window weighted by the max over sources of the variance.

    Parameters, exceptions and the case of N sources are those of `q_zheng`.

    Returns
    -------
    float
        In [-1, 1]; 1 when all images are equal. See `qw` for flat sources.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.structural import qw_zheng
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> round(qw_zheng([ramp, ramp], ramp), 6)
    1.0
    """
    return _piella_2012(fused, tuple(sources)).weighted
