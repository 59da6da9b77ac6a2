"""Run a selection: every method on every scene, fused, scored and timed, resumable at any cell.

Scene by scene, so that a scene's images and what its metrics share are in memory once. Each result
is stored before the next one is computed, and the manifest ``run.json`` says which records make up
the run; reports read those two and nothing else.
"""

from __future__ import annotations

import datetime
import functools
import inspect
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from bench.core.devices import pinned_threads
from bench.core.environment import describe
from bench.core.plugins import plugin_of
from bench.core.precision import Precision, number_format
from bench.engine.interrupted import with_unreached
from bench.engine.jpeg_rows import jpeg_entries
from bench.engine.preload import learned_is_needed
from bench.engine.scene_run import RERUN, Progress, Rerun, SceneRun, Settings
from bench.engine.selection import ConfiguredMethod, SelectedMethod
from bench.store.keys import machine_id, metric_fingerprint
from bench.store.library_versions import VersionCount
from bench.store.manifest import MethodEntry, MetricEntry, RunManifest, SceneEntry, save_manifest
from bench.store.store import Store
from bench.workers import memory, process
from bench.workers.dask_worker import Cluster, DaskWorker
from bench.workers.process import Limits, Setup
from bench.workers.subprocess_worker import SubprocessWorker
from bench.workers.worker import LocalWorker
from datasets import DATASETS, Scene
from datasets.perturbations import split_dataset
from metrics import Metric

#: Where cells run: each fusion in a process of its own, a process for each scene, or in this one.
Isolation = Literal["cell", "scene", "none"]

#: Share of the memory that is free when a run begins that its cells may take together.
FREE_SHARE = 0.9


