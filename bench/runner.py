"""Run a selection: every method on every scene, fused, scored and timed, resumable at any cell.

Scene by scene, so that a scene's images and the intermediates of its metrics are in memory
once. Whatever is finished is in the store before the next thing starts, and the manifest
``run.json`` says which records make up the run; reports read those two and nothing else.
"""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bench import cell, timing
from bench.errors import BenchError, DataUnavailable
from bench.images import safe_name, write_bytes
from bench.plan import Entrant, Variant, timing_key
from bench.provenance import describe, digest
from bench.store import MANIFEST, Store
from datasets import Scene, SceneImages
from metrics import Metric, Scorer

Cell = dict[str, Any]


class Progress(Protocol):
    """Told what happens during a run."""

    def start(self, cells: int) -> None:
        """A run of so many cells begins."""

    def working(self, what: str) -> None:
        """Something begins."""

    def done(self, what: str, status: str, message: str, cached: bool) -> None:
        """A cell is finished."""


@dataclass(frozen=True)
class Selection:
    """What to run and how.

    Attributes
    ----------
    scenes, methods, metrics : sequence
        Their product is run.
    device : str
        For learned methods.
    threads : int
        Every library is held to this many.
    repeats : int
        Timed repeats beside the first; 0 leaves timing out.
    rerun_failed : bool
        Whether a cell that did not end ``ok`` is tried again.
    """

    scenes: Sequence[Scene]
    methods: Sequence[Entrant]
    metrics: Sequence[Metric]
    device: str = "cpu"
    threads: int = 1
    repeats: int = 5
    rerun_failed: bool = True


