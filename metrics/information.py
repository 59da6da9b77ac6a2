"""Metrics of information theory: entropy, and the information shared with the sources."""

from __future__ import annotations

import math

import numpy as np

from metrics import GrayImage, metric
from metrics._parts import dot, entropy, histogram, mutual_information


@metric(
    "ie",
    label="IE",
    title="Information entropy",
    family="information",
    higher_is_better=True,
    bounds=(0, 8),
    needs="fused",
    paper="Shannon 1948, Bell System Technical Journal 27",
    doi="10.1002/j.1538-7305.1948.tb01338.x",
    formula="-sum p(k) log2 p(k) over the shares p of the 256 gray levels",
    golden="octave EN, octave EN_rescaled",
    tolerance=1e-9,
    deviations=(
        "The IE column of the paper's tables is not this number: for Clock and Pepsi fused by "
        "dwt, gff and cnn it is 0.79 to 0.84 times the bits, 1.14 to 1.21 times the nats, 2.62 "
        "to 2.79 times the base-10 value, so no base of the logarithm explains it. Neither do "
        "16 to 512 bins, rescaling to 0..255, half-size images, blocks, gradient images or "
        "Rényi entropy: the ratio keeps a spread of 6 % or more, since the paper's values rise "
        "from dwt to cnn and the entropy of the published images does not."
    ),
)
def ie(fused: GrayImage) -> float:
    """Entropy of the gray levels in bits.

    Parameters
    ----------
    fused : ndarray
        (H, W) or (H, W, 3), see `bench.core.pixels.as_image`; colour counts as luminance.

    Returns
    -------
    float
        In [0, 8]; 0 for a constant image.

    Raises
    ------
    ImageError
        It is not an image, or 1 pixel high or wide.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.information import ie
    >>> ie(np.arange(256, dtype=np.uint8).reshape(16, 16))
    8.0
    """
    return entropy(fused)


@metric(
    "en_nat",
    variant_of="ie",
    label="EN (nats)",
    title="Information entropy in nats",
    family="information",
    higher_is_better=True,
    bounds=(0, 8 * math.log(2)),
    needs="fused",
    paper="Shannon 1948, Bell System Technical Journal 27",
    doi="10.1002/j.1538-7305.1948.tb01338.x",
    formula="-sum p(k) ln p(k) over the shares p of the 256 gray levels",
    golden="octave EN_nat",
    tolerance=1e-9,
)
def en_nat(fused: GrayImage) -> float:
    """Entropy of the gray levels in nats: `ie` times ln 2, in [0, 5.545].

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.information import en_nat
    >>> round(en_nat(np.array([[0, 255], [0, 255]], np.uint8)), 4)
    0.6931
    """
    return entropy(fused) * math.log(2)


@metric(
    "mi",
    label="MI",
    title="Normalised mutual information",
    family="information",
    higher_is_better=True,
    bounds=(0, 2),
    needs="sources",
    paper="Hossny, Nahavandi, Creighton 2008, Electronics Letters 44(18)",
    doi="10.1049/el:20081754",
    formula="2 (I(A;F)/(H(A)+H(F)) + I(B;F)/(H(B)+H(F))), 256 levels",
    golden="liu2020 QMI, octave QMI",
    tolerance=1e-9,
)
def mi(sources: list[GrayImage], fused: GrayImage) -> float:
    """Mutual information of the fused image with each source, over their mean entropies.

    For N sources the sum of the terms I/(H + H) is multiplied by 4/N, which for two is the
    published factor 2 and keeps the range.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.core.pixels.as_image`; colour counts as luminance.
    fused : ndarray
        An image of the same height and width.

    Returns
    -------
    float
        In [0, 2]; 2 when all images are equal. A constant image shares no information: its
        term, 0/0 when the other is constant too, is 0.

    Raises
    ------
    ImageError
        Sizes differ, or an image is 1 pixel high or wide.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.information import mi
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> mi([ramp, ramp], ramp)
    2.0
    """
    return 4 / len(sources) * sum(_shared_part(source, fused) for source in sources)


def _shared_part(source: GrayImage, fused: GrayImage) -> float:
    """I / (H + H), 0 where there is no entropy."""
    total = entropy(source) + entropy(fused)
    return mutual_information(fused, source) / total if total > 0 else 0.0


