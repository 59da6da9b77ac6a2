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
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from bench.core.live_code import live_fingerprint

PROJECT_PACKAGES = ("bench", "methods", "metrics", "datasets", "reports")

#: Modules that decide nothing about a pixel or a score: contracts, names, messages, files.
NEUTRAL_MODULES = frozenset(
    {
        "bench",
        "bench.core",
        "bench.core.errors",
        "bench.core.files",
        "bench.core.registry",
        "bench.errors",
        "methods",
        "methods._base",
        "metrics",
        "metrics._base",
        "metrics._scorer",
        "datasets",
        "datasets._base",
    }
)


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
    if source is None or not Path(source).is_file():
        return live_fingerprint(fn)
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
