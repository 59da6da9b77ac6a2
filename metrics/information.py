"""Indexes of information theory: entropy, and what the fused image shares with the sources."""

from __future__ import annotations

from metrics import Plane, metric
from metrics._parts import entropy, mutual_information


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
    golden="octave EN",
    tolerance=1e-9,
)
def ie(fused: Plane) -> float:
    """Entropy of the gray levels in bits.

    Parameters
    ----------
    fused : ndarray
        (H, W) or (H, W, 3), see `bench.images.as_image`; colour counts as luminance.

    Returns
    -------
    float
        In [0, 8]; 0 for a constant image.

    Raises
    ------
    ImageError
        It is no image, or 1 pixel high or wide.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.information import ie
    >>> ie(np.arange(256, dtype=np.uint8).reshape(16, 16))
    8.0
    """
    return entropy(fused)


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
def mi(sources: list[Plane], fused: Plane) -> float:
    """Mutual information of the fused image with each source, over their mean entropies.

    For N sources the sum of the terms I/(H + H) is multiplied by 4/N, which for two is the
    published factor 2 and keeps the range.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.images.as_image`; colour counts as luminance.
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


def _shared_part(source: Plane, fused: Plane) -> float:
    """I / (H + H), 0 where there is no entropy."""
    total = entropy(source) + entropy(fused)
    return mutual_information(fused, source) / total if total > 0 else 0.0
