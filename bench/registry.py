"""Named entries found by importing every module of a package once, on first use.

Adding an entry is adding a file: its decorator registers it. Modules whose name starts
with an underscore are shared helpers and are left to the entries that import them.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from bench.errors import BenchError, UnknownName, UsageError

#: What a name may be made of: nothing that selects, divides or leads to another folder.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def check_name(kind: str, name: object, reserved: Collection[str] = ()) -> None:
    """Raise `UsageError` unless `name` can be asked for on the command line."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise UsageError(f"{kind} {name!r}: a name is letters, digits and any of _ . + -")
    if name in reserved:
        raise UsageError(f"{kind} {name!r}: the name stands for several {kind}s already")


def check_choice(kind: str, name: str, item: str, value: object, allowed: Sequence[str]) -> None:
    """Raise `UsageError` unless `value` is one of those `allowed` for `item`."""
    if value not in allowed:
        raise UsageError(f"{kind} {name!r}: {item} {value!r} is none of {', '.join(allowed)}")


class Named(Protocol):
    """What a registry holds: anything with a name."""

    @property
    def name(self) -> str:
        """Name, unique within its registry."""
        ...


#: How the module of a user's file is called.
PLUGIN_PREFIX = "mfif_plugin_"

T = TypeVar("T", bound=Named)


class Registry(Generic[T]):
    """The entries of one kind.

    Parameters
    ----------
    kind : str
        What an entry is called in messages (``"method"``).
    package : str
        The package whose modules register entries (``"methods"``).
    """

    #: Every registry that there is.
    known: ClassVar[list[Registry[Any]]] = []

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._entries: dict[str, T] = {}
        self._discovered = False
        Registry.known.append(self)

    def add(self, entry: T) -> None:
        """Register `entry`; a second entry of the same name is an error."""
        if entry.name in self._entries:
            fn = getattr(self._entries[entry.name], "fn", None)
            where = f"; the other is in {inspect.getfile(inspect.unwrap(fn))}" if fn else ""
            raise UsageError(f"{self.kind} {entry.name!r} is registered twice{where}")
        self._entries[entry.name] = entry

    def discover(self) -> None:
        """Import every public module of the package, so that each registers its entries."""
        if self._discovered:
            return
        self._discovered = True
        package = importlib.import_module(self.package)
        for info in pkgutil.iter_modules(package.__path__):
            if not info.name.startswith("_"):
                importlib.import_module(f"{self.package}.{info.name}")

    def __getitem__(self, name: str) -> T:
        self.discover()
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownName(self.kind, name, self._entries) from None

    def __contains__(self, name: object) -> bool:
        self.discover()
        return name in self._entries

    def __iter__(self) -> Iterator[T]:
        self.discover()
        return iter(sorted(self._entries.values(), key=lambda entry: entry.name))

    def __len__(self) -> int:
        self.discover()
        return len(self._entries)

    def names(self) -> list[str]:
        """Names of all entries, sorted."""
        return [entry.name for entry in self]


def load_plugin(path: Path | str) -> None:
    """Import a user's Python file, so that its decorators register their entries.

    A file that lies in one of the project's own packages is there already.

    Parameters
    ----------
    path : path-like
        A ``.py`` file.

    Raises
    ------
    UsageError
        The file does not exist, is no Python file, or fails while it is imported.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"plug-in {path}: no such file")
    if path.suffix != ".py":
        raise UsageError(f"plug-in {path}: not a Python file (its name does not end in .py)")
    _discover_all()
    if any(getattr(module, "__file__", None) == str(path.resolve()) for module in _modules()):
        return  # a file of the project itself, imported with its package
    name = PLUGIN_PREFIX + path.stem
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise UsageError(f"plug-in {path}: cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if (folder := str(path.resolve().parent)) not in sys.path:
        sys.path.append(folder)  # modules beside it, as when it is run
    try:
        spec.loader.exec_module(module)
    except BenchError as error:
        raise UsageError(f"plug-in {path}: {error}") from error
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UsageError(f"plug-in {path}: {type(error).__name__}: {error}") from error


def _discover_all() -> None:
    """Register the project's own entries first, so that a clash is blamed on the plug-in."""
    for package in ("methods", "metrics", "datasets"):
        importlib.import_module(package)
    for registry in Registry.known:
        registry.discover()


def _modules() -> list[ModuleType]:
    packages = {registry.package for registry in Registry.known}
    return [m for name, m in list(sys.modules.items()) if name.partition(".")[0] in packages]
