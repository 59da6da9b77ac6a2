"""Our scores beside the paper's: cell by cell, and summarised for each table and metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bench.store.manifest import RunManifest
from reports.data import paper
from reports.data.results import Results
from reports.tables.formats import Cell, to_markdown


def against_paper(results: Results, scene: str) -> pd.DataFrame:
    """Our score, the paper's and their difference, for every cell that the paper has.

    Parameters
    ----------
    results : Results
        A run.
    scene : str
        ``"clock"``, ``"pepsi"``, ``"camera"`` or ``"color"``.

    Returns
    -------
    DataFrame
        ``method, metric, ours, paper, difference``.
    """
    ours = results.scores.query("dataset == 'paper' and scene == @scene")
    both = paper.published().query("scene == @scene").merge(ours, on=["scene", "method", "metric"])
    both["difference"] = both["value"] - both["paper"]
    return both.rename(columns={"value": "ours"})[
        ["method", "metric", "ours", "paper", "difference"]
    ]


def comparison(results: Results) -> pd.DataFrame:
    """How far our scores are from the paper's, and whether the methods stand in one order.

    Returns
    -------
    DataFrame
        A row a table and metric: ``table``, ``origin`` (of the scene we used), ``metric``,
        ``methods`` (how many), ``mean`` and ``largest`` difference (by magnitude), ``rank``
        (Spearman's correlation of the two orders), ``first_paper`` and ``first_ours``.
    """
    manifest = results.manifest
    rows = []
    for scene, number in paper.TABLES.items():
        for metric, table in against_paper(results, scene).dropna().groupby("metric", sort=False):
            sign = manifest.metric[str(metric)].sign
            ours, theirs = sign * table["ours"].to_numpy(), sign * table["paper"].to_numpy()
            names = table["method"].to_numpy()
            difference = table["difference"].to_numpy()
            rows.append(
                {
                    "table": number,
                    "origin": manifest.scene["paper", scene].origin,
                    "metric": metric,
                    "methods": len(table),
                    "mean": difference.mean(),
                    "largest": difference[abs(difference).argmax()],
                    "rank": _spearman(ours, theirs),
                    "first_paper": names[theirs.argmax()],
                    "first_ours": names[ours.argmax()],
                }
            )
    columns = ["table", "origin", "metric", "methods", "mean", "largest", "rank"]
    return pd.DataFrame(rows, columns=[*columns, "first_paper", "first_ours"])


def comparison_page(results: Results) -> str:
    """`comparison` as Markdown, with an explanation."""
    rows = [_summary(row, results.manifest) for row in comparison(results).to_dict("records")]
    headers = ["Table", "Metric", "Methods", "Mean ours − paper", "Largest", "Rank correlation"]
    return (
        "**Ours and the paper's.** Over the paper's rows that were run: mean and largest "
        "difference, Spearman's correlation of the two orders of the methods, and which of them "
        "comes first.\n\n"
        + to_markdown([*headers, "First (paper)", "First (ours)"], rows)
        + "\n\n"
        + _headline_page(results)
    )


def _summary(row: Mapping[Any, Any], manifest: RunManifest) -> list[Cell]:
    return [
        Cell(f"{row['table']} ({row['origin']})"),
        Cell(manifest.metric[row["metric"]].label),
        Cell(str(row["methods"])),
        Cell(f"{row['mean']:+.3f}"),
        Cell(f"{row['largest']:+.3f}"),
        Cell("–" if pd.isna(row["rank"]) else f"{row['rank']:+.2f}"),
        Cell(row["first_paper"]),
        Cell(row["first_ours"]),
    ]


def headline(results: Results) -> pd.DataFrame:
    """On how many cells each two-stream network comes first among the paper's rows.

    The paper says that its network comes first almost everywhere. Each of our networks takes
    the place of ``fcn`` in turn against the paper's nine other rows; a shared first place
    counts. A cell counts only where all nine have a score.

    Returns
    -------
    DataFrame
        Indexed by network; a column a table, of how many metrics it is first on, and
        ``all`` and ``cells``, their sum and how many there were.
    """
    rivals = [name for name in paper.ROWS if name != "fcn"]
    scores = results.scores.query("dataset == 'paper' and status == 'ok'")
    scores = scores[scores["metric"].isin(paper.COLUMNS.values())]
    rows: dict[str, dict[str, int]] = {}
    for network in [n for n in scores["method"].unique() if n.startswith("fcn")]:
        row = {f"table {number}": 0 for number in paper.TABLES.values()} | {"all": 0, "cells": 0}
        for (scene, metric), table in scores.groupby(["scene", "metric"]):
            sign = results.manifest.metric[str(metric)].sign
            values = sign * table.set_index("method")["value"]
            others = values.reindex(rivals)
            if network in values and others.notna().all():
                first = int(values[network] >= others.max())
                row[f"table {paper.TABLES[str(scene)]}"] += first
                row["all"] += first
                row["cells"] += 1
        rows[network] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def _headline_page(results: Results) -> str:
    table = headline(results)
    if not len(table) or not table["cells"].sum():
        return "The headline needs all of the paper's rows: run `--methods all`.\n"
    rows = [
        [Cell(str(name)), *(Cell(str(count)) for count in row[:-2]), Cell(f"{row[-2]}/{row[-1]}")]
        for name, row in zip(table.index, table.to_numpy().tolist(), strict=True)
    ]
    return (
        "**The headline.** In how many cells (table and metric) does each network, in the place "
        "of the paper's `fcn`, come first among the paper's ten rows?\n\n"
        + to_markdown(["Network", *(c.capitalize() for c in table.columns[:-2]), "All"], rows)
        + "\n"
    )


def _spearman(ours: object, theirs: object) -> float:
    pair = pd.DataFrame({"ours": ours, "theirs": theirs}).rank()
    if len(pair) < 3 or (pair.nunique() < 2).any():
        return float("nan")
    return float(pair["ours"].corr(pair["theirs"]))
