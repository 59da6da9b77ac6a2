"""Loads a scene in another process; and what a worker finds when it reads a scene."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace

from bench.core.errors import DataUnavailable
from bench.workers.reason import reason_of
from datasets import Scene, SceneChange, SceneImages, load_scenes


@dataclass(frozen=True)
class SceneFacts:
    """What a worker found when it read a scene.

    Attributes
    ----------
    status, message : str
        ``ok``, or why its images cannot be used.
    fingerprint : str
        Hash of the pixels.
    sources, height, width, channels : int
        Number and size of the images.
    reference : bool
        Whether it has an all-in-focus reference.
    bits : int
        The bits that its 16-bit images had before they were scaled; 0 if they were not.
    notes : tuple of str
        What a user should know of its images.
    align_s : float
        Seconds that their alignment took; 0 without one.
    """

    status: str
    message: str = ""
    fingerprint: str = ""
    sources: int = 0
    height: int = 0
    width: int = 0
    channels: int = 0
    reference: bool = False
    bits: int = 0
    notes: tuple[str, ...] = ()
    align_s: float = 0.0

    @classmethod
    def of(cls, images: SceneImages) -> SceneFacts:
        """The facts of images that were read and checked."""
        height, width = images.sources[0].shape[:2]
        return cls(
            status="ok",
            fingerprint=images.fingerprint(),
            sources=len(images.sources),
            height=height,
            width=width,
            channels=3 if any(source.ndim == 3 for source in images.sources) else 1,
            reference=images.reference is not None,
            bits=images.bits,
            notes=images.notes,
            align_s=images.align_s,
        )


@dataclass(frozen=True)
class SceneLoader:
    """Loads a scene in another process: pickled, or selected again if it cannot be pickled.

    Attributes
    ----------
    pickled : bytes
        The scene itself; empty when its ``read`` cannot be pickled.
    selected, name : str
        What it was selected by, and its name, to select it again.
    bits, changes
        See `datasets.Scene`.
    """

    pickled: bytes
    selected: str = ""
    name: str = ""
    bits: int = 0
    changes: tuple[SceneChange, ...] = ()

    @classmethod
    def of(cls, scene: Scene) -> SceneLoader | None:
        """The loader of `scene`; None if it can be neither pickled nor selected again."""
        try:
            return cls(pickle.dumps(scene))
        except (pickle.PicklingError, AttributeError, TypeError):
            if not scene.selected:
                return None
            return cls(b"", scene.selected, scene.name, scene.bits, scene.changes)

    def load(self) -> Scene:
        """The scene, in this process."""
        if self.pickled:
            scene: Scene = pickle.loads(self.pickled)
            return scene
        for scene in load_scenes(self.selected):
            if scene.name == self.name:
                return replace(scene, bits=self.bits, changes=self.changes)
        raise DataUnavailable(f"scene {self.name}: no longer in {self.selected}")


def read_scene(source: Scene | SceneLoader | SceneImages) -> tuple[SceneFacts, SceneImages | None]:
    """Read a scene; an error becomes the status and message of its facts."""
    try:
        if isinstance(source, SceneImages):
            return SceneFacts.of(source), source
        images = (source.load() if isinstance(source, SceneLoader) else source).read_checked()
        return SceneFacts.of(images), images
    except DataUnavailable as error:
        return SceneFacts("skipped", str(error)), None
    except MemoryError as error:
        return SceneFacts("oom", str(error) or "out of memory"), None
    except Exception as error:
        return SceneFacts("failed", reason_of(error)), None
