"""Metrics of the fused image alone: contrast and detail of any origin.

They do not use the sources, so noise raises all of them.
"""

from __future__ import annotations

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from metrics import GrayImage, metric

cv2 = lazy.load("cv2")


@metric(
    "sf",
    label="SF",
    title="Spatial frequency",
    family="descriptive",
    higher_is_better=True,
    bounds=(0, 255 * 2**0.5),
    needs="fused",
    paper="Eskicioglu, Fisher 1995, IEEE Transactions on Communications 43(12)",
    doi="10.1109/26.477498",
    formula="sqrt((sum of squared vertical and horizontal first differences) / (M N))",
    golden="octave SF",
    tolerance=1e-9,
    deviations="Some codes divide by the number of differences instead, 0.2 % more: see sf_tang.",
)
def sf(fused: GrayImage) -> float:
    """Root mean square of the first differences along both axes.

    Parameters
    ----------
    fused : ndarray
        (H, W) or (H, W, 3), see `bench.core.pixels.as_image`; colour counts as luminance.

    Returns
    -------
    float
        In gray levels; 0 for a constant image.

    Raises
    ------
    ImageError
        It is not an image, or 1 pixel high or wide.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.descriptive import sf
    >>> sf(np.array([[0, 2], [0, 2]], np.uint8))
    1.4142135623730951
    """
    x = fused.levels.astype(np.int32)
    total = sum(int(np.square(np.diff(x, axis=axis)).sum(dtype=np.int64)) for axis in (0, 1))
    return (total / x.size) ** 0.5


@metric(
    "sf_tang",
    variant_of="sf",
    label="SF (Tang)",
    title="Spatial frequency, by the number of differences",
    family="descriptive",
    higher_is_better=True,
    bounds=(0, 255 * 2**0.5),
    needs="fused",
    paper="Eskicioglu, Fisher 1995, IEEE Transactions on Communications 43(12)",
    doi="10.1109/26.477498",
    formula="sqrt(mean of squared vertical differences + mean of squared horizontal differences)",
    golden="octave SF_tang",
    tolerance=1e-9,
    deviations=(
        "Tang's evaluation code divides by the number of differences, not of pixels: 0.09 to "
        "0.23 % above sf on the 120 given images, in the same order."
    ),
)
def sf_tang(fused: GrayImage) -> float:
    """`sf` with each axis averaged over its own differences, as Tang's evaluation code does.

    Parameters, exceptions and unit are those of `sf`.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.descriptive import sf_tang
    >>> sf_tang(np.array([[0, 2], [0, 2]], np.uint8))
    2.0
    """
    x = fused.levels.astype(np.int32)
    squares = [np.square(np.diff(x, axis=axis)) for axis in (0, 1)]
    return sum(int(s.sum(dtype=np.int64)) / s.size for s in squares) ** 0.5


@metric(
    "ag",
    label="AG",
    title="Average gradient",
    family="descriptive",
    higher_is_better=True,
    bounds=(0, 255),
    needs="fused",
    paper="Cui, Feng, Xu, Li, Chen 2015, Optics Communications 341",
    doi="10.1016/j.optcom.2014.12.032",
    formula="mean sqrt((dx^2 + dy^2) / 2), forward differences, 0 in the last row and column",
    golden="octave AG",
    tolerance=1e-9,
    deviations="Some codes take central differences, which gives lower values: see ag_tang.",
)
def ag(fused: GrayImage) -> float:
    """Mean length of the gradient of forward differences, over the square root of 2.

    Parameters, exceptions and unit are those of `sf`.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.descriptive import ag
    >>> round(ag(np.array([[0, 2], [0, 2]], np.uint8)), 6)
    0.707107
    """
    x = fused.levels.astype(np.int32)
    squares = np.zeros(x.shape, np.int32)
    squares[:-1] += np.square(np.diff(x, axis=0))
    squares[:, :-1] += np.square(np.diff(x, axis=1))
    return float(np.sqrt(squares / 2).mean())


