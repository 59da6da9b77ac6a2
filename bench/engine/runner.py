"""Run a selection: every method on every scene, fused, scored and timed, resumable at any cell.

Scene by scene, so that a scene's images and the intermediates of its metrics are in memory
once. Whatever is finished is in the store before the next thing starts, and the manifest
``run.json`` says which records make up the run; reports read those two and nothing else.
"""

from __future__ import annotations

import datetime
import functools
import inspect
import json
import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from bench.core.devices import pinned_threads
from bench.core.environment import describe
from bench.core.files import write_bytes
from bench.core.plugins import plugin_of
from bench.core.precision import Precision, number_format
from bench.engine.cell import Bench
from bench.engine.scene_run import RERUN, Progress, Rerun, SceneRun
from bench.engine.selection import Entrant, Variant
from bench.store.library_versions import VersionCount
from bench.store.store import MANIFEST, Store
from bench.workers import memory
from bench.workers import process as child
from bench.workers.dask_worker import Cluster, Remote
from bench.workers.need import Needs
from bench.workers.process import Limits, Setup
from bench.workers.readers import Here, Readers
from bench.workers.subprocess_worker import Supervised
from bench.workers.worker import Workbench
from datasets import DATASETS, Scene, SceneImages
from metrics import Metric

#: Where cells run: each fusion in a child of its own, a child for each scene, or in this process.
Isolation = Literal["cell", "scene", "none"]

#: Of the memory that is free when a run begins, how much its cells may take together.
FREE_SHARE = 0.9


