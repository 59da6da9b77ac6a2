"""Error of the fused image against the sources, each of which is taken as the reference.

A fusion of differently focused sources must differ from each where that one is blurred, so their
plain average scores better here than any good fusion. These metrics serve to compare with papers
that report them; with an all-in-focus reference, use `metrics.reference`.
"""

from __future__ import annotations

import math

import numpy as np

from metrics import GrayImage, metric
from metrics._parts import shared


@shared
def _squared_error(fused: GrayImage, source: GrayImage) -> float:
    """Mean squared difference in squared gray levels."""
    difference = fused.levels.astype(np.int32)
    difference -= source.levels
    return int(np.square(difference, out=difference).sum(dtype=np.int64)) / difference.size


@metric(
    "mse_tang",
    variant_of="psnr_tang",
    label="MSE (sources)",
    title="Mean squared error against the sources",
    family="reference",
    higher_is_better=False,
    bounds=(0, 1),
    needs="sources",
    paper="Ma, Ma, Li 2019, Information Fusion 45",
    doi="10.1016/j.inffus.2018.02.004",
    formula="(mean (A - F)^2 + mean (B - F)^2) / 2 of images scaled to 0..1",
    golden="octave MSE_tang",
    tolerance=1e-12,
    deviations="In units of the range 0..1, as in Tang's evaluation code, not of gray levels.",
)
def mse_tang(sources: list[GrayImage], fused: GrayImage) -> float:
    """Mean squared difference from the sources, as Tang's evaluation code computes it.

    For N sources the mean runs over all of them. Lower counts as better, although the average
    of the sources has the least error of all images.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.core.pixels.as_image`; colour counts as luminance.
    fused : ndarray
        An image of the same height and width.

    Returns
    -------
    float
        In [0, 1]; 0 when all images are equal.

    Raises
    ------
    ImageError
        Sizes differ, or an image is 1 pixel high or wide.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.error import mse_tang
    >>> dark, bright = np.zeros((8, 8), np.uint8), np.full((8, 8), 255, np.uint8)
    >>> mse_tang([dark, bright], dark)
    0.5
    """
    return sum(_squared_error(fused, source) for source in sources) / len(sources) / 255**2


@metric(
    "psnr_tang",
    label="PSNR (sources)",
    title="Peak signal-to-noise ratio against the sources, of a peak of 255 times the range",
    family="reference",
    higher_is_better=True,
    bounds=(20 * math.log10(255), math.inf),
    needs="sources",
    paper="Ma, Ma, Li 2019, Information Fusion 45",
    doi="10.1016/j.inffus.2018.02.004",
    formula="20 log10(255 / sqrt(mse_tang)), in dB",
    golden="octave PSNR_tang",
    tolerance=1e-9,
    deviations=(
        "Tang's evaluation code keeps the peak 255 for images scaled to 0..1, which adds 48.13 dB "
        "to the value of the definition, and takes the mean of the errors, not of the decibels."
    ),
)
def psnr_tang(sources: list[GrayImage], fused: GrayImage) -> float:
    """`mse_tang` in decibels below a peak of 255, as Tang's evaluation code computes it.

    Parameters and exceptions are those of `mse_tang`.

    Returns
    -------
    float
        At least 48.13; infinite when all images are equal.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.error import psnr_tang
    >>> dark, bright = np.zeros((8, 8), np.uint8), np.full((8, 8), 255, np.uint8)
    >>> round(psnr_tang([dark, dark], bright), 2), psnr_tang([dark, dark], dark)
    (48.13, inf)
    """
    error = mse_tang(sources, fused)
    return 10 * math.log10(255**2 / error) if error > 0 else math.inf
