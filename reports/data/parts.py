"""A part of a run: the scenes of one dataset, or of a subset such as Lytro, and its name."""

from __future__ import annotations

import pandas as pd

from bench.core.errors import UnknownName
from bench.store.manifest import RunManifest
from datasets.alignment import NONE
from datasets.alignment.change import alignment_of
from datasets.subsets import SUBSETS, caption_of
from reports.data.results import Results


def scores_of(results: Results, part: str) -> pd.DataFrame:
    """The scores of a dataset or a subset, in any case; all scores if `part` is empty.

    Raises
    ------
    UnknownName
        The run has no scene of it.
    """
    scores = results.scores
    if not part:
        return scores
    known = {name.lower(): name for name in results.manifest.datasets}
    if name := known.get(part.lower()):
        return scores[scores["dataset"] == name]
    if subset := SUBSETS.get(part.lower()):
        inside = [
            subset.holds(d, s) for d, s in zip(scores["dataset"], scores["scene"], strict=True)
        ]
        if any(inside):
            return scores[inside]
    raise UnknownName("dataset of this run", part, known.values())


def holds(part: str, dataset: str, scene: str) -> bool:
    """Whether a scene is of the dataset or subset `part`; every scene is if it is empty."""
    subset = SUBSETS.get(part.lower())
    named = part.lower() in ("", dataset.lower())
    return named or (subset is not None and subset.holds(dataset, scene))


def caption(manifest: RunManifest, part: str = "") -> str:
    """What tables call a dataset of the run: its name, or that of the subset that was run.

    Parameters
    ----------
    manifest : RunManifest
        The run.
    part : str
        A dataset or a subset; the only dataset of the run if it is empty.

    Returns
    -------
    str
        ``"Lytro, 20 pairs"``, ``"mfifb"``, ``"mfifb, aligned with ecc"``; empty if `part` is and
        there are several datasets.
    """
    if not part:
        part = manifest.datasets[0] if len(manifest.datasets) == 1 else ""
    subset = SUBSETS.get(part.lower())
    inside = [
        s for s in manifest.scenes if (subset.holds(*s.place) if subset else s.dataset == part)
    ]
    if not inside:
        return part
    methods = {alignment_of(scene.changes) for scene in inside} - {NONE}
    aligned = f", aligned with {' and '.join(sorted(methods))}" if methods else ""
    return caption_of(inside[0].dataset, [scene.scene for scene in inside]) + aligned