@dataclass
class Run:
    """A run into one output folder.

    Parameters
    ----------
    selection : Selection
        What to run.
    out : Path
        Gets the manifest and the fused images.
    store : Store
        Where records are kept.
    progress : Progress
        Told about each cell.
    """

    selection: Selection
    out: Path
    store: Store
    progress: Progress
    cells: list[Cell] = field(default_factory=list)
    scenes: list[dict[str, Any]] = field(default_factory=list)

    def execute(self) -> bool:
        """Run everything; returns whether every cell ended ``ok``.

        The manifest is written also when the run is interrupted.
        """
        chosen = self.selection
        started = _now()
        self.machine = describe(chosen.device, chosen.threads)
        self.progress.start(sum(m.covers(s) for s in chosen.scenes for m in chosen.methods))
        complete = False
        try:
            with timing.pinned_threads(chosen.threads):
                for scene in chosen.scenes:
                    self._scene(scene)
            complete = True
        finally:
            self._write_manifest(started, complete)
        return all(entry["status"] == "ok" for entry in self.cells)

    def _scene(self, scene: Scene) -> None:
        entry = {
            "dataset": scene.dataset,
            "scene": scene.id,
            "title": scene.title,
            "origin": scene.origin,
            "note": scene.note,
        }
        self.progress.working(f"{scene.name}: reading")
        entrants = [method for method in self.selection.methods if method.covers(scene)]
        try:
            if reason := scene.missing():
                raise DataUnavailable(reason)
            images = scene.read().check(scene.name)
        except BenchError as error:
            status = "skipped" if isinstance(error, DataUnavailable) else "failed"
            self.scenes.append({**entry, "status": status, "message": str(error)})
            for entrant in entrants:
                self._finish(scene, entrant, {"status": status, "message": str(error)})
            return
        height, width = images.sources[0].shape[:2]
        self.scenes.append(
            {
                **entry,
                "status": "ok",
                "fingerprint": images.fingerprint(),
                "sources": len(images.sources),
                "height": height,
                "width": width,
                "channels": 3 if any(source.ndim == 3 for source in images.sources) else 1,
                "reference": images.reference is not None,
            }
        )
        self._cells(scene, images, entrants)

    def _cells(self, scene: Scene, images: SceneImages, entrants: list[Entrant]) -> None:
        """Fuse and score with every method, then time them all in turn."""
        fingerprint = self.scenes[-1]["fingerprint"]
        scorer = _Lazily(images)
        finished: list[tuple[Variant, Cell]] = []
        for entrant in entrants:
            self.progress.working(f"{scene.name}: {entrant.name}")
            key = entrant.key(fingerprint, self.selection.device)
            record, cached = self._fused(entrant, scene, images, key)
            result: Cell = {"key": key, **{k: record.get(k) for k in ("status", "message")}}
            if record["status"] == "ok":
                result["pixels"] = record["pixels"]
                result["scores"] = cell.score(
                    scorer,
                    self._applicable(images),
                    self.store,
                    fingerprint,
                    record["pixels"],
                )
                self._export(scene, entrant, record["pixels"])
                _demote(result)
                if isinstance(entrant, Variant):
                    result["timing"] = timing_key(key, self.machine["machine"])
                    finished.append((entrant, result))
            self._finish(scene, entrant, result, cached)
        if self.selection.repeats:
            self._time(scene, images, finished)

    def _fused(
        self, entrant: Entrant, scene: Scene, images: SceneImages, key: str
    ) -> tuple[dict[str, Any], bool]:
        """The record of a cell and whether it was there already."""
        record = self.store.get(key)
        if record is not None and self._believed(record):
            return record, True
        if not isinstance(entrant, Variant):
            return cell.adopt(entrant, scene, self.store, key), False
        timing.pin_torch(self.selection.threads)
        task = cell.job(entrant, images, self.selection.device)
        return cell.fuse(task, self.store, key), False

    def _believed(self, record: Mapping[str, Any]) -> bool:
        if record.get("status") == "ok":
            return self.store.get_image(record["pixels"]) is not None
        return not self.selection.rerun_failed

    def _applicable(self, images: SceneImages) -> list[Metric]:
        """The selected metrics that are defined for the scene."""
        return [
            metric
            for metric in self.selection.metrics
            if not (metric.needs == "reference" and images.reference is None)
            and not (metric.stack == "two" and len(images.sources) > 2)
        ]

    def _time(
        self, scene: Scene, images: SceneImages, finished: list[tuple[Variant, Cell]]
    ) -> None:
        """Time the cells that have no timing on this machine yet."""
        jobs, first = {}, {}
        for variant, result in finished:
            if self.store.get(result["timing"]) is None:
                task = cell.job(variant, images, self.selection.device)
                record = self.store.get(result["key"]) or {}
                jobs[variant.name], first[variant.name] = task, record.get("first_s", 0.0)
        if not jobs:
            return
        self.progress.working(f"{scene.name}: timing {len(jobs)} methods")
        timing.pin_torch(self.selection.threads)
        taken = timing.interleaved(
            jobs, first, repeats=self.selection.repeats, device=self.selection.device
        )
        for variant, result in finished:
            if variant.name in taken:
                body = {
                    "cell": result["key"],
                    "machine": digest(self.machine["machine"]),
                    "seconds": taken[variant.name],
                    "first_s": first[variant.name],
                    "contended": False,
                }
                self.store.put(result["timing"], body)

    def _export(self, scene: Scene, entrant: Entrant, pixels: str) -> None:
        """Copy the fused image to where a person looks for it."""
        source = self.store.image_path(pixels)
        folder = self.out / "fused" / safe_name(scene.dataset) / safe_name(scene.id)
        target = folder / f"{safe_name(entrant.name)}.png"
        if source is None or (
            target.is_file() and target.stat().st_mtime >= source.stat().st_mtime
        ):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)

    def _finish(self, scene: Scene, entrant: Entrant, result: Cell, cached: bool = False) -> None:
        head = {"dataset": scene.dataset, "scene": scene.id, "method": entrant.name}
        result.setdefault("scores", {})
        self.cells.append(head | result)
        what = f"{scene.name}: {entrant.name}"
        self.progress.done(what, result["status"], result["message"], cached)

    def _write_manifest(self, started: str, complete: bool) -> None:
        chosen = self.selection
        manifest = {
            "format": 1,
            "complete": complete,
            "started": started,
            "finished": _now(),
            **self.machine,
            "device": chosen.device,
            "threads": chosen.threads,
            "repeats": chosen.repeats,
            "methods": [
                {
                    "name": entrant.name,
                    "title": entrant.title,
                    "family": entrant.family,
                    **entrant.identity,
                }
                for entrant in chosen.methods
            ],
            "metrics": [_about(metric) for metric in chosen.metrics],
            "scenes": self.scenes,
            "cells": self.cells,
        }
        text = json.dumps(manifest, indent=1, ensure_ascii=False)
        write_bytes(self.out / MANIFEST, text.encode())


class _Lazily:
    """A scene's scorer, made when the first score is missing from the store."""

    def __init__(self, images: SceneImages) -> None:
        self._images = images
        self._scorer: Scorer | None = None

    def __call__(self) -> Scorer:
        if self._scorer is None:
            self._scorer = Scorer(self._images.sources, self._images.reference)
        return self._scorer


def _demote(result: Cell) -> None:
    """A cell with a score that failed is not ok."""
    for name, entry in result["scores"].items():
        if entry["status"] != "ok" and result["status"] == "ok":
            result |= {"status": entry["status"], "message": f"{name}: {entry['message']}"}


def _about(metric: Metric) -> dict[str, Any]:
    return {
        "name": metric.name,
        "label": metric.label,
        "higher_is_better": metric.higher_is_better,
        "version": metric.version,
    }


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
