"""Indexes of local structure: similarity to the sources, window by window."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from metrics import Plane, metric
from metrics._parts import dot, shared, strips
from metrics._windows import (
    Field,
    box_covariance,
    box_moments,
    box_strip,
    field_rows,
    similarity,
)

PIELLA_C = (1e-6 * 255) ** 2  #: Keeps the quality index of two flat windows defined.


class Pooled(NamedTuple):
    """Mean local quality over all windows, plain and with the largest saliency as weight."""

    plain: float
    weighted: float


@shared
def _piella(fused: Plane, sources: tuple[Plane, ...], field: Field) -> Pooled:
    """Pool the qualities of each window, which saliencies weight among the sources."""
    plain = weighted = weights = 0.0
    known = [box_moments(source, field) for source in sources]
    height, width = known[0].mean.shape
    for strip in strips(height):
        moments = [m.rows(strip) for m in known]
        total = np.add.reduce([m.var for m in moments])
        flat = total == 0  # no saliency at all: every source counts alike
        dead = bool(flat.any())
        total[flat] = len(sources)
        values, own = field_rows(fused, field, strip), box_strip(fused, field, strip)
        quality = np.zeros(total.shape)
        for source, m in zip(sources, moments, strict=True):
            cov = box_covariance(values, field_rows(source, field, strip), own.mean, m.mean)
            one = similarity(m, own, cov, PIELLA_C, PIELLA_C)
            one *= np.where(flat, 1.0, m.var) if dead else m.var
            quality += one
        quality /= total
        saliency = np.maximum.reduce([m.var for m in moments])
        plain += float(quality.sum())
        weighted += dot(quality, saliency)
        weights += float(saliency.sum())
    plain /= height * width
    return Pooled(plain, weighted / weights if weights > 0 else plain)


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
        "A window that is flat in all sources weighs every source alike, as in the public code. "
        "Codes with an 11x11 Gaussian "
        "window and the constants of SSIM read 0.08 higher."
    ),
    **PIELLA,
)
def q(sources: list[Plane], fused: Plane) -> float:
    """Local quality index of Wang and Bovik against each source, weighted by local variance.

    Uniform 8x8 windows, stride 1, wholly inside. For N sources the weights are each source's
    share of the sum of variances, as in the paper's own definition.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.images.as_image`; colour counts as luminance.
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
        "an 11x11 Gaussian window read 0.01 higher."
    ),
    **PIELLA,
)
def qw(sources: list[Plane], fused: Plane) -> float:
    """`q` with every window weighted by the largest variance among the sources.

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
def qe(sources: list[Plane], fused: Plane) -> float:
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
