"""Whether the numbers of a paper's table are those that our metrics and their variants give."""

from __future__ import annotations

import fnmatch
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from bench.engine.claims.candidates import PLAIN, Candidate, candidates
from bench.engine.claims.source_scores import SourceScores
from bench.engine.claims.table import Claim
from bench.engine.image_names import SceneNames
from bench.engine.names import plain
from datasets import Scene
from datasets.subsets import SUBSETS

#: Scenes that a message names.
NAMED = 3


@dataclass(frozen=True)
class ScoreOf:
    """A score that was computed.

    Attributes
    ----------
    scene, method, metric : str
        Names of the scene, ``dataset/scene``, of the method and the metric.
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
    dataset, scene, method, metric, claimed : str
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

    dataset: str
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


def verdicts(
    claims: Sequence[Claim],
    scores: Iterable[ScoreOf],
    scenes: Sequence[Scene],
    against: SourceScores | None = None,
) -> list[Verdict]:
    """Compare each claim with the scores, in the order of the table.

    Where several variants agree, the one is named that agrees with most of the column, as one
    code has computed a column.

    Parameters
    ----------
    claims : sequence of Claim
        What the table says.
    scores : iterable of ScoreOf
        The scores of all methods, of the metrics of `needed_metrics`; a mean is taken over the
        scenes of which a method has scores, or should have.
    scenes : sequence of Scene
        The scenes that the claims may name.
    against : mapping, optional
        The scores with each source as the reference, of metrics that need one.
    """
    known = _Scores(scores, scenes, against or {})
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
    head = (claim.dataset, claim.scene or "mean", claim.method, claim.value.name, claim.value.text)
    if fitting:
        best = fitting[0]
        value, note = values[best]
        status = "agrees with variant" if best.cost else "agrees"
        variant = best.text if best.cost else ""
        return Verdict(*head, status, variant, value, _difference(claim, value), note)
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
    found = candidates(claim.value, 2, reference=True)
    plain_ones = (c for c in found if c.unit == PLAIN and not c.against)
    own = [c for c in plain_ones if c.metric == claim.value.metric]
    return [*own, *(c for c in found if c not in own)]


class _Scores:
    """Scores by their names, and means over scenes."""

    def __init__(
        self, scores: Iterable[ScoreOf], scenes: Sequence[Scene], against: SourceScores
    ) -> None:
        self._against = {(scene, plain(m), name): v for (scene, m, name), v in against.items()}
        self._known = {(s.scene, plain(s.method), s.metric): s for s in scores}
        self._methods = {plain(score.method): score.method for score in self._known.values()}
        self._names = SceneNames(scenes)
        self._ids = {scene.name: (scene.dataset, scene.id) for scene in scenes}

    def value(self, claim: Claim, candidate: Candidate) -> tuple[float | None, str]:
        """The number that a candidate gives, and of what it is the mean or why there is none."""
        method = plain(claim.method)
        if method not in self._methods:
            known = ", ".join(self._methods.values())
            return None, f"no fused images of {claim.method}; there are images of {known}"
        scenes, why = self._scenes(claim, method)
        if why:
            return None, why
        found = [self._known.get((one, method, candidate.metric.name)) for one in scenes]
        values = [score.value for score in found if score and score.value is not None]
        if candidate.against:
            each = (self._against.get((one, method, candidate.metric.name)) for one in scenes)
            values = [candidate.of_sources(own) for own in each if own]
        if len(values) == len(scenes):
            value = candidate.unit.factor * fmean(values) + candidate.unit.offset
            note = "" if claim.scene else f"mean of {len(scenes)} scenes"
            return (value, note) if math.isfinite(value) else (None, "the score is not finite")
        without = [
            (self._ids[one][1], score.message if score else "")
            for one, score in zip(scenes, found, strict=True)
            if score is None or score.value is None
        ]
        return None, _why(claim, len(scenes), without)

    def _scenes(self, claim: Claim, method: str) -> tuple[list[str], str]:
        """The scenes of a claim, and why there are none."""
        named = [scene for scene, of, _ in self._known if of == method]
        scenes = list(dict.fromkeys(named if not claim.scene else self._names.whole(claim.scene)))
        scenes = [scene for scene in scenes if self._within(scene, claim.dataset)]
        if not scenes:
            what = " ".join(filter(None, ["scene", claim.scene, "of", claim.dataset]))
            return [], f"no {what.removesuffix(' of')} among the sources"
        if claim.scene and len(scenes) > 1:
            return [], f"scene {claim.scene} may be {' or '.join(scenes)}; add a column dataset"
        return scenes, ""

    def _within(self, scene: str, dataset: str) -> bool:
        """Whether a scene is of the data set that a claim names."""
        own, name = self._ids[scene]
        if subset := SUBSETS.get(dataset.lower()):
            return subset.holds(own, name)
        of, _, pattern = dataset.partition("/")
        same = plain(own) == plain(of) or plain(own).endswith(plain(of))
        return not dataset or (same and fnmatch.fnmatchcase(name, pattern or "*"))


def _why(claim: Claim, scenes: int, without: Sequence[tuple[str, str]]) -> str:
    reason = next((message for _, message in without if message), "no fused image")
    if claim.scene:
        return reason
    named = ", ".join(name for name, _ in without[:NAMED])
    named += ", ..." if len(without) > NAMED else ""
    return f"no mean, as {len(without)} of {scenes} scenes have no score ({named}): {reason}"
