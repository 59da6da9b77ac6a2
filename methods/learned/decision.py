"""From the scores of a focus network to a weight per source and pixel: blended, or copied."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import UsageError
from methods._filters import one_hot, remove_small_regions
from methods.learned import WEIGHTS
from methods.learned.inference import Extent, infer, network_on, number_format

Array = NDArray[Any]


def blended(method: str, sources: Array, extent: Extent, device: str) -> Array:
    """Weights by the softmax over the sources of a network's first output.

    Parameters
    ----------
    method : str
        Whose weights file holds the network: ``fcn-x`` or ``fcn-s``.
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    extent : Extent
        Of the network.
    device : str
        ``cpu`` or ``cuda``.

    Returns
    -------
    ndarray
        float32 (N, H, W), non-negative, of sum 1.

    Raises
    ------
    EnvironmentFault
        There is no such device.
    WeightsError
        The weights file is missing or damaged.
    """
    scores = infer(_network(method, device), _soft, sources, extent)
    scores -= scores.max(axis=0)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    return scores


def copied(method: str, sources: Array, extent: Extent, device: str, smallest: float) -> Array:
    """1 for the source with the largest score of a network's second output, else 0.

    Of equal scores the brightest source wins, whatever their order. Regions that are too small
    go over to the source next to them.

    Parameters
    ----------
    method, sources, extent, device
        As in `blended`.
    smallest : float
        Least share of the image's pixels that a region must have to stay, in [0, 1).

    Returns
    -------
    ndarray
        float32 (N, H, W).

    Raises
    ------
    UsageError
        `smallest` is not in [0, 1).
    EnvironmentFault, WeightsError
        As in `blended`.
    """
    if not 0 <= smallest < 1:
        raise UsageError(f"smallest must lie in [0, 1), got {smallest:g}")
    scores = infer(_network(method, device), _hard, sources, extent)
    best = scores == scores.max(axis=0)
    choice = np.where(best, sources, -1).argmax(axis=0)
    choice = remove_small_regions(choice, smallest * scores[0].size)
    return one_hot(choice, len(sources))


def _network(method: str, device: str) -> Any:
    dtype = number_format(device, bf16=True)
    return network_on(WEIGHTS / f"{method}.safetensors", method, "gray", device, dtype)


def _soft(network: Any, stack: Any) -> Any:
    return network(stack[:, :, 0])[0]


def _hard(network: Any, stack: Any) -> Any:
    return network(stack[:, :, 0])[1]
