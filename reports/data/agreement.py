"""Whether a metric orders methods as another does: rank correlation scene by scene."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import scipy.stats
from numpy.typing import NDArray

from reports.data.statistics import RESAMPLES, comparable


@dataclass(frozen=True)
class Agreement:
    """Mean over scenes of the rank correlation of two metrics.

    Attributes
    ----------
    spearman, kendall : float
        Means in [-1, 1] over the scenes; NaN if there is none.
    spearman_low, spearman_high, kendall_low, kendall_high : float
        95 % percentile intervals over resampled scenes; NaN if there is one scene or none.
    scenes, methods : int
        Scenes that count, and the most methods that were ordered on one of them.
    """

    spearman: float
    spearman_low: float
    spearman_high: float
    kendall: float
    kendall_low: float
    kendall_high: float
    scenes: int
    methods: int


def agreement(values: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """How well a metric orders methods as the error against the reference does, scene by scene.

    Parameters
    ----------
    values, reference : DataFrame
        One row a scene, one column a method; higher must be better in both.

    Returns
    -------
    DataFrame
        Indexed by scene: ``spearman`` and ``kendall`` in [-1, 1]; NaN where one of the two
        gives all methods the same score.

    Examples
    --------
    >>> import pandas as pd
    >>> from reports.data.agreement import agreement
    >>> error = pd.DataFrame({"a": [3.0], "b": [2.0], "c": [1.0]})
    >>> agreement(pd.DataFrame({"a": [2.0], "b": [3.0], "c": [1.0]}), error).spearman.tolist()
    [0.5]
    """
    scenes = values.index.intersection(reference.index)
    methods = values.columns.intersection(reference.columns)
    scores = np.stack(
        [comparable(table.loc[scenes, methods]).to_numpy(float) for table in (values, reference)]
    )
    scores[:, np.isnan(scores).any(axis=0)] = np.nan
    table = pd.DataFrame(np.nan, index=scenes, columns=["spearman", "kendall"])
    known = ~np.isnan(scores[0])
    for present in np.unique(known, axis=0):  # scenes that lack the same methods, together
        rows = (known == present).all(axis=1)
        ranks = scipy.stats.rankdata(scores[:, rows][..., present], axis=2)
        table[rows] = np.stack(_correlations(ranks), axis=1)
    return table


def mean_agreement(values: pd.DataFrame, reference: pd.DataFrame, *, seed: int = 0) -> Agreement:
    """`agreement` over all scenes, with intervals.

    Parameters
    ----------
    values, reference : DataFrame
        See `agreement`.
    seed : int
        Seed of the bootstrap: the same seed gives the same intervals.

    Examples
    --------
    >>> import pandas as pd
    >>> from reports.data.agreement import mean_agreement
    >>> error = pd.DataFrame({"a": [3.0, 1.0], "b": [2.0, 2.0], "c": [1.0, 3.0]})
    >>> found = mean_agreement(error[::-1].reset_index(drop=True), error)
    >>> found.spearman, found.scenes, found.methods
    (-1.0, 2, 3)
    """
    table = agreement(values, reference).dropna()
    methods = values.columns.intersection(reference.columns)
    ordered = (values[methods].notna() & reference[methods].notna()).reindex(table.index)
    means = [float(table[name].mean()) for name in ("spearman", "kendall")]
    low, high = interval(table.to_numpy(), seed)
    return Agreement(
        means[0],
        low[0],
        high[0],
        means[1],
        low[1],
        high[1],
        len(table),
        int(ordered.sum(axis=1).max()) if len(table) else 0,
    )


def interval(rows: NDArray[np.float64], seed: int) -> tuple[list[float], list[float]]:
    """95 % percentile interval of the mean of each column over resampled rows; NaN for one row.

    Examples
    --------
    >>> import numpy as np
    >>> from reports.data.agreement import interval
    >>> low, high = interval(np.arange(100.0)[:, None], seed=0)
    >>> round(low[0]), round(high[0])
    (44, 55)
    """
    count, columns = rows.shape
    if count < 2:
        return [np.nan] * columns, [np.nan] * columns
    low, high = np.percentile(_drawn(count, seed) @ rows / count, [2.5, 97.5], axis=0)
    return low.tolist(), high.tolist()


@lru_cache(maxsize=4)
def _drawn(count: int, seed: int) -> NDArray[np.float64]:
    """How often each of `count` rows is drawn, in each resample."""
    shares = np.full(count, 1 / count)
    return np.random.default_rng(seed).multinomial(count, shares, RESAMPLES).astype(np.float64)


def _correlations(
    ranks: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Spearman's rho and Kendall's tau-b of ranks (2, scenes, methods), NaN where all tie."""
    if ranks.shape[2] < 3:
        return np.full(ranks.shape[1], np.nan), np.full(ranks.shape[1], np.nan)
    orders = np.sign(ranks[..., :, None] - ranks[..., None, :]).reshape(*ranks.shape[:2], -1)
    return _cosine(ranks - ranks.mean(axis=2, keepdims=True)), _cosine(orders)


def _cosine(pair: NDArray[np.float64]) -> NDArray[np.float64]:
    first, second = pair
    size = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    product = (first * second).sum(axis=1)
    return np.divide(product, size, out=np.full(len(size), np.nan), where=size > 0)
