"""Statistics of a comparison of methods over scenes: ranks, and which differences are real.

The procedure is that of J. Demšar, "Statistical comparisons of classifiers over multiple data
sets", JMLR 7, 2006: Friedman's test for any difference, Nemenyi's critical difference of mean
ranks, Wilcoxon's signed-rank test against the best with Holm's correction.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.stats
from numpy.typing import NDArray

from bench.core.errors import UsageError

#: Digits that count, of the largest score on a scene: further digits are rounding and must not
#: decide a rank (MI gives both copied sources the same score in exact arithmetic).
DIGITS = 10

#: Resamples of the scenes behind an interval of a mean rank.
RESAMPLES = 2000

#: Scenes drawn at a time; a resample is how often each scene was drawn, not the scenes again.
_DRAWS = 1 << 20


@dataclass(frozen=True)
class Ranking:
    """Methods compared on one metric.

    Attributes
    ----------
    table : DataFrame
        Indexed by method, best mean rank first: ``mean``, ``std`` (over scenes, N - 1, of capped
        scores), ``rank`` (mean rank, ties share), ``rank_low`` and ``rank_high`` (95 % bootstrap
        interval), ``wins`` (scenes on which no method is better), ``p`` (Wilcoxon against
        the best that is no baseline, Holm-corrected) and ``tied`` (not told apart from it).
    scenes : int
        Scenes that every method finished; only they count.
    friedman_p : float
        Probability of ranks as uneven as these if all methods were alike; NaN where the test
        is not defined (fewer than three methods or two scenes).
    conclusive : bool
        Whether Wilcoxon's test could tell anything from the best: over n scenes its least p is
        2 ** (1 - n), and Holm's correction multiplies it by the number of rivals. If not, every
        method is ``tied``, which then means nothing.
    critical_difference : float
        Mean ranks closer than this are not told apart by Nemenyi's test; NaN likewise.
    """

    table: pd.DataFrame
    scenes: int
    friedman_p: float
    critical_difference: float
    conclusive: bool


def rank_methods(
    values: pd.DataFrame,
    *,
    higher_is_better: bool,
    baselines: Collection[str] = (),
    cap: float = np.inf,
    alpha: float = 0.05,
    seed: int = 0,
) -> Ranking:
    """Rank methods by their scores over scenes.

    Parameters
    ----------
    values : DataFrame
        One row a scene, one column a method. Rows with a missing score are left out, so that
        all methods are ranked on the same scenes.
    higher_is_better : bool
        Direction of the metric.
    baselines : collection of str
        Methods that are ranked, but that others are not tested against.
    cap : float
        Scores above it count as it in the mean; see `reports.data.means`.
    alpha : float
        Level of the tests, in (0, 1).
    seed : int
        Seed of the bootstrap.

    Raises
    ------
    UsageError
        Fewer than two methods, or no scene that all of them finished.

    Examples
    --------
    >>> import pandas as pd
    >>> from reports.data.statistics import rank_methods
    >>> scores = pd.DataFrame({"a": [3.0, 3.0, 2.0], "b": [1.0, 2.0, 2.0]})
    >>> ranking = rank_methods(scores, higher_is_better=True)
    >>> ranking.table["rank"].round(2).to_dict()
    {'a': 1.17, 'b': 1.83}
    """
    complete = values.dropna()
    if complete.shape[1] < 2 or not len(complete):
        raise UsageError("a ranking needs two methods and a scene that both finished")
    raw = complete.to_numpy(float)
    scores = _without_rounding(raw)
    ranks = scipy.stats.rankdata(-scores if higher_is_better else scores, axis=1)
    mean_ranks = ranks.mean(axis=0)
    rivals = np.array([str(name) not in baselines for name in complete.columns])
    best = int(np.where(rivals | ~rivals.any(), mean_ranks, np.inf).argmin())
    capped = np.minimum(raw, cap)
    p = _against(_against_best(scores, best), best)
    low, high = _bootstrap(ranks, seed)
    table = pd.DataFrame(
        {
            "mean": capped.mean(axis=0),
            "std": _spread(capped),
            "rank": mean_ranks,
            "rank_low": low,
            "rank_high": high,
            "wins": (ranks == ranks.min(axis=1, keepdims=True)).sum(axis=0),
            "p": p,
            "tied": p > alpha,
        },
        index=complete.columns,
    )
    return Ranking(
        table.sort_values("rank", kind="stable"),
        len(complete),
        _friedman(scores),
        critical_difference(*reversed(scores.shape), alpha=alpha),
        2.0 ** (1 - len(complete)) * (complete.shape[1] - 1) <= alpha,
    )


def comparable(values: pd.DataFrame) -> pd.DataFrame:
    """Scores of a metric, one row a scene, without differences that are rounding.

    Examples
    --------
    >>> import pandas as pd
    >>> from reports.data.statistics import comparable
    >>> comparable(pd.DataFrame({"a": [0.3], "b": [0.1 + 0.2]})).rank(axis=1).iloc[0].to_list()
    [1.5, 1.5]
    """
    return pd.DataFrame(
        _without_rounding(values.to_numpy(float)), index=values.index, columns=values.columns
    )


def _without_rounding(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row to `DIGITS` digits of its largest finite score; NaN and infinity stay."""
    sizes = np.where(np.isfinite(scores), np.abs(scores), 0).max(axis=1, keepdims=True, initial=0)
    known = np.where(sizes > 0, sizes, 1)
    step = np.maximum(10.0 ** (np.floor(np.log10(known)) + 1 - DIGITS), np.finfo(float).tiny)
    return np.round(scores / step) * step


