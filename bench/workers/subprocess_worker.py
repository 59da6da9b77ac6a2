"""Runs a worker in a subprocess; a hang, crash or exhausted memory becomes a failed cell.

The process is replaced when it dies or is killed over a limit. One that had served other cells
before may have died of what those left behind, and one may have been killed by another process;
such a cell is tried again in a fresh one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from bench.store.records import FusionRecord, ScoreRecord
from bench.workers.process import Limits, Setup, WorkerFailure, WorkerProcess
from bench.workers.ticket import SceneFacts, Ticket, read_scene
from bench.workers.worker import Result, Seconds
from datasets import Scene, SceneImages

#: How often a cell is tried whose process was killed, or died of what may not be its fault.
TRIES = 3


class SubprocessWorker:
    """A `bench.workers.worker.Worker` in a process that is started when it is first needed.

    It may open one scene after another; a process that has fused is replaced between two scenes.

    Parameters
    ----------
    setup : Setup
        What the process is told.
    limits : Limits
        Of reading a scene, of one fusion and of one score.
    fresh : bool
        Whether every fusion gets a process of its own.
    """

    def __init__(self, setup: Setup, limits: Limits, fresh: bool = False) -> None:
        self._setup = setup
        self._limits = limits
        self._fresh = fresh
        self._source: Ticket | SceneImages | None = None
        self._child: WorkerProcess | None = None
        self._dirty = False  # whether the process has run a method or metric
        self._holds = ""
        self._guard = threading.Lock()
        self._abandoned = False

    def open(self, scene: Scene | SceneImages) -> SceneFacts:
        """Read a scene in the process.

        A scene that was made by hand with a ``read`` that cannot be pickled is read in this one.
        """
        if self._dirty:
            self.close()
        self._holds = ""
        source: Ticket | SceneImages | None = scene if isinstance(scene, SceneImages) else None
        if isinstance(scene, Scene) and (source := Ticket.of(scene)) is None:
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
        """See `Worker.fuse`; a process that is lost gives ``timeout``, ``crashed`` or ``oom``."""
        if self._fresh and self._dirty:
            self.close()
        try:
            result: Result = self.ask("fuse", method, dict(parameters))
        except WorkerFailure as failure:
            lost = FusionRecord(failure.status, failure.message, output=failure.output)
            return Result(lost, {})
        self._dirty = True
        if result.png:
            self._holds = result.record.pixels
        return result

    def score(self, metric: str, pixels: str, load: Callable[[], NDArray[Any]]) -> Result:
        """See `Worker.score`; the image is loaded only when the process does not have it."""

        def request(child: WorkerProcess) -> Any:
            if self._holds != pixels:
                child.ask("hold", (pixels, load()), self._limits)
                self._holds = pixels
            return child.ask("score", (metric, pixels), self._limits)

        try:
            result: Result = self._try(request)
        except WorkerFailure as failure:
            lost = ScoreRecord(failure.status, failure.message, output=failure.output)
            return Result(lost, {})
        self._dirty = True
        return result

    def seconds(self, method: str, parameters: Mapping[str, Any]) -> Seconds:
        """See `Worker.seconds`."""
        try:
            taken: Seconds = self.ask("seconds", method, dict(parameters))
        except WorkerFailure as failure:
            return Seconds(0.0, failure.status, failure.message)
        self._dirty = True
        return taken

    def close(self) -> None:
        """End the process."""
        with self._guard:
            child, self._child = self._child, None
            self._holds, self._dirty = "", False
        if child is not None:
            child.close()

    def abandon(self) -> None:
        """End the process from another thread; a request under way raises `KeyboardInterrupt`."""
        with self._guard:
            self._abandoned = True
            if self._child is not None:
                self._child.signal()

    def ask(self, name: str, *arguments: Any) -> Any:
        """What the method `name` of the worker returns; raises `WorkerFailure`."""
        return self._try(lambda child: child.ask(name, arguments, self._limits))

    def _try(self, request: Callable[[WorkerProcess], Any]) -> Any:
        """Make a request; if the process dies and the request may not be the cause, again."""
        left = TRIES
        while True:
            left -= 1
            clean = not self._dirty
            try:
                child = self._living()
                return request(child)
            except WorkerFailure as failure:
                self.close()
                if self._abandoned:
                    raise KeyboardInterrupt from failure
                left_behind = not clean and (failure.died or failure.status == "oom")
                if not left or not (left_behind or failure.killed):
                    raise
            except BaseException:
                self.close()
                raise

    def _living(self) -> WorkerProcess:
        """The process; a new one is told the open scene first."""
        with self._guard:
            if self._abandoned:
                raise KeyboardInterrupt
            if self._child is not None:
                return self._child
            self._child = child = WorkerProcess(self._setup)
        if self._source is not None:
            child.ask("open", (self._source,), self._limits)
        return child
