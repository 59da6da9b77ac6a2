"""Which versions of the libraries the results of a run were computed with.

A new version of a library does not make a stored result wrong, so the run uses it; but it says so
where results of several versions stand in one table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bench.core.environment import changes, libraries
from bench.core.fingerprint import digest
from bench.store.manifest import EnvironmentEntry
from bench.store.records import FusionRecord, ScoreRecord
from bench.store.store import Store


def environment_id(store: Store, versions: dict[str, str]) -> str:
    """Key of the record of these versions; writes the record if it is new."""
    return store.put_once({"kind": "libraries", "versions": versions})


class VersionCount:
    """Counts results by the library versions that they were computed with.

    Attributes
    ----------
    cells, scores : Counter
        Results by the key of their versions' record.
    others : Counter
        Cells that were computed with other versions than those installed now, by key; a cell
        with several such keys counts under the first.
    """

    def __init__(self) -> None:
        self.cells: Counter[str] = Counter()
        self.scores: Counter[str] = Counter()
        self.others: Counter[str] = Counter()
        self._here = digest({"kind": "libraries", "versions": libraries()})

    def add(self, fused: FusionRecord | None, scores: Iterable[ScoreRecord]) -> None:
        """Count a finished cell: its record, unless it was published, and its scores."""
        keys = [] if fused is None else [fused.environment]
        self.cells.update(keys)
        of_scores = [score.environment for score in scores if score.status == "ok"]
        self.scores.update(of_scores)
        other = [key for key in (*keys, *of_scores) if key != self._here]
        if other:
            self.others[other[0]] += 1

    def update(self, other: VersionCount) -> None:
        """Add the counts of another."""
        self.cells.update(other.cells)
        self.scores.update(other.scores)
        self.others.update(other.others)

    def entries(self, store: Store) -> list[EnvironmentEntry]:
        """For the manifest: each set of versions, and how many results have it."""
        return [
            EnvironmentEntry(key, _versions(store, key), self.cells[key], self.scores[key])
            for key in sorted({*self.cells, *self.scores})
        ]

    def sentence(self, store: Store) -> str:
        """A sentence about cells that were made with other versions; empty when there are none."""
        if not self.others:
            return ""
        texts = [_difference(_versions(store, key)) for key, _ in self.others.most_common(2)]
        if len(self.others) > 2:
            texts.append(f"and {len(self.others) - 2} more")
        count = self.others.total()
        cells = "1 cell in the store was" if count == 1 else f"{count} cells in the store were"
        return f"{cells} made with other versions ({'; '.join(texts)}); --rerun all recomputes"


def _versions(store: Store, key: str) -> dict[str, str]:
    """The versions that a key names; empty when they are not known."""
    return dict((store.get(key) or {}).get("versions", {})) if key else {}


def _difference(versions: dict[str, str]) -> str:
    return changes(versions, libraries()) if versions else "not recorded"
