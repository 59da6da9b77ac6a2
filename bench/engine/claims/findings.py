"""What a search for the origin of printed numbers has found."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import tabulate

from bench.engine.claims.printed import PrintedValue

#: The hypothesis that nothing was done to the images.
AS_GIVEN = "images as given"

#: Matches by chance are estimated from the values within so many times the allowed difference.
WINDOW = 20

#: Explanations and near misses that are printed.
SHOWN = 8
NEAREST = 5


@dataclass(frozen=True)
class Match:
    """A value that was tried.

    Attributes
    ----------
    value : PrintedValue
        The printed value.
    images : str
        The form of the images.
    metric, what : str
        The metric's name; with the unit and with what it was compared.
    gives, difference : float
        What it gives, and that minus the printed value.
    allowed : float
        The largest difference that rounding explains.
    cost : float
        How far the candidate is from the named metric.
    named : bool
        Whether it is the metric of that name, or a variant.
    """

    value: PrintedValue
    images: str
    metric: str
    what: str
    gives: float
    difference: float
    allowed: float
    cost: float
    named: bool = True

    @property
    def defined(self) -> bool:
        """Whether the metric is defined for these images."""
        return math.isfinite(self.gives)

    @property
    def exact(self) -> bool:
        """Whether rounding alone explains the difference."""
        return abs(self.difference) <= self.value.rounding

    @property
    def fits(self) -> bool:
        """Whether it gives the printed value."""
        return self.defined and abs(self.difference) <= self.allowed


@dataclass(frozen=True)
class Explanation:
    """A hypothesis about the images, and the values that it explains.

    Attributes
    ----------
    images : str
        What was done to the images.
    matches : tuple of Match
        For each value that it explains, the simplest candidate.
    cost : float
        How far it is from the named metrics on the images as given; the simplest is the least.
    """

    images: str
    matches: tuple[Match, ...]
    cost: float


def ranked(explanations: Iterable[Explanation]) -> tuple[Explanation, ...]:
    """Those that explain most values first; of these, the simplest; of these, the closest."""
    best: dict[tuple[object, ...], Explanation] = {}
    for found in explanations:
        key = (found.images, *((match.value, match.what) for match in found.matches))
        best.setdefault(key, found)
    return tuple(
        sorted(
            best.values(),
            key=lambda found: (
                -len(found.matches),
                found.cost,
                max(abs(match.difference) / match.allowed for match in found.matches),
            ),
        )
    )


@dataclass(frozen=True)
class Identification:
    """The result of a search.

    Attributes
    ----------
    values : tuple of PrintedValue
        What was looked for.
    explanations : tuple of Explanation
        The hypotheses that explain one or more values, best first.
    tried : tuple of tuple of Match
        For each value, everything that was compared with it.
    untried : tuple of str
        Steps of the search that were not made because the values were explained before.
    """

    values: tuple[PrintedValue, ...]
    explanations: tuple[Explanation, ...]
    tried: tuple[tuple[Match, ...], ...]
    untried: tuple[str, ...]

    @property
    def found(self) -> bool:
        """Whether one hypothesis explains all values."""
        return bool(self.explanations) and len(self.explanations[0].matches) == len(self.values)

    def nearest(self, k: int, images: str = "") -> list[Match]:
        """What comes nearest to value `k`: different numbers, on one form of the images if given.

        Of the metric that was named and its variants, where those are defined.
        """
        found: dict[str, Match] = {}
        tried = [match for match in self.tried[k] if images in ("", match.images)]
        tried = [match for match in tried if match.named] or tried
        for match in sorted(tried, key=lambda one: (abs(one.difference), one.cost)):
            found.setdefault(f"{match.gives:.9g}", match)
            if len(found) == NEAREST:
                break
        return list(found.values())

    def by_chance(self, k: int) -> float:
        """How many matches of value `k` its number of digits alone would give, about."""
        outside = [
            match
            for match in self.tried[k]
            if not match.fits and abs(match.difference) <= WINDOW * match.allowed
        ]
        return len(outside) / (WINDOW - 1)

    def facts(self) -> dict[str, object]:
        """The result for JSON."""
        return {
            "found": self.found,
            "values": [dataclasses.asdict(value) for value in self.values],
            "explanations": [
                {
                    "images": found.images,
                    "cost": found.cost,
                    "matches": [_facts(match) for match in found.matches],
                }
                for found in self.explanations
            ],
            "nearest": [
                [{"images": match.images, **_facts(match)} for match in self.nearest(k)]
                for k in range(len(self.values))
            ],
            "tried": [len(matches) for matches in self.tried],
            "matched": [sum(match.fits for match in matches) for matches in self.tried],
            "by_chance": [self.by_chance(k) for k in range(len(self.values))],
            "untried": list(self.untried),
        }

    def lines(self) -> Iterator[str]:
        """The result as text: a table, near misses, and how many hypotheses were tried."""
        if self.explanations:
            yield from self._table()
        if not self.found:
            yield from self._misses()
        for k, value in enumerate(self.values):
            matched = sum(match.fits for match in self.tried[k])
            yield (
                f"{value}: {len(self.tried[k])} numbers tried, {matched} match; "
                f"about {self.by_chance(k):.1f} would match by chance"
            )
        if self.untried:
            yield f"not tried, as the values are explained: {'; '.join(self.untried)}"

    def _table(self) -> Iterator[str]:
        rows = []
        for rank, found in enumerate(self.explanations[:SHOWN], start=1):
            for k, match in enumerate(found.matches):
                head = (rank, found.images) if k == 0 else ("", "")
                value = f"{match.value.name or 'value'} = {match.value.text}"
                rows.append([*head, value, match.what, f"{match.gives:.7g}", _sign(match)])
        heads = ["", "images", "printed", "metric", "gives", "difference"]
        yield tabulate.tabulate(rows, headers=heads, disable_numparse=True)
        if (more := len(self.explanations) - SHOWN) > 0:
            yield f"and {more} more that are less simple or explain fewer values"

    def _misses(self) -> Iterator[str]:
        explained = {match.value for found in self.explanations for match in found.matches}
        if len(self.values) > 1 and explained == set(self.values):
            yield "no hypothesis explains all the values together"
        if self.explanations:
            best = self.explanations[0]
            for k, value in enumerate(self.values):
                if value not in {match.value for match in best.matches}:
                    for match in self.nearest(k, best.images)[:1]:
                        yield (
                            f"with {best.images}, {value.name} = {value.text} is not explained; "
                            f"nearest: {match.gives:.7g} ({_sign(match)}) {match.what}"
                        )
        for k, value in enumerate(self.values):
            if value in explained:
                continue
            yield f"nothing that was tried gives {value.name or 'the value'} = {value.text}"
            for match in dict.fromkeys([*self.nearest(k, AS_GIVEN)[:1], *self.nearest(k)]):
                yield f"  nearest: {match.gives:.7g} ({_sign(match)}) {match.what}; {match.images}"


def _facts(match: Match) -> dict[str, object]:
    return {
        "printed": f"{match.value.name}={match.value.text}",
        "metric": match.metric,
        "what": match.what,
        "gives": match.gives,
        "difference": match.difference,
        "allowed": match.allowed,
    }


def _sign(match: Match) -> str:
    return f"{match.difference:+.2g}"
