"""The paper's Tables 1-4 from a run, means over the other datasets, and the tidy CSV files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from bench.core.files import safe_name, write_bytes
from reports.data import paper
from reports.data.results import Results
from reports.tables.formats import Cell, to_markdown
from reports.tables.paper_comparison import against_paper, comparison_page

TIME = "Time (s)"

#: What an earlier run may have left in ``tables/`` that this one does not write again.
STALE = ("table[1-4].*", "table[1-4]_vs_paper.csv", "vs_paper.md", "mean_*.*")

COVERAGE = "Scenes"

#: Digits behind the point, as the paper prints them.
DIGITS = 4


def write_tables(results: Results, out: Path | str) -> list[Path]:
    """Write every table of a run below `out`.

    ``scores.csv``, ``timing.csv``, ``failures.csv`` (only when there are any),
    ``provenance.json``, and in ``tables/`` CSV, Markdown and LaTeX for each of Tables 1-4
    that was run, its comparison with the paper, and one table of means for each dataset.

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
    from reports.tables.latex import write_latex

    return written + write_latex(results, out / "tables")


def scene_table(results: Results, scene: str) -> pd.DataFrame:
    """One of Tables 1-4: a row a method, the paper's order and then ours.

    Parameters
    ----------
    results : Results
        A run.
    scene : str
        ``"clock"``, ``"pepsi"``, ``"camera"`` or ``"color"``.

    Returns
    -------
    DataFrame
        Indexed by method; one column a metric, then the median seconds.
    """
    mine = results.scores.query("dataset == 'paper' and scene == @scene")
    table = mine.pivot(index="method", columns="metric", values="value")
    times = results.timing.query("dataset == 'paper' and scene == @scene and not contended")
    table[TIME] = times.set_index("method")["median_s"]
    return _arranged(table, results.manifest)


def mean_table(results: Results, dataset: str) -> pd.DataFrame:
    """Means over the scenes of `dataset` that a method finished, and on how many that was."""
    mine = results.scores.query("dataset == @dataset")
    table = mine.pivot_table(index="method", columns="metric", values="value", aggfunc="mean")
    table = table.reindex(mine["method"].unique())
    scenes = mine["scene"].nunique()
    finished = mine.query("status == 'ok'").groupby("method")["scene"].nunique()
    times = results.timing.query("dataset == @dataset and not contended")
    table[TIME] = times.groupby("method")["median_s"].mean()
    table.insert(0, COVERAGE, [f"{finished.get(name, 0)}/{scenes}" for name in table.index])
    return _arranged(table, results.manifest)


def coverage(results: Results, dataset: str) -> pd.DataFrame:
    """Over how many scenes of `dataset` each mean is: methods by metrics, text like ``3/5``.

    Empty where it is as many as the method finished, which the table says once.
    """
    mine = results.scores.query("dataset == @dataset and status == 'ok'")
    scenes = results.scores.query("dataset == @dataset")["scene"].nunique()
    counts = mine.pivot_table(index="method", columns="metric", values="value", aggfunc="count")
    most = mine.groupby("method")["scene"].nunique().reindex(counts.index)
    fewer = counts.lt(most, axis=0) & counts.notna()
    return counts.map(lambda count: f"{count:.0f}/{scenes}").where(fewer, "")


def markdown(
    table: pd.DataFrame, manifest: dict[str, Any], partial: pd.DataFrame | None = None
) -> str:
    """A Markdown table with the best value of each column in bold, arrows for the direction.

    Parameters
    ----------
    table : DataFrame
        See `scene_table` and `mean_table`.
    manifest : dict
        The run's.
    partial : DataFrame, optional
        See `coverage`: is put behind the value, which then is not a candidate for the best.
    """
    partial = pd.DataFrame() if partial is None else partial
    fewer = partial.astype(object).reindex(index=table.index, columns=table.columns, fill_value="")
    best = _best(table.where(fewer == ""), manifest)
    rows = [
        [Cell(str(name))]
        + [
            _cell(value, (str(name), str(column)) in best, str(fewer.loc[str(name), str(column)]))
            for column, value in row.items()
        ]
        for name, row in table.iterrows()
    ]
    return to_markdown(["Method", *(_header(column, manifest) for column in table.columns)], rows)


def _arranged(table: pd.DataFrame, manifest: dict[str, Any]) -> pd.DataFrame:
    """Rows in the paper's order, then the others as they were run; columns as selected."""
    order = [name for name in paper.ROWS if name in table.index]
    run = [m["name"] for m in manifest["methods"] if m["name"] in table.index]
    order += [name for name in run if name not in order]
    metrics = [m["name"] for m in manifest["metrics"] if m["name"] in table.columns]
    ahead = [column for column in table.columns if column == COVERAGE]
    table = table.reindex(order)[[*ahead, *metrics, TIME]]
    return table.rename_axis(index="method", columns=None)


