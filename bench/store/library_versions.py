"""Which versions of the libraries the results of a run were made with.

A new version of a library does not make a stored result wrong, so nothing is computed again by
itself; but a table must not mix them unseen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from bench.core.environment import changes, libraries
from bench.core.fingerprint import digest
from bench.store.store import Store


def body(versions: Mapping[str, str]) -> dict[str, Any]:
    """The record that results name for their versions."""
    return {"kind": "libraries", "versions": dict(versions)}


class VersionCount:
    """Counts results by the versions they were made with.

    Attributes
    ----------
    fused, scores : Counter
        Finished results by the key of their versions' record, which is empty when they were
        stored before versions were.
    others : Counter
        Cells by such a key that is not that of this environment; one whose image and scores were
        made with several such counts under the first.
    """

    def __init__(self) -> None:
        self.fused: Counter[str] = Counter()
        self.scores: Counter[str] = Counter()
        self.others: Counter[str] = Counter()
        self._here = digest(body(libraries()))

    def add(self, fused: Mapping[str, Any] | None, scores: Iterable[Mapping[str, Any]]) -> None:
        """Count a finished cell: its record, unless it was published, and its scores."""
        keys = [] if fused is None else [fused.get("libraries", "")]
        self.fused.update(keys)
        of_scores = [s.get("libraries", "") for s in scores if s.get("status") == "ok"]
        self.scores.update(of_scores)
        other = [key for key in (*keys, *of_scores) if key != self._here]
        if other:
            self.others[other[0]] += 1

    def update(self, other: VersionCount) -> None:
        """Add the counts of another."""
        for name in ("fused", "scores", "others"):
            getattr(self, name).update(getattr(other, name))

    def facts(self, store: Store) -> list[dict[str, Any]]:
        """For the manifest: each set of versions and how many results were made with it."""
        return [
            {
                "key": key,
                "versions": _versions(store, key),
                "cells": self.fused[key],
                "scores": self.scores[key],
            }
            for key in sorted({*self.fused, *self.scores})
        ]

    def sentence(self, store: Store) -> str:
        """What to say of cells that were made with other versions; empty when there are none."""
        if not self.others:
            return ""
        said = [_difference(_versions(store, key)) for key, _ in self.others.most_common(2)]
        if len(self.others) > 2:
            said.append(f"and {len(self.others) - 2} more")
        count = self.others.total()
        cells = "1 cell in the store was" if count == 1 else f"{count} cells in the store were"
        return f"{cells} made with other versions ({'; '.join(said)}); --rerun all recomputes"


def _versions(store: Store, key: str) -> dict[str, str]:
    """The versions that a key names; empty when they are not known."""
    return dict((store.get(key) or {}).get("versions", {})) if key else {}


def _difference(versions: Mapping[str, str]) -> str:
    return changes(versions, libraries()) if versions else "not recorded"
