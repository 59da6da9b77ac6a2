"""The numbers of the HTML report: what each table cell says, and the charts beside it.

A view is the leaderboard over one dataset, or over all of them together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from bench.core.errors import NothingSelected
from reports.data.leaderboard import by_scene, cautions, make_leaderboard
from reports.data.results import Results
from reports.data.statistics import Ranking, comparable
from reports.html.charts import Point, critical, distribution, scatter

#: Order of the families, which is that of their colours and shapes; others share the last.
FAMILIES = ("control", "multi-scale", "spatial", "learned", "published")

OVERALL = "overall"


@dataclass(frozen=True)
class Shown:
    """A cell of the leaderboard.

    Attributes
    ----------
    texts : dict of str to str
        What it says as ``mean``, ``spread`` (mean and standard deviation), ``rank``,
        ``interval`` (mean rank with its 95 % interval) and ``wins``.
    keys : dict of str to float or None
        What it is sorted by, likewise; None when empty.
    mark : str
        ``best``, ``tied`` (not told apart from the best) or nothing.
    tip : str
        Standard deviation, interval and test.
    """

    texts: dict[str, str]
    keys: dict[str, float | None]
    mark: str = ""
    tip: str = ""


class Standing(NamedTuple):
    """What a view needs of a leaderboard; see `reports.data.leaderboard.Leaderboard`."""

    rankings: dict[str, Ranking]
    overall: pd.DataFrame
    untrusted: dict[str, str]
    agreement: pd.DataFrame
    skipped: dict[str, str]
    aside: dict[str, str]


@dataclass(frozen=True)
class View:
    """The leaderboard over one dataset or all.

    Attributes
    ----------
    key, label : str
        Name in the page, and for people.
    columns : list of dict
        ``name``, ``label``, ``higher``, ``warning`` (a null baseline wins), ``scenes`` (over
        how many the methods are ranked, 0 if they are not), ``about`` (Friedman's p, critical
        difference).
    rows : list of dict
        ``method``, ``title``, ``family``, ``group``, ``finished``, ``scenes``, ``overall`` and
        ``cells`` (one `Shown` a column).
    charts : dict of str to dict of str to Markup
        By metric: ``ranks``, ``critical`` and ``speed``, where there is one.
    agreement : list of dict
        ``label``, ``spearman``, ``kendall``, ``scenes``, ``methods``: which index to believe.
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


def make_views(results: Results) -> list[View]:
    """The leaderboard over all datasets, if there are several, and over each."""
    datasets = list(dict.fromkeys(scene["dataset"] for scene in results.manifest["scenes"]))
    views = [_view(results, dataset, f"d{k}") for k, dataset in enumerate(datasets)]
    if len(datasets) > 1:
        views.insert(0, _view(results, "", "all"))
    return views


def _view(results: Results, dataset: str, key: str) -> View:
    scores = results.scores
    if dataset:
        scores = scores[scores["dataset"] == dataset]
    board = _standing(results, dataset)
    metrics = [m for m in results.manifest["metrics"] if m["name"] in set(scores["metric"])]
    labels = {m["name"]: m["label"] for m in metrics}
    seconds = _seconds(results, dataset)
    return View(
        key=key,
        label=dataset or "all datasets together",
        columns=[_column(m, board) for m in metrics],
        rows=_rows(results.manifest, scores, board, metrics),
        charts=_charts(results, scores, board, seconds, metrics),
        agreement=[
            {"label": labels[str(name)], **_row(board.agreement, str(name))}
            for name in board.agreement.index
        ],
        notes=[f"Not ranked — {labels.get(m, m)}: {why}" for m, why in board.skipped.items()]
        + _left_out(board.aside, labels)
        + [f"No = is shown: {line}" for line in cautions(board.rankings, labels)],
    )


def _left_out(aside: Mapping[str, str], labels: Mapping[str, str]) -> list[str]:
    """The indexes that are no part of the overall rank, in one line."""
    indexes = [f"{labels.get(name, name)} ({why})" for name, why in aside.items()]
    return [f"Not part of overall: {', '.join(indexes)}"] if indexes else []


def _standing(results: Results, dataset: str) -> Standing:
    """The leaderboard, or an empty one where there is nothing to rank."""
    try:
        board = make_leaderboard(results, dataset)
    except NothingSelected as error:
        nothing = pd.DataFrame({OVERALL: []})
        return Standing({}, nothing, {}, nothing, {"all indexes": str(error)}, {})
    return Standing(
        board.rankings,
        board.overall,
        board.untrusted,
        board.agreement,
        board.skipped,
        board.aside,
    )


