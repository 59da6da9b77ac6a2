"""The numbers of the HTML report: the text of each table cell, and the charts beside the table.

A view is the leaderboard over one dataset, or over all of them together.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from bench.core.errors import NothingSelected
from bench.store.manifest import BASELINE_FAMILY, PROGRAM_FAMILY, MetricEntry, RunManifest
from reports.data.best import DIGITS, best_of
from reports.data.compression import by_compression, jpeg_methods, jpeg_note
from reports.data.leaderboard import Leaderboard, by_scene, cautions, make_leaderboard
from reports.data.means import CAP_NOTE, for_means, has_capped
from reports.data.parts import caption
from reports.data.results import Results
from reports.data.statistics import Ranking, comparable
from reports.html.charts import Point, critical, distribution, scatter

#: Order of the families, which is that of their colours and shapes; others share the last.
FAMILIES = (
    BASELINE_FAMILY,
    "multi-scale",
    "spatial",
    "learned",
    "published",
    "images",
    "published-network",
    "sparse",
    PROGRAM_FAMILY,
)

OVERALL = "overall"


@dataclass(frozen=True)
class Shown:
    """A cell of the leaderboard.

    Attributes
    ----------
    texts : dict of str to str
        Its text as ``mean``, ``spread`` (mean and standard deviation), ``rank``,
        ``interval`` (mean rank with its 95 % interval) and ``wins``.
    keys : dict of str to float or None
        Its key for sorting, likewise; None when empty.
    marks : dict of str to str
        Likewise, ``best`` of the column, ``tied`` (not told apart from the best mean rank) or
        nothing. Baselines have none.
    tip : str
        Standard deviation, interval and test.
    """

    texts: dict[str, str]
    keys: dict[str, float | None]
    marks: dict[str, str]
    tip: str = ""


@dataclass(frozen=True)
class View:
    """The leaderboard over one dataset or all.

    Attributes
    ----------
    key, label : str
        Name in the page, and for people.
    columns : list of dict
        ``name``, ``label``, ``higher``, ``warning`` (a baseline wins), ``scenes`` (over
        how many the methods are ranked, 0 if they are not), ``about`` (Friedman's p, critical
        difference).
    rows : list of dict
        ``method``, ``title``, ``family``, ``group``, ``finished``, ``scenes``, ``overall`` and
        ``cells`` (one `Shown` a column).
    charts : dict of str to dict of str to Markup
        By metric: ``ranks``, ``critical`` and ``speed``, where there is one.
    agreement : list of dict
        ``label``, ``spearman``, ``kendall``, ``scenes``, ``methods``: which metric to trust.
    notes : list of str
        What could not be ranked, and why; where no test could find a difference.
    """

    key: str
    label: str
    columns: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    charts: dict[str, dict[str, Markup]]
    agreement: list[dict[str, Any]]
    notes: list[str]


def group_of(family: str) -> int:
    """Number of a family's colour and shape."""
    return FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)


def family_name(family: str) -> str:
    """The name of a family on the page."""
    return "baseline" if family == BASELINE_FAMILY else family


def make_views(results: Results) -> list[View]:
    """The leaderboard over all datasets, if there are several, and over each."""
    datasets = results.manifest.datasets
    views = []
    if len(datasets) > 1:
        views += _views(results, "", "all")
    for k, dataset in enumerate(datasets):
        views += _views(results, dataset, f"d{k}")
    return views


def _views(results: Results, dataset: str, key: str) -> list[View]:
    """The view of a dataset; another one of its JPEG images, which are ranked apart."""
    lossless, lossy = by_compression(results, dataset)
    views = [] if lossless is None else [_view(lossless, dataset, key)]
    if lossy is not None:
        views.append(_view(lossy, dataset, f"{key}-jpeg", jpeg=True))
    return views


