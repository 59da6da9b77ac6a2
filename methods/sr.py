"""Fusion by sparse representation (SR)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from methods import method
from methods._filters import levels
from methods._sparse import DICTIONARY, dictionary, fuse_patches

Array = NDArray[Any]


@method(
    "sr",
    title="Sparse representation (SR)",
    kind="transform",
    family="sparse",
    paper="Yang, Li, Multifocus image fusion and restoration with sparse representation, IEEE "
    "Transactions on Instrumentation and Measurement 59(4), 2010",
    doi="10.1109/TIM.2009.2026612",
    weights=DICTIONARY,
    in_all=False,
    symmetric=False,
)
def sr(sources: Array, *, step: int = 1, tolerance: float = 0.1) -> Array:
    """Take each 8 x 8 patch from the source whose sparse code has the largest L1 norm.

    Patches without their means are coded by orthogonal matching pursuit in a learned dictionary.
    The patches overlap, and a pixel is the mean of those that cover it.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    step : int
        Distance between patches in pixels, 1 to 8. The time goes with 1/step².
    tolerance : float
        Norm of the residual of a patch at which its code is complete, on the scale 0..255.

    Returns
    -------
    ndarray
        float64 (H, W).

    Raises
    ------
    Skipped
        The dictionary is not on disk and cannot be downloaded.
    UsageError
        `step` or `tolerance` is out of its range.

    Notes
    -----
    fidelity: PSNR to the images of the 2020 survey: g_05 and parts of c_01-c_03 equal, g_03
    and g_04 91.9 dB (13 pixels differ by one level).
    The dictionary is that of the MST-SR toolbox (Liu et al. 2015); the survey's images have step
    1, the toolbox's demo 2. Where the norms are equal the first source is taken, so there the
    order matters. Images below 8 x 8 are averaged.

    References
    ----------
    Yang, Li 2010, https://doi.org/10.1109/TIM.2009.2026612

    Examples
    --------
    >>> from methods import METHODS
    >>> METHODS["sr"].weights[0].entry.bytes
    125957
    """
    stack = np.stack([levels(source) for source in sources])
    return fuse_patches(stack, dictionary(), step, tolerance) / 255
