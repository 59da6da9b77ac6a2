"""Who is best, on which index, how surely — and which index should be believed.

Ranks are taken scene by scene over the scenes that every method finished. Null baselines stay
in: an index on which copying a source beats half of the methods says little about fusion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bench.core.errors import NothingSelected, UnknownName, UsageError
from reports.data.results import Results
from reports.data.statistics import Ranking, agreement, rank_methods

#: What scores without fusing anything.
NULL_BASELINES = ("source-a", "source-b", "average")

#: The index that needs no faith: error against the all-in-focus truth.
TRUTH = "psnr"

#: Level of the tests.
ALPHA = 0.05


@dataclass(frozen=True)
class Leaderboard:
    """Rankings of a run.

    Attributes
    ----------
    rankings : dict of str to Ranking
        By metric, in the run's order.
    overall : DataFrame
        Indexed by method, best first: ``overall`` (mean of the mean ranks over the trusted
        metrics that are not `aside`) and one column of mean ranks for each metric.
    untrusted : dict of str to str
        Metrics on which a null baseline beats half of the methods: which one, and how many.
    agreement : DataFrame
        Indexed by metric: mean over scenes with truth of Spearman's and Kendall's correlation
        with the PSNR against truth, over how many scenes and methods. Null baselines are no part
        of it, since any index sees that they fuse nothing. Empty without such scenes or fewer
        than three methods.
    skipped : dict of str to str
        Metrics that could not be ranked, and why.
    aside : dict of str to str
        Metrics that are no part of ``overall``, and why: they rank fewer methods than others do,
        or are a variant of another one here, or of what that is a variant of.
    incomplete : dict of str to str
        Methods that did not finish every scene: the ranks of all are over fewer scenes for
        it, or it is not ranked.
    """

    rankings: dict[str, Ranking]
    overall: pd.DataFrame
    untrusted: dict[str, str]
    agreement: pd.DataFrame
    skipped: dict[str, str]
    aside: dict[str, str] = field(default_factory=dict)
    incomplete: dict[str, str] = field(default_factory=dict)


def make_leaderboard(results: Results, dataset: str = "") -> Leaderboard:
    """Rank the methods of a run.

    Parameters
    ----------
    results : Results
        A run.
    dataset : str
        Only its scenes; all datasets together when empty.

    Raises
    ------
    UnknownName
        The run has no dataset of that name.
    NothingSelected
        No metric has two methods and a scene that they share.
    """
    scores = results.scores
    if dataset:
        known = {scene["dataset"] for scene in results.manifest["scenes"]}
        if dataset not in known:
            raise UnknownName("dataset of this run", dataset, known)
        scores = scores[scores["dataset"] == dataset]
    directions = {m["name"]: m["higher_is_better"] for m in results.manifest["metrics"]}
    tables = {metric: by_scene(scores, metric) for metric in directions}
    rankings, skipped = {}, {}
    for metric, higher in directions.items():
        try:
            rankings[metric] = rank_methods(tables[metric], higher_is_better=higher, alpha=ALPHA)
        except UsageError as error:
            scored = len(tables[metric].columns)
            skipped[metric] = str(error) if scored else "no scene that it is defined for"
    if not rankings:
        raise NothingSelected("a leaderboard needs two methods and a scene that both finished")
    untrusted = {m: why for m, ranking in rankings.items() if (why := _beaten_by_null(ranking))}
    aside = _aside(rankings, results.manifest["metrics"])
    return Leaderboard(
        rankings,
        _overall(rankings, untrusted, aside),
        untrusted,
        _agreement(tables, directions),
        skipped,
        aside,
        _incomplete(scores),
    )


def cautions(rankings: Mapping[str, Ranking], labels: Mapping[str, str]) -> list[str]:
    """Where the tests could not have found a difference, however large: one line for each case.

    `reports.data.statistics.Ranking` says why.

    Parameters
    ----------
    rankings : mapping of str to Ranking
        By metric.
    labels : mapping of str to str
        Of the metrics.

    Examples
    --------
    >>> import pandas as pd
    >>> from reports.data.statistics import rank_methods
    >>> from reports.data.leaderboard import cautions
    >>> scores = pd.DataFrame({"a": [3.0, 3.0, 2.0], "b": [1.0, 2.0, 1.0]})
    >>> print(*cautions({"mi": rank_methods(scores, higher_is_better=True)}, {"mi": "MI"}))
    over 3 scenes no difference of 2 methods can be significant on MI
    """
    cases: dict[tuple[int, int], list[str]] = {}
    for metric, ranking in rankings.items():
        if not ranking.conclusive:
            cases.setdefault((ranking.scenes, len(ranking.table)), []).append(labels[metric])
    return [
        f"over {scenes} scene{'s' * (scenes > 1)} no difference of {methods} methods can be "
        f"significant on {', '.join(names)}"
        for (scenes, methods), names in cases.items()
    ]


def by_scene(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Scores of one metric: one row a scene, one column a method that has any there."""
    mine = scores[scores["metric"] == metric].assign(
        where=lambda table: table["dataset"] + "/" + table["scene"]
    )
    wide = mine.pivot(index="where", columns="method", values="value")
    order = [name for name in mine["method"].unique() if wide[name].notna().any()]
    return wide[order]


