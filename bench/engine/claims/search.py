"""Search for what gives printed numbers: cheap and likely hypotheses first."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.core.errors import UsageError
from bench.core.pixels import same_size
from bench.engine.claims.candidates import (
    COST_INEXACT,
    COST_OTHER_METRIC,
    Candidate,
    candidates,
    other_candidates,
)
from bench.engine.claims.changes import KINDS, Change, single_changes, size_changes
from bench.engine.claims.findings import (
    AS_GIVEN,
    Explanation,
    Identification,
    Match,
    ranked,
)
from bench.engine.claims.printed import PrintedValue
from bench.engine.claims.unrounded import UnroundedView
from bench.engine.claims.view import ImageSet, Scene, View

#: Scenes that are kept, as each holds some 100 MiB of parts of large images.
KEPT_SCENES = 2

#: Variants that are not tried with two changes of the images unless they are named: ten times as
#: slow as the other variants, and nearly equal to one of them.
SLOWEST = ("fmi_pixel",)

#: Metrics that take longest, 30 ms or more for 512x512: tried last.
SLOW = (*SLOWEST, "fmi", "qp", "lmi", "vif_tang", "viff")

#: Called with the step of the search, the form of the images, and how many forms the step has.
Observer = Callable[[str, str, int], object]


@dataclass(frozen=True)
class Form:
    """A hypothesis about the images: the changes made to them, in the order of `KINDS`."""

    changes: tuple[Change, ...] = ()

    @property
    def text(self) -> str:
        """What output calls it."""
        return ", ".join(change.text for change in self.changes) or AS_GIVEN

    @property
    def cost(self) -> float:
        """The sum of the costs of its changes."""
        return sum(change.cost for change in self.changes)

    @property
    def several(self) -> bool:
        """Whether there are two changes or more, besides one that the sizes need."""
        return sum(change.kind != "size" for change in self.changes) > 1

    def apply(self, images: ImageSet) -> list[ImageSet]:
        """The images in this form, one set or one for each channel."""
        sets = [images]
        for change in self.changes:
            sets = [changed for one in sets for changed in change.apply(one)]
        return sets


@dataclass(frozen=True)
class Step:
    """A part of the search: forms of the images, and the candidates that are tried on each."""

    text: str
    forms: tuple[Form, ...]
    others: bool = False


def identify(
    images: ImageSet,
    values: Sequence[PrintedValue],
    *,
    every: bool = False,
    observe: Observer | None = None,
) -> Identification:
    """Find which metrics, on which form of the images, give all of `values`.

    Parameters
    ----------
    images : ImageSet
        Sources of one size, the fused image, and the reference where it is known.
    values : sequence of PrintedValue
        What was printed; one hypothesis about the images should explain all of them.
    every : bool
        Whether the search goes on to less simple hypotheses after the values are explained.
    observe : callable, optional
        See `Observer`.

    Raises
    ------
    ImageError
        The sources differ in size.
    UsageError
        There are fewer than two sources.
    """
    if len(images.sources) < 2:
        raise UsageError(f"at least two source images are needed, got {len(images.sources)}")
    names = [f"source {k + 1}" for k in range(len(images.sources))]
    same_size(images.all[:-1], [*names, "the reference"][: len(images.all) - 1])
    search = _Search(images, values)
    left = list(_steps(images))
    while left:
        step = left.pop(0)
        for form in step.forms:
            if observe:
                observe(step.text, form.text, len(step.forms))
            search.try_form(form, others=step.others)
        if search.complete and not every:
            break
    return search.result([step.text for step in left])


def _steps(images: ImageSet) -> Iterator[Step]:
    bases = [Form()]
    if images.fused.shape[:2] != images.sources[0].shape[:2]:
        bases = [Form((change,)) for change in size_changes(images)]
    singles = single_changes(images)
    once = tuple(_form(*base.changes, change) for base in bases for change in singles)
    pairs = [
        (one, other)
        for one, other in itertools.combinations(singles, 2)
        if one.kind != other.kind
        and "order" not in (one.kind, other.kind)
        and not (one.alone or other.alone)
    ]
    # Those whose sources are the same after each other, so that their scenes are made once.
    together: dict[tuple[str, ...], list[Form]] = {}
    for pair in pairs:
        form = _form(*bases[0].changes, *pair)
        together.setdefault(_scene_key(form), []).append(form)
    twice = itertools.chain.from_iterable(together.values())
    yield Step("the metric and its variants", tuple(bases))
    yield Step("one change of the images", once)
    yield Step("any metric", tuple(bases), others=True)
    yield Step("two changes of the images", tuple(twice))


def _form(*changes: Change) -> Form:
    return Form(tuple(sorted(changes, key=lambda change: KINDS.index(change.kind))))


def _scene_key(form: Form) -> tuple[str, ...]:
    """The changes of a form that the sources see."""
    return tuple(change.text for change in form.changes if not change.only_fused)


class _Search:
    """What was tried, and what has matched."""

    def __init__(self, images: ImageSet, values: Sequence[PrintedValue]) -> None:
        self._images, self._values = images, list(values)
        count, reference = len(images.sources), images.reference is not None
        self._named = [candidates(value, count, reference) for value in values]
        self._others = [other_candidates(value, count, reference) for value in values]
        slow = [any(c.metric.name in SLOW for c in found) for found in self._named]
        self._order = sorted(range(len(values)), key=slow.__getitem__)
        self._scenes: dict[tuple[str, ...], list[Scene]] = {}
        self._tried: list[list[Match]] = [[] for _ in values]
        self._explanations: list[Explanation] = []

    @property
    def complete(self) -> bool:
        """Whether one hypothesis explains all values by rounding alone."""
        return any(
            len(found.matches) == len(self._values) and all(match.exact for match in found.matches)
            for found in self._explanations
        )

    def try_form(self, form: Form, *, others: bool) -> None:
        """Compare the values with the candidates on one form of the images.

        Of several changes only an explanation of all values counts, so that the search of the
        form ends at the first value that it does not explain.
        """
        view = self._view(form)
        best: dict[int, Match] = {}
        for k in self._order:
            found = self._candidates(k, form, others=others)
            tried = [_match(self._values[k], candidate, view, form) for candidate in found]
            new = [match for match in tried if not (others and match.named)]
            self._tried[k] += [match for match in new if match.defined]
            if fitting := [match for match in tried if match.fits]:
                best[k] = min(fitting, key=lambda match: (match.cost, abs(match.difference)))
            elif form.several:
                return
        if best:
            matches = tuple(best[k] for k in sorted(best))
            cost = form.cost + sum(match.cost for match in matches)
            self._explanations.append(Explanation(form.text, matches, cost))

    def _candidates(self, k: int, form: Form, *, others: bool) -> list[Candidate]:
        """What value `k` may be on a form of the images."""
        found = self._named[k] + (self._others[k] if others else [])
        if form.several:
            found = [c for c in found if c.metric.name not in SLOWEST or not c.cost]
        if any(change.kind == "order" for change in form.changes):
            found = [c for c in found if not c.metric.symmetric]
        return found

    def _view(self, form: Form) -> View | UnroundedView:
        key = _scene_key(form)
        sets = form.apply(self._images)
        if any(change.unrounded for change in form.changes):
            return UnroundedView(sets[0])
        if key not in self._scenes:
            while len(self._scenes) >= KEPT_SCENES:
                del self._scenes[next(iter(k for k in self._scenes))]
            self._scenes[key] = [Scene(one) for one in sets]
        return View(self._scenes[key], [one.fused for one in sets])

    def result(self, untried: Sequence[str]) -> Identification:
        """What was found."""
        return Identification(
            tuple(self._values),
            ranked(self._explanations),
            tuple(tuple(matches) for matches in self._tried),
            tuple(untried),
        )


def _match(
    value: PrintedValue, candidate: Candidate, view: View | UnroundedView, form: Form
) -> Match:
    gives = candidate.value(view)
    difference = gives - value.value
    inexact = COST_INEXACT if abs(difference) > value.rounding else 0.0  # False for NaN too
    return Match(
        value=value,
        images=form.text,
        metric=candidate.metric.name,
        what=candidate.text,
        gives=gives,
        difference=difference,
        # Among many forms too many would fit a metric's known difference to public codes.
        allowed=value.rounding if form.several else value.allowed(candidate.metric),
        cost=candidate.cost + inexact,
        named=candidate.cost < COST_OTHER_METRIC,
    )
