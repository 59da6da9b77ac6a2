"""Dataclasses as JSON, and back with every type checked."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

T = TypeVar("T")

Reader = Callable[[Any], Any]

#: Floats that JSON cannot hold, as they are written.
_NOT_FINITE = ("inf", "-inf", "nan")


def to_plain(value: Any) -> Any:
    """Dataclasses as dicts without the fields that have their default; for `json.dumps`.

    A float that is not finite becomes text (``"inf"``), since JSON has none.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str | int | None):
        return value
    if isinstance(value, list | tuple):
        return [to_plain(entry) for entry in value]
    if isinstance(value, Mapping):
        return {key: to_plain(entry) for key, entry in value.items()}
    if not dataclasses.is_dataclass(value):
        return value
    entries = (
        (name, getattr(value, name), default) for name, default in _defaults(cast(Any, type(value)))
    )
    return {name: to_plain(entry) for name, entry, default in entries if entry != default}


@cache
def _defaults(kind: type) -> list[tuple[str, Any]]:
    return [(item.name, item.default) for item in dataclasses.fields(kind)]


class _Wrong(ValueError):
    """A value of the wrong type; each level adds its name in front of the message."""


def from_plain(kind: type[T], found: Any, where: str) -> T:
    """A dataclass from parsed JSON.

    Parameters
    ----------
    kind : type
        A dataclass, whose fields may be dataclasses, lists, tuples of one type, dicts by text,
        text, numbers, bools and None.
    found : object
        What `json.loads` gave.
    where : str
        Its name in messages.

    Raises
    ------
    ValueError
        A field is missing, or of another type; the message names it.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from bench.store.typed_json import from_plain
    >>> @dataclass
    ... class Size:
    ...     width: int
    ...     height: int = 1
    >>> from_plain(Size, {"width": 3}, "size")
    Size(width=3, height=1)
    >>> from_plain(Size, {"width": "wide"}, "size")
    Traceback (most recent call last):
    ValueError: size.width is 'wide', not int
    """
    try:
        return cast("T", _reader(cast(Any, kind))(found))
    except _Wrong as wrong:
        raise ValueError(f"{where}{wrong}") from None


@cache
def _reader(expected: Any) -> Reader:
    """What turns parsed JSON into a value of the expected type; large manifests need it fast."""
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if dataclasses.is_dataclass(expected):
        return _object_reader(cast("type", expected))
    if origin is list:
        return _list_reader(_reader(arguments[0]))
    if origin is tuple:
        return _tuple_reader(_reader(arguments[0]))
    if origin is dict:
        return _dict_reader(_reader(arguments[1]))
    return _plain_reader(expected, arguments if origin else (expected,))


def _object_reader(kind: type) -> Reader:
    hints = typing.get_type_hints(kind)
    missing = dataclasses.MISSING
    fields = [(item.name, _reader(hints[item.name])) for item in dataclasses.fields(kind)]
    required = [
        item.name
        for item in dataclasses.fields(kind)
        if item.default is missing and item.default_factory is missing
    ]

    def read(found: Any) -> Any:
        if not isinstance(found, dict):
            raise _Wrong(f" is {type(found).__name__}, not an object")
        values = {}
        for name, convert in fields:
            if name in found:
                try:
                    values[name] = convert(found[name])
                except _Wrong as wrong:
                    raise _Wrong(f".{name}{wrong}") from None
        for name in required:
            if name not in values:
                raise _Wrong(f".{name} is missing")
        return kind(**values)

    return read


def _list_reader(convert: Reader) -> Reader:
    def read(found: Any) -> Any:
        if not isinstance(found, list):
            raise _Wrong(f" is {type(found).__name__}, not a list")
        return [convert(entry) for entry in found]

    return read


def _tuple_reader(convert: Reader) -> Reader:
    read_list = _list_reader(convert)
    return lambda found: tuple(read_list(found))


def _dict_reader(convert: Reader) -> Reader:
    def read(found: Any) -> Any:
        if not isinstance(found, dict):
            raise _Wrong(f" is {type(found).__name__}, not an object")
        return {key: convert(entry) for key, entry in found.items()}

    return read


def _plain_reader(expected: Any, allowed: tuple[Any, ...]) -> Reader:
    """Of text, numbers, bools and None; an int is accepted as a float, a bool never as a number."""
    exact = {*allowed, *([int] if float in allowed else [])}

    def read(found: Any) -> Any:
        if type(found) in exact or Any in exact:
            return found
        if float in exact and found in _NOT_FINITE:
            return float(found)
        raise _Wrong(f" is {found!r}, not {getattr(expected, '__name__', expected)}")

    return read
