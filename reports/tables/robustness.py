"""The loss of each method under perturbations as files: Markdown, LaTeX, tidy CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bench.core.files import safe_name, write_bytes
from bench.store.manifest import MetricEntry, RunManifest
from reports.data.best import best_of
from reports.data.means import CAP_NOTE, has_capped
from reports.data.results import Results
from reports.data.robustness import (
    AREA_NOTE,
    REFERENCE_METRICS,
    SOURCES_NOTE,
    Axis,
    Robustness,
    make_robustness,
    ranked,
)
from reports.tables.formats import Cell, to_latex, to_markdown

#: What `write_robustness` may have written before.
STALE = ("robustness.md", "robustness.csv", "robustness_*.csv", "robustness_*.tex")

Table = tuple[list[str], list[list[Cell]]]


def write_robustness(results: Results, folder: Path | str) -> list[Path]:
    """Write ``robustness.md`` and ``.csv``, ``robustness_areas.csv`` and LaTeX below `folder`.

    Nothing is written for a run without a perturbed set beside one as it is. Files of an earlier
    run are removed.

    Parameters
    ----------
    results : Results
        A run.
    folder : path-like
        Made if need be.

    Returns
    -------
    list of Path
        ``robustness.csv`` has a row for each point of a curve, ``robustness_areas.csv`` one for
        each curve, ``robustness_BASE_METRIC.tex`` the means over the severities.
    """
    folder = Path(folder)
    for pattern in STALE:
        for old in folder.glob(pattern):
            old.unlink()
    found = make_robustness(results)
    if found is None:
        return []
    manifest = results.manifest
    texts = {
        "robustness.md": page(found, results),
        "robustness.csv": found.curves.to_csv(index=False, lineterminator="\n"),
        "robustness_areas.csv": found.areas.to_csv(index=False, lineterminator="\n"),
    }
    for base in found.bases:
        for metric in found.metrics(base, manifest):
            headers, body = area_table(found, base, manifest.metric[metric], manifest)
            name = f"robustness_{safe_name(base)}_{safe_name(metric)}"
            caption = f"Robustness on {base}, {manifest.metric[metric].header}. {AREA_NOTE} {_BEST}"
            label = f"tab:{name}"
            texts[f"{name}.tex"] = (
                to_latex(headers, body, caption=caption, label=label, fit=True) + "\n"
            )
    for name, text in texts.items():
        write_bytes(folder / name, text.encode())
    return [folder / name for name in texts]


_BEST = "Best score of each column in bold; baselines do not compete."


def page(found: Robustness, results: Results) -> str:
    """The Markdown page: means over the severities by metric, and the losses at each severity.

    The losses are those of the metrics that compare with the reference; the CSV has all.
    """
    manifest = results.manifest
    parts = ["# Robustness", f"{AREA_NOTE} {_BEST}"]
    if has_capped(results.scores, REFERENCE_METRICS):
        parts.append(CAP_NOTE)
    for base in found.bases:
        axes = found.axes_of(base)
        parts += [f"## {base}", *(f"- {_about(axis)}" for axis in axes)]
        for name in found.metrics(base, manifest):
            metric = manifest.metric[name]
            parts.append(f"### {metric.header} on {base}")
            if name not in REFERENCE_METRICS:
                parts.append(SOURCES_NOTE)
            parts.append(to_markdown(*area_table(found, base, metric, manifest)))
            if name in REFERENCE_METRICS:
                losses = loss_table(found, base, metric, manifest)
                parts += ["Loss at each severity:", to_markdown(*losses)]
    text = "\n\n".join(parts).replace("\n\n- ", "\n- ")
    return f"{text}\n"


def _about(axis: Axis) -> str:
    amounts = ", ".join(axis.labels[1:])
    return f"{axis.name}: {axis.entry.title}; {amounts} ({axis.entry.unit})"


def area_table(found: Robustness, base: str, metric: MetricEntry, manifest: RunManifest) -> Table:
    """Header and rows: the score without perturbation, then the mean score and loss of each."""
    order = ranked(found, base, metric.name, manifest)
    scores, losses = (found.summary(base, metric.name, value) for value in ("score", "loss"))
    clean = found.summary(base, metric.name, "clean").iloc[:, 0]
    counts = found.summary(base, metric.name, "scenes").min(axis=1)
    columns = [[Cell(name) for name in _named(order, counts)]]
    columns.append(_cells(clean.reindex(order), None, metric, manifest, counts))
    columns += [
        _cells(scores[name].reindex(order), losses[name], metric, manifest, counts)
        for name in scores.columns
    ]
    means = scores.mean(axis=1, skipna=False), losses.mean(axis=1, skipna=False)
    columns.append(_cells(means[0].reindex(order), means[1], metric, manifest, counts))
    headers = ["Method", "none", *map(str, scores.columns), "mean of all"]
    return headers, [list(row) for row in zip(*columns, strict=True)]


def loss_table(found: Robustness, base: str, metric: MetricEntry, manifest: RunManifest) -> Table:
    """Header and rows: the score without perturbation, then the loss at each amount."""
    order = ranked(found, base, metric.name, manifest)
    curves = found.curves.query("base == @base and metric == @metric.name")
    headers, columns = ["Method", "none"], [[Cell(name) for name in order]]
    clean = found.summary(base, metric.name, "clean").iloc[:, 0].reindex(order)
    places = decimals(clean)
    columns.append([Cell(number(value, places)) for value in clean])
    for axis in found.axes_of(base):
        mine = curves[curves["perturbation"] == axis.name]
        table = mine.pivot(index="method", columns="amount", values="loss").reindex(order)
        for amount, label in zip(axis.datasets, axis.labels[1:], strict=True):
            headers.append(f"{axis.name} {label}")
            column = table[amount] if amount in table else pd.Series(float("nan"), index=order)
            columns.append([Cell(number(value, places)) for value in column])
    return headers, [list(row) for row in zip(*columns, strict=True)]


def _named(order: Sequence[str], counts: pd.Series) -> list[str]:
    """Names of methods, with the number of scenes where that is less than others have."""
    seen, most = counts.to_dict(), counts.max()
    return [n if seen[n] == most else f"{n} ({seen[n]:g} of {most:g} scenes)" for n in order]


def _cells(
    scores: pd.Series,
    losses: pd.Series | None,
    metric: MetricEntry,
    manifest: RunManifest,
    counts: pd.Series,
) -> list[Cell]:
    places = decimals(scores)
    best = best_of(
        scores,
        higher_is_better=metric.higher_is_better,
        baselines=manifest.baselines,
        counts=counts,
        digits=places,
    )
    cells = []
    for name, score in scores.items():
        text = number(score, places)
        if losses is not None and not pd.isna(score):
            text += f" ({number(losses.to_dict()[name], places)})"
        cells.append(Cell(text, best=best.get(str(name)) == 1))
    return cells


def decimals(scores: pd.Series) -> int:
    """Digits behind the point: 2 of decibels and the like, 3 of scores below 10."""
    return 2 if scores.abs().max() >= 10 else 3


def number(value: float, places: int) -> str:
    """A number, or ``–`` for none; never ``-0.00``.

    Examples
    --------
    >>> from reports.tables.robustness import number
    >>> number(31.234, 2), number(-0.0001, 3), number(float("nan"), 2)
    ('31.23', '0.000', '–')
    """
    return "–" if pd.isna(value) else f"{round(value, places) + 0.0:.{places}f}"
