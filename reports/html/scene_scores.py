"""The scores of every scene as one compact block of JSON, for the page's tables by scene."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd

from bench.store.manifest import CellEntry, MetricEntry
from reports.data.best import best_of
from reports.data.references import references
from reports.data.results import KEYS, Results
from reports.html.board import duration, group_of
from reports.tables.author_table import SYMBOLS

#: Significant digits of a score: more than are printed, so that sorting sees what printing hides.
DIGITS = 9


def scene_scores(results: Results) -> dict[str, Any]:
    """What the tables of one scene, and of one metric over scenes, are made of.

    Parameters
    ----------
    results : Results
        A run.

    Returns
    -------
    dict
        ``metrics`` (``name``, ``label``, ``higher``, ``latex``), ``methods`` (``name``, ``title``,
        ``family``, ``group``) and ``scenes``, each with ``dataset``, ``scene``, ``title``,
        ``values`` (a list for each metric with a value, or None, for each method; infinity is
        text), ``best`` (for each metric the numbers of the methods that are best), ``jpeg`` (the
        numbers of the methods whose images are or were JPEG) and ``times`` (seconds as printed,
        or None).
    """
    manifest = results.manifest
    cells: dict[tuple[str, str], dict[str, CellEntry]] = {}
    for cell in manifest.cells:
        cells.setdefault(cell.place, {})[cell.method] = cell
    timing = results.timing[~results.timing["contended"].astype(bool)]
    seconds: dict[Any, float] = timing.set_index(KEYS)["median_s"].to_dict()
    papers = references(manifest, manifest.method)
    number = {name: k for k, name in enumerate(manifest.method)}
    scenes = []
    for entry in manifest.scenes:
        mine = cells.get(entry.place, {})
        best = [best_on(list(mine.values()), m, manifest.baselines) for m in manifest.metrics]
        times = [seconds.get((*entry.place, name)) for name in number]
        scenes.append(
            {
                "dataset": entry.dataset,
                "scene": entry.scene,
                "title": entry.title or entry.scene,
                "values": [[_value(mine.get(n), m) for n in number] for m in manifest.metrics],
                "best": [[number[n] for n, place in b.items() if place == 1] for b in best],
                "jpeg": [number[cell.method] for cell in mine.values() if cell.compression],
                "times": [None if t is None else duration(t) for t in times],
            }
        )
    return {
        "metrics": [
            {
                "name": m.name,
                "label": m.label,
                "higher": m.higher_is_better,
                "latex": latex_symbol(m),
            }
            for m in manifest.metrics
        ],
        "methods": [
            {
                "name": m.name,
                "title": papers[m.name].title,
                "family": m.family,
                "group": group_of(m.family),
            }
            for m in manifest.methods
        ],
        "scenes": scenes,
    }


def latex_symbol(metric: MetricEntry) -> str:
    """The metric as papers write it in LaTeX; empty if that is its label."""
    return f"${SYMBOLS[metric.name]}$" if metric.name in SYMBOLS else ""


def best_on(
    cells: Sequence[CellEntry], metric: MetricEntry, baselines: Collection[str]
) -> dict[str, int]:
    """The best methods of a scene: of the lossless images, and of the JPEG ones."""
    best: dict[str, int] = {}
    for lossy in (False, True):
        column = {
            cell.method: cell.scores[metric.name].value
            for cell in cells
            if metric.name in cell.scores and bool(cell.compression) == lossy
        }
        values = pd.Series(column, dtype=float)
        higher = metric.higher_is_better
        best |= best_of(values, higher_is_better=higher, baselines=baselines)
    return best


def _value(cell: CellEntry | None, metric: MetricEntry) -> float | str | None:
    """A score for JSON, in which infinity is text."""
    score = cell.scores.get(metric.name) if cell else None
    if score is None or score.value is None or math.isnan(score.value):
        return None
    return float(f"{score.value:.{DIGITS}g}") if math.isfinite(score.value) else str(score.value)
