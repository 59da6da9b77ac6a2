"""A part of a run: some methods, metrics and scenes, in the order in which they are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TypeVar

import pandas as pd

from bench.core.errors import UnknownName
from bench.engine.names import is_glob, matching, plain
from bench.store.manifest import MethodEntry, MetricEntry, SceneEntry
from reports.data.parts import holds
from reports.data.results import TIME, Results

E = TypeVar("E", MethodEntry, MetricEntry)


def selected(
    results: Results,
    methods: Sequence[str] = (),
    metrics: Sequence[str] = (),
    scenes: Sequence[str] = (),
) -> Results:
    """The results of some methods, metrics and scenes.

    Parameters
    ----------
    results : Results
        A run.
    methods, metrics : sequence of str
        Names or globs of what the run has, also the labels of metrics; all if empty.
    scenes : sequence of str
        Datasets, subsets, ``dataset/scene`` or globs of these; all if empty.

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
    entries = _scenes(scenes, manifest.scenes)
    names, kept = {row.name for row in rows}, {column.name for column in columns}
    places = {entry.place for entry in entries}
    cells = [
        replace(cell, scores={k: v for k, v in cell.scores.items() if k in kept})
        for cell in manifest.cells
        if cell.method in names and cell.place in places
    ]
    scores, failures, timing = (
        table[_inside(table, places)]
        for table in (results.scores, results.failures, results.timing)
    )
    told = {*kept, "", TIME}
    return replace(
        results,
        manifest=replace(manifest, methods=rows, metrics=columns, scenes=entries, cells=cells),
        scores=scores[scores["method"].isin(names) & scores["metric"].isin(kept)],
        timing=timing[timing["method"].isin(names)],
        failures=failures[failures["method"].isin(names) & failures["metric"].isin(told)],
    )


def _scenes(texts: Sequence[str], entries: Sequence[SceneEntry]) -> list[SceneEntry]:
    if not texts:
        return list(entries)
    found: dict[tuple[str, str], SceneEntry] = {}
    for text in texts:
        here = [entry for entry in entries if _named(text, entry)]
        if not here:
            known = dict.fromkeys(entry.dataset for entry in entries)
            raise UnknownName("dataset or scene of this run", text, known)
        found |= {entry.place: entry for entry in here}
    return list(found.values())


def _named(text: str, entry: SceneEntry) -> bool:
    """Whether `text` is the scene's name, its dataset or a subset, or a glob of one of them."""
    part, _, scene = text.partition("/")
    if part and holds(part, *entry.place):
        return fnmatchcase(entry.scene.lower(), scene.lower() or "*")
    whole = f"{entry.dataset}/{entry.scene}".lower()
    return any(fnmatchcase(name, text.lower()) for name in (whole, entry.dataset.lower()))


def _inside(table: pd.DataFrame, places: set[tuple[str, str]]) -> pd.Series:
    """Which rows of a table are of these scenes."""
    rows = zip(table["dataset"], table["scene"], strict=True)
    return pd.Series([row in places for row in rows], index=table.index, dtype=bool)


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
