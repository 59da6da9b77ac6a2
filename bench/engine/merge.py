"""Several runs joined: their records in one store, and the ordinary run over all their cells.

The joined run finds a cell by all that it depends on, and computes a cell again if its pixels, code
or number format differ from those on this machine. Timings of other machines stay in the store,
under the id of their machine, and appear in no table of this one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import cast

from bench.core.errors import NothingSelected, UsageError
from bench.core.precision import Precision
from bench.engine.execute import load_plugins
from bench.engine.jpeg_rows import is_jpeg_row
from bench.engine.options import RunOptions
from bench.engine.published import PUBLISHED_PREFIX
from bench.engine.runner import Selection
from bench.engine.selection import select_methods, select_metrics, select_scenes
from bench.store.manifest import MethodEntry, RunManifest
from datasets.alignment.change import alignment_of, with_alignment


def joined_selection(
    parts: Sequence[tuple[Path, RunManifest]], options: RunOptions
) -> tuple[Selection, RunOptions]:
    """The selection of all runs together, and the options of the joined run.

    Parameters
    ----------
    parts : sequence of (Path, RunManifest)
        Output folder and manifest of each run.
    options : RunOptions
        Device, number format and threads are taken from the runs.

    Raises
    ------
    UsageError
        The runs used different devices, or different number formats for methods that offer one.
    NothingSelected
        They have no cell.
    """
    manifests = [manifest for _, manifest in parts]
    options = dataclasses.replace(
        options,
        device=_one([(where, m.device) for where, m in parts], "device"),
        precision=_precision(parts),
        threads=manifests[0].threads,
        jpeg="auto" if any(manifest.jpeg for manifest in manifests) else "off",
        plugins=options.plugins or _existing(Path(f) for m in manifests for f in m.plugins),
    )
    load_plugins(options.plugins)
    cells = {(f"{c.dataset}/{c.scene}", c.method) for m in manifests for c in m.cells}
    if not cells:
        raise NothingSelected(f"{parts[0][0]}: the runs have no cell")
    named = {scene for scene, _ in cells}
    selections = dict.fromkeys(s.selection or s.name for m in manifests for s in m.scenes)
    bits, alignments = _bits(parts), _alignments(parts)
    scenes = [
        prepared
        for scene in select_scenes(list(selections))
        if scene.name in named
        for prepared in with_alignment(
            [dataclasses.replace(scene, bits=bits[scene.name])], alignments[scene.name]
        )
    ]
    asked = list(dict.fromkeys(_asked(x) for m in manifests for x in m.methods
                              if not is_jpeg_row(x)))  # fmt: skip
    rows = {name for _, name in cells}
    methods = [method for method in select_methods(asked, scenes) if method.name in rows]
    metrics = select_metrics(list(dict.fromkeys(x.name for m in manifests for x in m.metrics)))
    chosen = options.selection(scenes, methods, metrics)
    return dataclasses.replace(chosen, only=frozenset(cells)), options


def gaps(parts: Sequence[tuple[Path, RunManifest]]) -> Iterator[str]:
    """What is missing of the joined run, one line each: interrupted parts, and absent shards."""
    for where, manifest in parts:
        if not manifest.complete:
            yield f"{where}: the run was interrupted; the cells that it did not reach are left out"
    counts = {manifest.shard[1] for _, manifest in parts}
    for count in sorted(counts):
        there = {m.shard[0] for _, m in parts if m.shard[1] == count}
        if absent := [f"{k}/{count}" for k in range(1, count + 1) if k not in there]:
            yield f"no part is shard {', '.join(absent)}"


def _asked(method: MethodEntry) -> str:
    """The text that selects a method of a run."""
    collection, _, name = method.name.partition(":")
    if method.family == "images":
        return str(method.identity["asked"])
    return f"{PUBLISHED_PREFIX}{collection}/{name}" if method.family == "published" else method.name


def _one(said: Sequence[tuple[Path, str]], what: str) -> str:
    (first, value), *others = said
    for where, other in others:
        if other != value:
            raise UsageError(f"{first} and {where} differ in {what} ({value}, {other})")
    return value


def _bits(parts: Sequence[tuple[Path, RunManifest]]) -> dict[str, int]:
    """The bits that the 16-bit images of each scene were said to have."""
    said: dict[str, list[tuple[Path, str]]] = {}
    for where, manifest in parts:
        for scene in manifest.scenes:
            said.setdefault(scene.name, []).append((where, str(scene.bits)))
    return {name: int(_one(values, f"--bits of {name}")) for name, values in said.items()}


def _alignments(parts: Sequence[tuple[Path, RunManifest]]) -> dict[str, str]:
    """The method that the sources of each scene were aligned with."""
    said: dict[str, list[tuple[Path, str]]] = {}
    for where, manifest in parts:
        for scene in manifest.scenes:
            said.setdefault(scene.name, []).append((where, alignment_of(scene.changes)))
    return {name: _one(values, f"--align of {name}") for name, values in said.items()}


def _precision(parts: Sequence[tuple[Path, RunManifest]]) -> Precision:
    """The number format of the methods that offer a choice."""
    formats: dict[Precision, Path] = {}
    for where, manifest in parts:
        if any(method.takes_precision for method in manifest.methods):
            formats.setdefault(cast("Precision", manifest.precision), where)
    if len(formats) > 1:
        said = ", ".join(f"{name} in {folder}" for name, folder in formats.items())
        raise UsageError(
            f"learned methods computed in different number formats ({said}); "
            "run all parts with one --precision"
        )
    return next(iter(formats), "auto")


def _existing(plugins: Iterable[Path]) -> list[Path]:
    return [path for path in dict.fromkeys(plugins) if path.is_file()]
