"""Baselines that do not measure focus: the average of the sources, and one source unchanged.

The benchmark shows them because some metrics reward them: a copied source keeps all of its
information, so it exceeds many methods in mutual information.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from methods import method


@method(
    "average",
    title="Average of the sources",
    kind="transform",
    family="control",
    paper="baseline",
    any_order=True,
)
def average(sources: NDArray[Any]) -> NDArray[Any]:
    """Mean of the sources.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].

    Returns
    -------
    ndarray
        float32 (H, W).

    Examples
    --------
    >>> import numpy as np
    >>> from methods.baselines import average
    >>> float(average(np.stack([np.zeros((2, 2)), np.ones((2, 2))]))[0, 0])
    0.5
    """
    return np.mean(sources, axis=0)


@method(
    "source-a",
    title="First source, unchanged",
    kind="decision",
    family="control",
    paper="baseline",
)
def source_a(sources: NDArray[Any]) -> NDArray[Any]:
    """Weight 1 for the first source; see `average` for shapes."""
    weights = np.zeros_like(sources)
    weights[0] = 1
    return weights


@method(
    "source-b",
    title="Last source, unchanged",
    kind="decision",
    family="control",
    paper="baseline",
)
def source_b(sources: NDArray[Any]) -> NDArray[Any]:
    """Weight 1 for the last source; see `average` for shapes."""
    weights = np.zeros_like(sources)
    weights[-1] = 1
    return weights