@metric(
    "mi_raw",
    variant_of="mi",
    label="MI (bits)",
    title="Mutual information",
    family="information",
    higher_is_better=True,
    bounds=(0, 16),
    needs="sources",
    paper="Qu, Zhang, Yan 2002, Electronics Letters 38(7)",
    doi="10.1049/el:20020212",
    formula="I(A;F) + I(B;F) in bits, 256 levels",
    golden="octave MI, octave MI_rescaled",
    tolerance=1e-9,
)
def mi_raw(sources: list[GrayImage], fused: GrayImage) -> float:
    """Mutual information of the fused image with the sources, in bits, not normalised.

    For N sources the sum is multiplied by 2/N, which keeps the range. Parameters and
    exceptions are those of `mi`.

    Returns
    -------
    float
        In [0, 16]; 0 when the fused image is constant.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.information import mi_raw
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> mi_raw([ramp, ramp], ramp)
    16.0
    """
    return 2 / len(sources) * sum(mutual_information(fused, source) for source in sources)


@metric(
    "qncie",
    label="QNCIE",
    title="Nonlinear correlation information entropy",
    family="information",
    higher_is_better=True,
    # For N sources at least 1 - log256(N + 1): 0.8019 for two, 0.75 for three, 0 for 255.
    bounds=(0, 1),
    needs="sources",
    paper="Wang, Shen, Jin 2008, Image Fusion: Algorithms and Applications, chapter 19",
    doi="10.1016/B978-0-12-372529-5.00017-2",
    formula="1 + sum (l/3) log256 (l/3), l the eigenvalues of the matrix of I(X;Y)/8 bits",
    golden="liu2020 QNCIE, octave QNCIE",
    tolerance=1e-9,
    deviations=("Plain histograms of 256 levels, as in the public codes; the paper bins by rank."),
)
def qncie(sources: list[GrayImage], fused: GrayImage) -> float:
    """Order among all images at once: entropy of the eigenvalues of their correlations.

    The nonlinear correlation of two images is their mutual information over 8 bits; the
    matrix of all pairs, with ones on the diagonal, has N + 1 rows for N sources.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.core.pixels.as_image`; colour counts as luminance.
    fused : ndarray
        An image of the same height and width.

    Returns
    -------
    float
        At most 1, for equal images that have all levels equally often; at least
        1 - log256(N + 1), for two sources 0.8019, for unrelated or constant images.

    Raises
    ------
    ImageError
        Sizes differ, or an image is 1 pixel high or wide.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.information import qncie
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> round(qncie([ramp, ramp], ramp), 6)
    1.0
    """
    images = [fused, *sources]
    matrix = np.eye(len(images))
    for row, one in enumerate(images):
        for column in range(row):
            # a shared part is kept by the first image: a source must not keep the fused image alive
            pair = (one, images[column]) if column else (fused, one)
            matrix[row, column] = matrix[column, row] = mutual_information(*pair) / 8
    share = np.linalg.eigvalsh(matrix) / len(images)
    share = share[share > 0]
    return float(1 + share @ np.log(share) / math.log(256))


@metric(
    "ce",
    label="CE",
    title="Cross entropy",
    family="information",
    higher_is_better=False,
    bounds=(-math.log2(math.e) / math.e, math.inf),
    needs="sources",
    paper="Bulanon, Burks, Alchanatis 2009, Biosystems Engineering 103(1)",
    doi="10.1016/j.biosystemseng.2009.02.009",
    formula="mean over A, B of sum p_X log2 (p_X / p_F) over levels present in both",
    golden="octave CE",
    tolerance=1e-9,
    deviations="By its formula a Kullback-Leibler divergence; the name is the field's.",
)
def ce(sources: list[GrayImage], fused: GrayImage) -> float:
    """Divergence of the fused image's histogram from those of the sources; lower is better.

    For N sources the mean runs over all of them. Parameters and exceptions are those of `mi`.

    Returns
    -------
    float
        0 when the histograms are equal, and when they share no level. Levels that the fused
        image lacks are left out, so slightly negative values are possible.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.information import ce
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> ce([ramp, ramp], ramp)
    0.0
    """
    return sum(_divergence(histogram(s), histogram(fused)) for s in sources) / len(sources)


def _divergence(p: np.ndarray, q: np.ndarray) -> float:
    both = (p > 0) & (q > 0)
    return dot(p[both], np.log2(p[both] / q[both]))
