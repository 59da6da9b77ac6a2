"""Whether the numbers of a paper's table are those that our metrics and their variants give."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from bench.engine.claims.candidates import PLAIN, Candidate, candidates
from bench.engine.claims.table import Claim
from bench.engine.names import plain

#: Scenes that a message names.
NAMED = 3


@dataclass(frozen=True)
class ScoreOf:
    """A score that was computed.

    Attributes
    ----------
    scene, method, metric : str
        Names of the scene, the method and the metric.
    value : float or None
        None if there is none.
    message : str
        Why there is none.
    """

    scene: str
    method: str
    metric: str
    value: float | None
    message: str = ""


@dataclass(frozen=True)
class Verdict:
    """A claim, and what was found.

    Attributes
    ----------
    scene, method, metric, claimed : str
        As the table has them; the scene ``mean`` is the mean over all scenes.
    status : str
        ``agrees``, ``agrees with variant``, ``differs`` or ``missing``.
    variant : str
        The variant of the metric, or its unit, that agrees.
    value : float or None
        What that gives; of a claim that differs, what the metric itself gives.
    difference : float or None
        `value` minus the claim.
    message : str
        What is missing, or what comes nearest.
    """

    scene: str
    method: str
    metric: str
    claimed: str
    status: str
    variant: str = ""
    value: float | None = None
    difference: float | None = None
    message: str = ""


def needed_metrics(claims: Iterable[Claim]) -> list[str]:
    """Names of the metrics that the claims may be values of."""
    found = [c.metric.name for claim in claims for c in _candidates(claim)]
    return list(dict.fromkeys(found))


def verdicts(claims: Sequence[Claim], scores: Iterable[ScoreOf]) -> list[Verdict]:
    """Compare each claim with the scores, in the order of the table.

    Where several variants agree, the one is named that agrees with most of the column, as one
    code has computed a column.

    Parameters
    ----------
    claims : sequence of Claim
        What the table says.
    scores : iterable of ScoreOf
        The scores of all methods on all scenes, of the metrics of `needed_metrics`.
    """
    known = _Scores(scores)
    found = [{c: known.value(claim, c) for c in _candidates(claim)} for claim in claims]
    agreeing = [
        [c for c, (value, _) in values.items() if value is not None and _fits(claim, c, value)]
        for claim, values in zip(claims, found, strict=True)
    ]
    votes = Counter(
        (claim.value.name, candidate)
        for claim, fitting in zip(claims, agreeing, strict=True)
        for candidate in fitting
    )
    judged = []
    for claim, values, fitting in zip(claims, found, agreeing, strict=True):
        fitting.sort(key=lambda c: (c.cost > 0, -votes[claim.value.name, c], c.cost))
        judged.append(_verdict(claim, values, fitting))
    return judged


Values = Mapping[Candidate, tuple[float | None, str]]


def _verdict(claim: Claim, values: Values, fitting: Sequence[Candidate]) -> Verdict:
    head = (claim.scene or "mean", claim.method, claim.value.name, claim.value.text)
    if fitting:
        best = fitting[0]
        value, _ = values[best]
        status = "agrees with variant" if best.cost else "agrees"
        variant = best.text if best.cost else ""
        return Verdict(*head, status, variant, value, _difference(claim, value))
    own, why = next(iter(values.values()))
    defined = {c: value for c, (value, _) in values.items() if value is not None}
    if not defined:
        return Verdict(*head, "missing", message=why)
    near = min(defined, key=lambda c: abs(defined[c] - claim.value.value))
    message = why
    if near.cost:
        message = f"nearest: {near.text} {defined[near]:.7g}" + (f"; {why}" if why else "")
    return Verdict(*head, "differs", "", own, _difference(claim, own), message)


def _difference(claim: Claim, value: float | None) -> float | None:
    return None if value is None else value - claim.value.value


def _fits(claim: Claim, candidate: Candidate, value: float) -> bool:
    return abs(value - claim.value.value) <= claim.value.allowed(candidate.metric)


def _candidates(claim: Claim) -> list[Candidate]:
    """What the claim may be; the metric itself first."""
    found = [c for c in candidates(claim.value, 2, reference=True) if not c.against]
    own = [c for c in found if c.metric == claim.value.metric and c.unit == PLAIN]
    return [*own, *(c for c in found if c not in own)]


class _Scores:
    """Scores by names in plain letters, and their means over the scenes."""

    def __init__(self, scores: Iterable[ScoreOf]) -> None:
        self._known: dict[tuple[str, str, str], ScoreOf] = {}
        self._methods: dict[str, str] = {}
        self._scenes: dict[str, str] = {}
        for score in scores:
            scene, method = plain(score.scene), plain(score.method)
            self._known[scene, method, score.metric] = score
            self._scenes.setdefault(scene, score.scene)
            self._methods.setdefault(method, score.method)

    def value(self, claim: Claim, candidate: Candidate) -> tuple[float | None, str]:
        """The number that a candidate gives, and why there is none."""
        method, scene = plain(claim.method), plain(claim.scene)
        if method not in self._methods:
            known = ", ".join(self._methods.values())
            return None, f"no fused images of {claim.method}; there are images of {known}"
        if scene and scene not in self._scenes:
            return None, f"no scene {claim.scene} among the sources"
        scenes = [scene] if scene else list(self._scenes)
        found = [self._known.get((one, method, candidate.metric.name)) for one in scenes]
        values = [score.value for score in found if score and score.value is not None]
        if len(values) == len(scenes):
            mean = fmean(values)
            value = candidate.unit.factor * mean + candidate.unit.offset
            return (value, "") if math.isfinite(value) else (None, "the score is not finite")
        without = [
            (self._scenes[one], score.message if score else "")
            for one, score in zip(scenes, found, strict=True)
            if score is None or score.value is None
        ]
        return None, _why(claim, len(scenes), without)


def _why(claim: Claim, scenes: int, without: Sequence[tuple[str, str]]) -> str:
    reason = next((message for _, message in without if message), "no fused image")
    if claim.scene:
        return reason
    named = ", ".join(name for name, _ in without[:NAMED])
    named += ", ..." if len(without) > NAMED else ""
    return f"no mean, as {len(without)} of {scenes} scenes have no score ({named}): {reason}"
