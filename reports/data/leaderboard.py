"""Which method is best on which metric, how certain that is, and which metrics to trust.

Methods are ranked scene by scene over the scenes that all of them finished. Baselines are ranked
too: a metric is not trusted on which a copied source beats half of the methods.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bench.core.errors import NothingSelected, UsageError
from bench.engine.jpeg_rows import SUFFIX
from bench.store.manifest import MetricEntry
from reports.data.agreement import agreement
from reports.data.means import cap_of
from reports.data.parts import scores_of
from reports.data.results import Results
from reports.data.statistics import Ranking, rank_methods

#: The baselines that do not fuse; a metric that they win on is not trusted. (Sobel, the fourth
#: baseline, does fuse.)
NO_FUSION = ("source-a", "source-b", "average")

#: Follows the name of a metric that is not trusted; † is that of JPEG rows.
UNTRUSTED = "§"

#: The metric that others are compared with: error against the all-in-focus reference.
AGAINST_REFERENCE = "psnr"

#: Level of the tests.
ALPHA = 0.05

#: Least share of the scenes of the method with the most that a method must have to be ranked.
LEAST_SHARE = 0.5


@dataclass(frozen=True)
class Leaderboard:
    """Rankings of a run.

    Attributes
    ----------
    rankings : dict of str to Ranking
        Rankings by metric, in the run's order.
    overall : DataFrame
        Indexed by method, best first: ``overall`` (mean of the mean ranks over the trusted
        metrics that are not `aside`) and one column of mean ranks for each metric.
    untrusted : dict of str to str
        Metrics on which a baseline that does not fuse beats half of the methods: which one, and
        how many.
    agreement : DataFrame
        Indexed by metric: mean over scenes with a reference of Spearman's and Kendall's
        correlation with the PSNR against it, over how many scenes and methods. Baselines that do
        not fuse are left out, since any metric sees that. Empty without such scenes or with
        fewer than three methods.
    skipped : dict of str to str
        Metrics that could not be ranked, and why.
    aside : dict of str to str
        Metrics that do not count in ``overall``, and why: they rank fewer methods than others do,
        or are a variant of a metric that counts, or of the same metric as one that counts.
    incomplete : dict of str to str
        Methods that did not finish every scene: the ranks of all are over fewer scenes for
        it; with less than half of the scenes of others it is not ranked.
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
        Only its scenes, also those of a subset such as ``lytro``; all together when empty.

    Raises
    ------
    UnknownName
        The run has no dataset of that name.
    NothingSelected
        No metric has two methods and a scene that they share.
    """
    scores = scores_of(results, dataset)
    metrics = results.manifest.metrics
    tables = {metric.name: by_scene(scores, metric.name) for metric in metrics}
    rankings, skipped = {}, {}
    for metric in metrics:
        values = rankable(tables[metric.name])
        try:
            rankings[metric.name] = rank_methods(
                values,
                higher_is_better=metric.higher_is_better,
                baselines=results.manifest.baselines,
                cap=cap_of(metric.name),
                alpha=ALPHA,
            )
        except UsageError as error:
            scored = len(values.columns)
            skipped[metric.name] = str(error) if scored else "no scene that it is defined for"
    if not rankings:
        raise NothingSelected("a leaderboard needs two methods and a scene that both finished")
    untrusted = {m: why for m, ranking in rankings.items() if (why := _beaten(ranking))}
    aside = _aside(rankings, metrics)
    return Leaderboard(
        rankings,
        _overall(rankings, untrusted, aside),
        untrusted,
        _agreement(tables, metrics),
        skipped,
        aside,
        _incomplete(scores),
    )


def cautions(rankings: Mapping[str, Ranking], labels: Mapping[str, str]) -> list[str]:
    """One line for each case in which the tests cannot find a difference, however large.

    See `reports.data.statistics.Ranking`.

    Parameters
    ----------
    rankings : mapping of str to Ranking
        Rankings by metric.
    labels : mapping of str to str
        Labels of the metrics.

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


def rankable(values: pd.DataFrame) -> pd.DataFrame:
    """Without methods that have less than half of the scenes that another one has.

    All are ranked on the scenes that all have; one of few scenes would take the others' from them.

    Parameters
    ----------
    values : DataFrame
        One row a scene, one column a method; empty cells where there is no score.
    """
    scenes = values.notna().sum()
    return values.loc[:, scenes >= LEAST_SHARE * scenes.max()]


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


def _no_fusion(names: Iterable[object]) -> list[str]:
    """The baselines that do not fuse among `names`, also those through JPEG."""
    return [str(name) for name in names if str(name).removesuffix(SUFFIX) in NO_FUSION]


def _beaten(ranking: Ranking) -> str:
    """How many methods a baseline without fusion outranks, when it is half of them or more."""
    ranks = ranking.table["rank"]
    baselines = _no_fusion(ranks.index)
    real = ranks.drop(baselines)
    if not baselines or not len(real):
        return ""
    best = str(ranks[baselines].idxmin())
    beaten = int((real > ranks[best]).sum())
    return f"{best} outranks {beaten} of {len(real)} methods" if 2 * beaten >= len(real) else ""


def _aside(rankings: dict[str, Ranking], metrics: list[MetricEntry]) -> dict[str, str]:
    """Metrics not counted in ``overall``, and why: of a metric and its variants one counts."""
    ranked = {metric: set(ranking.table.index) for metric, ranking in rankings.items()}
    most = max(ranked.values(), key=len)
    variants = {metric.name: metric.variant_of for metric in metrics}
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
    rankings: dict[str, Ranking], untrusted: Collection[str], aside: Collection[str]
) -> pd.DataFrame:
    """Mean ranks by metric, and their mean over the trusted metrics that count."""
    ranks = pd.DataFrame({metric: r.table["rank"] for metric, r in rankings.items()})
    whole = [metric for metric in rankings if metric not in aside]
    trusted = [metric for metric in whole if metric not in untrusted] or whole
    ranks.insert(0, "overall", ranks[trusted].mean(axis=1, skipna=False))
    return ranks.sort_values("overall", kind="stable")


def _agreement(tables: dict[str, pd.DataFrame], metrics: list[MetricEntry]) -> pd.DataFrame:
    columns = ["spearman", "kendall", "scenes", "methods"]
    if AGAINST_REFERENCE not in tables:
        return pd.DataFrame(columns=columns)
    reference = tables[AGAINST_REFERENCE].replace([np.inf, -np.inf], np.nan)
    reference = reference.drop(columns=_no_fusion(reference.columns))
    rows = {}
    for metric in metrics:
        values = tables[metric.name]
        table = agreement(metric.sign * values, reference).dropna()
        if metric.name != AGAINST_REFERENCE and len(table):
            methods = len(values.columns.intersection(reference.columns))
            rows[metric.name] = {
                **table.mean().to_dict(),
                "scenes": len(table),
                "methods": methods,
            }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.sort_values("spearman", ascending=False)
