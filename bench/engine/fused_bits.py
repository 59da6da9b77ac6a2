"""Fused images that exist already, of scenes whose 16-bit sources were scaled.

A program that fuses 12-bit sources stored in 16 bits may store its result as they are, or scaled.
The mean level tells which, since fusion hardly changes it and the scale by four or more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets.bits import factor_of, scale_bits


def at_scale_of(fused: NDArray[Any], sources: Sequence[NDArray[Any]], bits: int) -> NDArray[Any]:
    """A fused image on the scale of the sources of its scene; itself if it is there already.

    Parameters
    ----------
    fused : ndarray
        Any accepted image; one that is not ``uint16`` is returned as it is.
    sources : sequence of ndarray
        The scaled sources.
    bits : int
        The bits that they had before; 0 if they were not scaled.

    Examples
    --------
    >>> import numpy as np
    >>> from bench.engine.fused_bits import at_scale_of
    >>> source = np.full((2, 2), 1000 * 16, np.uint16)
    >>> for level in (1010, 1010 * 16):
    ...     print(at_scale_of(np.full((2, 2), level, np.uint16), [source], 12)[0, 0])
    16160
    16160
    """
    if not bits or fused.dtype != np.uint16:
        return fused
    level = np.mean([float(source.mean()) for source in sources if source.dtype == np.uint16])
    unscaled = float(fused.mean()) * math.sqrt(factor_of(bits)) < level
    return scale_bits(fused, bits) if unscaled else fused
