r"""The tables of a run in LaTeX, ready to be ``\input`` into a paper.

They need the packages ``booktabs`` and ``graphicx``; wide ones shrink to the width of the text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.core.files import safe_name, write_bytes
from reports.data import paper
from reports.data.results import Results
from reports.tables.formats import Cell, to_latex
from reports.tables.run_tables import COVERAGE, DIGITS, TIME, coverage, mean_table, scene_table

NONE = Cell("–")


def write_latex(results: Results, folder: Path | str) -> list[Path]:
    """Write ``table1.tex`` to ``table4.tex`` and ``mean_DATASET.tex`` of what was run.

    Parameters
    ----------
    results : Results
        A run.
    folder : path-like
        Made if need be.

    Returns
    -------
    list of Path
        What was written.
    """
    folder = Path(folder)
    texts = {}
    for dataset, scene in results.scores[["dataset", "scene"]].drop_duplicates().to_numpy():
        if dataset == "paper" and scene in paper.TABLES:
            texts[f"table{paper.TABLES[scene]}"] = paper_latex(results, scene)
    for dataset in results.scores["dataset"].unique():
        if dataset != "paper":
            texts[f"mean_{safe_name(dataset)}"] = mean_latex(results, dataset)
    for name, text in texts.items():
        write_bytes(folder / f"{name}.tex", text.encode())
    return [folder / f"{name}.tex" for name in texts]


def paper_latex(results: Results, scene: str) -> str:
    """One of Tables 1-4, the paper's number beside ours for each index that it has.

    Parameters
    ----------
    results : Results
        A run.
    scene : str
        ``"clock"``, ``"pepsi"``, ``"camera"`` or ``"color"``.
    """
    ours = scene_table(results, scene)
    theirs = paper.published().query("scene == @scene").pivot(
        index="method", columns="metric", values="paper"
    )  # fmt: skip
    headers, groups = ["Method"], [("", 1)]
    columns = [[Cell(str(name)) for name in ours.index]]
    for metric in ours.columns:
        head = _head(str(metric), results.manifest)
        columns.append(_marked(ours[metric], results.manifest, str(metric)))
        if metric in theirs:
            columns.append(
                _marked(theirs[metric].reindex(ours.index), results.manifest, str(metric))
            )
            headers += ["ours", "paper"]
            groups.append((head, 2))
        else:
            headers.append(head)
            groups.append(("", 1))
    entry = next(
        s
        for s in results.manifest["scenes"]
        if (s["dataset"], s["scene"]) == ("paper", scene)
    )  # fmt: skip
    finished = ours.drop(columns=TIME).notna().any(axis=1).sum()
    caption = (
        f"{entry['title']} ({entry['origin']}): {entry['note']}. {finished}/{len(ours)} methods "
        f"finished. {_LEGEND}"
    )
    label = f"tab:{scene}"
    rows = list(zip(*columns, strict=True))
    return to_latex(headers, rows, caption=caption, label=label, groups=groups, fit=True) + "\n"


def mean_latex(results: Results, dataset: str) -> str:
    """Mean and standard deviation over the scenes of a dataset, and over how many they are."""
    table = mean_table(results, dataset)
    mine = results.scores.query("dataset == @dataset")
    finite = mine[np.isfinite(mine["value"].to_numpy())]
    spread = finite.pivot_table(index="method", columns="metric", values="value", aggfunc="std")
    fewer = coverage(results, dataset).astype(object).reindex(table.index, fill_value="")
    finished = table[COVERAGE].str.partition("/")[0].astype(int)
    columns = [[Cell(str(name)) for name in table.index], [Cell(n) for n in table[COVERAGE]]]
    headers = ["Method", COVERAGE]
    for metric in table.columns.drop(COVERAGE):
        note = fewer[metric] if metric in fewer else pd.Series("", table.index)
        rivals = table[metric].where((finished == finished.max()) & (note == ""))
        cells = _marked(table[metric], results.manifest, str(metric), rivals)
        if metric in spread:
            deviations = spread[metric].reindex(table.index)
            cells = [
                cell
                if np.isnan(deviation)
                else cell._replace(text=f"{cell.text} ± {deviation:.3f}")
                for cell, deviation in zip(cells, deviations, strict=True)
            ]
        cells = [
            c._replace(text=f"{c.text} ({n})" if n else c.text)
            for c, n in zip(cells, note, strict=True)
        ]
        columns.append(cells)
        headers.append(_head(str(metric), results.manifest))
    caption = (
        f"Mean ± standard deviation over {dataset}; the second column says over how many of its "
        f"scenes. {_LEGEND} A mean over fewer scenes does not compete."
    )
    rows = list(zip(*columns, strict=True))
    label = f"tab:{safe_name(dataset)}"
    return to_latex(headers, rows, caption=caption, label=label, fit=True) + "\n"


_LEGEND = "Bold: best, underlined: second of a column, controls aside."


def _marked(
    values: pd.Series, manifest: dict[str, Any], column: str, rivals: pd.Series | None = None
) -> list[Cell]:
    """A column's cells; best and second, as printed, of the rivals that are no controls."""
    controls = [m["name"] for m in manifest["methods"] if m["family"] == "control"]
    rivals = values if rivals is None else rivals
    competing = rivals.drop(index=controls, errors="ignore").astype(float).round(DIGITS).dropna()
    printed = {str(name): float(value) for name, value in competing.items()}
    higher = {m["name"]: m["higher_is_better"] for m in manifest["metrics"]}.get(column, False)
    ahead = sorted(set(printed.values()), reverse=higher)[:2]

    def cell(name: str, value: float) -> Cell:
        place = ahead.index(printed[name]) if printed.get(name) in ahead else None
        return Cell(f"{value:.{DIGITS}f}", best=place == 0, second=place == 1)

    return [NONE if pd.isna(value) else cell(str(name), value) for name, value in values.items()]


def _head(column: str, manifest: dict[str, Any]) -> str:
    for metric in manifest["metrics"]:
        if metric["name"] == column:
            return f"{metric['label']} {'↑' if metric['higher_is_better'] else '↓'}"
    return f"{column} ↓"
