"""One method against every other: on how many scenes it wins, and how certain that is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy.stats
from numpy.typing import NDArray

from bench.core.errors import NothingSelected, UnknownName
from reports.data.leaderboard import by_scene
from reports.data.parts import scores_of
from reports.data.results import Results
from reports.data.statistics import comparable, holm, wilcoxon

COLUMNS = ["metric", "method", "scenes", "wins", "ties", "losses", "p", "effect"]


def versus(results: Results, mine: str, dataset: str = "") -> pd.DataFrame:
    """Wins, ties and losses of a method against each other one, metric by metric.

    Parameters
    ----------
    results : Results
        A run.
    mine : str
        The method.
    dataset : str
        Only scenes of this dataset or subset; all if empty.

    Returns
    -------
    DataFrame
        ``metric, method, scenes, wins, ties, losses, p, effect``: scenes that both finished, on
        how many `mine` is better, equal, worse; the two-sided p of Wilcoxon's signed-rank test,
        after Holm's correction over the other methods; and the matched-pairs rank-biserial
        correlation, 1 where `mine` wins every scene and -1 where it loses every one.

    Raises
    ------
    UnknownName
        The run has no such method.
    NothingSelected
        It has no other method that finished a scene with it.
    """
    if mine not in results.manifest.method:
        raise UnknownName("method of this run", mine, results.manifest.method)
    scores, rows = scores_of(results, dataset), []
    for metric in results.manifest.metrics:
        values = by_scene(scores, metric.name)
        if mine not in values:
            continue
        found = []
        for other in values.columns.drop(mine):
            pair = comparable(values[[mine, other]].dropna()).to_numpy() * metric.sign
            if len(pair):
                found.append((metric.name, str(other), *_compared(pair)))
        adjusted = holm(np.array([row[-2] for row in found]))
        rows += [(*row[:-2], p, row[-1]) for row, p in zip(found, adjusted, strict=True)]
    if not rows:
        raise NothingSelected(f"no method finished a scene together with {mine}")
    return pd.DataFrame(rows, columns=COLUMNS)


def _compared(pair: NDArray[np.float64]) -> tuple[int, int, int, int, float, float]:
    """Scenes, wins, ties, losses, p and effect of scores (scenes, 2); higher is better."""
    ahead = pair[:, 0] > pair[:, 1]
    behind = pair[:, 0] < pair[:, 1]
    wins, losses = int(ahead.sum()), int(behind.sum())
    largest = np.finfo(float).max / 4  # a PSNR may be infinite; only its rank counts
    difference = np.subtract(*np.clip(pair, -largest, largest).T)
    moved = difference[difference != 0]
    ranks = scipy.stats.rankdata(abs(moved))
    effect = float(np.sum(np.sign(moved) * ranks) / ranks.sum()) if len(moved) else 0.0
    return len(pair), wins, len(pair) - wins - losses, losses, wilcoxon(difference), effect
