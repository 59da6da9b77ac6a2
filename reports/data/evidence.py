"""Scores of many methods on scenes with a reference: the evidence for and against a metric.

From a run, one piece of evidence a data set; and the published scores of Real-MFF.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bench.store.manifest import MethodEntry, RunManifest
from datasets import real_mff
from datasets.synthetic import WIDTHS
from reports.data.leaderboard import NO_FUSION, by_scene
from reports.data.results import Results

#: Metrics against the reference that others are compared with.
AGAINST = ("psnr", "ssim", "gmsd", "ms_ssim")

#: Name of the evidence of the published scores; `real-mff` is the data set with the images.
REAL = "Real-MFF"

#: Methods that no agreement is about: any metric sees that they do not fuse, or fuse with the
#: reference.
LEFT_OUT = frozenset({*NO_FUSION, "oracle"})

#: The least methods that an order can be compared on.
FEWEST = 4


@dataclass(frozen=True)
class Evidence:
    """Scores on the scenes of one origin; higher is better in all tables.

    Attributes
    ----------
    name, title : str
        Name in tables, and what it is in one line.
    scores : dict of str to DataFrame
        By metric: one row a scene, one column a method.
    kinds : dict of str to str
        ``decision`` or ``transform`` by method; see `methods.Method`.
    """

    name: str
    title: str
    scores: dict[str, pd.DataFrame]
    kinds: dict[str, str]

    @property
    def methods(self) -> list[str]:
        """Names of the methods that have scores, in their order."""
        found = (name for table in self.scores.values() for name in table.columns)
        return list(dict.fromkeys(map(str, found)))

    @property
    def scenes(self) -> int:
        """Number of scenes."""
        return len(set().union(*(table.index for table in self.scores.values())))

    def of_kind(self, kind: str) -> Evidence:
        """The same with the methods of one kind only."""
        return self.only([name for name in self.methods if self.kinds.get(name) == kind])

    def only(self, methods: Collection[str]) -> Evidence:
        """The same with these methods only."""
        kept = set(methods)
        scores = {
            metric: table[[name for name in table.columns if name in kept]]
            for metric, table in self.scores.items()
        }
        return replace(self, scores=scores)

    def on(self, scenes: Collection[str]) -> Evidence:
        """The same with these scenes only."""
        kept = set(scenes)
        scores = {
            metric: table[[name in kept for name in table.index]]
            for metric, table in self.scores.items()
        }
        return replace(self, scores=scores)


def together(parts: Sequence[Evidence]) -> Evidence:
    """The scenes of several pieces of evidence as one, with the metrics that all of them have."""
    shared = set.intersection(*(set(part.scores) for part in parts))
    scores = {
        metric: pd.concat([part.scores[metric] for part in parts])
        for metric in parts[0].scores
        if metric in shared
    }
    return replace(parts[0], scores=scores)


def evidence_of(results: Results) -> list[Evidence]:
    """One piece of evidence for each data set of a run whose scenes have a reference.

    ``synthetic-fine`` is one for each width of its objects.
    """
    return [
        found
        for name, title, scenes in _parts(results.manifest)
        if len((found := _evidence(results, name, title, scenes)).methods) >= FEWEST
    ]


def _parts(manifest: RunManifest) -> Iterator[tuple[str, str, set[str]]]:
    """Name, title and scenes of each part of a run that is evidence by itself."""
    for dataset in manifest.datasets:
        scenes = {s.scene for s in manifest.scenes if s.dataset == dataset and s.reference}
        if dataset.startswith("synthetic-fine"):
            for width in WIDTHS[::-1]:
                part = {scene for scene in scenes if scene.endswith(f"_{width}")}
                yield f"{dataset}/*_{width}", f"objects {width} pixels wide", part
        else:
            yield dataset, "", scenes


def _evidence(results: Results, name: str, title: str, scenes: Collection[str]) -> Evidence:
    manifest, dataset = results.manifest, name.partition("/")[0]
    scores = results.scores
    mine = scores[(scores["dataset"] == dataset) & scores["scene"].isin(list(scenes))]
    tables = {}
    for metric in manifest.metrics:
        table = by_scene(mine, metric.name).replace([np.inf, -np.inf], np.nan)
        table = table[[column for column in table.columns if column not in LEFT_OUT]]
        if table.notna().any(axis=None):
            tables[metric.name] = metric.sign * table
    if not set(AGAINST) & tables.keys():
        tables = {}
    kinds = {method.name: kind_of(method) for method in manifest.methods}
    return Evidence(name, f"{len(scenes)} scenes{title and f', {title}'}", tables, kinds)


def kind_of(method: MethodEntry) -> str:
    """``decision`` or ``transform``; empty for fused images whose method is not run here."""
    return str(method.identity.get("kind", ""))


def published_evidence() -> Evidence:
    """The published scores of 30 methods on the 710 pairs of Real-MFF.

    Metrics have our names where the definition is the same, else those of the authors; methods
    likewise.

    Raises
    ------
    DataUnavailable
        The scores are not on this machine and cannot be downloaded.
    """
    names = {method.name: method.ours or method.name for method in real_mff.METHODS}
    scores = {}
    for metric in real_mff.METRICS:
        sign = 1 if metric.higher_is_better else -1
        table = real_mff.published_scores(metric).rename(columns=names)
        scores[metric.ours or metric.name] = sign * table
    kinds = {names[method.name]: str(method.kind) for method in real_mff.METHODS}
    return Evidence(REAL, f"{real_mff.PAIRS} pairs, published scores", scores, kinds)
