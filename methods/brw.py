"""Fusion by boosted random walks on focus maps of two scales (BRW)."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from methods import Blend, method
from methods._filters import (
    blend_two,
    guided_filter,
    levels,
    rounded_levels,
    structure_saliency,
)

scipy = lazy.load("scipy")

Array = NDArray[Any]

BINS = 256
#: Least weight of an edge of the smoother relative to the solver's scale: lambda of each round.
FIRST_LAMBDA = 1.5 * 16 / 63
ATTENUATION, ROUNDS = 4, 3


@method(
    "brw",
    title="Boosted random walks, two-scale focus maps (BRW)",
    kind="decision",
    family="spatial",
    stack="pairwise",
    paper="Ma, Zhou, Wang, Miao, Zong, Multi-focus image fusion using boosted random walks-based "
    "algorithm with two-scale focus maps, Neurocomputing 335, 2019",
    doi="10.1016/j.neucom.2019.01.048",
    aliases=("TF",),
    symmetric=False,
)
def brw(
    sources: Array,
    *,
    sigmas: tuple[float, ...] = (3.0, 8.0),
    radii: tuple[int, ...] = (5, 11),
    eps: float = 0.01,
    kept: tuple[float, ...] = (0.9, 0.8),
    sigma: float = 0.02,
    smoothing: float = 300.0,
) -> Blend:
    """Choose between focus maps of a small and a large scale, pixel by pixel.

    A map is 1 where the structure saliency of the first source is the larger one, filtered with
    the first source as guide. A map is sure where its values are among the least or the largest
    ones. An edge-preserving smoother spreads the sure pixels of both maps; the small scale is
    taken where its share is the larger one, else the large scale.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    sigmas, radii : tuple of float, tuple of int
        Standard deviations of the saliency and radii of the guided filters: small, large scale.
    eps : float
        Regularisation of the guided filters.
    kept : tuple of float
        Share of the values of each map, about the middle, that are not sure.
    sigma : float
        Contrast of an edge for the smoother, as a share of the range of levels.
    smoothing : float
        Strength of the smoother.

    Returns
    -------
    Blend
        Blends one channel (N, H, W) to (H, W).

    Raises
    ------
    UsageError
        A tuple has another length than 2, or a number is not positive.

    Notes
    -----
    fidelity: steps and constants are those of the authors' code with one mended index. Mean
    PSNR to the images of the 2020 survey at hand (g_01-g_05, c_01-c_03; equal ones count as 99
    dB): 99 dB gray and colour. The first source guides all filters, so the order matters. Two
    sources by nature; more are folded from the left. Published JPEG images of MFI-WHU, after
    the same JPEG: all four equal.

    References
    ----------
    Ma, Zhou, Wang, Miao, Zong 2019, https://doi.org/10.1016/j.neucom.2019.01.048
    Min et al. 2014, https://doi.org/10.1109/TIP.2014.2366600

    Examples
    --------
    >>> import numpy as np
    >>> from methods.brw import brw
    >>> image = np.random.default_rng(0).random((20, 30), np.float32)
    >>> fused = brw(np.stack([image, image]))
    >>> bool(np.abs(fused(np.stack([image, image])) - image).max() < 1e-5)
    True
    """
    if not len(sigmas) == len(radii) == len(kept) == 2:
        raise UsageError("sigmas, radii and kept must have two values each")
    if min(*sigmas, *radii, *kept, eps, sigma, smoothing) <= 0:
        raise UsageError("all parameters must be positive")
    guide = sources[0].astype(np.float64)
    saliency = [structure_saliency(levels(source) / 255, sigmas) for source in sources]
    maps = [
        guided_filter(guide, (first > second).astype(np.float64), radius, eps)
        for first, second, radius in zip(*saliency, radii, strict=True)
    ]
    sure = _sure(maps, [(1 - share) / 2 for share in kept])
    spread = _Smoother(rounded_levels(sources[0]), 255 * sigma, smoothing)
    small, both = spread(np.stack([sure[0], sure[0] + sure[1]]))
    share = small / (both + np.spacing(both))
    return blend_two(np.where(share > 1 - share, maps[0], maps[1]))


def _sure(maps: list[Array], tails: list[float]) -> list[Array]:
    """Float (H, W) for each map: 1 where its value lies in one of its tails."""
    counts = [_histogram(values) for values in maps]
    limits = [
        (_quantile(counts[0], tails[0]), _quantile(counts[0], 1 - tails[0])),
        (_quantile(counts[1], tails[1]), _quantile(counts[0], 1 - tails[1])),  # as published
    ]
    found = []
    for values, (low, high) in zip(maps, limits, strict=True):
        positive = np.maximum(values, 0)
        found.append(((positive < low) | (positive > high)).astype(np.float64))
    return found


def _histogram(values: Array) -> Array:
    """Running sum of the histogram without its two fullest bins, of equals the higher ones."""
    bins = np.clip(np.floor((BINS - 1) * values + 0.5), 0, BINS - 1).astype(np.intp)
    counts = np.bincount(bins.ravel(), minlength=BINS)
    counts[np.argsort(counts, kind="stable")[-2:]] = 0
    return np.cumsum(counts)


def _quantile(running: Array, share: float) -> float:
    return float(np.argmax(running >= share * running[-1]) + 1) / BINS


class _Smoother:
    """Min's fast global smoother: tridiagonal systems along rows and columns by turns."""

    def __init__(self, guide: Array, contrast: float, smoothing: float) -> None:
        steps = (np.abs(np.diff(lines, axis=1)) for lines in (guide, guide.T))
        self.weights = [np.exp(-step / contrast) for step in steps]
        self.strengths = [FIRST_LAMBDA * smoothing / ATTENUATION**k for k in range(ROUNDS)]

    def __call__(self, images: Array) -> Array:
        """The images (n, H, W), each smoothed."""
        for strength in self.strengths:
            for weights in self.weights:
                images = _solved(images, weights, strength).swapaxes(1, 2)
        return images


def _solved(images: Array, weights: Array, strength: float) -> Array:
    """(1 + lambda L) x = b along every row; L has free ends.

    All rows make one system, in which nothing couples the end of a row with the next one.
    """
    if not weights.size:
        return images
    edges = np.pad(-strength * weights, ((0, 0), (1, 1)))
    diagonal = 1 - edges[:, :-1] - edges[:, 1:]
    right = images.reshape(len(images), -1).T
    found = scipy.linalg.lapack.dptsv(diagonal.ravel(), edges[:, 1:].ravel()[:-1], right)[2]
    return found.T.reshape(images.shape)
