"""Metrics of Tsallis entropy, a family of entropies that includes Shannon's."""

from __future__ import annotations

import math

import numpy as np

from metrics import GrayImage, metric
from metrics._parts import entropy, histogram, joint_histogram, rescaled, shared

ORDER = 1.85  #: The order q of Cvejic's metric.
NAVA_ORDER = 0.43137  #: The order q of Nava's metric.


@shared
def _information(fused: GrayImage, source: GrayImage, order: float, swapped: bool) -> float:
    """Tsallis mutual information; `swapped` takes each level's share from the other image."""
    joint = joint_histogram(fused, source)
    rows, columns = histogram(fused), histogram(source)
    if swapped:
        rows, columns = columns, rows
    product = np.outer(rows, columns)
    cells = (joint > 0) & (product > 0)
    total = np.sum(joint[cells] ** order * product[cells] ** (1 - order))
    return float((1 - total) / (1 - order))


@metric(
    "qte",
    label="QTE",
    title="Tsallis mutual information",
    family="information",
    higher_is_better=True,
    bounds=(0, 2 * (256 ** (ORDER - 1) - 1) / (ORDER - 1)),
    needs="sources",
    paper="Cvejic, Canagarajah, Bull 2006, Electronics Letters 42(11)",
    doi="10.1049/el:20060693",
    formula="T(A;F) + T(B;F), T = (1 - sum p(x,f)^q / (p(x) p(f))^(q-1)) / (1-q), q = 1.85",
    golden="octave QTE_fixed",
    tolerance=1e-9,
    deviations=(
        "The public toolbox swaps the two marginal distributions, which changes values by "
        "factors and the order of methods: see qte_toolbox."
    ),
)
def qte(sources: list[GrayImage], fused: GrayImage) -> float:
    """Tsallis mutual information of order 1.85 of the fused image with the sources.

    For N sources the sum is multiplied by 2/N, which keeps the range.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.core.pixels.as_image`; colour counts as luminance.
    fused : ndarray
        An image of the same height and width.

    Returns
    -------
    float
        In [0, 259.84], some tens for photos; 0 when the fused image is constant.

    Raises
    ------
    ImageError
        Sizes differ, or an image is 1 pixel high or wide.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.tsallis import qte
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> round(qte([ramp, ramp], ramp), 1)
    259.8
    """
    total = sum(_information(fused, source, ORDER, False) for source in sources)
    return 2 / len(sources) * max(0.0, total)


@metric(
    "qte_toolbox",
    variant_of="qte",
    label="QTE (toolbox)",
    title="Tsallis mutual information as the public toolbox computes it",
    family="information",
    higher_is_better=True,
    bounds=(2 / (1 - ORDER), math.inf),
    needs="sources",
    stack="two",
    paper="Cvejic, Canagarajah, Bull 2006, Electronics Letters 42(11)",
    doi="10.1049/el:20060693",
    formula="as qte, with p(x) of the fused image's histogram and p(f) of the source's",
    golden="octave QTE",
    tolerance=1e-9,
    deviations="Keeps the toolbox's swapped marginals, to compare with published values only.",
)
def qte_toolbox(sources: list[GrayImage], fused: GrayImage) -> float:
    """`qte` with the marginal distributions swapped, as in the toolbox that papers used.

    Images are stretched to 0..255 first, and pairs of levels whose swapped product is 0 are
    left out, which makes negative values possible. Parameters and exceptions are those of
    `qte`, for two sources.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.tsallis import qte_toolbox
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> round(qte_toolbox([ramp, ramp], ramp), 1)
    259.8
    """
    f = rescaled(fused)
    return sum(_information(f, rescaled(source), ORDER, True) for source in sources)


@metric(
    "qte_nava",
    variant_of="qte",
    label="QTE (Nava)",
    title="Normalised Tsallis mutual information",
    family="information",
    higher_is_better=True,
    bounds=(-math.inf, math.inf),
    needs="sources",
    stack="two",
    paper="Nava, Escalante-Ramírez, Cristóbal 2007, SPIE Newsroom",
    doi="10.1117/2.1200709.0824",
    formula="(T(A;F) + T(B;F)) / (H(A)^q + H(B)^q + T(A;B)), q = 0.43137, T as in qte_toolbox",
    golden="octave QTE_nava",
    tolerance=1e-9,
    deviations="Keeps the toolbox's swapped marginals; H is Shannon's entropy in bits.",
)
def qte_nava(sources: list[GrayImage], fused: GrayImage) -> float:
    """Tsallis mutual information of order 0.43137, normalised, as in the public toolbox.

    Parameters and exceptions are those of `qte`, for two sources. 0 when all sources are
    constant.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.tsallis import qte_nava
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> round(qte_nava([ramp, ramp], ramp), 3)
    0.511
    """
    a, b = (rescaled(source) for source in sources)
    f = rescaled(fused)
    top = sum(_information(f, x, NAVA_ORDER, True) for x in (a, b))
    bottom = entropy(a) ** NAVA_ORDER + entropy(b) ** NAVA_ORDER
    bottom += _information(a, b, NAVA_ORDER, True)
    return top / bottom if bottom > 0 else 0.0
