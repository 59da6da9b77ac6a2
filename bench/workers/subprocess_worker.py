"""Runs a worker in a subprocess; a hang, crash or exhausted memory becomes a failed cell.

The process is replaced when it dies or is killed over a limit. The cell is tried again in a new
process if the old one had run other cells, which may have damaged it, or was killed by another
process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from bench.store.records import FusionRecord, ScoreRecord
from bench.workers.process import Limits, Setup, WorkerFailure, WorkerProcess
from bench.workers.scene_loader import SceneFacts, SceneLoader, read_scene
from bench.workers.worker import Result, Seconds
from datasets import Scene, SceneImages

#: How often a cell is tried whose process was killed, or died after it had run other cells.
TRIES = 3


class SubprocessWorker:
    """A `bench.workers.worker.Worker` in a process that starts when it is first needed.

    It may open one scene after another; a process that has fused is replaced between two scenes.

    Parameters
    ----------
    setup : Setup
        Settings of the process.
    limits : Limits
        Limits of reading a scene, of one fusion and of one score.
    fresh : bool
        Whether every fusion gets its own process.
    """

    def __init__(self, setup: Setup, limits: Limits, fresh: bool = False) -> None:
        self._setup = setup
        self._limits = limits
        self._fresh = fresh
        self._source: SceneLoader | SceneImages | None = None
        self._process: WorkerProcess | None = None
        self._dirty = False  # whether the process has run a method or metric
        self._holds = ""
        self._guard = threading.Lock()
        self._abandoned = False

    def open(self, scene: Scene | SceneImages) -> SceneFacts:
        """Read a scene in the process.

        A scene that can be neither pickled nor selected again is read in this process.
        """
        if self._dirty:
            self.close()
        self._holds = ""
        source: SceneLoader | SceneImages | None = scene if isinstance(scene, SceneImages) else None
        if isinstance(scene, Scene) and (source := SceneLoader.of(scene)) is None:
            facts, source = read_scene(scene)
            if source is None:
                return facts
        self._source = None
        try:
            facts = self.ask("open", source)
        except WorkerFailure as failure:
            return SceneFacts(failure.status, failure.message)
        self._source = source
        return facts

    def images(self) -> SceneImages:
        """The images of the open scene."""
        images: SceneImages = self.ask("images")
        return images

    def fuse(self, method: str, parameters: Mapping[str, Any]) -> Result:
        """See `Worker.fuse`; a process that ends gives ``timeout``, ``crashed`` or ``oom``."""
        if self._fresh and self._dirty:
            self.close()
        try:
            result: Result = self.ask("fuse", method, dict(parameters))
        except WorkerFailure as failure:
            record = FusionRecord(failure.status, failure.message, output=failure.output)
            return Result(record, {})
        self._dirty = True
        if result.png:
            self._holds = result.record.pixels
        return result

    def score(self, metric: str, pixels: str, load: Callable[[], NDArray[Any]]) -> Result:
        """See `Worker.score`; the image is loaded only when the process does not have it."""

        def request(process: WorkerProcess) -> Any:
            if self._holds != pixels:
                process.ask("hold", (pixels, load()), self._limits)
                self._holds = pixels
            return process.ask("score", (metric, pixels), self._limits)

        try:
            result: Result = self._try(request)
        except WorkerFailure as failure:
            record = ScoreRecord(failure.status, failure.message, output=failure.output)
            return Result(record, {})
        self._dirty = True
        return result

    def seconds(self, method: str, parameters: Mapping[str, Any]) -> Seconds:
        """See `Worker.seconds`."""
        try:
            taken: Seconds = self.ask("warm", method, dict(parameters))  # with a limit of its own
            if taken.status == "ok":
                taken = self.ask("seconds", method, dict(parameters))
        except WorkerFailure as failure:
            return Seconds(0.0, failure.status, failure.message)
        self._dirty = True
        return taken

    def notes(self) -> tuple[str, ...] | None:
        """See `Worker.notes`; a process that ends gives None."""
        try:
            found: tuple[str, ...] | None = self.ask("notes")
        except WorkerFailure:
            return None
        return found

    def close(self) -> None:
        """End the process."""
        with self._guard:
            process, self._process = self._process, None
            self._holds, self._dirty = "", False
        if process is not None:
            process.close()

    def abandon(self) -> None:
        """End the process from another thread; a request under way raises `KeyboardInterrupt`."""
        with self._guard:
            self._abandoned = True
            if self._process is not None:
                self._process.signal()

    def ask(self, name: str, *arguments: Any) -> Any:
        """What the method `name` of the worker returns; raises `WorkerFailure`."""
        return self._try(lambda process: process.ask(name, arguments, self._limits))

    def _try(self, request: Callable[[WorkerProcess], Any]) -> Any:
        """Make a request; repeat it if the process dies and the request may not be the cause."""
        left = TRIES
        while True:
            left -= 1
            dirty = self._dirty
            try:
                process = self._running_process()
                return request(process)
            except WorkerFailure as failure:
                self.close()
                if self._abandoned:
                    raise KeyboardInterrupt from failure
                others_may_be_the_cause = dirty and (failure.died or failure.status == "oom")
                if not left or not (others_may_be_the_cause or failure.killed):
                    raise
            except BaseException:
                self.close()
                raise

    def _running_process(self) -> WorkerProcess:
        """The running process; a new one opens the scene first."""
        with self._guard:
            if self._abandoned:
                raise KeyboardInterrupt
            if self._process is not None:
                return self._process
            self._process = process = WorkerProcess(self._setup)
        if self._source is not None:
            process.ask("open", (self._source,), self._limits)
        return process
