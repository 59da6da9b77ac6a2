"""The sources of a run's scenes, read again: the store keeps fused images only.

A scene counts as found when its pixels are those that were fused; nothing is downloaded.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from bench.core.errors import BenchError
from datasets import DATASETS, Scene, SceneImages, load_scenes


class Sources:
    """Reads the scenes of a manifest.

    Parameters
    ----------
    manifest : dict
        ``run.json``; its command says which folders the scenes of ``folder:DIR`` were in.
    """

    def __init__(self, manifest: dict[str, Any]) -> None:
        self._scenes: dict[str, Scene] = {}
        wanted = dict.fromkeys(scene["dataset"] for scene in manifest["scenes"])
        given = [part for part in manifest["command"] if part.partition(":")[0] in wanted]
        with _offline():
            for selection in [*(part for part in given if ":" in part), *wanted]:
                with contextlib.suppress(BenchError):
                    for scene in load_scenes(selection):
                        self._scenes.setdefault(scene.name, scene)

    def images(self, entry: dict[str, Any]) -> tuple[SceneImages | None, str]:
        """Images of a scene of the manifest, or None and why they cannot be shown."""
        scene = self._scenes.get(f"{entry['dataset']}/{entry['scene']}")
        if scene is None:
            known = entry["dataset"] in DATASETS
            return None, "the scene is not found again" if known else "the dataset is not known"
        with _offline():
            if reason := scene.missing():
                return None, reason
            try:
                images = scene.read().check(scene.name)
            except BenchError as error:
                return None, str(error)
        if images.fingerprint() != entry["fingerprint"]:
            return None, "the sources found here are not those that were fused"
        return images, ""


@contextlib.contextmanager
def _offline() -> Iterator[None]:
    """A report reads; it never downloads."""
    before = os.environ.get("MFIF_OFFLINE")
    os.environ["MFIF_OFFLINE"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["MFIF_OFFLINE"]
        else:
            os.environ["MFIF_OFFLINE"] = before