def _view(results: Results, dataset: str, key: str, jpeg: bool = False) -> View:
    scores = results.scores
    if dataset:
        scores = scores[scores["dataset"] == dataset]
    board = _standing(results, dataset)
    metrics = [m for m in results.manifest.metrics if m.name in set(scores["metric"])]
    labels = {metric.name: metric.label for metric in metrics}
    seconds = _seconds(results, dataset)
    return View(
        key=key,
        label=(caption(results.manifest, dataset) or "all datasets together")
        + ", JPEG images" * jpeg,
        columns=[_column(m, board) for m in metrics],
        rows=_rows(results.manifest, scores, board, metrics),
        charts=_charts(results, scores, board, seconds, metrics),
        agreement=[
            {"label": labels[str(name)], **_row(board.agreement, str(name))}
            for name in board.agreement.index
        ],
        notes=[f"Not ranked — {labels.get(m, m)}: {why}" for m, why in board.skipped.items()]
        + _left_out(board.aside, labels)
        + [f"No = is shown: {line}" for line in cautions(board.rankings, labels)]
        + ([CAP_NOTE.rstrip(".")] if has_capped(scores, labels) else [])
        + [note.rstrip(".") for note in jpeg_note(jpeg_methods(results.manifest, dataset))],
    )


def _left_out(aside: Mapping[str, str], labels: Mapping[str, str]) -> list[str]:
    """The metrics that do not count in the overall rank, in one line."""
    metrics = [f"{labels.get(name, name)} ({why})" for name, why in aside.items()]
    return [f"Not counted in overall: {', '.join(metrics)}"] if metrics else []


def _standing(results: Results, dataset: str) -> Leaderboard:
    """The leaderboard, or an empty one where there is nothing to rank."""
    try:
        return make_leaderboard(results, dataset)
    except NothingSelected as error:
        nothing = pd.DataFrame({OVERALL: []})
        return Leaderboard({}, nothing, {}, nothing, {"all metrics": str(error)})


def _column(metric: MetricEntry, board: Leaderboard) -> dict[str, Any]:
    ranking = board.rankings.get(metric.name)
    about = "higher is better" if metric.higher_is_better else "lower is better"
    if ranking is not None:
        about += f"; {ranking.scenes} scenes that all finished"
        if not math.isnan(ranking.friedman_p):
            about += f"; Friedman p = {ranking.friedman_p:.2g}"
        if not math.isnan(ranking.critical_difference):
            about += f"; critical difference {ranking.critical_difference:.2f}"
    return {
        "name": metric.name,
        "label": metric.label,
        "higher": metric.higher_is_better,
        "warning": board.untrusted.get(metric.name, ""),
        "scenes": 0 if ranking is None else ranking.scenes,
        "about": about,
    }


def _rows(
    manifest: RunManifest, scores: pd.DataFrame, board: Leaderboard, metrics: list[MetricEntry]
) -> list[dict[str, Any]]:
    scenes = len(scores[["dataset", "scene"]].drop_duplicates())
    good = scores[scores["status"] == "ok"]
    finished = good[["dataset", "scene", "method"]].drop_duplicates().groupby("method").size()
    means = for_means(good)
    plain = means.pivot_table(index="method", columns="metric", values="value", aggfunc="mean")
    present = set(scores["method"])
    order = [str(name) for name in board.overall.index]
    order += [name for name in manifest.method if name in present and name not in order]
    columns = [_shown(metric, order, board, plain, manifest.baselines) for metric in metrics]
    rows = []
    for name in order:
        method = manifest.method[name]
        overall = _row(board.overall, name).get(OVERALL, math.nan)
        rows.append(
            {
                "method": name,
                "title": method.title,
                "family": method.family,
                "group": group_of(method.family),
                "finished": int(finished.get(name, 0)),
                "scenes": scenes,
                "overall": None if math.isnan(overall) else overall,
                "cells": [column[name] for column in columns],
            }
        )
    return rows


def _shown(
    metric: MetricEntry,
    methods: list[str],
    board: Leaderboard,
    plain: pd.DataFrame,
    baselines: Collection[str],
) -> dict[str, Shown]:
    """A column of the leaderboard, by method."""
    ranking = board.rankings.get(metric.name)
    if ranking is None:
        return {name: _unranked(_row(plain, name).get(metric.name, math.nan)) for name in methods}
    table = ranking.table
    mean = best_of(table["mean"], higher_is_better=metric.higher_is_better, baselines=baselines)
    rank = best_of(table["rank"], higher_is_better=False, baselines=baselines, digits=2)
    won = table["wins"].where(table["wins"] > 0)
    wins = best_of(won, higher_is_better=True, baselines=baselines)
    places = {"mean": mean, "spread": mean, "rank": rank, "interval": rank, "wins": wins}

    def marks(name: str) -> dict[str, str]:
        same = bool(table.at[name, "tied"]) and ranking.conclusive and name not in baselines
        other = "tied" if same else ""
        return {kind: "best" if at.get(name) == 1 else other for kind, at in places.items()}

    return {
        name: _ranked(_row(table, name), ranking, marks(name))
        if name in table.index
        else _unranked(_row(plain, name).get(metric.name, math.nan))
        for name in methods
    }


