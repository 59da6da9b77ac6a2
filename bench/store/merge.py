"""Several runs joined into one: their records, images and manifests."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.core.errors import DataUnavailable, UsageError
from bench.core.files import safe_name, write_bytes
from bench.store.keys import score_key
from bench.store.store import MANIFEST, Store

#: What the runs must agree in for their cells to be of one table.
SAME = ("format", "device", "threads", "metrics")


def merge(parts: Sequence[tuple[Path, Store]], out: Path, store: Store) -> dict[str, Any]:
    """Join runs into the folder `out`; returns the manifest.

    Parameters
    ----------
    parts : sequence of (Path, Store)
        Output folder and store of each run. The first that has a cell gives it.
    out : path
        Gets the manifest and the fused images.
    store : Store
        Gets the records and images, verified.

    Raises
    ------
    DataUnavailable
        A folder holds no finished run.
    UsageError
        The runs differ in what must be the same.
    """
    manifests = [_manifest(folder) for folder, _ in parts]
    for (folder, _), manifest in zip(parts, manifests, strict=True):
        for name in SAME:
            if manifest.get(name) != manifests[0].get(name):
                raise UsageError(f"{folder} and {parts[0][0]} differ in {name}")
    _same_precision([folder for folder, _ in parts], manifests)
    cells: dict[tuple[str, str, str], dict[str, Any]] = {}
    with store.lock():
        for (_, source), manifest in zip(parts, manifests, strict=True):
            scenes = {(s["dataset"], s["scene"]): s for s in manifest["scenes"]}
            for versions in manifest.get("libraries", []):
                _copy_record(versions["key"], source, store)
            for cell in manifest["cells"]:
                scene = scenes[cell["dataset"], cell["scene"]]
                place = (cell["dataset"], cell["scene"], cell["method"])
                if place not in cells:
                    cells[place] = cell
                    _copy(cell, scene.get("fingerprint", ""), source, store, out)
        joined = {
            **manifests[0],
            "complete": all(manifest["complete"] for manifest in manifests),
            "finished": max(manifest["finished"] for manifest in manifests),
            "merged": [manifest["machine"] for manifest in manifests],
            "libraries": _libraries(manifests),
            "methods": _union(manifests, "methods", ("name",)),
            "scenes": _union(manifests, "scenes", ("dataset", "scene")),
            "cells": list(cells.values()),
        }
        text = json.dumps(joined, indent=1, ensure_ascii=False)
        write_bytes(out / MANIFEST, text.encode())
    return joined


def _same_precision(folders: Sequence[Path], manifests: Sequence[dict[str, Any]]) -> None:
    """Raise unless the methods that can choose a number format computed in one."""
    formats: dict[str, Path] = {}
    for folder, manifest in zip(folders, manifests, strict=True):
        if any(method.get("takes_precision") for method in manifest["methods"]):
            formats.setdefault(manifest["precision"], folder)
    if len(formats) > 1:
        said = ", ".join(f"{name} in {folder}" for name, folder in formats.items())
        raise UsageError(
            f"learned methods computed in different number formats ({said}); "
            "run all parts with one --precision"
        )


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        return {**manifest, "cells": list(manifest["cells"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataUnavailable(f"{folder / MANIFEST}: no finished run to merge ({error})") from None


def _union(
    manifests: Sequence[dict[str, Any]], what: str, keys: tuple[str, ...]
) -> list[dict[str, Any]]:
    entries: dict[tuple[str, ...], dict[str, Any]] = {}
    for manifest in manifests:
        for entry in manifest[what]:
            entries.setdefault(tuple(entry[key] for key in keys), entry)
    return list(entries.values())


def _copy(cell: dict[str, Any], scene: str, source: Store, target: Store, out: Path) -> None:
    """Copy what belongs to one cell; what is damaged is left behind."""
    pixels = cell.get("pixels", "")
    for key in _keys(cell, scene, pixels):
        _copy_record(key, source, target)
    file = source.image_path(pixels) if pixels else None
    if file is None or source.get_image(pixels) is None:
        return
    if target.image_path(pixels) is None:
        target.put_png(pixels, file.read_bytes())
    folder = out / "fused" / safe_name(cell["dataset"]) / safe_name(cell["scene"])
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, folder / f"{safe_name(cell['method'])}.png")


def _copy_record(key: str, source: Store, target: Store) -> None:
    record = source.get(key)
    if record is not None and target.get(key) is None:
        target.put(key, record)


def _libraries(manifests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The version sets of all runs, with the sums of their counts.

    A cell that several runs have is counted in each: how often versions were used, not a census.
    """
    joined: dict[str, dict[str, Any]] = {}
    for entry in (entry for manifest in manifests for entry in manifest.get("libraries", [])):
        known = joined.setdefault(entry["key"], {**entry, "cells": 0, "scores": 0})
        for count in ("cells", "scores"):
            known[count] += entry[count]
    return list(joined.values())


def _keys(cell: dict[str, Any], scene: str, pixels: str) -> Iterator[str]:
    yield from (cell[name] for name in ("key", "timing") if name in cell)
    if pixels and scene:
        yield score_key(scene, pixels)
