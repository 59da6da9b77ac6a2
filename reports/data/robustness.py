"""How scores fall with the severity of a perturbation, of a run with perturbed sets.

A set counts when the run has it without the perturbation too: ``synthetic-lens+noise=5`` beside
``synthetic-lens``. The means of a method are over the scenes that it finished in all of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from bench.store.manifest import MetricEntry, RunManifest
from datasets.perturbations import Perturbation, split_dataset
from reports.data.means import for_means
from reports.data.results import Results

#: Metrics that are shown first, where the run has them: these compare with the reference.
REFERENCE_METRICS = ("psnr", "ssim")

#: What is drawn against the severity.
What = Literal["score", "loss", "lead"]

#: What each picture shows, in words that a metric's label follows.
WHAT: dict[What, str] = {
    "score": "score",
    "loss": "loss against no perturbation",
    "lead": "lead over the median of these methods",
}

#: Most methods that one picture shows.
MOST_SHOWN = 12

AREA_NOTE = (
    "Score: mean over the severities from the mildest to the largest (area under the curve by the "
    "trapezoid rule, divided by its width); in brackets the loss against the score without "
    "perturbation."
)
SOURCES_NOTE = (
    "Metrics without a reference compare with the perturbed sources: they also reward a method "
    "for keeping the noise."
)


@dataclass(frozen=True)
class Axis:
    """One perturbation of one dataset, with its amounts.

    Attributes
    ----------
    base : str
        The dataset.
    name : str
        The perturbation; ``exposure<0`` for amounts below the one that changes nothing, if there
        are amounts above it too.
    entry : Perturbation
        The perturbation.
    datasets : dict of float to str
        The perturbed dataset by amount, the mildest first.
    """

    base: str
    name: str
    entry: Perturbation
    datasets: dict[float, str]

    @property
    def severities(self) -> list[float]:
        """From 0, of the dataset as it is, on."""
        return [0.0, *(self.entry.severity(amount) for amount in self.datasets)]

    @property
    def labels(self) -> list[str]:
        """The amounts as text, first that of the dataset as it is."""
        none = f"{self.entry.identity:g}" if self.entry.exact else "none"
        return [none, *(f"{amount:g}" for amount in self.datasets)]


@dataclass(frozen=True)
class Robustness:
    """The curves of a run and what they come to.

    Attributes
    ----------
    axes : list of Axis
        In the order of the run.
    curves : DataFrame
        ``base, perturbation, amount, severity, method, metric, scenes, score, loss``; severity 0
        is the dataset as it is. The loss is positive where the score is worse, whatever the
        direction of the metric.
    areas : DataFrame
        ``base, perturbation, method, metric, scenes, clean, score, loss``: means over the
        severities without 0, see `mean_over_severities`, so that a score that is high without
        perturbation does not count as robust.
    """

    axes: list[Axis]
    curves: pd.DataFrame
    areas: pd.DataFrame

    @property
    def bases(self) -> list[str]:
        """The datasets that are perturbed."""
        return list(dict.fromkeys(axis.base for axis in self.axes))

    def axes_of(self, base: str) -> list[Axis]:
        """The perturbations of a dataset."""
        return [axis for axis in self.axes if axis.base == base]

    def summary(self, base: str, metric: str, value: str = "score") -> pd.DataFrame:
        """One row a method, one column a perturbation; of ``score``, ``loss`` or ``clean``."""
        mine = self.areas.query("base == @base and metric == @metric")
        names = [axis.name for axis in self.axes_of(base)]
        return mine.pivot(index="method", columns="perturbation", values=value).reindex(
            columns=[name for name in names if name in set(mine["perturbation"])]
        )

    def metrics(self, base: str, manifest: RunManifest) -> list[str]:
        """The metrics with a curve, those with the reference first."""
        mine = set(self.areas.loc[self.areas["base"] == base, "metric"])
        names = [metric.name for metric in manifest.metrics if metric.name in mine]
        return sorted(names, key=lambda name: name not in REFERENCE_METRICS)


def make_robustness(results: Results) -> Robustness | None:
    """The curves of a run; None if it has no perturbed set beside one as it is.

    Parameters
    ----------
    results : Results
        A run.
    """
    axes = axes_of(results.manifest)
    scores = results.scores[results.scores["status"] == "ok"]
    scores = for_means(scores[np.isfinite(scores["value"]) | (scores["value"] == np.inf)])
    parts = [part for axis in axes if len(part := _curves(axis, scores, results.manifest))]
    if not parts:
        return None
    curves = pd.concat(parts, ignore_index=True)
    return Robustness(axes, curves, _areas(curves))


def axes_of(manifest: RunManifest) -> list[Axis]:
    """The perturbations of the run's datasets, each by itself: combined ones have no severity."""
    found: dict[tuple[str, str], dict[float, str]] = {}
    entries: dict[tuple[str, str], Perturbation] = {}
    for dataset in manifest.datasets:
        base, steps = split_dataset(dataset)
        if len(steps) != 1 or base not in manifest.datasets:
            continue
        entry, amount = steps[0].entry, steps[0].amount
        if amount == entry.identity and entry.exact:
            continue
        both = entry.low < entry.identity < entry.high
        less = both and amount < entry.identity
        key = base, f"{entry.name}<{entry.identity:g}" if less else entry.name
        found.setdefault(key, {})[amount] = dataset
        entries[key] = entry
    return [
        Axis(*key, entries[key], {a: sets[a] for a in sorted(sets, key=entries[key].severity)})
        for key, sets in found.items()
    ]


