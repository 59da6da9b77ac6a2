"""From the scores of a focus network to a weight per source and pixel: blended, or copied."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import UsageError
from methods._filters import one_hot, remove_small_regions
from methods.learned import WEIGHTS
from methods.learned.inference import Extent, infer, network_on, number_format

Array = NDArray[Any]


def network_scores(
    method: str, sources: Array, extent: Extent, output: Literal["soft", "hard"], device: str
) -> Array:
    """One output of the network in a method's weights file.

    Parameters
    ----------
    method : str
        Whose weights: ``fcn-x``.
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    extent : Extent
        Of the network.
    output : {'soft', 'hard'}
        Scores to blend by, or to choose by.
    device : str
        ``cpu`` or ``cuda``.

    Returns
    -------
    ndarray
        float32 (N, H, W).
    """
    dtype = number_format(device, bf16=True)
    network = network_on(WEIGHTS / f"{method}.safetensors", method, "gray", device, dtype)
    return infer(network, _soft if output == "soft" else _hard, sources, extent)


def _soft(network: Any, stack: Any) -> Any:
    return network(stack[:, :, 0])[0]


def _hard(network: Any, stack: Any) -> Any:
    return network(stack[:, :, 0])[1]


def blended(scores: Array) -> Array:
    """Softmax over the sources; overwrites the scores."""
    scores -= scores.max(axis=0)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    return scores


def copied(scores: Array, sources: Array, smallest: float) -> Array:
    """The source with the largest score, 1 or 0, without regions below a share of the image.

    Of equal scores the brightest source wins, whatever their order.

    Raises
    ------
    UsageError
        `smallest` is not in [0, 1).
    """
    if not 0 <= smallest < 1:
        raise UsageError(f"smallest must lie in [0, 1), got {smallest:g}")
    best = scores == scores.max(axis=0)
    choice = np.where(best, sources, -1).argmax(axis=0)
    choice = remove_small_regions(choice, smallest * scores[0].size)
    return one_hot(choice, len(sources))
