"""The collections that can be downloaded, with the checksums of their files.

`catalog.toml` holds title, citation and terms of use of each collection;
``data/<name>.csv`` lists its files with SHA-256 and size. An incomplete entry is
an error.
"""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from urllib.parse import quote

from bench.core.errors import EnvironmentFault, UnknownName

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Entry:
    """One file: its path within the collection, SHA-256 and size in bytes."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Collection:
    """Files of one origin, pinned.

    Attributes
    ----------
    name, title : str
        Short name, which is also its folder under ``MFIF_DATA``, and full title.
    url : str
        Base address of the files' paths.
    home, commit : str
        The project's page, and the revision that `url` is pinned to.
    files, bytes : int
        Number of files and their sum of sizes.
    licence, citation, bibtex : str
        Terms of use, and citation.
    manifest : path
        CSV file with columns path, sha256 and bytes.
    """

    name: str
    title: str
    url: str
    home: str
    commit: str
    files: int
    bytes: int
    licence: str
    citation: str
    bibtex: str
    manifest: Path

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Every file of the collection by its path."""
        with self.manifest.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            return {
                row["path"]: Entry(row["path"], row["sha256"], int(row["bytes"])) for row in rows
            }

    def entry(self, path: str) -> Entry:
        """The file at `path`; `UnknownName` when the collection has none."""
        try:
            return self.entries[path]
        except KeyError:
            raise UnknownName(f"file of {self.name}", path, self.entries) from None

    def address(self, path: str) -> str:
        """Where the file at `path` is downloaded from."""
        return self.url + quote(path)


@cache
def collections() -> dict[str, Collection]:
    """All collections by name, as `catalog.toml` has them.

    Raises
    ------
    EnvironmentFault
        The catalogue lacks a field or has one too many.

    Examples
    --------
    >>> from datasets.catalog import collections
    >>> sorted(collections())[:3]
    ['bsds500', 'db-mfif', 'drl-fpd']
    """
    with (FOLDER / "catalog.toml").open("rb") as file:
        tables = tomllib.load(file)
    due = {field.name for field in fields(Collection)} - {"name", "manifest"}
    for name, table in tables.items():
        if wrong := due ^ set(table):
            raise EnvironmentFault(f"catalog.toml, [{name}]: {', '.join(sorted(wrong))}")
    return {
        name: Collection(name=name, manifest=FOLDER / "data" / f"{name}.csv", **table)
        for name, table in tables.items()
    }


def collection(name: str) -> Collection:
    """The collection called `name`; `UnknownName` when there is none."""
    try:
        return collections()[name]
    except KeyError:
        raise UnknownName("collection", name, collections()) from None