def critical_difference(methods: int, scenes: int, *, alpha: float = 0.05) -> float:
    """Nemenyi's critical difference of mean ranks.

    Parameters
    ----------
    methods, scenes : int
        Numbers of methods and scenes.
    alpha : float
        Level, in (0, 1).

    Examples
    --------
    The table of Demšar (2006) has 2.569 for four methods; on fourteen data sets:

    >>> from reports.data.statistics import critical_difference
    >>> round(critical_difference(4, 14), 2)
    1.25
    """
    if methods < 2 or scenes < 2:
        return float("nan")
    q = scipy.stats.studentized_range.ppf(1 - alpha, methods, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(methods * (methods + 1) / (6 * scenes)))


def _spread(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation over scenes (N - 1); NaN where a score is infinite, or there is one."""
    spread = np.full(scores.shape[1], np.nan)
    finite = np.isfinite(scores).all(axis=0)
    if len(scores) > 1:
        spread[finite] = scores[:, finite].std(axis=0, ddof=1)
    return spread


def _friedman(scores: NDArray[np.float64]) -> float:
    alike = (scores == scores[:, :1]).all()
    if scores.shape[0] < 2 or scores.shape[1] < 3 or alike:
        return float("nan")
    return float(scipy.stats.friedmanchisquare(*scores.T).pvalue)


def _against_best(scores: NDArray[np.float64], best: int) -> NDArray[np.float64]:
    """Two-sided p of Wilcoxon's test of each method against the best; 1 where all ties."""
    p = np.ones(scores.shape[1])
    largest = np.finfo(float).max / 4  # a PSNR may be infinite; only its rank counts
    bounded = np.clip(scores, -largest, largest)
    for k in range(scores.shape[1]):
        p[k] = wilcoxon(bounded[:, k] - bounded[:, best])
    return p


def wilcoxon(differences: NDArray[np.float64]) -> float:
    """Two-sided p of Wilcoxon's signed-rank test; ties count half to either side, 1 if all tie."""
    if not differences.any():
        return 1.0
    return float(scipy.stats.wilcoxon(differences, zero_method="zsplit").pvalue)


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's step-down correction of p values.

    Examples
    --------
    >>> import numpy as np
    >>> from reports.data.statistics import holm
    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    adjusted, running = np.ones_like(p), 0.0
    for step, k in enumerate(np.argsort(p, kind="stable")):
        running = max(running, min(1.0, (len(p) - step) * p[k]))
        adjusted[k] = running
    return adjusted


def _against(p: NDArray[np.float64], best: int) -> NDArray[np.float64]:
    """Corrected p values of all but the best itself, which has 1."""
    adjusted = np.ones_like(p)
    others = np.arange(len(p)) != best
    adjusted[others] = holm(p[others])
    return adjusted


def _bootstrap(
    ranks: NDArray[np.float64], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % percentile interval of each mean rank over resampled scenes."""
    rng, scenes = np.random.default_rng(seed), len(ranks)
    means = np.empty((RESAMPLES, ranks.shape[1]))
    at_once = max(1, _DRAWS // scenes)
    for start in range(0, RESAMPLES, at_once):
        rows = min(at_once, RESAMPLES - start)
        draws = rng.integers(0, scenes, (rows, scenes)) + scenes * np.arange(rows)[:, None]
        counts = np.bincount(draws.ravel(), minlength=rows * scenes).reshape(rows, scenes)
        means[start : start + rows] = counts @ ranks / scenes
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return low, high
