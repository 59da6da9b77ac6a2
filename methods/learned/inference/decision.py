"""From the scores of a focus network to a weight per source and pixel: blended, or copied.

The networks were trained on scenes of 0.15 megapixels, mostly defocused by ten pixels or less.
In a photo of many megapixels defocus takes more pixels than that, and few details are sharp to the
pixel. There a network can decide on a smaller view, in a fraction of the time.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from methods import Planes
from methods._filters import remove_small_regions
from methods.learned.inference.forward import Extent, infer

cv2 = lazy.load("cv2")

Array = NDArray[Any]

#: Sources as an array or one at a time; the weights are given alike.
Given = TypeVar("Given", Array, Planes)

#: Pixels that a network is shown at least where an image shrinks for it, and by how much it does at
#: the most.
VIEW, MOST = 1_300_000, 4


def blended(network: Any, sources: Given, extent: Extent, shrink: int) -> Given:
    """Weights by the softmax over the sources of a network's first output.

    Parameters
    ----------
    network : Module
        That of ``fcn-x`` or ``fcn-s``; see `methods.learned.inference.forward.shipped`.
    sources : ndarray or Planes
        float32 (N, H, W) in [0, 1].
    extent : Extent
        Of the network.
    shrink : int
        The network sees the sources this many times smaller, and the weights are enlarged again;
        0 for `usual_shrink`.

    Returns
    -------
    ndarray or Planes
        float32 (N, H, W), non-negative, of sum 1; `Planes` if the sources are.

    Raises
    ------
    UsageError
        `shrink` is not a whole number from 0 on.
    """
    scores = infer(network, _soft, shrunk(sources, shrink), extent)
    highest = scores.max(axis=0)
    for score in scores:
        score -= highest
        np.exp(score, out=score)
    scores /= scores.sum(axis=0)
    return _like(sources, enlarged(scores, sources.shape[1:]))


def copied(network: Any, sources: Given, extent: Extent, smallest: float, shrink: int) -> Given:
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
    ndarray or Planes
        float32 (N, H, W); `Planes` if the sources are.

    Raises
    ------
    UsageError
        `smallest` is not in [0, 1), or `shrink` is not a whole number from 0 on.
    """
    if not 0 <= smallest < 1:
        raise UsageError(f"smallest must lie in [0, 1), got {smallest:g}")
    size = sources.shape[1:]
    scores = enlarged(infer(network, _hard, shrunk(sources, shrink), extent), size)
    best = np.full(size, -np.inf, np.float32)
    for score in scores:
        np.maximum(best, score, out=best)
    choice, brightest = np.zeros(size, np.int64), np.full(size, -1, np.float32)
    for n, (score, source) in enumerate(zip(scores, sources, strict=True)):
        taken = (score == best) & (source > brightest)
        choice[taken], brightest[taken] = n, source[taken]
    choice = remove_small_regions(choice, smallest * choice.size)
    chosen = Planes(sources.shape, lambda n: (choice == n).astype(np.float32))
    return _like(sources, chosen)


def _like(sources: Given, planes: Planes) -> Given:
    """The planes as they are, or as an array, as the sources are given."""
    if isinstance(sources, Planes):
        return planes
    return planes.array()


def usual_shrink(shape: tuple[int, ...]) -> int:
    """How many times smaller an image (H, W) is shown: 2 from 5.2 megapixels, 3 from 11.7.

    Examples
    --------
    >>> from methods.learned.inference.decision import usual_shrink
    >>> [usual_shrink(shape) for shape in ((1080, 1920), (2400, 3200), (3000, 4000), (6000, 8000))]
    [1, 2, 3, 4]
    """
    return min(max(math.isqrt(math.prod(shape) // VIEW), 1), MOST)


def shrunk(planes: Array | Planes, factor: int) -> Planes:
    """Means over areas of about `factor` x `factor` pixels, (N, ceil(H / factor), ...) of them.

    Examples
    --------
    >>> import numpy as np
    >>> from methods.learned.inference.decision import enlarged, shrunk
    >>> planes = np.arange(32, dtype=np.float32).reshape(1, 4, 8)
    >>> shrunk(planes, 4)[0]
    array([[13.5, 17.5]], dtype=float32)
    >>> enlarged(shrunk(planes, 4), (4, 8)).shape
    (1, 4, 8)
    """
    if not isinstance(factor, (int, np.integer)) or factor < 0:
        raise UsageError(f"shrink must be a whole number from 0 on, got {factor!r}")
    _, height, width = planes.shape
    times = int(factor) or usual_shrink((height, width))
    return _resized(planes, (-(-height // times), -(-width // times)), cv2.INTER_AREA)


def enlarged(planes: Array | Planes, size: tuple[int, ...]) -> Planes:
    """The way back: linear between the centres of the squares. Sums over planes stay 1."""
    return _resized(planes, size, cv2.INTER_LINEAR)


def _resized(planes: Array | Planes, size: tuple[int, ...], how: int) -> Planes:
    def resized(number: int) -> Array:
        plane = planes[number].astype(np.float32, copy=False)
        return plane if plane.shape == size else cv2.resize(plane, size[::-1], interpolation=how)

    return Planes((len(planes), size[0], size[1]), resized)


def _soft(network: Any, stack: Any) -> Any:
    return network(stack[:, :, 0], slice(0, 1))[0]


def _hard(network: Any, stack: Any) -> Any:
    return network(stack[:, :, 0], slice(1, 2))[0]
