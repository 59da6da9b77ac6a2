"""The oracle: the upper bound of any choice of pixels, computed from the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from bench.core.pixels import luminance
from methods import method

#: Levels in which errors are compared: whole numbers for 8-bit and for 16-bit images.
LEVELS = 65535


@method(
    "oracle",
    title="Every pixel from the source closest to the reference",
    kind="transform",
    colour="rgb",
    family="control",
    paper="baseline",
    needs_reference=True,
    in_all=False,
)
def oracle(sources: NDArray[Any], *, reference: NDArray[Any] | None = None) -> NDArray[Any]:
    """Copy every pixel from the source with the least error there.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) or (N, H, W, 3) in [0, 1].
    reference : ndarray
        float32 (H, W) or (H, W, 3) in [0, 1]: the all-in-focus image.

    Returns
    -------
    ndarray
        float32 (H, W) or (H, W, 3), as the sources.

    Raises
    ------
    UsageError
        `reference` is None.

    Notes
    -----
    fidelity: a baseline of this benchmark, not a method, since it uses the reference. The error
    is summed over the channels; of equal errors the first source's pixel is taken.

    References
    ----------
    None; the upper bound of a decision map in squared error.

    Examples
    --------
    >>> import numpy as np
    >>> from methods.oracle import oracle
    >>> sources = np.array([[[0.0, 0.25]], [[0.5, 0.75]]], np.float32)
    >>> oracle(sources, reference=np.array([[0.1, 0.7]], np.float32)).tolist()
    [[0.0, 0.75]]
    """
    if reference is None:
        raise UsageError("oracle needs the reference")
    if sources.ndim == 3 and reference.ndim == 3:
        reference = luminance(reference)
    elif sources.ndim == 4 and reference.ndim == 2:
        reference = np.repeat(reference[..., None], 3, axis=2)
    levels = np.rint(reference * LEVELS)
    best = np.full(levels.shape[:2], np.inf)
    fused = np.array(sources[0])
    for source in sources:
        error = np.square(np.rint(source * LEVELS) - levels, dtype=np.float64)
        error = error.sum(axis=-1) if error.ndim == 3 else error
        closer = error < best
        best[closer] = error[closer]
        fused[closer] = source[closer]
    return fused
