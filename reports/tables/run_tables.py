"""The paper's Tables 1-4 from a run, means over the other datasets, and the tidy CSV files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bench.core.files import safe_name, write_bytes
from bench.store.manifest import RunManifest
from bench.store.scene_notes import noted
from reports.data import paper
from reports.data.best import DIGITS
from reports.data.parts import caption
from reports.data.results import Results
from reports.data.robustness import axes_of
from reports.tables.formats import Cell, to_markdown
from reports.tables.latex import write_latex
from reports.tables.paper_comparison import against_paper, comparison_page
from reports.tables.robustness import write_robustness
from reports.tables.table import COVERAGE, TIME, Table, mean_table, scene_table

#: Files in ``tables/`` that an earlier run may have written and this one does not.
STALE = ("table[1-4].*", "table[1-4]_vs_paper.csv", "vs_paper.md", "mean_*.*")


def write_tables(results: Results, out: Path | str) -> list[Path]:
    """Write every table of a run below `out`.

    ``scores.csv``, ``timing.csv``, ``failures.csv`` (only when there are any),
    ``provenance.json``, and in ``tables/`` CSV, Markdown and LaTeX for each of Tables 1-4
    that was run, its comparison with the paper, one table of means for each dataset, and the
    robustness of a run with perturbed sets (`reports.tables.robustness`).

    Returns
    -------
    list of Path
        What was written.
    """
    out = Path(out)
    for pattern in STALE:
        for old in (out / "tables").glob(pattern):
            old.unlink()
    written = [
        _csv(results.scores, out / "scores.csv"),
        _csv(results.timing, out / "timing.csv"),
        _provenance(results.manifest, out / "provenance.json"),
    ]
    if len(results.failures):
        written.append(_csv(results.failures, out / "failures.csv"))
    else:
        (out / "failures.csv").unlink(missing_ok=True)
    for scene, number in paper.TABLES.items():
        if _was_run(results, scene):
            written += _paper_table(results, scene, out / "tables" / f"table{number}")
    if any(_was_run(results, scene) for scene in paper.TABLES):
        written.append(_text(comparison_page(results), out / "tables" / "vs_paper.md"))
    for dataset in results.scores["dataset"].unique():
        if dataset != "paper":
            written += _mean_table(results, dataset, out / "tables")
    written += write_latex(results, out / "tables")
    return written + write_robustness(results, out / "tables")


def listed_pages(results: Results, folder: Path) -> list[Path]:
    """The Markdown pages to name after a run: not the means of sets that robustness.md sums up."""
    axes = axes_of(results.manifest)
    summed = {f"mean_{safe_name(name)}" for axis in axes for name in axis.datasets.values()}
    return [page for page in sorted(folder.glob("*.md")) if page.stem not in summed]


def markdown(table: Table) -> str:
    """A Markdown table: the best of each column bold, arrows towards better values.

    A mean over fewer scenes than the method finished says over how many it is. There is no column
    of times where nothing was timed.
    """
    headers, columns = ["Method"], [[Cell(name) for name in table.names()]]
    if table.is_mean:
        headers.append(COVERAGE)
        columns.append([Cell(text) for text in table.coverage()])
    for column in map(str, table.values.columns):
        if column == TIME and table.values[column].isna().all():
            continue  # nothing was timed
        headers.append(table.header(column))
        columns.append(_cells(table, column))
    return to_markdown(headers, list(zip(*columns, strict=True)))


def _cells(table: Table, column: str) -> list[Cell]:
    places, fewer = table.places(column), table.fewer(column)
    cells = []
    for method, value in table.values[column].items():
        text = "–" if pd.isna(value) else f"{value:.{DIGITS}f}"
        if method in fewer:
            text += f" ({fewer[str(method)]})"
        cells.append(Cell(text, best=places.get(str(method)) == 1))
    return cells


def _was_run(results: Results, scene: str) -> bool:
    return ("paper", scene) in results.manifest.scene and bool(
        len(results.scores.query("dataset == 'paper' and scene == @scene"))
    )


def _paper_table(results: Results, scene: str, stem: Path) -> list[Path]:
    entry = results.manifest.scene["paper", scene]
    table = scene_table(results, scene)
    number = paper.TABLES[scene]
    size = f", {entry.width}x{entry.height}" if entry.width else ""
    title = f"**Table {number}.** {entry.title}{size} ({entry.origin}). {entry.note}"
    return [
        _csv(table.frame(), stem.with_suffix(".csv")),
        _text(_document(title, table, noted([entry])), stem.with_suffix(".md")),
        _csv(against_paper(results, scene), stem.with_name(f"{stem.name}_vs_paper.csv")),
    ]


def _mean_table(results: Results, dataset: str, folder: Path) -> list[Path]:
    name = f"mean_{safe_name(dataset)}"
    return [
        _csv(mean_table(results, dataset).frame(), folder / f"{name}.csv"),
        _text(means_page(results, dataset), folder / f"{name}.md"),
    ]


def means_page(results: Results, dataset: str) -> str:
    """The means over a data set in Markdown, with a title and the notes below the table."""
    title = (
        f"**Means over {caption(results.manifest, dataset)}**; the second column says over how "
        "many scenes. A mean over fewer scenes does not compete."
    )
    scenes = [entry for entry in results.manifest.scenes if entry.dataset == dataset]
    return _document(title, mean_table(results, dataset), noted(scenes))


def _document(title: str, table: Table, notes: Sequence[str]) -> str:
    about = "".join(f"\n- {note}" for note in notes)
    title += f"\n\nNotes on scenes:\n{about}" if about else ""
    foot = ["Best of each column in bold; baselines (average, source-a, …) do not compete."]
    return f"{title}\n\n{markdown(table)}\n\n{' '.join([*foot, *table.notes])}\n"


def _provenance(manifest: RunManifest, path: Path) -> Path:
    """The manifest without the results: what was run, on what, with which code and data."""
    parameters = {method.name: method.parameters for method in manifest.methods}
    seeds = {name: given["seed"] for name, given in parameters.items() if "seed" in given}
    facts = {**manifest.facts(), "seeds": seeds}
    return _text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", path)


def _csv(table: pd.DataFrame, path: Path) -> Path:
    return _text(table.to_csv(index=False, lineterminator="\n"), path)


def _text(text: str, path: Path) -> Path:
    write_bytes(path, text.encode())
    return path
