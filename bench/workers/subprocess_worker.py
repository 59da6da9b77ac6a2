"""A workbench that survives whatever is put on it: the work is done in a child.

A method that hangs, crashes or eats memory costs its own cell: the child is replaced, and the
cell gets a status. A child that had served other cells before may have died of what those left
behind, or by somebody's hand; its cell is tried again in a fresh one. Of a cell that takes more
memory than is allowed, it is measured which size would fit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from bench.workers.need import Needs, window
from bench.workers.process import Child, Limits, Lost, Setup

Record = dict[str, Any]

#: How often a cell is tried whose process was killed, or died of what may not be its fault.
TRIES = 3


class Supervised:
    """A `bench.workers.worker.Workbench` in a child that is started when it is first needed.

    Parameters
    ----------
    setup : Setup
        What the child works on.
    limits : Limits
        Of one fusion, or of one score.
    fresh : bool
        Whether every fusion gets a child of its own.
    needs : Needs, optional
        What was measured on other scenes.
    """

    def __init__(
        self, setup: Setup, limits: Limits, fresh: bool = False, needs: Needs | None = None
    ) -> None:
        self._setup = setup
        self._needs = needs or Needs()
        self._limits = limits
        self._fresh = fresh
        self._child: Child | None = None
        self._holds = ""
        self._guard = threading.Lock()
        self._abandoned = False

    def fuse(self, method: str, parameters: Mapping[str, Any]) -> tuple[Record, bytes]:
        """See `Workbench.fuse`; a child that is lost gives ``timeout``, ``crashed`` or ``oom``."""
        work = "fuse", method, str(sorted(parameters.items()))
        if reason := self._needs.refusal(method, work, self._setup, self._limits):
            return {"status": "oom", "message": reason}, b""
        if self._fresh:
            self.close()
        try:
            record, data = self.ask("fuse", method, dict(parameters))
        except Lost as lost:
            record, data = _lost(lost), b""
        if data:
            self._holds = record["pixels"]

        def on_a_part(child: Child, share: float) -> Record:
            return dict(child.ask("fuse", (method, dict(parameters)), self._limits)[0])

        return self._explained(record, method, work, on_a_part), data

    def score(self, metric: str, pixels: str, load: Callable[[], NDArray[Any]]) -> Record:
        """See `Workbench.score`; the image is loaded only when the child does not have it."""

        def request(child: Child) -> Any:
            if self._holds != pixels:
                child.ask("hold", (pixels, load()), self._limits)
                self._holds = pixels
            return child.ask("score", (metric, pixels), self._limits)

        def on_a_part(child: Child, share: float) -> Record:
            child.ask("hold", (pixels, window(load(), share)), self._limits)
            return dict(child.ask("score", (metric, pixels), self._limits))

        work = "score", metric
        if reason := self._needs.refusal(metric, work, self._setup, self._limits):
            return {"status": "oom", "message": reason, "value": None}
        try:
            record = dict(self._try(request))
        except Lost as lost:
            record = {**_lost(lost), "value": None}
        return self._explained(record, metric, work, on_a_part)

    def seconds(self, method: str, parameters: Mapping[str, Any]) -> float | None:
        """See `Workbench.seconds`."""
        try:
            taken = self.ask("seconds", method, dict(parameters))
        except Lost:
            return None
        return None if taken is None else float(taken)

    def close(self) -> None:
        """End the child."""
        with self._guard:
            child, self._child, self._holds = self._child, None, ""
        if child is not None:
            child.close()

    def abandon(self) -> None:
        """End the child from another thread; a request under way raises `KeyboardInterrupt`."""
        with self._guard:
            self._abandoned = True
            if self._child is not None:
                self._child.signal()

    def _explained(
        self,
        record: Record,
        name: str,
        work: tuple[str, ...],
        on_a_part: Callable[[Child, float], Record],
    ) -> Record:
        """The record, with the size that would fit when memory ran out."""
        if record["status"] != "oom":
            return record
        self.close()

        def request(child: Child, share: float) -> None:
            with self._guard:
                if self._abandoned:
                    raise KeyboardInterrupt
                self._child = child  # for `abandon` to end
            try:
                answer = on_a_part(child, share)
            finally:
                self._child = None
            if answer["status"] != "ok":
                raise Lost(answer["status"], answer["message"], "")

        reason = self._needs.explained(
            record["message"], name, work, self._setup, self._limits, request
        )
        return {**record, "message": reason}

    def ask(self, name: str, *arguments: Any) -> Any:
        """The answer to another request, or `bench.workers.process.Lost`."""
        return self._try(lambda child: child.ask(name, arguments, self._limits))

    def _try(self, request: Callable[[Child], Any]) -> Any:
        """Make a request of the child; if that dies and may not be to blame, of another."""
        left = TRIES
        while True:
            left -= 1
            child = self._living()
            fresh = child.served == 0
            try:
                return request(child)
            except Lost as lost:
                self.close()
                if self._abandoned:
                    raise KeyboardInterrupt from lost
                innocent = not fresh and (lost.died or lost.status == "oom")
                if not left or not (innocent or lost.killed):
                    raise
            except BaseException:
                self.close()
                raise

    def _living(self) -> Child:
        with self._guard:
            if self._abandoned:
                raise KeyboardInterrupt
            if self._child is None:
                self._child = Child(self._setup)
            return self._child


def _lost(lost: Lost) -> Record:
    """The record of a request that was not answered."""
    return {"status": lost.status, "message": lost.message, "output": lost.output}