def _curves(axis: Axis, scores: pd.DataFrame, manifest: RunManifest) -> pd.DataFrame:
    """The points of an axis: means over the scenes that a method finished in all of its sets."""
    sets = [axis.base, *axis.datasets.values()]
    mine = scores[scores["dataset"].isin(sets)]
    table = mine.pivot_table(
        index=["method", "metric", "scene"], columns="dataset", values="value"
    ).reindex(columns=sets)
    grouped = table.dropna().groupby(level=["method", "metric"])
    means, counts = grouped.mean(), grouped.size()
    sign = means.index.get_level_values("metric").map(lambda name: manifest.metric[name].sign)
    points = []
    for dataset, amount, severity in zip(
        sets, [axis.entry.identity, *axis.datasets], axis.severities, strict=True
    ):
        loss = (means[axis.base] - means[dataset]) * sign.to_numpy()
        points.append(
            pd.DataFrame(
                {
                    "base": axis.base,
                    "perturbation": axis.name,
                    "amount": amount,
                    "severity": severity,
                    "scenes": counts,
                    "score": means[dataset],
                    "loss": loss,
                }
            ).reset_index()
        )
    columns = ["base", "perturbation", "amount", "severity", "method", "metric", "scenes"]
    return pd.concat(points, ignore_index=True)[[*columns, "score", "loss"]]


def _areas(curves: pd.DataFrame) -> pd.DataFrame:
    rows = []
    keys = ["base", "perturbation", "method", "metric"]
    for key, curve in curves.groupby(keys, sort=False):
        perturbed = curve.iloc[1:]
        severities = perturbed["severity"].to_list()
        rows.append(
            dict(zip(keys, key, strict=True))
            | {
                "scenes": int(curve["scenes"].iloc[0]),
                "clean": float(curve["score"].iloc[0]),
                "score": mean_over_severities(severities, perturbed["score"].to_list()),
                "loss": mean_over_severities(severities, perturbed["loss"].to_list()),
            }
        )
    return pd.DataFrame(rows)


def mean_over_severities(severities: Sequence[float], values: Sequence[float]) -> float:
    """Area under a curve by the trapezoid rule, divided by its width; of one point its value.

    Examples
    --------
    >>> from reports.data.robustness import mean_over_severities
    >>> mean_over_severities([5, 10, 20], [1.0, 2.0, 4.0]), mean_over_severities([5], [1.0])
    (2.5, 1.0)
    """
    x, y = np.asarray(severities, float), np.asarray(values, float)
    if len(x) == 1:
        return float(y[0])
    return float(np.sum((y[1:] + y[:-1]) / 2 * np.diff(x)) / (x[-1] - x[0]))


def ranked(found: Robustness, base: str, metric: str, manifest: RunManifest) -> list[str]:
    """The methods, the best mean score over all perturbations first; baselines are among them.

    A method without a score under some perturbation comes last.
    """
    table = found.summary(base, metric) * manifest.metric[metric].sign
    mean = table.mean(axis=1, skipna=False).sort_values(ascending=False, kind="stable")
    return [str(name) for name in mean.index]


def shown(found: Robustness, base: str, metric: str, manifest: RunManifest) -> list[str]:
    """The methods that a picture shows: the best ones, and as baselines ``oracle``, ``average``."""
    order = ranked(found, base, metric, manifest)
    baselines = [name for name in ("oracle", "average") if name in order]
    others = [name for name in order if name not in manifest.baselines]
    return [*others[: MOST_SHOWN - len(baselines)], *baselines]


def points(
    found: Robustness, axis: Axis, metric: MetricEntry, methods: Sequence[str], what: What
) -> pd.DataFrame:
    """What a picture draws of an axis: one row a severity, one column a method.

    Parameters
    ----------
    found : Robustness
        The curves.
    axis : Axis
        The perturbation.
    metric : MetricEntry
        The metric.
    methods : sequence of str
        Which methods; those without a curve are left out.
    what : {'score', 'loss', 'lead'}
        ``lead``: by how much the score is better than the median of these methods, at the same
        severity.
    """
    curves = found.curves
    mine = curves[
        (curves["base"] == axis.base)
        & (curves["perturbation"] == axis.name)
        & (curves["metric"] == metric.name)
        & curves["method"].isin(methods)
    ]
    value = "score" if what == "lead" else what
    table = mine.pivot(index="severity", columns="method", values=value)
    table = table.reindex(columns=[name for name in methods if name in table])
    if what == "lead":
        table = metric.sign * table.sub(table.median(axis=1), axis=0)
    return table
