"""Skips where the weights of a published network are not on disk, which are never shipped."""

from __future__ import annotations

import pytest

from datasets.catalog import CataloguedFile
from datasets.fetch import available
from methods import METHODS

#: Networks whose weights are fetched, not shipped.
PUBLISHED = [m.name for m in METHODS if m.family == "published-network"]


def need_weights(name: str) -> None:
    """Skip, with the command that fetches them, where weights of a method are not on disk."""
    for file in METHODS[name].weights:
        if isinstance(file, CataloguedFile) and not available(file.collection, [file.path]):
            pytest.skip(f"{file.path} is not on disk; `{file.command}` downloads it")
