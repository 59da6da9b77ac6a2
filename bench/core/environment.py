"""What a result was computed on: libraries, processor, the project's commit."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import __version__

REPORTED_PACKAGES = (
    "numpy",
    "scipy",
    "opencv-contrib-python-headless",
    "PyWavelets",
    "scikit-image",
    "pandas",
    "torch",
    "pillow",
)

#: Those of them that a fused image or a score may depend on.
COMPUTING_PACKAGES = tuple(name for name in REPORTED_PACKAGES if name != "pandas")


@functools.cache
def libraries() -> dict[str, str]:
    """Versions of what computes pixels and scores; a new one may change their last digits."""
    versions = {name: _version(name) for name in COMPUTING_PACKAGES}
    return {"python": platform.python_version(), **versions}


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """What differs between two sets of versions: ``numpy 2.3.1 -> 2.4.0``.

    Examples
    --------
    >>> from bench.core.environment import changes
    >>> changes({"numpy": "2.3.1", "scipy": "1.17"}, {"numpy": "2.4.0", "scipy": "1.17"})
    'numpy 2.3.1 -> 2.4.0'
    """
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return ", ".join(f"{n} {old.get(n, 'none')} -> {new.get(n, 'none')}" for n in names)


def machine(device: str = "cpu", threads: int | None = None) -> dict[str, Any]:
    """What timings depend on: processor, threads, device and the versions of the libraries."""
    description: dict[str, Any] = {
        "cpu": processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "threads": threads,
        "device": device,
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in REPORTED_PACKAGES},
    }
    if device.startswith("cuda"):
        import torch

        here = torch.cuda.is_available()  # if not, the workers of a cluster have one
        description["gpu"] = torch.cuda.get_device_name(device) if here else "of the workers"
        description["cuda"] = torch.version.cuda
    return description


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def processor() -> str:
    """What this machine's processor is called."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def git_state() -> dict[str, Any]:
    """Commit of the project's checkout and whether it is changed; empty outside of one."""
    root = Path(__file__).resolve().parents[2]

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != root:
            return {}  # installed somewhere inside of another project's checkout
        return {"commit": git("rev-parse", "HEAD"), "changed": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return {}


def describe(device: str, threads: int | None) -> dict[str, Any]:
    """The part of ``provenance.json`` that does not depend on what was run."""
    return {
        "mfif_bench": __version__,
        "command": [Path(sys.executable).name, "-m", "bench", *sys.argv[1:]],
        "git": git_state(),
        "machine": machine(device, threads),
    }
