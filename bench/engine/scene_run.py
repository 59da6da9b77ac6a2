"""One scene of a run: its cells fused and scored one after the other, then timed in turn."""

from __future__ import annotations

import filecmp
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bench.core.errors import EnvironmentFault
from bench.core.files import safe_name, write_bytes
from bench.core.fingerprint import digest
from bench.core.precision import Precision
from bench.engine import cell, timing
from bench.engine.cell import Bench, FusionJob
from bench.engine.selection import ConfiguredMethod, SelectedMethod
from bench.store.keys import timing_key
from bench.store.library_versions import VersionCount
from bench.store.store import Store
from bench.workers.process import Lost
from datasets import Scene, SceneImages
from metrics import Metric

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

    def again(self, record: Mapping[str, Any]) -> bool:
        """Whether the result in `record` is computed again."""
        return self.stored if record.get("status") == "ok" else self.failed


#: What ``--rerun`` offers.
RERUN = {
    "missing": Rerun(failed=False),
    "failed": Rerun(),
    "all": Rerun(stored=True),
    "none": Rerun(failed=False, missing=False),
}


@dataclass
class SceneRun:
    """The cells of one scene.

    Parameters
    ----------
    scene : Scene
        The scene.
    entrants, metrics : sequence
        What is run on it, and what of that is scored.
    store : Store
        Where records are kept.
    out : Path
        Gets the fused images.
    progress : Progress
        Told about each cell.
    read_images : callable
        Gives the images of the scene, or raises `Lost`.
    open_bench : callable
        Gives the place to work on a scene's images.
    device, precision : str
        Part of a cell's key.
    machine : mapping
        Part of a timing's key.
    repeats : int
        Timed repeats.
    rerun : Rerun
        What is computed again.
    contended : bool
        Whether other scenes are worked on at the same time.

    Attributes
    ----------
    about : dict
        The scene, for the manifest.
    cells : list of dict
        The finished cells, for the manifest.
    versions : VersionCount
        What they were made with.
    """

    scene: Scene
    entrants: Sequence[SelectedMethod]
    metrics: Sequence[Metric]
    store: Store
    out: Path
    progress: Progress
    read_images: Callable[[Scene], SceneImages]
    open_bench: Callable[[SceneImages], Bench]
    device: str
    precision: Precision
    machine: Mapping[str, Any]
    repeats: int
    rerun: Rerun
    contended: bool = False
    about: dict[str, Any] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    versions: VersionCount = field(default_factory=VersionCount)

    def execute(self) -> None:
        """Read the scene, then fuse, score and time what is to be."""
        self.progress.working(f"{self.scene.name}: reading")
        images = self.read()
        if images is None:
            for entrant in self.entrants:
                self._finish(entrant, {key: self.about[key] for key in ("status", "message")})
            return
        bench = self.open_bench(images)
        try:
            self._cells(images, bench)
        finally:
            bench.close()

    def read(self) -> SceneImages | None:
        """The scene's images, or None when they are not to be had; `about` says why."""
        scene = self.scene
        self.about = {
            "dataset": scene.dataset,
            "scene": scene.id,
            "title": scene.title,
            "origin": scene.origin,
            "note": scene.note,
        }
        if reason := scene.missing():
            self.about |= {"status": "skipped", "message": reason}
            return None
        try:
            images = self.read_images(scene)
        except Lost as lost:
            self.about |= {"status": lost.status, "message": lost.message}
            return None
        height, width = images.sources[0].shape[:2]
        self.about |= {
            "status": "ok",
            "fingerprint": images.fingerprint(),
            "sources": len(images.sources),
            "height": height,
            "width": width,
            "channels": 3 if any(source.ndim == 3 for source in images.sources) else 1,
            "reference": images.reference is not None,
        }
        return images

    def stored(self, entrant: SelectedMethod) -> tuple[str, Cell | None]:
        """Key of a cell, and its record if that is to be believed and kept."""
        key = entrant.key(self.about["fingerprint"], self.device, self.precision)
        record = self.store.get(key)
        if record is None or (record.get("status") == "ok" and not self._image_is_there(record)):
            return key, None
        return key, None if self.rerun.again(record) else record

    def _image_is_there(self, record: Mapping[str, Any]) -> bool:
        return self.store.get_image(str(record.get("pixels"))) is not None

    def applicable(self, images: SceneImages) -> list[Metric]:
        """The metrics that are defined for the scene."""
        return [
            metric
            for metric in self.metrics
            if not (metric.needs == "reference" and images.reference is None)
            and not (metric.stack == "two" and len(images.sources) > 2)
        ]

    def _cells(self, images: SceneImages, bench: Bench) -> None:
        """Fuse and score with every method, then time them all in turn."""
        metrics = self.applicable(images)
        finished: list[tuple[ConfiguredMethod, Cell]] = []
        for entrant in self.entrants:
            self.progress.working(f"{self.scene.name}: {entrant.name}")
            key, record = self.stored(entrant)
            cached = record is not None
            if record is None:
                record = self._fused(entrant, bench, key)
            result: Cell = {"key": key, **{k: record.get(k) for k in ("status", "message")}}
            if record["status"] == "ok":
                result |= {k: record[k] for k in ("pixels", "peak_bytes") if k in record}
                result["scores"] = self._scores(bench, metrics, record["pixels"])
                self._count_versions(entrant, record, result["scores"])
                self._export(entrant, record["pixels"])
                _demote(result)
                if isinstance(entrant, ConfiguredMethod):
                    result["timing"] = timing_key(key, self.machine)
                    finished.append((entrant, result))
            self._finish(entrant, result, cached)
        if self.repeats and self.rerun.missing:
            self._time(bench, finished)

    def _count_versions(
        self, entrant: SelectedMethod, record: Cell, scores: dict[str, Cell]
    ) -> None:
        """Count them, and leave their keys out of the manifest, which has room for no more."""
        self.versions.add(
            record if isinstance(entrant, ConfiguredMethod) else None, scores.values()
        )
        for name, entry in scores.items():
            scores[name] = {k: v for k, v in entry.items() if k != "libraries"}

    def _fused(self, entrant: SelectedMethod, bench: Bench, key: str) -> Cell:
        if not self.rerun.missing:
            return {"status": "skipped", "message": "not in the store, and --rerun is none"}
        if isinstance(entrant, ConfiguredMethod):
            return cell.fuse(FusionJob(entrant, bench), self.store, key)
        return cell.adopt(entrant, self.scene, self.store, key)

    def _scores(self, bench: Bench, metrics: list[Metric], pixels: str) -> dict[str, Any]:
        scene = self.about["fingerprint"]
        found = cell.look_up(metrics, self.store, scene, pixels, self.rerun.again)
        if found.missing and not self.rerun.missing:
            text = "not in the store, and --rerun is none"
            nothing = {"status": "skipped", "value": None, "message": text}
            return {m.name: nothing if m in found.missing else found.known[m.name] for m in metrics}
        return cell.score(bench, found, metrics, self.store, scene, pixels)

    def untimed(self, result: Mapping[str, Any]) -> bool:
        """Whether a finished cell lacks a timing as good as this run can take."""
        record = self.store.get(result["timing"])
        if record is None or self.rerun.stored:
            return True
        return bool(record.get("contended")) and not self.contended

    def _time(self, bench: Bench, finished: list[tuple[ConfiguredMethod, Cell]]) -> None:
        """Time the cells that have no timing on this machine yet."""
        todo = {variant.name: (variant, res) for variant, res in finished if self.untimed(res)}
        if not todo:
            return
        self.progress.working(f"{self.scene.name}: timing {len(todo)} methods")
        first = {}
        for name, (_, result) in todo.items():
            first[name] = (self.store.get(result["key"]) or {}).get("first_s", 0.0)
        jobs = {name: FusionJob(variant, bench) for name, (variant, _) in todo.items()}
        for name, seconds in timing.interleaved(jobs, first, repeats=self.repeats).items():
            result = todo[name][1]
            body = {
                "cell": result["key"],
                "machine": digest(self.machine),
                "seconds": seconds,
                "first_s": first[name],
                "contended": self.contended,
            }
            self.store.put(result["timing"], body)

    def _export(self, entrant: SelectedMethod, pixels: str) -> None:
        """Copy the fused image, whole or not at all, to where a person looks for it."""
        source = self.store.image_path(pixels)
        folder = self.out / "fused" / safe_name(self.scene.dataset) / safe_name(self.scene.id)
        target = folder / f"{safe_name(entrant.name)}.png"
        if source is None:
            return
        try:
            if not (target.is_file() and filecmp.cmp(source, target, shallow=False)):
                write_bytes(target, source.read_bytes())
        except OSError as error:
            raise EnvironmentFault(f"{target}: cannot be written ({error.strerror})") from error

    def _finish(self, entrant: SelectedMethod, result: Cell, cached: bool = False) -> None:
        head = {"dataset": self.scene.dataset, "scene": self.scene.id, "method": entrant.name}
        result.setdefault("scores", {})
        self.cells.append(head | result)
        what = f"{self.scene.name}: {entrant.name}"
        self.progress.done(what, result["status"], result["message"], cached)


def _demote(result: Cell) -> None:
    """A cell with a score that failed is not ok."""
    for name, entry in result["scores"].items():
        if entry["status"] != "ok" and result["status"] == "ok":
            result |= {"status": entry["status"], "message": f"{name}: {entry['message']}"}
