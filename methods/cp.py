"""Fusion in the contrast pyramid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from methods import Planes, method
from methods._multiscale import fuse_pyramids, usable_levels


@method(
    "cp",
    title="Contrast pyramid",
    kind="transform",
    family="multi-scale",
    paper="Toet, van Ruyven, Valeton, Merging thermal and visual images by a contrast pyramid, "
    "Optical Engineering 28(7), 1989",
    doi="10.1117/12.7977034",
    streams=True,
    any_order=True,
)
def cp(sources: NDArray[Any] | Planes, *, levels: int = 4, guard: float = 1e-6) -> NDArray[Any]:
    """Fuse by keeping, at every scale, the strongest contrast of a pixel to its surroundings.

    C_i = R_i - 1 with the ratio R_i = (G_i + g) / (EXPAND(G_{i+1}) + g) over the Gaussian
    pyramid G. The contrast of the largest magnitude is kept, of the bases the mean, and the
    merged pyramid is multiplied up again.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    levels : int
        Number of contrast images; fewer where the image is too small (see `methods.lp.lp`).
    guard : float
        g. It is added to numerator and denominator, so a black area has no contrast and any other
        source is preferred; where all are black, so is the result.

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
    fidelity: contrast and rule are the paper's. It names no guard; levels, borders and the
    mean of the bases are as in `methods.lp.lp`. Symmetric in the sources. Colour: each
    channel by itself.

    References
    ----------
    Toet, van Ruyven, Valeton 1989, https://doi.org/10.1117/12.7977034

    Examples
    --------
    >>> import numpy as np
    >>> from methods.cp import cp
    >>> image = np.random.default_rng(0).random((9, 7), np.float32)
    >>> bool(np.abs(cp(np.stack([image, image])) - image).max() < 1e-5)
    True
    """
    depth = usable_levels(sources.shape[1:], levels)
    raised = np.float32(guard)
    return fuse_pyramids(
        sources,
        depth,
        lambda fine, wide: (fine + raised) / (wide + raised) - 1,
        lambda contrast, wide: (contrast + 1) * (wide + raised) - raised,
    )
