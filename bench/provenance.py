"""Where a result comes from: fingerprints of source code, and a description of the machine.

A cached result is valid as long as what made it is the same. "The same" is decided on the
code's syntax tree without comments and docstrings, of the module that defines a method or
metric and of every module of the project, or of the user's own, that it imports (installed
packages and the standard library aside), so that mending a sentence recomputes nothing and
changing a shared helper recomputes all that depends on it.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import importlib.util
import inspect
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import __version__
from bench.errors import EnvironmentFault

PROJECT_PACKAGES = ("bench", "methods", "metrics", "datasets", "reports")

#: Modules that decide nothing about a pixel or a score: contracts, names, messages.
NEUTRAL_MODULES = frozenset(
    {"bench", "bench.errors", "bench.registry", "methods", "metrics", "datasets"}
)

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


def canonical(value: Any) -> str:
    """JSON of `value` with sorted keys and no spaces: one text for one meaning."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def function_fingerprint(fn: Callable[..., Any]) -> str:
    """SHA-256 over the code of the module that defines `fn` and all own code it imports."""
    source = inspect.getsourcefile(inspect.unwrap(fn))
    if source is None:
        raise EnvironmentFault(f"the source file of {fn!r} cannot be found")
    return _module_fingerprint(Path(source), fn.__module__)


def modules_fingerprint(names: Iterable[str]) -> str:
    """SHA-256 over the code of the named project modules and what they import."""
    files = [(path, name) for name in names if (path := _module_file(name))]
    return digest([_module_fingerprint(path, name) for path, name in files])


@functools.cache
def _module_fingerprint(path: Path, name: str = "") -> str:
    seen: dict[str, str] = {}
    _collect(path, name, seen)
    return digest(sorted(seen.values()))


def _collect(path: Path, name: str, seen: dict[str, str]) -> None:
    """Add the fingerprint of the file and, recursively, of the own modules it imports."""
    if str(path) in seen:
        return
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    code, imports = _parsed(path, package)
    seen[str(path)] = code
    for name in imports:
        if name not in NEUTRAL_MODULES and (file := _module_file(name)):
            _collect(file, name, seen)


@functools.cache
def _parsed(path: Path, package: str) -> tuple[str, tuple[str, ...]]:
    """Hash of the syntax tree without docstrings, and the names it imports."""
    tree = ast.parse(path.read_bytes())
    imports = tuple(dict.fromkeys(_imports(tree, package)))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]):
            body[0] = ast.Pass()
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imports


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _imports(tree: ast.AST, package: str) -> Iterator[str]:
    """Absolute names of all that the tree imports, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            above = parents[: len(parents) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@functools.cache
def _module_file(name: str) -> Path | None:
    """The file of a module of the project's or the user's own; None for all other names."""
    top = name.partition(".")[0]
    if not name or (top not in PROJECT_PACKAGES and not _is_own(top)):
        return None
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, ValueError):
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)


@functools.cache
def _is_own(top: str) -> bool:
    """Whether a top-level name is neither in the standard library nor an installed package."""
    if top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return False
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return False
    if spec is None or spec.origin is None:
        return False
    return not {"site-packages", "dist-packages"} & set(Path(spec.origin).parts)


@functools.cache
def libraries() -> dict[str, str]:
    """Versions of what computes pixels and scores; a new one may change their last digits."""
    versions = {name: _version(name) for name in COMPUTING_PACKAGES}
    return {"python": platform.python_version(), **versions}


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """What differs between two sets of versions: ``numpy 2.3.1 -> 2.4.0``.

    Examples
    --------
    >>> from bench.provenance import changes
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

        there = torch.cuda.is_available()  # else the workers of a cluster have it
        description["gpu"] = torch.cuda.get_device_name(device) if there else "of the workers"
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
    root = Path(__file__).resolve().parent.parent

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