def _best(table: pd.DataFrame, manifest: dict[str, Any]) -> set[tuple[str, str]]:
    """The cells that hold the best value of their column, as printed.

    Controls are no rivals, and a mean over fewer scenes is not held against a mean over more.
    """
    controls = [m["name"] for m in manifest["methods"] if m["family"] == "control"]
    rivals = table.drop(index=controls, errors="ignore")
    if COVERAGE in rivals and len(rivals):
        finished = rivals[COVERAGE].str.partition("/")[0].astype(int)
        rivals = rivals[finished == finished.max()]
    direction = {m["name"]: m["higher_is_better"] for m in manifest["metrics"]} | {TIME: False}
    best: set[tuple[str, str]] = set()
    for column, higher in direction.items():
        if column in rivals and rivals[column].notna().any():
            values = rivals[column].astype(float).round(DIGITS)
            top = values.max() if higher else values.min()
            best |= {(str(name), column) for name in values.index[values == top]}
    return best


def _cell(value: Any, best: bool, note: str) -> Cell:
    if isinstance(value, str):
        return Cell(value)
    text = "–" if pd.isna(value) else f"{value:.{DIGITS}f}"
    return Cell(f"{text} ({note})" if note else text, best)


def _header(column: str, manifest: dict[str, Any]) -> str:
    for metric in manifest["metrics"]:
        if metric["name"] == column:
            return f"{metric['label']} {'↑' if metric['higher_is_better'] else '↓'}"
    return f"{column} ↓" if column == TIME else column


def _was_run(results: Results, scene: str) -> bool:
    return len(results.scores.query("dataset == 'paper' and scene == @scene")) > 0


def _paper_table(results: Results, scene: str, stem: Path) -> list[Path]:
    about = _scene_entry(results.manifest, "paper", scene)
    table = scene_table(results, scene)
    number = paper.TABLES[scene]
    size = f", {about['width']}x{about['height']}" if "width" in about else ""
    title = f"**Table {number}.** {about['title']}{size} ({about['origin']}). {about['note']}"
    return [
        _csv(table.reset_index(), stem.with_suffix(".csv")),
        _text(_document(title, table, results), stem.with_suffix(".md")),
        _csv(against_paper(results, scene), stem.with_name(f"{stem.name}_vs_paper.csv")),
    ]


def _mean_table(results: Results, dataset: str, folder: Path) -> list[Path]:
    table = mean_table(results, dataset)
    title = (
        f"**Means over {dataset}**; the second column says over how many scenes. A mean "
        "over fewer scenes does not compete."
    )
    name = f"mean_{safe_name(dataset)}"
    page = _document(title, table, results, coverage(results, dataset))
    return [
        _csv(table.reset_index(), folder / f"{name}.csv"),
        _text(page, folder / f"{name}.md"),
    ]


def _document(
    title: str, table: pd.DataFrame, results: Results, partial: pd.DataFrame | None = None
) -> str:
    machine = results.manifest["machine"]
    where = machine.get("gpu", machine["cpu"])
    foot = (
        "Best of each column in bold, controls (average, source-a, …) aside. "
        f"Time: median, {where}, {machine['threads']} threads."
    )
    if any(method.get("takes_precision") for method in results.manifest["methods"]):
        foot += f" Learned methods in {results.manifest['precision']}."
    return f"{title}\n\n{markdown(table, results.manifest, partial)}\n\n{foot}\n"


def _scene_entry(manifest: dict[str, Any], dataset: str, scene: str) -> dict[str, Any]:
    entries = [s for s in manifest["scenes"] if (s["dataset"], s["scene"]) == (dataset, scene)]
    return entries[0]


def _provenance(manifest: dict[str, Any], path: Path) -> Path:
    """The manifest without the results: what was run, on what, with which code and data."""
    kept = {key: value for key, value in manifest.items() if key not in {"cells", "format"}}
    parameters = {m["name"]: m.get("parameters", {}) for m in manifest["methods"]}
    kept["seeds"] = {name: p["seed"] for name, p in parameters.items() if "seed" in p}
    return _text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", path)


def _csv(table: pd.DataFrame, path: Path) -> Path:
    return _text(table.to_csv(index=False, lineterminator="\n"), path)


def _text(text: str, path: Path) -> Path:
    write_bytes(path, text.encode())
    return path