@dataclass(frozen=True)
class Selection:
    """What to run and how.

    Attributes
    ----------
    scenes, methods, metrics : sequence
        Their product is run.
    device : str
        For learned methods.
    precision : {'auto', 'fp32', 'bf16'}
        In which they compute.
    threads : int
        Every library is held to this many.
    repeats : int
        Timed repeats beside the first; 0 leaves timing out.
    rerun : Rerun
        Which stored results are computed again.
    limits : Limits
        Of one fusion, or of one score.
    isolation : {'scene', 'cell', 'none'}
        How many cells a child serves.
    jobs : int
        Scenes worked on at the same time.
    shard : tuple of int
        Which part of how many is run, counted from 1.
    """

    scenes: Sequence[Scene]
    methods: Sequence[Entrant]
    metrics: Sequence[Metric]
    device: str = "cpu"
    precision: Precision = "auto"
    threads: int = 1
    repeats: int = 5
    rerun: Rerun = RERUN["failed"]
    limits: Limits = field(default_factory=Limits)
    isolation: Isolation = "scene"
    jobs: int = 1
    shard: tuple[int, int] = (1, 1)

    def cells(self) -> list[tuple[Scene, list[Entrant]]]:
        """The cells of this shard, by scene: a consecutive part of them all."""
        every = [(s, m) for s in self.scenes for m in self.methods if m.covers(s)]
        part, parts = self.shard
        start, stop = ((part + k) * len(every) // parts for k in (-1, 0))
        mine: dict[str, tuple[Scene, list[Entrant]]] = {}
        for scene, method in every[start:stop]:
            mine.setdefault(scene.name, (scene, []))[1].append(method)
        return list(mine.values())


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
    cluster : Cluster, optional
        Workers that do it; the selection's number of jobs is then theirs.
    """

    selection: Selection
    out: Path
    store: Store
    progress: Progress
    cluster: Cluster | None = None
    parts: list[SceneRun] = field(default_factory=list)

    def __post_init__(self) -> None:
        chosen = self.selection
        self.machine = describe(chosen.device, chosen.threads)
        # Settled here: a worker of a cluster may have another processor, and keys tell the format.
        self.precision = number_format(chosen.device, chosen.precision)
        self._benches: weakref.WeakSet[Supervised | Remote] = weakref.WeakSet()
        self._jobs = chosen.jobs if self.cluster is None else self.cluster.slots
        self._stopped = threading.Event()
        self._limits = self._with_memory(chosen.limits)
        self._needs = Needs()
        self._readers = self._open_readers()
        self.parts = [
            SceneRun(
                scene=scene,
                entrants=entrants,
                metrics=chosen.metrics,
                store=self.store,
                out=self.out,
                progress=self.progress,
                read_images=self._readers.read,
                open_bench=self._open_bench,
                device=chosen.device,
                precision=self.precision,
                machine=self.machine["machine"],
                repeats=chosen.repeats,
                rerun=chosen.rerun,
                contended=chosen.jobs > 1 or self.cluster is not None,
            )
            for scene, entrants in chosen.cells()
        ]

    @property
    def scenes(self) -> list[dict[str, Any]]:
        """The scenes met so far, for the manifest."""
        return [part.about for part in self.parts if part.about.get("status")]

    @property
    def cells(self) -> list[dict[str, Any]]:
        """The finished cells, for the manifest; their order is that of the selection."""
        return [entry for part in self.parts for entry in part.cells]

    @property
    def versions(self) -> VersionCount:
        """With which versions of the libraries the finished cells were made."""
        count = VersionCount()
        for part in self.parts:
            count.update(part.versions)
        return count

    def execute(self) -> bool:
        """Run everything; returns whether every cell ended ``ok``.

        The manifest is written also when the run is interrupted.
        """
        chosen = self.selection
        started = _now()
        self.progress.start(sum(len(part.entrants) for part in self.parts))
        complete = False
        learned = any(entrant.family == "learned" for entrant in chosen.methods)
        child.preload(["torch"] if learned else [])
        with self.store.lock():
            try:
                with pinned_threads(chosen.threads):
                    self._work([part.execute for part in self.parts])
                complete = True
            finally:
                self.close()
                self._write_manifest(started, complete)
        return all(entry["status"] == "ok" for entry in self.cells)

    def _work(self, tasks: list[Callable[[], None]]) -> None:
        """Do all, some at the same time; the first that raises ends the others."""
        if self._jobs == 1:
            for task in tasks:
                task()
            return
        with ThreadPoolExecutor(self._jobs) as pool:
            try:
                for future in as_completed([pool.submit(task) for task in tasks]):
                    future.result()
            except BaseException:
                self._stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                for bench in (self._readers, *self._benches):
                    bench.abandon()
                raise

    def close(self) -> None:
        """End the processes that read scenes."""
        self._readers.close()

    def _open_readers(self) -> Readers | Here:
        if self.selection.isolation == "none":
            return Here()
        names = {scene.selected.partition(":")[0].partition("/")[0] or scene.dataset
                 for scene in self.selection.scenes}  # fmt: skip
        functions = [DATASETS[name].scenes for name in sorted(names) if name in DATASETS]
        return Readers(_files(functions), self._limits)

    def _open_bench(self, images: SceneImages) -> Bench:
        chosen = self.selection
        if chosen.isolation == "none":
            return Workbench(images, chosen.device, chosen.threads, self.precision)
        setup = Setup(
            images, chosen.device, chosen.threads, self._plugins, precision=self.precision
        )
        fresh = chosen.isolation == "cell"
        bench: Supervised | Remote
        if self.cluster is None:
            bench = Supervised(setup, self._limits, fresh, self._needs)
        else:
            bench = self.cluster.bench(setup, chosen.limits, fresh)
        self._benches.add(bench)
        if self._stopped.is_set():
            bench.abandon()
        return bench

    def _with_memory(self, limits: Limits) -> Limits:
        """The limits; memory is that of the machine unless it is given."""
        free = memory.available()
        if limits.memory is not None or self.cluster is not None or not free:
            return limits
        share = int(FREE_SHARE * free / self._jobs)
        return replace(limits, memory=share, source="the free memory of this machine")

    @functools.cached_property
    def _plugins(self) -> list[Path]:
        """The files of the user that a child must load to know the methods and metrics."""
        chosen = self.selection
        functions = [m.method.fn for m in chosen.methods if isinstance(m, Variant)]
        return _files([*functions, *(metric.fn for metric in chosen.metrics)])

    def _write_manifest(self, started: str, complete: bool) -> None:
        chosen = self.selection
        manifest = {
            "format": 1,
            "complete": complete,
            "started": started,
            "finished": _now(),
            **self.machine,
            "libraries": self.versions.facts(self.store),
            "device": chosen.device,
            "precision": self.precision,
            "precision_asked": chosen.precision,
            "threads": chosen.threads,
            "repeats": chosen.repeats,
            "methods": [
                {
                    "name": entrant.name,
                    "title": entrant.title,
                    "family": entrant.family,
                    "takes_precision": takes_precision(entrant),
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


def takes_precision(entrant: Entrant) -> bool:
    """Whether the number format decides what it computes."""
    return isinstance(entrant, Variant) and entrant.method.takes_precision


def _files(functions: Sequence[Callable[..., Any]]) -> list[Path]:
    """The user's files that register the functions."""
    files = (plugin_of(inspect.unwrap(fn).__module__) for fn in functions)
    return [file for file in dict.fromkeys(files) if file]


def _about(metric: Metric) -> dict[str, Any]:
    return {
        "name": metric.name,
        "label": metric.label,
        "higher_is_better": metric.higher_is_better,
        "variant_of": metric.variant_of,
        "version": metric.version,
    }


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