@dataclass(frozen=True)
class Selection:
    """What to run and how.

    Attributes
    ----------
    scenes, methods, metrics : sequence
        Every method is run on every scene and scored with every metric.
    device : str
        Device of learned methods.
    precision : {'auto', 'fp32', 'bf16'}
        Number format of learned methods.
    threads : int
        Threads of every library.
    repeats : int
        Timed repeats after a warm-up; 0 leaves timing out.
    rerun : Rerun
        Which stored results are computed again.
    limits : Limits
        Limits of reading a scene, of one fusion, and of one score.
    isolation : {'scene', 'cell', 'none'}
        A process for each scene, for each fusion, or none.
    jobs : int
        Scenes worked on at the same time.
    shard : tuple of int
        Number of the part, counted from 1, and number of parts.
    only : frozenset of (str, str), optional
        Names of scene and method: only these cells are run.
    jpeg : bool
        Whether lossless images are also scored through the JPEG of others on their scene.
    """

    scenes: Sequence[Scene]
    methods: Sequence[SelectedMethod]
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
    only: frozenset[tuple[str, str]] | None = None
    jpeg: bool = True

    def cells(self) -> list[tuple[Scene, list[SelectedMethod]]]:
        """The cells of this shard, by scene: a consecutive part of them all."""
        every = [(s, m) for s in self.scenes for m in self.methods if m.covers(s)]
        if self.only is not None:
            every = [(s, m) for s, m in every if (s.name, m.name) in self.only]
        part, parts = self.shard
        start, stop = ((part + k) * len(every) // parts for k in (-1, 0))
        mine: dict[str, tuple[Scene, list[SelectedMethod]]] = {}
        for scene, method in every[start:stop]:
            mine.setdefault(scene.name, (scene, []))[1].append(method)
        return list(mine.values())

    @property
    def plugins(self) -> list[Path]:
        """The user's files that define its methods, metrics and datasets."""
        heads = {s.selected.partition(":")[0].partition("/")[0] or s.dataset for s in self.scenes}
        names = {split_dataset(head)[0] for head in heads}
        functions = [DATASETS[name].scenes for name in sorted(names) if name in DATASETS]
        functions += [fn for s in self.scenes for change in s.changes for fn in change.functions]
        functions += [m.method.fn for m in self.methods if isinstance(m, ConfiguredMethod)]
        return _files([*functions, *(metric.fn for metric in self.metrics)])


AnyWorker = LocalWorker | SubprocessWorker | DaskWorker


@dataclass
class Run:
    """A run into one output folder.

    Parameters
    ----------
    selection : Selection
        What to run.
    out : Path
        Folder for the manifest and the fused images.
    store : Store
        Where records are kept.
    progress : Progress
        Receives the events of the run.
    cluster : Cluster, optional
        Machines that do the work; they set the number of jobs.
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
        # Chosen here: machines of a cluster may have other processors, and keys contain the format.
        self.precision = number_format(chosen.device, chosen.precision)
        self._workers: list[AnyWorker] = []
        self._idle: queue.SimpleQueue[AnyWorker] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._stopped = False
        self._jobs = chosen.jobs if self.cluster is None else self.cluster.slots
        self._limits = self._with_memory(chosen.limits)
        settings = Settings(
            metrics={
                metric.name: (metric, metric_fingerprint(metric)) for metric in chosen.metrics
            },
            store=self.store,
            out=self.out,
            progress=self.progress,
            device=chosen.device,
            precision=self.precision,
            machine=machine_id(self.machine["machine"]),
            repeats=chosen.repeats,
            rerun=chosen.rerun,
            contended=chosen.jobs > 1 or self.cluster is not None,
            fused_here=self.cluster is None or not self.cluster.remote,
            jpeg=chosen.jpeg,
        )
        self.parts = [SceneRun(scene, methods, settings) for scene, methods in chosen.cells()]

    @property
    def scenes(self) -> list[SceneEntry]:
        """The scenes that were read so far."""
        return [part.entry for part in self.parts if part.entry is not None]

    @property
    def versions(self) -> VersionCount:
        """With which versions of the libraries the finished cells were computed."""
        count = VersionCount()
        for part in self.parts:
            count.update(part.versions)
        return count

    def execute(self) -> bool:
        """Run everything; returns whether every cell ended ``ok``.

        The manifest is written also when the run is interrupted.
        """
        started = _now()
        for method in self.selection.methods:  # hashed now: code may change while it runs
            _ = method.identity
        self.progress.start(sum(len(part.methods) for part in self.parts))
        complete = False
        with self.store.lock():
            try:
                self.prepare()
                with pinned_threads(self.selection.threads):
                    self._work([functools.partial(self._with_worker, p) for p in self.parts])
                complete = True
            finally:
                self.close()
                manifest = self._manifest(started, complete)
                if not complete:
                    manifest = with_unreached(manifest, self._selected, self.out)
                save_manifest(manifest, self.out)
        return all(entry.status == "ok" for part in self.parts for entry in part.cells)

    def prepare(self) -> None:
        """Choose the modules that worker processes import once at their start."""
        learned = self.selection.isolation != "none" and learned_is_needed(
            self.selection.methods, self.out, self.store, self.selection.device, self.precision
        )
        process.preload(["torch"] if learned else [])

    def _work(self, tasks: list[Callable[[], None]]) -> None:
        """Run all tasks, `_jobs` at a time; the first that raises ends the others."""
        if self._jobs == 1:
            for task in tasks:
                task()
            return
        with ThreadPoolExecutor(self._jobs) as pool:
            try:
                for future in as_completed([pool.submit(task) for task in tasks]):
                    future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                with self._guard:
                    self._stopped = True
                    workers = list(self._workers)
                for worker in workers:
                    worker.abandon()
                raise

    def _with_worker(self, part: SceneRun) -> None:
        worker = self.worker()
        try:
            part.execute(worker)
        finally:
            self._idle.put(worker)

    def worker(self) -> AnyWorker:
        """An idle worker, or a new one; there are as many as scenes are worked on at once."""
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            worker = self._new_worker()
        with self._guard:
            self._workers.append(worker)
            stopped = self._stopped
        if stopped:  # while this one was being made
            worker.abandon()
        return worker

    def _new_worker(self) -> AnyWorker:
        chosen = self.selection
        if chosen.isolation == "none":
            return LocalWorker(chosen.device, chosen.threads, self.precision)
        setup = Setup(
            chosen.device,
            chosen.threads,
            chosen.plugins,
            precision=self.precision,
            code=self._code,
        )
        fresh = chosen.isolation == "cell"
        here = SubprocessWorker(setup, self._limits, fresh)
        if self.cluster is None:
            return here
        return self.cluster.worker(here, setup, chosen.limits, fresh)

    @property
    def _selected(self) -> set[tuple[str, str, str]]:
        """Dataset, scene and method of every cell."""
        return {(p.scene.dataset, p.scene.id, m.name) for p in self.parts for m in p.methods}

    @functools.cached_property
    def _code(self) -> dict[str, str]:
        """The code that may differ in a worker: a user's file, or another machine's checkout."""
        remote = self.cluster is not None and self.cluster.remote
        return {
            m.method.name: m.identity["source"]
            for m in self.selection.methods
            if isinstance(m, ConfiguredMethod)
            and (remote or plugin_of(inspect.unwrap(m.method.fn).__module__))
        }

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.close()

    def _with_memory(self, limits: Limits) -> Limits:
        """The limits; the default of memory is a share of what is free on this machine."""
        free = memory.available()
        if limits.memory is not None or self.cluster is not None or not free:
            return limits
        share = int(FREE_SHARE * free / self._jobs)
        return replace(limits, memory=share, source="the free memory of this machine")

    def _manifest(self, started: str, complete: bool) -> RunManifest:
        chosen = self.selection
        cells = [cell for part in self.parts for cell in part.cells]
        methods = [
            MethodEntry(m.name, m.title, m.family, takes_precision(m), m.identity)
            for m in chosen.methods
        ]
        return RunManifest(
            complete=complete,
            started=started,
            finished=_now(),
            **self.machine,
            device=chosen.device,
            precision=self.precision,
            precision_asked=chosen.precision,
            threads=chosen.threads,
            repeats=chosen.repeats,
            shard=list(chosen.shard),
            jpeg=chosen.jpeg,
            store=str(self.store.root.absolute()),
            plugins=[str(path.absolute()) for path in chosen.plugins],
            environments=self.versions.entries(self.store),
            methods=jpeg_entries(methods, cells),
            metrics=[
                MetricEntry(m.name, m.label, m.higher_is_better, m.variant_of, m.version)
                for m in chosen.metrics
            ],
            scenes=self.scenes,
            cells=cells,
        )


def takes_precision(method: SelectedMethod) -> bool:
    """Whether the number format decides what it computes."""
    return isinstance(method, ConfiguredMethod) and method.method.takes_precision


def _files(functions: Sequence[Callable[..., Any]]) -> list[Path]:
    """The user's files that register the functions."""
    files = (plugin_of(inspect.unwrap(fn).__module__) for fn in functions)
    return [file for file in dict.fromkeys(files) if file]


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
