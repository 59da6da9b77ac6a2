"""What several finished runs selected together, so that one run can report them all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.core.errors import DataUnavailable, UsageError
from bench.engine.image_folder import IMAGES_PREFIX
from bench.engine.published import PUBLISHED_PREFIX
from bench.store.manifest import MethodEntry, RunManifest
from bench.store.store import Store


def joined_selection(manifests: Sequence[RunManifest]) -> dict[str, Any]:
    """Methods, datasets, metrics and options of all runs, as `bench.run` takes them.

    Raises
    ------
    UsageError
        The runs computed one learned method in different number formats.
    """
    first = manifests[0]
    formats = {m.precision for m in manifests if any(e.takes_precision for e in m.methods)}
    if len(formats) > 1:
        raise UsageError(
            f"the runs have different number formats ({', '.join(sorted(formats))}) of methods "
            "that take one; run them with one --precision"
        )
    return {
        "methods": _once([_selected(entry) for m in manifests for entry in m.methods]),
        "datasets": _once([scene.selection for m in manifests for scene in m.scenes]),
        "metrics": _once([entry.name for m in manifests for entry in m.metrics]),
        "plugins": _once([plugin for m in manifests for plugin in m.plugins]),
        "device": first.device,
        "precision": min(formats, default=first.precision),
        "threads": first.threads,
    }


def part_stores(
    parts: Sequence[Path], manifests: Sequence[RunManifest], given: Sequence[Path]
) -> list[Store]:
    """The store of each run: as given, where the run had it, or in its folder.

    Raises
    ------
    UsageError
        Neither one nor as many stores are given as there are runs.
    DataUnavailable
        One is not there.
    """
    if given and len(given) not in {1, len(parts)}:
        raise UsageError("--stores takes one folder for all parts, or one for each")
    folders = list(given) * len(parts) if len(given) == 1 else list(given)
    for part, manifest in zip(parts, manifests, strict=True) if not given else ():
        near = part / "store"
        folders.append(near if near.is_dir() else Path(manifest.store))
    for folder in folders:
        if not folder.is_dir():
            raise DataUnavailable(f"--stores {folder}: no such folder")
    return [Store(folder) for folder in dict.fromkeys(folders)]


def _selected(entry: MethodEntry) -> str:
    """What selects the method again."""
    if entry.family == "published":
        return PUBLISHED_PREFIX + entry.name.replace(":", "/", 1)
    if entry.family == "images":
        return f"{IMAGES_PREFIX}{entry.name}={entry.identity['folder']!r}"
    return entry.name


def _once(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))