def _column(metric: Mapping[str, Any], board: Standing) -> dict[str, Any]:
    ranking = board.rankings.get(metric["name"])
    about = "higher is better" if metric["higher_is_better"] else "lower is better"
    if ranking is not None:
        about += f"; {ranking.scenes} scenes that all finished"
        if not math.isnan(ranking.friedman_p):
            about += f"; Friedman p = {ranking.friedman_p:.2g}"
        if not math.isnan(ranking.critical_difference):
            about += f"; critical difference {ranking.critical_difference:.2f}"
    return {
        "name": metric["name"],
        "label": metric["label"],
        "higher": metric["higher_is_better"],
        "warning": board.untrusted.get(metric["name"], ""),
        "scenes": 0 if ranking is None else ranking.scenes,
        "about": about,
    }


def _rows(
    manifest: dict[str, Any],
    scores: pd.DataFrame,
    board: Standing,
    metrics: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    scenes = len(scores[["dataset", "scene"]].drop_duplicates())
    good = scores[scores["status"] == "ok"]
    finished = good[["dataset", "scene", "method"]].drop_duplicates().groupby("method").size()
    plain = good.pivot_table(index="method", columns="metric", values="value", aggfunc="mean")
    present = set(scores["method"])
    about = {m["name"]: m for m in manifest["methods"] if m["name"] in present}
    order = [str(name) for name in board.overall.index]
    rows = []
    for name in [*order, *(n for n in about if n not in order)]:
        overall = _row(board.overall, name).get(OVERALL, math.nan)
        rows.append(
            {
                "method": name,
                "title": about[name]["title"],
                "family": about[name]["family"],
                "group": group_of(about[name]["family"]),
                "finished": int(finished.get(name, 0)),
                "scenes": scenes,
                "overall": None if math.isnan(overall) else overall,
                "cells": [_shown(name, m["name"], board, plain) for m in metrics],
            }
        )
    return rows


def _shown(method: str, metric: str, board: Standing, plain: pd.DataFrame) -> Shown:
    ranking = board.rankings.get(metric)
    if ranking is None or method not in ranking.table.index:
        value = _row(plain, method).get(metric, math.nan)
        texts = dict.fromkeys(("rank", "interval", "wins"), "–")
        texts |= dict.fromkeys(("mean", "spread"), _number(value))
        keys = {kind: _key(value) if kind in ("mean", "spread") else None for kind in texts}
        tip = "" if math.isnan(value) else "over the scenes that it finished; not ranked"
        return Shown(texts, keys, tip=tip)
    row = _row(ranking.table, method)
    best = row["rank"] == ranking.table["rank"].min()
    mark = "best" if best else "tied" if row["tied"] and ranking.conclusive else ""
    mean, rank, wins = row["mean"], row["rank"], int(row["wins"])
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
        mark,
        tip,
    )


def _row(table: pd.DataFrame, name: str) -> dict[str, Any]:
    """A row as a dict; empty when there is none of that name."""
    if name not in table.index:
        return {}
    return {str(column): value for column, value in table.loc[name].items()}


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4f}" if abs(value) < 1e4 else f"{value:.4g}"


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
    board: Standing,
    seconds: Mapping[str, float],
    metrics: list[dict[str, Any]],
) -> dict[str, dict[str, Markup]]:
    groups = {m["name"]: group_of(m["family"]) for m in results.manifest["methods"]}
    charts: dict[str, dict[str, Markup]] = {}
    if len(board.rankings):
        overall = _speed(
            board.overall[OVERALL], seconds, groups, "mean rank over the indexes that count", False
        )
        charts[OVERALL] = {"speed": overall} if overall else {}
    for metric in metrics:
        ranking = board.rankings.get(metric["name"])
        if ranking is None:
            continue
        higher = metric["higher_is_better"]
        complete = comparable(by_scene(scores, metric["name"]).dropna())
        ranks = complete.rank(axis=1, ascending=not higher)
        difference = ranking.critical_difference
        mine = {"ranks": distribution(ranks, groups, difference)}
        if not math.isnan(difference):
            mine["critical"] = critical(ranking.table["rank"], groups, difference)
        label = f"mean {metric['label']}"
        if speed := _speed(ranking.table["mean"], seconds, groups, label, higher):
            mine["speed"] = speed
        charts[metric["name"]] = mine
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
