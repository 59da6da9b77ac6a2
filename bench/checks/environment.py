"""Checks of the environment: packages, libraries, data, processes, disk."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.core.packages import PROJECT_PACKAGES, misplaced
from bench.workers.memory import format_size

#: What the project depends on -> the module that is imported of it.
LIBRARIES = {
    **{name: name for name in ("numpy", "scipy", "pandas", "torch", "safetensors", "jinja2")},
    **{name: name for name in ("pooch", "requests", "rich", "tabulate", "threadpoolctl", "tqdm")},
    "lazy-loader": "lazy_loader",
    "opencv-contrib-python-headless": "cv2",
    "pillow": "PIL",
    "PyWavelets": "pywt",
    "scikit-image": "skimage",
    "tifffile": "tifffile",
    "imagecodecs": "imagecodecs",
}
#: What an extra adds -> the module, and what it is for.
EXTRAS = {
    "raw": ("rawpy", "raw photos"),
    "heif": ("pillow_heif", "HEIC photos"),
    "plots": ("matplotlib", "figures"),
    "dask": ("distributed", "clusters"),
}
#: Imports the modules that are its arguments; a line for each: name, verdict, version or error.
IMPORT_ALL = """
import importlib, sys, warnings
warnings.simplefilter("ignore")
for name in sys.argv[1:]:
    try:
        outcome = "ok", getattr(importlib.import_module(name), "__version__", "")
    except BaseException as error:
        outcome = "fault", f"{type(error).__name__}: {error}"
    print(name, *(" ".join(str(part).split()) for part in outcome), sep="\\t", flush=True)
"""
#: Seconds that these imports may take.
PATIENCE = 180

Verdict = Literal["ok", "note", "fault"]


@dataclass(frozen=True)
class Check:
    """The outcome of one check, with advice."""

    name: str
    verdict: Verdict
    detail: str


def check_environment(where: Path) -> Iterator[Check]:
    """Check what a run needs of this machine; `where` is the folder of its results."""
    for package in PROJECT_PACKAGES:
        yield _package(package)
    yield from _libraries()
    yield _opencv()
    yield _extras()
    looks = (
        ("programs", _programs),
        ("data", _data),
        ("cache", _cache),
        ("processes", _processes),
    )
    for name, look in looks:
        try:
            yield look()
        except Exception as error:  # any error is an outcome of the check
            yield Check(name, "fault", f"{type(error).__name__}: {error}")
    yield _disk(where)


def _package(name: str) -> Check:
    """The package that `import` finds must be ours: `datasets` is also Hugging Face's name."""
    fault = misplaced(name)
    return Check(f"package {name}", "fault" if fault else "ok", fault or "is MFIF-Bench's")


def _libraries() -> Iterator[Check]:
    """Import every library that the project depends on, in a process, since an import may crash."""
    command = [sys.executable, "-c", IMPORT_ALL, *LIBRARIES.values()]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        ended = f"importing it ended the process (exit code {done.returncode})"
        outcome = [line.split("\t") for line in done.stdout.splitlines() if line.count("\t") == 2]
    except subprocess.TimeoutExpired:
        ended, outcome = f"importing it takes more than {PATIENCE} s", []
    found = {name: (verdict, detail) for name, verdict, detail in outcome}
    versions = []
    for library, module in LIBRARIES.items():
        verdict, detail = found.get(module, ("fault", ended))
        if verdict == "ok":
            versions.append(f"{library} {detail}".strip())
        else:
            yield Check(library, "fault", f"{detail}; install MFIF-Bench with its dependencies")
        if module not in found:
            break  # those behind it were not tried
    yield Check(
        "libraries", "ok" if len(versions) == len(LIBRARIES) else "note", ", ".join(versions)
    )


def _opencv() -> Check:
    names = {str(d.metadata["Name"]).lower() for d in importlib.metadata.distributions()}
    wheels = sorted(name for name in names if name.startswith("opencv-"))
    if len(wheels) == 1:
        return Check("opencv", "ok", f"{wheels[0]} {importlib.metadata.version(wheels[0])}")
    return Check(
        "opencv", "fault", f"there must be exactly one opencv wheel, found {wheels or 'none'}"
    )


def _extras() -> Check:
    """Which optional parts are there; none of them is needed."""
    there = {extra: importlib.util.find_spec(module) is not None for extra, (module, _) in
             EXTRAS.items()}  # fmt: skip
    missing = [f"{extra} ({EXTRAS[extra][1]})" for extra, found in there.items() if not found]
    detail = f"installed: {', '.join(extra for extra, found in there.items() if found) or 'none'}"
    if missing:
        detail += f"; not installed: {', '.join(missing)}"
    return Check("extras", "note" if missing else "ok", detail)


def _programs() -> Check:
    """Which programs that are methods are there, and in which version; none of them is needed."""
    from methods import METHODS

    programs = {m.program.name: m.program for m in METHODS if m.program is not None}
    versions = {name: program.version() for name, program in programs.items()}
    missing = [name for name, version in versions.items() if not version]
    detail = f"found: {', '.join(version for version in versions.values() if version) or 'none'}"
    if missing:
        detail += f"; not found: {', '.join(missing)}"
    return Check("programs", "note" if missing else "ok", detail)


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