def tidy(board: Leaderboard) -> pd.DataFrame:
    """Every ranking, one row a metric and method."""
    tables = [
        ranking.table.rename_axis("method")
        .reset_index()
        .assign(metric=metric, scenes=ranking.scenes)
        for metric, ranking in board.rankings.items()
    ]
    columns = ["metric", "method", "scenes", "mean", "std", "rank", "rank_low", "rank_high"]
    return pd.concat(tables, ignore_index=True)[[*columns, "wins", "p", "tied"]]


def _incomplete(scores: pd.DataFrame) -> dict[str, str]:
    where = scores["dataset"] + "/" + scores["scene"]
    total = where.nunique()
    finished = where[scores["status"] == "ok"].groupby(scores["method"]).nunique()
    counts = {name: int(finished.get(name, 0)) for name in scores["method"].unique()}
    return {n: f"finished {k} of {total} scenes" for n, k in counts.items() if k < total}


def _beaten_by_null(ranking: Ranking) -> str:
    """How many real methods a null baseline outranks, when it is half of them or more."""
    ranks = ranking.table["rank"]
    nulls = [name for name in NULL_BASELINES if name in ranks.index]
    real = ranks.drop(nulls)
    if not nulls or not len(real):
        return ""
    best = str(ranks[nulls].idxmin())
    beaten = int((real > ranks[best]).sum())
    return f"{best} outranks {beaten} of {len(real)} methods" if 2 * beaten >= len(real) else ""


def _aside(rankings: dict[str, Ranking], metrics: list[dict[str, Any]]) -> dict[str, str]:
    """Metrics that do not count overall, and why: of an index and its variants only one does."""
    ranked = {metric: set(ranking.table.index) for metric, ranking in rankings.items()}
    most = max(ranked.values(), key=len)
    variants = {m["name"]: m.get("variant_of", "") for m in metrics}
    reasons, counted = {}, dict[str, str]()
    for metric in sorted(rankings, key=lambda name: bool(variants[name])):  # stable
        base = variants[metric] or metric
        if not most <= ranked[metric]:
            reasons[metric] = f"ranks {len(ranked[metric])} of {len(most)} methods"
        elif base in counted:
            reasons[metric] = f"counts already as {counted[base]}"
        else:
            counted[base] = metric
    return reasons


def _overall(
    rankings: dict[str, Ranking], untrusted: dict[str, Any], aside: dict[str, Any]
) -> pd.DataFrame:
    """Mean ranks by metric, and their mean over those to be trusted that are not aside."""
    ranks = pd.DataFrame({metric: r.table["rank"] for metric, r in rankings.items()})
    whole = [metric for metric in rankings if metric not in aside]
    trusted = [metric for metric in whole if metric not in untrusted] or whole
    ranks.insert(0, "overall", ranks[trusted].mean(axis=1, skipna=False))
    return ranks.sort_values("overall", kind="stable")


def _agreement(tables: dict[str, pd.DataFrame], directions: dict[str, bool]) -> pd.DataFrame:
    columns = ["spearman", "kendall", "scenes", "methods"]
    if TRUTH not in directions:
        return pd.DataFrame(columns=columns)
    truth = tables[TRUTH].replace([np.inf, -np.inf], np.nan)
    truth = truth.drop(columns=[name for name in NULL_BASELINES if name in truth])
    rows = {}
    for metric, higher in directions.items():
        values = tables[metric]
        table = agreement(values if higher else -values, truth).dropna()
        if metric != TRUTH and len(table):
            methods = len(values.columns.intersection(truth.columns))
            rows[metric] = {**table.mean().to_dict(), "scenes": len(table), "methods": methods}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.sort_values("spearman", ascending=False)
