"""A part of a run: some of its methods and metrics, in the order in which they are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from bench.core.errors import UnknownName
from bench.engine.names import is_glob, matching, plain
from bench.store.manifest import MethodEntry, MetricEntry
from reports.data.results import TIME, Results

E = TypeVar("E", MethodEntry, MetricEntry)


def selected(results: Results, methods: Sequence[str] = (), metrics: Sequence[str] = ()) -> Results:
    """The results of some methods and metrics.

    Parameters
    ----------
    results : Results
        A run.
    methods, metrics : sequence of str
        Names or globs of what the run has, also the labels of metrics; all if empty.

    Returns
    -------
    Results
        With these, in this order.

    Raises
    ------
    UnknownName
        The run has nothing of a name.
    """
    manifest = results.manifest
    rows = _entries("method of this run", methods, manifest.methods)
    columns = _entries("metric of this run", metrics, manifest.metrics)
    names, kept = {row.name for row in rows}, {column.name for column in columns}
    cells = [
        replace(cell, scores={k: v for k, v in cell.scores.items() if k in kept})
        for cell in manifest.cells
        if cell.method in names
    ]
    scores, failures, timing = results.scores, results.failures, results.timing
    told = {*kept, "", TIME}
    return replace(
        results,
        manifest=replace(manifest, methods=rows, metrics=columns, cells=cells),
        scores=scores[scores["method"].isin(names) & scores["metric"].isin(kept)],
        timing=timing[timing["method"].isin(names)],
        failures=failures[failures["method"].isin(names) & failures["metric"].isin(told)],
    )


def _entries(kind: str, texts: Sequence[str], entries: Sequence[E]) -> list[E]:
    if not texts:
        return list(entries)
    found: dict[str, E] = {}
    for text in texts:
        for entry in (
            matching(kind, text, entries) if is_glob(text) else [_one(kind, text, entries)]
        ):
            found.setdefault(entry.name, entry)
    return list(found.values())


def _one(kind: str, text: str, entries: Sequence[E]) -> E:
    for same in (str, plain):
        for entry in entries:
            if same(text) in (same(entry.name), same(getattr(entry, "label", entry.name))):
                return entry
    raise UnknownName(kind, text, (entry.name for entry in entries))
