"""Checks of a store and of the environment; what a store holds that nobody believes is removed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.core.fingerprint import PROJECT_PACKAGES
from bench.workers.memory import format_size

Verdict = Literal["ok", "note", "fault"]


@dataclass(frozen=True)
class Check:
    """One thing looked at: how it is, and what helps."""

    name: str
    verdict: Verdict
    detail: str


def check_environment(where: Path) -> Iterator[Check]:
    """Look at what a run needs of this machine; results would go below `where`."""
    for package in PROJECT_PACKAGES:
        yield _package(package)
    yield _opencv()
    for name, look in (("data", _data), ("cache", _cache), ("processes", _processes)):
        try:
            yield look()
        except Exception as error:  # whatever is broken here, it is what was asked for
            yield Check(name, "fault", f"{type(error).__name__}: {error}")
    yield _disk(where)


def _package(name: str) -> Check:
    """The package that `import` finds must be ours: `datasets` is also Hugging Face's name."""
    spec = importlib.util.find_spec(name)
    places = list(spec.submodule_search_locations or []) if spec else []
    ours = Path(__file__).resolve().parents[2] / name
    if any(Path(place).resolve() == ours for place in places):
        return Check(f"package {name}", "ok", str(ours))
    found = places[0] if places else "nothing"
    return Check(
        f"package {name}",
        "fault",
        f"`import {name}` finds {found}, not {ours}: another distribution of that name is "
        "installed, or a folder of that name is in the way; use an environment of its own",
    )


def _opencv() -> Check:
    names = {str(d.metadata["Name"]).lower() for d in importlib.metadata.distributions()}
    wheels = sorted(name for name in names if name.startswith("opencv-"))
    if len(wheels) == 1:
        return Check("opencv", "ok", f"{wheels[0]} {importlib.metadata.version(wheels[0])}")
    return Check("opencv", "fault", f"exactly one opencv wheel is due, found {wheels or 'none'}")


def _data() -> Check:
    from datasets.fetch import data_folder

    folder = data_folder()
    if folder is None:
        return Check("data", "note", "MFIF_DATA is not set; collections come from the cache")
    return Check("data", "ok", f"MFIF_DATA={folder}")


def _cache() -> Check:
    from datasets.fetch import cache_folder

    folder = cache_folder()
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if os.access(existing, os.W_OK):
        return Check("cache", "ok", str(folder))
    return Check("cache", "note", f"{folder} cannot be written to: nothing can be downloaded")


def _processes() -> Check:
    """Fuse something in a subprocess."""
    import numpy as np

    from bench.workers.process import Limits, Setup
    from bench.workers.subprocess_worker import SubprocessWorker
    from datasets import SceneImages

    worker = SubprocessWorker(Setup(), Limits(seconds=60))
    try:
        worker.open(SceneImages((np.zeros((8, 8), np.uint8),) * 2))
        record = worker.fuse("average", {}).record
    finally:
        worker.close()
    if record.status != "ok":
        return Check("processes", "fault", f"a subprocess cannot fuse: {record.message}")
    return Check("processes", "ok", f"a subprocess holds {format_size(record.peak_bytes)}")


def _disk(where: Path) -> Check:
    where = where.absolute()
    existing = next(place for place in (where, *where.parents) if place.exists())
    free = shutil.disk_usage(existing).free
    if not os.access(existing, os.W_OK):
        return Check("disk", "fault", f"{existing} cannot be written to")
    verdict: Verdict = "ok" if free > 1 << 30 else "note"
    return Check("disk", verdict, f"{format_size(free)} free below {existing}")
