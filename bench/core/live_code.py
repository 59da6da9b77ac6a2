"""The fingerprint of code that has no file: typed into a notebook or at a prompt."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator
from types import CellType, CodeType, FunctionType
from typing import Any

#: Values whose `repr` says all of them, as long as they hold nothing else.
CONSTANTS = (bool, int, float, str, bytes, tuple, list, dict, set, frozenset, type(None))


def live_fingerprint(fn: Callable[..., Any]) -> str:
    """SHA-256 over the compiled code of `fn` and of everything in its module that it uses.

    That covers functions, classes and plain constants; other Python versions give another hash.
    """
    seen: dict[str, str] = {}
    _collect(inspect.unwrap(fn), seen)
    return hashlib.sha256(repr(sorted(seen.items())).encode()).hexdigest()


def _collect(value: Any, seen: dict[str, str]) -> None:
    name = f"{value.__module__}.{value.__qualname__}"
    if name in seen:
        return
    seen[name] = ""
    if inspect.isclass(value):
        facts_of_class = []
        for member_name, member in sorted(vars(value).items()):
            if isinstance(member, FunctionType):
                _collect(member, seen)
            elif not member_name.startswith("__") and isinstance(member, CONSTANTS):
                facts_of_class.append((member_name, _stable(member)))
        seen[name] = repr(facts_of_class)
        return
    codes = list(_codes(value.__code__))
    used = {name for code in codes for name in code.co_names}
    facts: list[Any] = [value.__defaults__, value.__kwdefaults__]
    facts += [_stable(cell.cell_contents) for cell in value.__closure__ or () if _is_constant(cell)]
    facts += [(code.co_code, code.co_names, _plain(code)) for code in codes]
    for used_name in sorted(used & value.__globals__.keys()):
        other = value.__globals__[used_name]
        if isinstance(other, FunctionType | type) and other.__module__ == value.__module__:
            _collect(other, seen)
        elif isinstance(other, CONSTANTS):
            facts.append((used_name, _stable(other)))
    seen[name] = repr(facts)


def _stable(value: Any) -> Any:
    """The value with sets in one order: theirs is another in each process."""
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    if isinstance(value, list | tuple):
        return [_stable(entry) for entry in value]
    if isinstance(value, dict):
        return [(key, _stable(entry)) for key, entry in value.items()]
    return value


def _is_constant(cell: CellType) -> bool:
    try:
        return isinstance(cell.cell_contents, CONSTANTS)
    except ValueError:  # not assigned yet
        return False


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A code object and those within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _plain(code: CodeType) -> list[Any]:
    return [_stable(each) for each in code.co_consts if not isinstance(each, CodeType)]
