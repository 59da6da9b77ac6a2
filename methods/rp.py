"""Fusion in the ratio of low-pass pyramid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from methods import Planes, method
from methods._multiscale import fuse_pyramids, usable_levels


@method(
    "rp",
    title="Ratio of low-pass pyramid",
    kind="transform",
    family="multi-scale",
    paper="Toet, Image fusion by a ratio of low-pass pyramid, Pattern Recognition Letters 9(4), "
    "1989",
    doi="10.1016/0167-8655(89)90003-2",
    streams=True,
    any_order=True,
)
def rp(sources: NDArray[Any] | Planes, *, levels: int = 4, guard: float = 1e-6) -> NDArray[Any]:
    """Fuse by keeping, at every scale, the largest ratio of a pixel to its surroundings.

    R_i = (G_i + g) / (EXPAND(G_{i+1}) + g) over the Gaussian pyramid G. The largest |R_i| is
    kept, of the bases the mean, and the merged pyramid is multiplied up again.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    levels : int
        Number of ratio images; fewer where the image is too small (see `methods.lp.lp`).
    guard : float
        g. It is added to numerator and denominator, so a black area has the ratio 1 like any other
        flat area, and stays black when both sources are black.

    Returns
    -------
    ndarray
        float32 (H, W); it can exceed 1 beside strong edges.

    Raises
    ------
    UsageError
        `levels` is below 1.

    Notes
    -----
    fidelity: the choice by R itself is that of the field's toolboxes and prefers bright
    detail to dark detail; the paper's own rule, the larger |R - 1|, is `methods.cp.cp`.
    Levels, borders and the mean of the bases are as in `methods.lp.lp`; the paper names no
    guard. Symmetric in the sources. Colour: each channel by itself.

    References
    ----------
    Toet 1989, https://doi.org/10.1016/0167-8655(89)90003-2

    Examples
    --------
    >>> import numpy as np
    >>> from methods.rp import rp
    >>> image = np.random.default_rng(0).random((9, 7), np.float32)
    >>> bool(np.abs(rp(np.stack([image, image])) - image).max() < 1e-5)
    True
    """
    depth = usable_levels(sources.shape[1:], levels)
    raised = np.float32(guard)
    return fuse_pyramids(
        sources,
        depth,
        lambda fine, wide: (fine + raised) / (wide + raised),
        lambda ratio, wide: ratio * (wide + raised) - raised,
    )
