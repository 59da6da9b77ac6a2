"""The rows of ``list scenes``: what is known of scenes without reading a pixel."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.core.errors import BenchError
from bench.core.raw import RAW_SUFFIXES
from bench.core.remarks import collect
from bench.engine.selection import select_scenes
from datasets import Scene, fetch
from datasets.by_hand import HandReader
from datasets.folder import FolderReader
from datasets.layouts.files import SceneFiles


def scene_rows(
    names: str | Sequence[str], layout: str | Sequence[str] = ()
) -> tuple[list[dict[str, Any]], list[str]]:
    """One row for each selected scene, and remarks about files that belong to none.

    Parameters
    ----------
    names : str or sequence of str
        As for ``bench run --datasets``.
    layout : str or sequence of str
        Which files of ``folder:DIR`` are what.

    Returns
    -------
    list of dict
        ``scene``, ``title``, ``sources`` (how many), ``size`` (width x height), ``reference``,
        ``origin``, ``files`` and ``note``; None for what only reading the scene would tell.
    list of str
        One sentence each.

    Examples
    --------
    >>> from bench.engine.scene_rows import scene_rows
    >>> rows, _ = scene_rows("lytro/c_01")
    >>> rows[0]["scene"], rows[0]["title"], rows[0]["sources"]
    ('liu2020/c_01', '', 2)
    """
    with collect() as remarks:
        scenes = select_scenes(names, layout)
        return [_row(scene) for scene in scenes], remarks


def _row(scene: Scene) -> dict[str, Any]:
    reader = scene.read
    if isinstance(reader, FolderReader):
        return _folder_row(scene, reader.files)
    hand = reader if isinstance(reader, HandReader) else None
    files = [*hand.sources, hand.reference] if hand else [path for _, path in scene.files]
    absent = "not on disk" if scene.missing() else ""
    return {
        "scene": scene.name,
        "title": scene.title,
        "sources": len(hand.sources) if hand else len(files) or None,
        "size": _size(_local(*scene.files[0])) if scene.files else None,
        "reference": bool(hand) or scene.origin != "real",
        "origin": scene.origin,
        "files": files,
        "note": "; ".join(filter(None, [scene.note, absent])),
    }


def _folder_row(scene: Scene, files: SceneFiles) -> dict[str, Any]:
    every = [*files.sources, files.reference, files.mask]
    top = Path(scene.selected.partition(":")[2].partition("::")[0])
    return {
        "scene": scene.name,
        "title": scene.title,
        "sources": files.count,
        "size": _size(files.sources[0]),
        "reference": files.reference is not None,
        "origin": scene.origin,
        "files": [os.path.relpath(file, top if top.is_dir() else top.parent)
                  for file in every if file],
        "note": "; ".join(files.notes),
    }  # fmt: skip


def _local(name: str, path: str) -> Path | None:
    """A catalogued file if it is on this machine."""
    try:
        return fetch.find(name, path, verify=False)
    except BenchError:
        return None


def _size(file: Path | None) -> str | None:
    """Width and height, upright, as the head of a file says; None if it cannot be told."""
    from PIL import ExifTags, Image

    if file is None or file.suffix.lower() in RAW_SUFFIXES:  # Pillow opens a raw photo's preview
        return None
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file) as picture:
            lies = picture.getexif().get(ExifTags.Base.Orientation) in {5, 6, 7, 8}
            return "x".join(map(str, picture.size[::-1] if lies else picture.size))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