@metric(
    "ag_tang",
    variant_of="ag",
    label="AG (Tang)",
    title="Average gradient of central differences",
    family="descriptive",
    higher_is_better=True,
    bounds=(0, 4 * 255),
    needs="fused",
    paper="Cui, Feng, Xu, Li, Chen 2015, Optics Communications 341",
    doi="10.1016/j.optcom.2014.12.032",
    formula="sum sqrt((dx^2 + dy^2) / 2) / ((M-1)(N-1)), central differences, one-sided at borders",
    golden="octave AG_tang",
    tolerance=1e-9,
    deviations=(
        "Tang's evaluation code takes central differences: 9 to 27 % below ag on the 120 given "
        "images; the order of the methods differs on 6 of the 15 pairs."
    ),
)
def ag_tang(fused: GrayImage) -> float:
    """`ag` of central differences, as Tang's evaluation code computes it.

    At the borders the differences are one-sided. The sum over all M x N pixels is divided by
    (M-1)(N-1), so the value of a tiny image can exceed 255. Parameters, exceptions and unit
    are those of `sf`.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.descriptive import ag_tang
    >>> round(ag_tang(np.array([[0, 2], [0, 2]], np.uint8)), 6)
    5.656854
    """
    x = fused.levels.astype(np.int32)
    squares = np.square(_twice_central(x, 0))
    squares += np.square(_twice_central(x, 1))
    height, width = x.shape
    return float(np.sqrt(squares / 8).sum() / ((height - 1) * (width - 1)))


def _twice_central(x: NDArray[np.int32], axis: int) -> NDArray[np.int32]:
    """Twice the central differences along an axis, one-sided at its ends: whole numbers."""
    x = np.moveaxis(x, axis, 0)
    twice = np.empty_like(x)
    np.subtract(x[2:], x[:-2], out=twice[1:-1])
    twice[0], twice[-1] = 2 * (x[1] - x[0]), 2 * (x[-1] - x[-2])
    return np.moveaxis(twice, 0, axis)


@metric(
    "ei",
    label="EI",
    title="Edge intensity",
    family="descriptive",
    higher_is_better=True,
    bounds=(0, 1020 * 2**0.5),
    needs="fused",
    paper="Zhang, Ye, Xiao 2020, VIFB, IEEE CVPR Workshops",
    doi="10.1109/CVPRW50498.2020.00060",
    formula="mean length of the Sobel gradient, border repeated",
    golden="octave EI",
    tolerance=1e-9,
)
def ei(fused: GrayImage) -> float:
    """Mean length of the Sobel gradient; the border pixels are repeated outside the image.

    Parameters, exceptions and unit are those of `sf`.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.descriptive import ei
    >>> ei(np.array([[0, 2], [0, 2]], np.uint8))
    8.0
    """
    gx, gy = (
        cv2.Sobel(fused.levels, cv2.CV_16S, *order, borderType=cv2.BORDER_REPLICATE)
        for order in ((1, 0), (0, 1))
    )
    return float(np.sqrt(np.square(gx, dtype=np.int32) + np.square(gy, dtype=np.int32)).mean())


@metric(
    "sd",
    label="SD",
    title="Standard deviation, column by column",
    family="descriptive",
    higher_is_better=True,
    bounds=(0, 255 / 2**0.5),
    needs="fused",
    paper="Liu, Wang, Cheng, Li, Chen 2020, Information Fusion 64 (code of the survey's authors)",
    doi="10.1016/j.inffus.2020.06.013",
    formula="mean over the columns of the sample standard deviation of the column",
    golden="octave SD",
    tolerance=1e-9,
    deviations="The standard deviation of the whole image is 3 to 24 % larger: see sd_global.",
)
def sd(fused: GrayImage) -> float:
    """Mean of the columns' standard deviations, which the field's MATLAB code reports as SD.

    Parameters, exceptions and unit are those of `sf`.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.descriptive import sd
    >>> sd(np.array([[0, 0], [2, 2]], np.uint8))
    1.4142135623730951
    """
    return float(fused.gray.std(axis=0, ddof=1).mean())


@metric(
    "sd_global",
    variant_of="sd",
    label="SD (global)",
    title="Standard deviation",
    family="descriptive",
    higher_is_better=True,
    bounds=(0, 127.5),
    needs="fused",
    paper="Zhang, Ye, Xiao 2020, VIFB, IEEE CVPR Workshops",
    doi="10.1109/CVPRW50498.2020.00060",
    formula="sqrt(mean (F - mean F)^2) over all pixels",
    golden="octave SD_tang",
    tolerance=1e-9,
)
def sd_global(fused: GrayImage) -> float:
    """Standard deviation over all pixels, the contrast of the image.

    Parameters, exceptions and unit are those of `sf`.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.descriptive import sd_global
    >>> sd_global(np.array([[0, 0], [2, 2]], np.uint8))
    1.0
    """
    return float(fused.gray.std())
