"""Fingerprints of source code: which code a result was computed by.

A cached result is valid as long as what made it is the same. "The same" is decided on the
code's syntax tree without comments and docstrings, of the module that defines a method or
metric and of every module of the project, or of the user's own, that it imports (installed
packages and the standard library aside), so that a changed comment recomputes nothing and
a changed helper recomputes all that depends on it. It does not depend on the Python
version.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import inspect
import itertools
import json
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from bench.core.live_code import live_fingerprint
from bench.core.packages import PROJECT_PACKAGES
from bench.core.plugins import sources_beside

#: Modules that affect no pixel and no score: contracts, names, messages, files.
NEUTRAL_MODULES = frozenset(
    {
        "bench",
        "bench.core",
        "bench.core.errors",
        "bench.core.files",
        "bench.core.registry",
        "bench.core.remarks",
        "bench.errors",
        "methods",
        "methods._base",
        "metrics",
        "metrics._base",
        "metrics._scorer",
        "datasets",
        "datasets._base",
        "datasets.catalog",
    }
)

#: In Python 3.11 `ast.parse` fails when two threads call it at once (CPython issue 106905).
_PARSING = threading.Lock()


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
    source = _source(fn)
    return live_fingerprint(fn) if source is None else _module_fingerprint(source, fn.__module__)


def source_files(fn: Callable[..., Any]) -> list[Path]:
    """The files that `function_fingerprint` covers."""
    source = _source(fn)
    seen: dict[str, str] = {}
    if source is not None:
        _collect(source, fn.__module__, seen)
    return [Path(file) for file in seen]


def _source(fn: Callable[..., Any]) -> Path | None:
    """The file of `fn`; None if it was typed at a prompt."""
    source = inspect.getsourcefile(inspect.unwrap(fn))
    return None if source is None or not Path(source).is_file() else Path(source)


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
    for imported in imports:
        for file, module in _files(imported, name):
            _collect(file, module, seen)


def _files(imported: str, importer: str) -> list[tuple[Path, str]]:
    """The own files that an import of the module `importer` stands for, with their names."""
    project = imported.partition(".")[0] in PROJECT_PACKAGES
    if imported in NEUTRAL_MODULES:
        return []
    if project and (file := _module_file(imported)):
        return [(file, imported)]
    if beside := sources_beside(imported, importer):
        return beside
    return [(file, imported)] if (file := _module_file(imported)) else []


@functools.cache
def _parsed(path: Path, package: str) -> tuple[str, tuple[str, ...]]:
    """Hash of the syntax tree without docstrings, and the names it imports."""
    with _PARSING:
        tree = ast.parse(path.read_bytes())
    imports = tuple(dict.fromkeys(_imports(tree, package)))
    return hashlib.sha256(_written(tree).encode()).hexdigest(), imports


def _written(tree: ast.AST) -> str:
    """A syntax tree as text, without docstrings, the same in every Python version.

    What is empty is left out: newer versions have fields that older ones lack, such as
    ``type_params``. Nested code of any depth is written without recursion.
    """
    text: list[str] = []
    rest: list[Any] = [tree]  # items to write; the last is the next
    while rest:
        item = rest.pop()
        if isinstance(item, str):
            text.append(item)
        elif isinstance(item, list):
            rest += ["]", *(_part(value) for value in reversed(item)), "["]
        elif isinstance(item, ast.Constant):
            text.append(f"({type(item.value).__name__} {item.value!a})")
        else:
            given = [(k, v) for k, v in _fields(item).items() if v is not None and v != []]
            pairs = ([_part(value), f" {key}="] for key, value in reversed(given))
            rest += [")", *itertools.chain.from_iterable(pairs), f"{type(item).__name__}("]
    return "".join(text)


def _part(value: Any) -> Any:
    """What `_written` takes: a node, a list, or text that ends by itself."""
    return value if isinstance(value, ast.AST | list) else f"{value!a},"


def _fields(node: ast.AST) -> dict[str, Any]:
    """The fields of a node, without its docstring; f-strings as in every version."""
    fields = dict(ast.iter_fields(node))
    body = fields.get("body")
    if isinstance(body, list) and body and _is_docstring(body[0]):
        fields["body"] = body[1:] or [ast.Pass()]
    if isinstance(node, ast.JoinedStr):
        fields["values"] = _joined(node.values)
    return fields


def _joined(values: list[ast.expr]) -> list[ast.expr]:
    """Parts of an f-string, neighbouring constants as one and empty ones left out."""
    parts: list[ast.expr] = []
    for value in values:
        last = parts[-1] if parts else None
        if not isinstance(value, ast.Constant):
            parts.append(value)
        elif isinstance(last, ast.Constant):
            parts[-1] = ast.Constant(str(last.value) + str(value.value))
        elif value.value:
            parts.append(value)
    return parts


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
    """The file of a module of the project's or the user's own; None for all other names.

    Nothing is imported: `importlib.util.find_spec` of a dotted name would import all above it.
    """
    top, *below = name.split(".")
    if not name or (top not in PROJECT_PACKAGES and not _is_own(top)):
        return None
    try:
        spec = _spec(top)
    except (ImportError, AttributeError, ValueError):
        return None
    if spec is None:
        return None
    if not below:
        origin = spec.origin or ""
        return Path(origin) if origin.endswith(".py") else None
    for place in spec.submodule_search_locations or ():
        file = Path(place).joinpath(*below)
        for candidate in (file.with_name(f"{file.name}.py"), file / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


def _spec(top: str) -> ModuleSpec | None:
    """Where a top-level module is from; `importlib.util.find_spec` would load a lazy module."""
    module = sys.modules.get(top)
    if module is not None:
        spec: ModuleSpec | None = object.__getattribute__(module, "__dict__").get("__spec__")
        return spec
    return importlib.util.find_spec(top)


@functools.cache
def _is_own(top: str) -> bool:
    """Whether a top-level name is neither in the standard library nor an installed package."""
    if top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return False
    try:
        spec = _spec(top)
    except (ImportError, ValueError):
        return False
    if spec is None or spec.origin is None:
        return False
    return not {"site-packages", "dist-packages"} & set(Path(spec.origin).parts)
