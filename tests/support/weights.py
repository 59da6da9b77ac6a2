"""Skips where the files of a method are not on disk, which are never shipped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from datasets.catalog import CataloguedFile
from datasets.fetch import available
from methods import METHODS, Method, fuse

#: Networks whose weights are fetched, not shipped.
PUBLISHED = [m.name for m in METHODS if m.family == "published-network"]
#: Settings that make the slowest methods fast enough for tests that run every method.
QUICK: dict[str, dict[str, Any]] = {"sr": {"step": 4}, "nsct-sr": {"step": 2}}
#: Methods that take more than a second for a small picture even so.
SLOW = ("nsct-sr",)


def sweep(methods: Iterable[Method]) -> list[Any]:
    """Parameters of a test that runs all these methods: names, some marked as slow or to skip."""
    marked = []
    for method in methods:
        marks = [pytest.mark.slow] if method.name in SLOW else []
        if text := _missing(method.name):
            marks.append(pytest.mark.skip(reason=text))
        marked.append(pytest.param(method.name, marks=marks))
    return marked


def fuse_quickly(name: str, sources: Sequence[Any], **given: Any) -> Any:
    """Fuse with a method's settings of `QUICK`, if it has any."""
    return fuse(name, sources, parameters=QUICK.get(name), **given)


def need_weights(name: str) -> None:
    """Skip, with the command that fetches them, where weights of a method are not on disk."""
    if text := _missing(name):
        pytest.skip(text)


def _missing(name: str) -> str:
    for file in METHODS[name].weights:
        if isinstance(file, CataloguedFile) and not available(file.collection, [file.path]):
            return f"{file.path} is not on disk; `{file.command}` downloads it"
    return ""
