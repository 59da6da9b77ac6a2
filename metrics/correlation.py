"""Metrics of correlation between images as a whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from metrics import GrayImage, metric
from metrics._parts import dot


def _pearson(x: NDArray[np.int32], y: NDArray[np.int32]) -> float:
    """Correlation over all pixels; 0 when either image is constant."""
    x, y = x - x.mean(), y - y.mean()
    bottom = (dot(x, x) * dot(y, y)) ** 0.5
    return dot(x, y) / bottom if bottom > 0 else 0.0


@metric(
    "scd",
    label="SCD",
    title="Sum of the correlations of differences",
    family="structural",
    higher_is_better=True,
    bounds=(-2, 2),
    needs="sources",
    stack="two",
    paper="Aslantas, Bendes 2015, AEU International Journal of Electronics and Communications 69",
    doi="10.1016/j.aeue.2015.09.004",
    formula="corr(F - B, A) + corr(F - A, B)",
    golden="octave SCD",
    tolerance=1e-9,
    deviations="A constant difference has correlation 0; public codes return rounding noise there.",
)
def scd(sources: list[GrayImage], fused: GrayImage) -> float:
    """The fused image minus one source, correlated with the other source.

    Defined for sources of different modalities. Where both sources show the same scene, the
    difference holds little of the other one, and equal images score 0. For two sources only.

    Parameters
    ----------
    sources : sequence of ndarray
        Two images, see `bench.core.pixels.as_image`; colour counts as luminance.
    fused : ndarray
        An image of the same height and width.

    Returns
    -------
    float
        In [-2, 2].

    Raises
    ------
    ImageError
        Sizes differ, or an image is 1 pixel high or wide.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.correlation import scd
    >>> a, b = np.array([[0, 4], [0, 0]], np.uint8), np.array([[0, 0], [4, 0]], np.uint8)
    >>> scd([a, b], a + b)
    2.0
    """
    a, b = (source.levels.astype(np.int32) for source in sources)
    f = fused.levels.astype(np.int32)
    return _pearson(f - b, a) + _pearson(f - a, b)


@metric(
    "cc",
    label="CC",
    title="Correlation coefficient",
    family="structural",
    higher_is_better=True,
    bounds=(-1, 1),
    needs="sources",
    paper="Ma, Ma, Li 2019, Information Fusion 45",
    doi="10.1016/j.inffus.2018.02.004",
    formula="(corr(A, F) + corr(B, F)) / 2",
    golden="octave CC",
    tolerance=1e-9,
    deviations="A constant image has correlation 0; public codes give NaN there.",
)
def cc(sources: list[GrayImage], fused: GrayImage) -> float:
    """Mean Pearson correlation of the fused image with the sources, over all pixels.

    For N sources the mean runs over all of them. Where sources differ in focus only, it is
    close to 1 for every method (0.94 to 0.99 on the given images), and favours the
    average of the sources.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.core.pixels.as_image`; colour counts as luminance.
    fused : ndarray
        An image of the same height and width.

    Returns
    -------
    float
        In [-1, 1]; 1 when all images are equal and not constant.

    Raises
    ------
    ImageError
        Sizes differ, or an image is 1 pixel high or wide.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.correlation import cc
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> round(cc([ramp, 255 - ramp], ramp), 6)
    0.0
    """
    f = fused.levels.astype(np.int32)
    total = sum(_pearson(source.levels.astype(np.int32), f) for source in sources)
    return total / len(sources)
