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
from collections.abc import Collection, Iterator, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from bench.core.errors import UnknownName, UsageError

#: The form of a name: no character that selects, separates or leads to another folder.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def check_name(kind: str, name: object, reserved: Collection[str] = ()) -> None:
    """Raise `UsageError` unless `name` can be selected on the command line."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise UsageError(f"{kind} {name!r}: a name is letters, digits and any of _ . + -")
    if name in reserved:
        raise UsageError(f"{kind} {name!r}: the name stands for several {kind}s already")


def check_choice(kind: str, name: str, item: str, value: object, allowed: Sequence[str]) -> None:
    """Raise `UsageError` unless `value` is one of those `allowed` for `item`."""
    if value not in allowed:
        raise UsageError(f"{kind} {name!r}: {item} {value!r} must be one of {', '.join(allowed)}")


class Named(Protocol):
    """What a registry holds: anything with a name."""

    @property
    def name(self) -> str:
        """Name, unique within its registry."""
        ...


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

    #: All registries.
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
