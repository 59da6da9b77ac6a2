"""What a child that reads scenes does: find the scene, read it, check it."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

from bench.core.errors import BenchError, DataUnavailable
from bench.workers.worker import reason_of
from datasets import Scene, SceneImages, load_scenes

#: Status, message and images of a scene; the images are None unless the status is ``ok``.
Answer = tuple[str, str, SceneImages | None]


@dataclass(frozen=True)
class Ticket:
    """A scene on its way to another process.

    Attributes
    ----------
    pickled : bytes
        The scene itself; empty when it cannot be sent.
    selected, name : str
        What it was selected by, and its name, to find it there.
    """

    pickled: bytes
    selected: str = ""
    name: str = ""

    def scene(self) -> Scene:
        """The scene, in this process."""
        if self.pickled:
            scene: Scene = pickle.loads(self.pickled)
            return scene
        for scene in load_scenes(self.selected):
            if scene.name == self.name:
                return scene
        raise DataUnavailable(f"scene {self.name}: no longer in {self.selected}")


class Reading:
    """Answers the requests of a `bench.workers.readers.Readers`."""

    def read(self, ticket: Ticket) -> Answer:
        """Read a scene."""
        try:
            scene = ticket.scene()
        except BenchError as error:
            return "failed", str(error), None
        return attempt(scene)


def attempt(scene: Scene) -> Answer:
    """Read a scene; an error becomes its status and message."""
    try:
        return "ok", "", scene.read_checked()
    except DataUnavailable as error:
        return "skipped", str(error), None
    except MemoryError as error:
        return "oom", str(error) or "out of memory", None
    except Exception as error:
        return "failed", reason_of(error), None
