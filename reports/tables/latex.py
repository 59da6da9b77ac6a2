r"""The tables of a run in LaTeX, ready to be ``\input`` into a paper.

They need the packages ``booktabs`` and ``graphicx``; wide ones shrink to the width of the text.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bench.core.files import safe_name, write_bytes
from bench.store.scene_notes import noted
from reports.data import paper
from reports.data.best import DIGITS, best_of
from reports.data.compression import settled
from reports.data.means import for_means
from reports.data.parts import caption as part_caption
from reports.data.results import Results
from reports.tables.formats import Cell, to_latex
from reports.tables.table import COVERAGE, TIME, mean_table, scene_table

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
    """One of Tables 1-4, the paper's number beside ours for each metric that it has.

    Parameters
    ----------
    results : Results
        A run.
    scene : str
        ``"clock"``, ``"pepsi"``, ``"camera"`` or ``"color"``.
    """
    table = scene_table(results, scene)
    rows = table.values.index
    theirs = paper.published().query("scene == @scene").pivot(
        index="method", columns="metric", values="paper"
    )  # fmt: skip
    headers, groups = ["Method"], [("", 1)]
    columns = [[Cell(name) for name in table.names()]]
    for column in map(str, table.values.columns):
        columns.append(_cells(table.values[column], table.places(column)))
        if column not in theirs:
            headers.append(table.header(column))
            groups.append(("", 1))
            continue
        printed = theirs[column].reindex(rows)
        higher = results.manifest.metric[column].higher_is_better
        places = best_of(printed, higher_is_better=higher, baselines=results.manifest.baselines)
        columns.append(_cells(printed, places))
        headers += ["ours", "paper"]
        groups.append((table.header(column), 2))
    entry = results.manifest.scene["paper", scene]
    finished = table.values.drop(columns=TIME).notna().any(axis=1).sum()
    caption = " ".join(
        [
            f"{entry.title} ({entry.origin}): {entry.note}. {finished}/{len(rows)} methods "
            f"finished. {_LEGEND}",
            *table.notes,
            *(f"{note}." for note in noted([entry])),
        ]
    )
    body = list(zip(*columns, strict=True))
    label = f"tab:{scene}"
    return to_latex(headers, body, caption=caption, label=label, groups=groups, fit=True) + "\n"


def mean_latex(results: Results, dataset: str) -> str:
    """Mean and standard deviation over the scenes of a dataset, and over how many they are."""
    table = mean_table(results, dataset)
    scores = for_means(settled(results.scores.query("dataset == @dataset")))
    spread = scores.groupby(["method", "metric"])["value"].std().unstack()
    columns = [[Cell(name) for name in table.names()]]
    columns.append([Cell(text) for text in table.coverage()])
    headers = ["Method", COVERAGE]
    for column in map(str, table.values.columns):
        cells = _cells(table.values[column], table.places(column))
        if column in spread:
            cells = [
                cell if np.isnan(std) else cell._replace(text=f"{cell.text} ± {std:.3f}")
                for cell, std in zip(cells, spread[column].reindex(table.values.index), strict=True)
            ]
        fewer = table.fewer(column)
        columns.append(
            [
                cell._replace(text=f"{cell.text} ({fewer[name]})") if name in fewer else cell
                for cell, name in zip(cells, table.values.index, strict=True)
            ]
        )
        headers.append(table.header(column))
    scenes = [entry for entry in results.manifest.scenes if entry.dataset == dataset]
    over = part_caption(results.manifest, dataset)
    caption = " ".join(
        [
            f"Mean ± standard deviation over {over}; the second column says over how many of "
            f"its scenes. {_LEGEND} A mean over fewer scenes does not compete.",
            *table.notes,
            *(f"{note}." for note in noted(scenes)),
        ]
    )
    body = list(zip(*columns, strict=True))
    label = f"tab:{safe_name(dataset)}"
    return to_latex(headers, body, caption=caption, label=label, fit=True) + "\n"


_LEGEND = "Bold: best, underlined: second of a column; baselines do not compete."


def _cells(values: pd.Series, places: dict[str, int]) -> list[Cell]:
    """A column's cells, the best and the second marked."""

    def cell(name: str, value: float) -> Cell:
        place = places.get(name)
        return Cell(f"{value:.{DIGITS}f}", best=place == 1, second=place == 2)

    return [NONE if pd.isna(value) else cell(str(name), value) for name, value in values.items()]
