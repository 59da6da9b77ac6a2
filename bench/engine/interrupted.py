"""An interrupted run keeps what the run before it had: cells that it did not reach."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bench.core.errors import DataUnavailable
from bench.store.manifest import CellEntry, RunManifest, load_manifest

Place = tuple[str, str, str]


def with_unreached(manifest: RunManifest, selected: set[Place], out: Path) -> RunManifest:
    """The manifest of an interrupted run, with the cells of the last one that are still due.

    A cell is taken over if it is selected now too, if the method is the same to the last byte, and
    if the scene has not changed as far as it was read; of its scores, those of unchanged metrics.

    Parameters
    ----------
    manifest : RunManifest
        Of the run that was interrupted.
    selected : set of (str, str, str)
        Dataset, scene and method of every cell that it was to run.
    out : Path
        Its output folder, which still has the manifest of the last run.
    """
    try:
        last = load_manifest(out)
    except DataUnavailable:
        return manifest
    reached = {_place(cell) for cell in manifest.cells}
    metrics = {name for name, m in manifest.metric.items() if last.metric.get(name) == m}
    cells = [
        dataclasses.replace(
            cell, scores={name: s for name, s in cell.scores.items() if name in metrics}
        )
        for cell in last.cells
        if _place(cell) in selected - reached
        and manifest.method[cell.method] == last.method[cell.method]
        and _is_same_scene(manifest, last, cell)
    ]
    needed = {cell.place for cell in cells} - manifest.scene.keys()
    scenes = [scene for scene in last.scenes if scene.place in needed]
    return dataclasses.replace(
        manifest, scenes=[*manifest.scenes, *scenes], cells=[*manifest.cells, *cells]
    )


def _place(cell: CellEntry) -> Place:
    return cell.dataset, cell.scene, cell.method


def _is_same_scene(manifest: RunManifest, last: RunManifest, cell: CellEntry) -> bool:
    now = manifest.scene.get(cell.place)
    return now is None or now.fingerprint == last.scene[cell.place].fingerprint
