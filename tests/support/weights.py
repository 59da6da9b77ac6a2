"""Skips where the files of a method are not on disk, which are never shipped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from datasets.catalog import CataloguedFile
from datasets.fetch import available
from methods import METHODS, Method

#: Networks whose weights are fetched, not shipped.
PUBLISHED = [m.name for m in METHODS if m.family == "published-network"]
#: Methods that take seconds even for a small picture.
SECONDS = {"sr", "nsct-sr"}


def sweep(methods: Iterable[Method]) -> list[Any]:
    """Parameters of a test that runs all these methods: names, some marked as slow or to skip."""
    return [pytest.param(m.name, marks=list(_marks(m))) for m in methods]


def _marks(method: Method) -> Iterable[Any]:
    if method.name in SECONDS:
        yield pytest.mark.slow
    if text := _missing(method.name):
        yield pytest.mark.skip(reason=text)


def need_weights(name: str) -> None:
    """Skip, with the command that fetches them, where weights of a method are not on disk."""
    if text := _missing(name):
        pytest.skip(text)


def _missing(name: str) -> str:
    for file in METHODS[name].weights:
        if isinstance(file, CataloguedFile) and not available(file.collection, [file.path]):
            return f"{file.path} is not on disk; `{file.command}` downloads it"
    return ""
