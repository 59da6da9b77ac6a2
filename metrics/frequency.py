"""Spatial frequency of the fused image against the maximum over the sources."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from metrics import GrayImage, metric
from metrics._parts import shared

DIAGONAL = math.sqrt(0.5)  #: Weight of a diagonal difference: one over its distance.


def _differences(image: GrayImage) -> tuple[NDArray[np.int16], ...]:
    """First differences along the rows, the columns and both diagonals."""
    x = image.levels.astype(np.int16)
    return (
        x[:, 1:] - x[:, :-1],
        x[1:] - x[:-1],
        x[1:, 1:] - x[:-1, :-1],
        x[1:, :-1] - x[:-1, 1:],
    )


def _root(differences: tuple[NDArray[np.int16], ...], pixels: int) -> float:
    """Root of the weighted sum of squares in four directions, over the pixels."""
    rows, columns, *diagonals = (
        int(np.square(d, dtype=np.int32).sum(dtype=np.int64)) for d in differences
    )
    return math.sqrt((rows + columns + DIAGONAL * sum(diagonals)) / pixels)


@shared
def _most(first: GrayImage, others: tuple[GrayImage, ...]) -> float:
    """Spatial frequency of the pixelwise max over sources of the differences."""
    stacks = zip(*(map(np.abs, _differences(image)) for image in (first, *others)), strict=True)
    largest = tuple(np.maximum.reduce(stack) for stack in stacks)
    return _root(largest, first.levels.size)


@metric(
    "qsf_zheng",
    variant_of="sf",
    label="rSFe",
    title="Ratio of spatial frequency error",
    family="gradient",
    higher_is_better=True,
    bounds=(-1, math.inf),
    needs="sources",
    paper="Zheng, Essock, Hansen, Haun 2007, Information Fusion 8(2)",
    doi="10.1016/j.inffus.2005.04.003",
    formula="(SF(F) - SF_R) / SF_R, SF over 4 directions, SF_R of the largest differences of A, B",
    golden="octave QSF_zheng",
    tolerance=1e-9,
    deviations=(
        "The best value is 0: below it detail is lost, above it detail was added, which "
        "`higher_is_better` cannot express. On the given images between -0.137 and -0.008."
    ),
)
def qsf_zheng(sources: list[GrayImage], fused: GrayImage) -> float:
    """Relative difference of the spatial frequency to that of the max over sources.

    The spatial frequency is the root mean square of differences along rows, columns and both
    diagonals, these with a weight of 0.7071; the frequency to compare with
    takes the max over sources of the differences at every pixel. As in all metrics of contrast,
    noise counts as detail and can raise the value above 0. Defined in the same way for N sources.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.core.pixels.as_image`; colour counts as luminance.
    fused : ndarray
        An image of the same height and width.

    Returns
    -------
    float
        At least -1, the value of a constant image; 0 when all images are equal; infinite when
        the sources are constant and the fused image is not.

    Raises
    ------
    ImageError
        Sizes differ, or an image is 1 pixel high or wide.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.frequency import qsf_zheng
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> qsf_zheng([ramp, ramp], ramp), qsf_zheng([ramp, ramp], 0 * ramp)
    (0.0, -1.0)
    """
    own = _root(_differences(fused), fused.levels.size)
    most = _most(sources[0], tuple(sources[1:]))
    if most == 0:
        return math.inf if own > 0 else 0.0
    return (own - most) / most
