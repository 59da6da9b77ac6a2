"""The sources of a run's scenes, read again: the store keeps fused images only.

A scene counts as found when its pixels are those that were fused; nothing is downloaded.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from bench.core.errors import BenchError
from bench.core.plugins import load_plugin
from bench.store.manifest import RunManifest, SceneEntry
from datasets import DATASETS, Scene, SceneImages, load_scenes
from datasets.alignment.change import alignment_of, with_alignment
from datasets.perturbations import split_dataset

_log = logging.getLogger(__name__)

#: Called with one line: what is missing, and why.
Note = Callable[[str], None]


class Sources:
    """Reads the scenes of a run.

    Parameters
    ----------
    manifest : RunManifest
        Its scenes say what each was selected by, and it names the user's files that may define
        their datasets: these are loaded.
    note : callable
        Called with one line for each of the user's files that cannot be loaded.
    """

    def __init__(self, manifest: RunManifest, note: Note = _log.warning) -> None:
        self._scenes: dict[str, dict[str, Scene]] = {}
        self._reasons: dict[str, str] = {}
        for plugin in manifest.plugins:
            if reason := _loaded(Path(plugin)):
                note(reason)
        with _offline():
            for selection in dict.fromkeys(map(_selection, manifest.scenes)):
                try:
                    found = load_scenes(selection)
                    self._scenes[selection] = {scene.name: scene for scene in found}
                except BenchError as error:
                    self._reasons[selection] = str(error)

    def images(self, entry: SceneEntry) -> tuple[SceneImages | None, str]:
        """Images of a scene of the manifest, or None and why they cannot be shown."""
        if (dataset := split_dataset(entry.dataset)[0]) not in DATASETS:
            return None, f"the dataset {dataset!r} is not known"
        selection = _selection(entry)
        scene = self._scenes.get(selection, {}).get(entry.name)
        if scene is None:
            return None, f"not found again: {self._reasons.get(selection, 'no such scene')}"
        with _offline():
            if reason := scene.missing():
                return None, reason
            try:
                as_read = replace(scene, bits=entry.bits)
                (prepared,) = with_alignment([as_read], alignment_of(entry.changes))
                images = prepared.read_checked()
            except BenchError as error:
                return None, str(error)
        if images.fingerprint() != entry.fingerprint:
            return None, "the sources found here are not those that were fused"
        return images, ""


def _selection(entry: SceneEntry) -> str:
    """The selection that lists the scene: a folder with its dataset, else the whole dataset."""
    return entry.selection if ":" in entry.selection else entry.dataset


def _loaded(plugin: Path) -> str:
    """Load a user's file unless it is loaded; returns why it cannot be loaded, or nothing."""
    if any(getattr(m, "__file__", None) == str(plugin) for m in list(sys.modules.values())):
        return ""
    try:
        load_plugin(plugin)
    except BenchError as error:
        return str(error)
    return ""


@contextlib.contextmanager
def _offline() -> Iterator[None]:
    """Within the block no dataset is downloaded."""
    before = os.environ.get("MFIF_OFFLINE")
    os.environ["MFIF_OFFLINE"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["MFIF_OFFLINE"]
        else:
            os.environ["MFIF_OFFLINE"] = before