def _unranked(value: float) -> Shown:
    """A mean over the scenes that the method finished; it does not compete."""
    texts = dict.fromkeys(("rank", "interval", "wins"), "–")
    texts |= dict.fromkeys(("mean", "spread"), _number(value))
    keys = {kind: _key(value) if kind in ("mean", "spread") else None for kind in texts}
    tip = "" if math.isnan(value) else "over the scenes that it finished; not ranked"
    return Shown(texts, keys, dict.fromkeys(texts, ""), tip)


def _ranked(row: dict[str, Any], ranking: Ranking, marks: dict[str, str]) -> Shown:
    mean, rank, wins = float(row["mean"]), float(row["rank"]), int(row["wins"])
    spread = _number(mean) + ("" if math.isnan(row["std"]) else f" ± {_number(row['std'])}")
    interval = f"{rank:.2f}"
    if ranking.scenes > 1:
        interval += f" [{row['rank_low']:.2f}, {row['rank_high']:.2f}]"
    tip = f"{spread} over {ranking.scenes} scenes; mean rank {interval}"
    if ranking.scenes > 1:
        tip += f"; p = {row['p']:.2g} against the best"
    return Shown(
        {"mean": _number(mean), "spread": spread}
        | {"rank": f"{rank:.2f}", "interval": interval, "wins": f"{wins}"},
        {"mean": _key(mean), "spread": _key(mean)}
        | {"rank": _key(rank), "interval": _key(rank), "wins": float(wins)},
        marks,
        tip,
    )


def _row(table: pd.DataFrame, name: str) -> dict[str, Any]:
    """A row as a dict; empty when there is none of that name."""
    if name not in table.index:
        return {}
    return {str(column): value for column, value in table.loc[name].items()}


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.{DIGITS}f}"


def _key(value: float) -> float | None:
    """A number that JSON and attributes can hold, or None."""
    if math.isnan(value):
        return None
    return float(min(max(value, -1e300), 1e300))


def _seconds(results: Results, dataset: str) -> dict[str, float]:
    """Mean over scenes of the median time; none of contended cells."""
    timing = results.timing[~results.timing["contended"].astype(bool)]
    if dataset:
        timing = timing[timing["dataset"] == dataset]
    means = timing.groupby("method")["median_s"].mean()
    return {str(name): float(value) for name, value in means.items()}


def _charts(
    results: Results,
    scores: pd.DataFrame,
    board: Leaderboard,
    seconds: Mapping[str, float],
    metrics: list[MetricEntry],
) -> dict[str, dict[str, Markup]]:
    groups = {method.name: group_of(method.family) for method in results.manifest.methods}
    charts: dict[str, dict[str, Markup]] = {}
    if len(board.rankings):
        overall = _speed(
            board.overall[OVERALL], seconds, groups, "mean rank over the metrics that count", False
        )
        charts[OVERALL] = {"speed": overall} if overall else {}
    for metric in metrics:
        ranking = board.rankings.get(metric.name)
        if ranking is None:
            continue
        complete = comparable(by_scene(scores, metric.name).dropna())
        ranks = complete.rank(axis=1, ascending=not metric.higher_is_better)
        difference = ranking.critical_difference
        mine = {"ranks": distribution(ranks, groups, difference)}
        if not math.isnan(difference):
            mine["critical"] = critical(ranking.table["rank"], groups, difference)
        label = f"mean {metric.label}"
        means = ranking.table["mean"]
        if speed := _speed(means, seconds, groups, label, metric.higher_is_better):
            mine["speed"] = speed
        charts[metric.name] = mine
    return charts


def _speed(
    values: pd.Series,
    seconds: Mapping[str, float],
    groups: Mapping[str, int],
    label: str,
    higher: bool,
) -> Markup | None:
    points = [
        Point(name, groups[name], seconds[name], value)
        for name, value in ((str(name), float(value)) for name, value in values.items())
        if seconds.get(name, 0) > 0 and math.isfinite(value)
    ]
    return scatter(points, label, higher_is_better=higher) if points else None
