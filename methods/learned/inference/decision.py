"""From the scores of a focus network to a weight per source and pixel: blended, or copied.

The networks were trained on scenes of 0.15 megapixels, mostly defocused by ten pixels or less.
In a photo of many megapixels defocus takes more pixels than that, and few details are sharp to the
pixel. There a network can decide on a smaller view, in a fraction of the time.
"""

from __future__ import annotations

import math
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from methods._filters import one_hot, remove_small_regions
from methods.learned.inference.forward import Extent, infer

cv2 = lazy.load("cv2")

Array = NDArray[Any]

#: Pixels that a network is shown at least where an image shrinks for it, and by how much it does at
#: the most.
VIEW, MOST = 1_300_000, 4


def blended(network: Any, sources: Array, extent: Extent, shrink: int) -> Array:
    """Weights by the softmax over the sources of a network's first output.

    Parameters
    ----------
    network : Module
        That of ``fcn-x`` or ``fcn-s``; see `methods.learned.inference.forward.shipped`.
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    extent : Extent
        Of the network.
    shrink : int
        The network sees the sources this many times smaller, and the weights are enlarged again;
        0 for `usual_shrink`.

    Returns
    -------
    ndarray
        float32 (N, H, W), non-negative, of sum 1.

    Raises
    ------
    UsageError
        `shrink` is not a whole number from 0 on.
    """
    smaller = shrunk(sources, shrink)
    scores = infer(network, _soft, smaller, extent)
    scores -= scores.max(axis=0)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    return enlarged(scores, sources.shape[1:])


def copied(network: Any, sources: Array, extent: Extent, smallest: float, shrink: int) -> Array:
    """1 for the source with the largest score of a network's second output, else 0.

    Of equal scores the brightest source wins, whatever their order. Regions that are too small
    go over to the source next to them.

    Parameters
    ----------
    network, sources, extent, shrink
        As in `blended`; it is the scores that are enlarged.
    smallest : float
        Least share of the image's pixels that a region must have to stay, in [0, 1).

    Returns
    -------
    ndarray
        float32 (N, H, W).

    Raises
    ------
    UsageError
        `smallest` is not in [0, 1), or `shrink` is not a whole number from 0 on.
    """
    if not 0 <= smallest < 1:
        raise UsageError(f"smallest must lie in [0, 1), got {smallest:g}")
    smaller = shrunk(sources, shrink)
    scores = infer(network, _hard, smaller, extent)
    scores = enlarged(scores, sources.shape[1:])
    best = scores == scores.max(axis=0)
    choice = np.where(best, sources, -1).argmax(axis=0)
    choice = remove_small_regions(choice, smallest * scores[0].size)
    return one_hot(choice, len(sources))


def usual_shrink(shape: tuple[int, ...]) -> int:
    """How many times smaller an image (H, W) is shown: 2 from 5.2 megapixels, 3 from 11.7.

    Examples
    --------
    >>> from methods.learned.inference.decision import usual_shrink
    >>> [usual_shrink(shape) for shape in ((1080, 1920), (2400, 3200), (3000, 4000), (6000, 8000))]
    [1, 2, 3, 4]
    """
    return min(max(math.isqrt(math.prod(shape) // VIEW), 1), MOST)


def shrunk(planes: Array, factor: int) -> Array:
    """Means over areas of about `factor` x `factor` pixels, (N, ceil(H / factor), ...) of them.

    Examples
    --------
    >>> import numpy as np
    >>> from methods.learned.inference.decision import enlarged, shrunk
    >>> planes = np.arange(32, dtype=np.float32).reshape(1, 4, 8)
    >>> shrunk(planes, 4)
    array([[[13.5, 17.5]]], dtype=float32)
    >>> enlarged(shrunk(planes, 4), (4, 8)).shape
    (1, 4, 8)
    """
    if not isinstance(factor, (int, np.integer)) or factor < 0:
        raise UsageError(f"shrink must be a whole number from 0 on, got {factor!r}")
    shape = planes.shape[1:]
    times = int(factor) or usual_shrink(shape)
    return _resized(planes, tuple(-(-length // times) for length in shape), cv2.INTER_AREA)


def enlarged(planes: Array, size: tuple[int, ...]) -> Array:
    """The way back: linear between the centres of the squares. Sums over planes stay 1."""
    return _resized(planes, size, cv2.INTER_LINEAR)


def _resized(planes: Array, size: tuple[int, ...], how: int) -> Array:
    if planes.shape[1:] == size:
        return planes
    result = np.empty((len(planes), *size), np.float32)
    for plane, out in zip(planes, result, strict=True):
        # OpenCV writes into `out` only what has its type
        cv2.resize(plane.astype(np.float32, copy=False), size[::-1], dst=out, interpolation=how)
    return result


def _soft(network: Any, stack: Any) -> Any:
    return network(stack[:, :, 0])[0]


def _hard(network: Any, stack: Any) -> Any:
    return network(stack[:, :, 0])[1]
