"""One scene of a run: its cells fused and scored one after the other, then timed in turn."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from bench.core.errors import EnvironmentFault
from bench.core.files import safe_name, write_bytes
from bench.core.fingerprint import digest
from bench.core.precision import Precision
from bench.engine import cell, timing
from bench.engine.image_folder import ImageFolder
from bench.engine.jpeg_rows import jpeg_key, jpeg_name, jpeg_of
from bench.engine.scene_entry import entry_of, image_notes, pixel_notes
from bench.engine.selection import ConfiguredMethod, SelectedMethod
from bench.store.keys import timing_key
from bench.store.library_versions import VersionCount
from bench.store.manifest import CellEntry, SceneEntry, Score
from bench.store.records import FusionRecord, ScoreRecord, TimingRecord
from bench.store.store import Store
from bench.workers.scene_loader import SceneFacts
from bench.workers.worker import Seconds, Worker
from datasets import Scene
from metrics import Metric

NOT_STORED = "not in the store, and --rerun is none"


class Progress(Protocol):
    """Receives the events of a run."""

    def start(self, cells: int) -> None:
        """A run of so many cells begins."""

    def working(self, what: str) -> None:
        """Work on `what` begins."""

    def done(self, what: str, status: str, message: str, cached: bool) -> None:
        """A cell is finished."""


@dataclass(frozen=True)
class Rerun:
    """Which stored results are computed again.

    Attributes
    ----------
    stored : bool
        Those that are ``ok``.
    failed : bool
        Those that are not.
    missing : bool
        Whether anything is computed at all.
    """

    stored: bool = False
    failed: bool = True
    missing: bool = True

    def again(self, status: str) -> bool:
        """Whether a result of that status is computed again."""
        return self.stored if status == "ok" else self.failed


#: What ``--rerun`` offers.
RERUN = {
    "missing": Rerun(failed=False),
    "failed": Rerun(),
    "all": Rerun(stored=True),
    "none": Rerun(failed=False, missing=False),
}


@dataclass(frozen=True)
class Settings:
    """The settings that all scenes of a run share.

    Attributes
    ----------
    metrics : dict of str to (Metric, str)
        The metrics by name, each with the fingerprint of its code.
    store : Store
        Where records are kept.
    out : Path
        Folder for the fused images.
    progress : Progress
        Receives the events of the run.
    device, precision : str
        Part of a cell's key.
    machine : str
        Id of this machine, part of a timing's key.
    repeats : int
        Timed repeats.
    rerun : Rerun
        Which stored results are computed again.
    contended : bool
        Whether other scenes are worked on at the same time.
    fused_here : bool
        Whether fusions run on this machine, so that their first call and memory are its own.
    jpeg : bool
        Whether lossless images are also scored through the JPEG of others on their scene.
    """

    metrics: Mapping[str, tuple[Metric, str]]
    store: Store
    out: Path
    progress: Progress
    device: str
    precision: Precision
    machine: str
    repeats: int
    rerun: Rerun
    contended: bool = False
    fused_here: bool = True
    jpeg: bool = True


@dataclass
class SceneRun:
    """The cells of one scene.

    Parameters
    ----------
    scene : Scene
        The scene.
    methods : sequence of SelectedMethod
        The methods to run on it.
    settings : Settings
        Settings of the run.

    Attributes
    ----------
    entry : SceneEntry or None
        The scene, for the manifest; None until it was read.
    cells : list of CellEntry
        The finished cells, for the manifest.
    versions : VersionCount
        What they were computed with.
    """

    scene: Scene
    methods: Sequence[SelectedMethod]
    settings: Settings
    entry: SceneEntry | None = None
    cells: list[CellEntry] = field(default_factory=list)
    versions: VersionCount = field(default_factory=VersionCount)

    def execute(self, worker: Worker) -> None:
        """Have `worker` read the scene, then fuse, score and time its cells."""
        self.settings.progress.working(f"{self.scene.name}: reading")
        facts = self.read(worker)
        if facts.status != "ok":
            for method in self.methods:
                self._finish(method, facts.status, facts.message)
            return
        compute = self.settings.rerun.missing
        store = self.settings.store
        self._note(*pixel_notes(worker, store, facts.fingerprint, compute=compute))
        metrics = self.applicable(facts)
        finished: list[tuple[ConfiguredMethod, CellEntry, FusionRecord]] = []
        records: dict[str, FusionRecord] = {}
        for method in self.methods:
            self.settings.progress.working(f"{self.scene.name}: {method.name}")
            entry, record = self._cell(method, worker, facts, metrics)
            records[method.name] = record
            if isinstance(method, ConfiguredMethod) and record.status == "ok":
                finished.append((method, entry, record))
        self._note(*image_notes(records))
        if self.settings.jpeg:
            self._through_jpeg(worker, facts, metrics, records)
        if self.settings.repeats and self.settings.rerun.missing:
            self._time(worker, finished)
        self.__dict__.pop("_sources", None)

    def read(self, worker: Worker) -> SceneFacts:
        """The facts of the scene, which `worker` reads; they are kept in `entry`."""
        scene = self.scene
        reason = scene.missing()
        facts = SceneFacts("skipped", reason) if reason else worker.open(scene)
        self.entry = entry_of(scene, facts)
        return facts

    def _note(self, *notes: str) -> None:
        """Add to the notes of the scene."""
        if self.entry is not None and notes:
            self.entry = dataclasses.replace(self.entry, notes=(*self.entry.notes, *notes))

    def stored(self, method: SelectedMethod, facts: SceneFacts) -> tuple[str, FusionRecord | None]:
        """Key of a cell, and its record; None if it is missing or will be computed again."""
        chosen = self.settings
        key = method.key(facts.fingerprint, chosen.device, chosen.precision)
        if isinstance(method, ImageFolder):  # two scenes may have equal pixels, and two images
            key = digest({"cell": key, "scene": self.scene.name, "bits": facts.bits})
        record = cell.find(chosen.store, key)
        if record is None or chosen.rerun.again(record.status):
            return key, None
        return key, record

    def applicable(self, facts: SceneFacts) -> dict[str, tuple[Metric, str]]:
        """The metrics that are defined for the scene."""
        return {
            name: (metric, code)
            for name, (metric, code) in self.settings.metrics.items()
            if not (metric.needs == "reference" and not facts.reference)
            and not (metric.stack == "two" and facts.sources > 2)
        }

    def _cell(
        self,
        method: SelectedMethod,
        worker: Worker,
        facts: SceneFacts,
        metrics: Mapping[str, tuple[Metric, str]],
    ) -> tuple[CellEntry, FusionRecord]:
        """Fuse and score, unless that is stored."""
        key, record = self.stored(method, facts)
        cached = record is not None
        if record is None:
            record = self._fused(method, worker, key, facts.bits)
        scores: dict[str, ScoreRecord] = {}
        if record.status == "ok":
            scores = self._scores(worker, metrics, facts.fingerprint, record.pixels)
            self.versions.add(
                record if isinstance(method, ConfiguredMethod) else None, scores.values()
            )
            self._export(method.name, record.pixels)
        return self._finish(
            method, record.status, record.message, key, record, scores, cached
        ), record

    def _fused(self, method: SelectedMethod, worker: Worker, key: str, bits: int) -> FusionRecord:
        chosen = self.settings
        if not chosen.rerun.missing:
            return FusionRecord("skipped", NOT_STORED)
        if isinstance(method, ConfiguredMethod):
            machine = chosen.machine if chosen.fused_here else ""
            return cell.fuse(method, worker, chosen.store, key, machine)
        return cell.adopt(method, self.scene, chosen.store, key, lambda: self._sources, bits)

    @cached_property
    def _sources(self) -> tuple[NDArray[Any], ...]:
        """The sources, kept while the scene is worked on."""
        return self.scene.read_checked().sources

    def _through_jpeg(
        self,
        worker: Worker,
        facts: SceneFacts,
        metrics: Mapping[str, tuple[Metric, str]],
        records: Mapping[str, FusionRecord],
    ) -> None:
        """Score the lossless images through the JPEG of the others, if there are others."""
        chosen, kind = self.settings, jpeg_of(list(records.values()))
        if kind is None:
            return
        for name, lossless in records.items():
            if lossless.status != "ok" or lossless.compression or jpeg_name(name) in records:
                continue
            chosen.progress.working(f"{self.scene.name}: {jpeg_name(name)}")
            key = jpeg_key(facts.fingerprint, lossless.pixels, *kind)
            record = cell.find(chosen.store, key)
            if record is None and not chosen.rerun.missing:
                record = FusionRecord("skipped", NOT_STORED)
            elif record is None or chosen.rerun.again(record.status):
                record = cell.derive(lossless, *kind, chosen.store)
                chosen.store.put(key, record.to_body())
            scores: dict[str, ScoreRecord] = {}
            if record.status == "ok":
                scores = self._scores(worker, metrics, facts.fingerprint, record.pixels)
                self.versions.add(None, scores.values())
                self._export(jpeg_name(name), record.pixels)
            self.cells.append(self._entry(jpeg_name(name), key, record, scores))

    def _scores(
        self, worker: Worker, metrics: Mapping[str, tuple[Metric, str]], scene: str, pixels: str
    ) -> dict[str, ScoreRecord]:
        chosen = self.settings
        found = cell.look_up(metrics, chosen.store, scene, pixels, chosen.rerun.again)
        if found.missing and not chosen.rerun.missing:
            return cell.unscored(found, list(metrics), NOT_STORED)
        return cell.score(worker, found, metrics, chosen.store, scene, pixels)

    def untimed(self, key: str) -> bool:
        """Whether a finished cell has no timing, or a contended one that this run can improve."""
        chosen = self.settings
        record = TimingRecord.from_body(chosen.store.get(timing_key(key, chosen.machine)))
        if record is None or chosen.rerun.again(record.status):
            return True
        fewer = len(record.seconds) < timing.rounds(record.seconds, chosen.repeats)
        return fewer or (record.contended and not chosen.contended)

    def _time(
        self,
        worker: Worker,
        finished: Sequence[tuple[ConfiguredMethod, CellEntry, FusionRecord]],
    ) -> None:
        """Time the cells that have no timing on this machine yet."""
        chosen = self.settings
        todo = {m.name: (m, entry, rec) for m, entry, rec in finished if self.untimed(entry.key)}
        if not todo:
            return
        chosen.progress.working(f"{self.scene.name}: timing {len(todo)} methods")

        def job(method: ConfiguredMethod) -> Seconds:
            return worker.seconds(method.method.name, method.parameters)

        jobs = {name: lambda method=method: job(method) for name, (method, _, _) in todo.items()}
        for name, samples in timing.interleaved(jobs, repeats=chosen.repeats).items():
            _, entry, record = todo[name]
            here = record.machine == chosen.machine
            body = TimingRecord(
                cell=entry.key,
                machine=chosen.machine,
                status=samples.status,
                message=samples.message,
                seconds=samples.seconds,
                first_s=record.first_s if here else None,
                peak_bytes=record.peak_bytes if here else None,
                contended=chosen.contended,
            )
            chosen.store.put(entry.timing, body.to_body())

    def _export(self, method: str, pixels: str) -> None:
        """Write the fused image into the output folder, whole or not at all."""
        folder = safe_name(self.scene.dataset), safe_name(self.scene.id)
        target = self.settings.out.joinpath("fused", *folder, f"{safe_name(method)}.png")
        png = self.settings.store.png(pixels)
        if png is None:
            return
        try:
            if not target.is_file() or target.read_bytes() != png:
                write_bytes(target, png, durable=False)
        except OSError as error:
            raise EnvironmentFault(f"{target}: cannot be written ({error.strerror})") from error

    def _finish(
        self,
        method: SelectedMethod,
        status: str,
        message: str,
        key: str = "",
        record: FusionRecord | None = None,
        scores: Mapping[str, ScoreRecord] | None = None,
        cached: bool = False,
    ) -> CellEntry:
        """Keep the entry of a finished cell; it is not ok if one of its scores failed."""
        entry = self._entry(method.name, key, record or FusionRecord(status, message), scores or {})
        if entry.pixels and isinstance(method, ConfiguredMethod):
            timing = timing_key(key, self.settings.machine)
            entry = dataclasses.replace(entry, timing=timing)
        self.cells.append(entry)
        said = f"{self.scene.name}: {method.name}"
        self.settings.progress.done(said, entry.status, entry.message, cached)
        return entry

    def _entry(
        self, name: str, key: str, record: FusionRecord, scores: Mapping[str, ScoreRecord]
    ) -> CellEntry:
        """The entry of a cell; it is not ok if one of its scores failed."""
        status, message, done = record.status, record.message, record.status == "ok"
        if done and (bad := {n: s for n, s in scores.items() if s.status != "ok"}):
            metric, worst = next(iter(bad.items()))
            status, message = worst.status, f"{metric}: {worst.message}"
        return CellEntry(
            dataset=self.scene.dataset,
            scene=self.scene.id,
            method=name,
            status=status,
            message=message,
            key=key,
            pixels=record.pixels if done else "",
            peak_bytes=record.peak_bytes if record.machine == self.settings.machine else 0,
            scores={
                name: Score(score.status, score.value, score.message, score.fingerprint)
                for name, score in scores.items()
            },
            compression=record.compression if done else "",
        )
