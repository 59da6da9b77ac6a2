"""Scenes are read in children too: a dataset is a stranger's code as much as a method is.

A reader is one child that serves scene after scene and is replaced when it hangs or dies; as many
are kept as scenes are read at the same time.
"""

from __future__ import annotations

import os
import pickle
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.workers.process import Limits, Lost, Setup
from bench.workers.reading import Ticket, attempt
from bench.workers.subprocess_worker import Supervised
from datasets import Scene, SceneImages


@dataclass(frozen=True)
class Here:
    """Reads scenes in this process, without limits."""

    def read(self, scene: Scene) -> SceneImages:
        """See `Readers.read`."""
        return _images(*attempt(scene))

    def close(self) -> None:
        """Nothing is left behind."""

    def abandon(self) -> None:
        """Nothing can be ended early in this process."""


class Readers:
    """Reads scenes in children.

    Parameters
    ----------
    plugins : sequence of Path
        Files that register the user's datasets.
    limits : Limits
        Of one scene.
    """

    def __init__(self, plugins: Sequence[Path], limits: Limits) -> None:
        self._setup = Setup(SceneImages(()), plugins=plugins, reads=True)
        self._limits = limits
        self._idle: queue.SimpleQueue[Supervised] = queue.SimpleQueue()
        self._all: list[Supervised] = []
        self._guard = threading.Lock()
        self._abandoned = False
        # A cluster asks for many scenes at once, and all are read on this machine.
        self._room = threading.Semaphore(os.cpu_count() or 1)

    def read(self, scene: Scene) -> SceneImages:
        """The checked images of a scene.

        A scene whose `read` cannot be sent to another process is found there by what it was
        selected by; one that was made by hand with such a `read` is read in this process.

        Raises
        ------
        Lost
            There are none; its status and message say why.
        """
        ticket = _ticket(scene)
        if ticket is None:
            return Here().read(scene)
        with self._room:
            reader = self._reader()
            try:
                return _images(*reader.ask("read", ticket))
            finally:
                self._idle.put(reader)

    def close(self) -> None:
        """End the children."""
        for reader in self._all:
            reader.close()

    def abandon(self) -> None:
        """End the children from another thread; whoever waits gets `KeyboardInterrupt`."""
        with self._guard:
            self._abandoned = True
            readers = list(self._all)
        for reader in readers:
            reader.abandon()

    def _reader(self) -> Supervised:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            reader = Supervised(self._setup, self._limits)
            with self._guard:
                self._all.append(reader)
                abandoned = self._abandoned
            if abandoned:  # while this one was being made
                reader.abandon()
            return reader


def _ticket(scene: Scene) -> Ticket | None:
    try:
        return Ticket(pickle.dumps(scene))
    except (pickle.PicklingError, AttributeError, TypeError):
        return Ticket(b"", scene.selected, scene.name) if scene.selected else None


def _images(status: str, message: str, images: SceneImages | None) -> SceneImages:
    if images is None:
        raise Lost(status, message, "")
    return images
