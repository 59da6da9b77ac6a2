"""Two runs side by side: what differs, and which scores moved significantly.

Scores are compared in pairs, over the scenes that both runs finished with the same pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.stats
from numpy.typing import NDArray

from bench.store.manifest import RunManifest
from reports.data.means import cap_of
from reports.data.results import KEYS, TIME, Results

#: Largest relative difference of two scores that count as equal: the order of additions differs.
SAME = 1e-9

#: Parts of a method's identity, and their names in a comparison.
IDENTITY = {
    "parameters": "parameters",
    "source": "code",
    "framework": "fusion code",
    "weights": "weights",
    "kind": "kind",
    "colour": "colour rule",
    "stack": "stack rule",
    "commit": "published images",
    "files": "image files",
}


class Difference(NamedTuple):
    """One difference between the runs.

    Attributes
    ----------
    kind : {'run', 'method', 'metric', 'scene', 'cell'}
        What differs.
    name : str
        Its name.
    what : str
        Which of its facts differs; ``added`` or ``removed`` when only one run has it.
    before, after : str
        Empty when there is none.
    """

    kind: str
    name: str
    what: str
    before: str
    after: str


@dataclass(frozen=True)
class RunComparison:
    """What `compare_runs` found.

    Attributes
    ----------
    differences : list of Difference
        Differences of code, versions, weights, data and outcomes.
    scores : DataFrame
        A row a method and metric that both runs have: ``method, metric, scenes`` (compared),
        ``moved`` (scenes on which the score is another), ``before`` and ``after`` (means,
        see `reports.data.means`), ``difference`` (of them), ``sign`` (of the ranked changes), ``p``
        (Wilcoxon), ``p_holm`` (corrected over all rows that moved) and ``verdict``: ``same``,
        ``better``, ``worse``, or ``unclear`` when the difference is not significant.
    times : DataFrame
        The same of seconds, corrected by themselves.
    notes : list of str
        What limits the comparison.
    """

    differences: list[Difference]
    scores: pd.DataFrame
    times: pd.DataFrame
    notes: list[str]


def compare_runs(before: Results, after: Results, *, alpha: float = 0.05) -> RunComparison:
    """Compare two runs.

    Parameters
    ----------
    before, after : Results
        The runs.
    alpha : float
        Level of the tests, in (0, 1).
    """
    old, new = before.manifest, after.manifest
    differences = [*_runs(old, new)]
    for kind, facts in (("method", _methods), ("metric", _metrics), ("scene", _scenes)):
        differences += _changes(kind, facts(old), facts(new))
    differences += _outcomes(before, after)
    up = {metric.name: metric.higher_is_better for metric in new.metrics}
    same = _same_scenes(old, new)
    first, second = (run.scores.query("status == 'ok'") for run in (before, after))
    first = first[~first["metric"].isin(_renewed(old, new))]
    scores = compare_scores(first, second, up, same, alpha=alpha)
    times = compare_scores(_clock(before), _clock(after), {TIME: False}, same, alpha=alpha)
    return RunComparison(differences, scores, times, _notes(old, new, scores, alpha))


def _clock(results: Results) -> pd.DataFrame:
    """Uncontended median seconds in the shape of scores."""
    timing = results.timing[~results.timing["contended"].astype(bool)]
    return timing.assign(metric=TIME, value=timing["median_s"])


def compare_scores(
    before: pd.DataFrame,
    after: pd.DataFrame,
    higher_is_better: Mapping[str, bool],
    scenes: set[tuple[str, str]],
    *,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Wilcoxon's signed-rank test of each method and metric over common scenes, Holm-corrected.

    Parameters
    ----------
    before, after : DataFrame
        ``dataset, scene, method, metric, value``.
    higher_is_better : mapping
        Direction of each metric.
    scenes : set of (str, str)
        Dataset and name of the scenes that count.
    alpha : float
        Level of the tests, in (0, 1).

    Returns
    -------
    DataFrame
        See `RunComparison`.
    """
    keys = [*KEYS, "metric"]
    both = before[[*keys, "value"]].merge(after[[*keys, "value"]], on=keys, suffixes=("_a", "_b"))
    where = both[["dataset", "scene"]].itertuples(index=False, name=None)
    both = both[pd.Series([place in scenes for place in where], index=both.index, dtype=bool)]
    both = both.dropna()
    rows = []
    for (method, metric), table in both.groupby(["method", "metric"], sort=False):
        old, new = table["value_a"].to_numpy(float), table["value_b"].to_numpy(float)
        change = _change(old, new)
        first, second = (float(np.minimum(x, cap_of(str(metric))).mean()) for x in (old, new))
        rows.append(
            {
                "method": method,
                "metric": metric,
                "scenes": len(table),
                "moved": int(np.count_nonzero(change)),
                "before": first,
                "after": second,
                "difference": second - first if np.isfinite([first, second]).all() else np.nan,
                "sign": _sign(change),
                "p": _wilcoxon(change),
            }
        )
    columns = ["method", "metric", "scenes", "moved", "before", "after", "difference", "sign", "p"]
    table = pd.DataFrame(rows, columns=columns)
    moved = table["moved"] > 0
    table["p_holm"] = 1.0
    table.loc[moved, "p_holm"] = holm(table.loc[moved, "p"].to_numpy(float))
    table["verdict"] = [
        _verdict(row, higher_is_better, alpha) for row in table.to_dict("records")
    ]  # fmt: skip
    return table.sort_values(["p_holm", "p"], kind="stable", ignore_index=True)


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's step-down correction.

    Parameters
    ----------
    p : ndarray
        Probabilities of any number of tests.

    Examples
    --------
    >>> import numpy as np
    >>> from reports.data.run_comparison import holm
    >>> holm(np.array([0.04, 0.01, 0.5])).tolist()
    [0.08, 0.03, 0.5]
    """
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1.0, p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(steps) if len(p) else steps
    return adjusted


def _change(old: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
    """After minus before; 0 where they are the same number, both infinite included."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isclose(old, new, rtol=SAME, atol=0), 0.0, new - old)


def _sign(change: NDArray[np.float64]) -> int:
    """Sign of the sum of signed ranks, the statistic of Wilcoxon's test."""
    return int(np.sign((np.sign(change) * scipy.stats.rankdata(abs(change))).sum()))


def _wilcoxon(change: NDArray[np.float64]) -> float:
    if not change.any():
        return 1.0
    bounded = np.clip(change, -np.finfo(float).max, np.finfo(float).max)  # only ranks count
    return float(scipy.stats.wilcoxon(bounded, zero_method="zsplit").pvalue)


def _verdict(row: Mapping[Any, Any], higher_is_better: Mapping[str, bool], alpha: float) -> str:
    if not row["moved"]:
        return "same"
    if row["p_holm"] > alpha:
        return "unclear"
    return "better" if (row["sign"] > 0) == higher_is_better[row["metric"]] else "worse"


def _runs(old: RunManifest, new: RunManifest) -> Iterator[Difference]:
    facts: list[tuple[str, str, Any, Any]] = [
        ("MFIF-Bench", "version", old.mfif_bench, new.mfif_bench),
        ("MFIF-Bench", "commit", _commit(old), _commit(new)),
        ("learned methods", "precision", old.precision, new.precision),
    ]
    a, b = old.machine, new.machine
    facts += [("machine", key, a.get(key), b.get(key)) for key in {**a, **b} if key != "packages"]
    a, b = a.get("packages", {}), b.get("packages", {})
    facts += [(name, "version", a.get(name), b.get(name)) for name in {**a, **b}]
    for name, what, a, b in facts:
        if a != b:
            yield Difference("run", name, what, _as_text(a), _as_text(b))


def _commit(manifest: RunManifest) -> str:
    commit = str(manifest.git.get("commit", ""))[:12]
    return commit + (" and changes" if manifest.git.get("changed") else "")


#: By name, the facts that are compared.
Facts = dict[str, dict[str, Any]]


def _methods(manifest: RunManifest) -> Facts:
    return {
        method.name: {called: method.identity.get(key) for key, called in IDENTITY.items()}
        for method in manifest.methods
    }


def _metrics(manifest: RunManifest) -> Facts:
    scores = (item for cell in manifest.cells for item in cell.scores.items())
    codes = {name: score.fingerprint for name, score in scores if score.fingerprint}
    return {
        metric.name: {
            "version": metric.version,
            "direction": "higher" if metric.higher_is_better else "lower",
            "code": codes.get(metric.name),
        }
        for metric in manifest.metrics
    }


def _scenes(manifest: RunManifest) -> Facts:
    return {
        scene.name: {"pixels": scene.fingerprint, "origin": scene.origin, "status": scene.status}
        for scene in manifest.scenes
    }


def _changes(kind: str, old: Facts, new: Facts) -> Iterator[Difference]:
    """What was added, removed, or changed in one of the facts."""
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            yield Difference(kind, name, "removed", "", "")
        elif name not in old:
            yield Difference(kind, name, "added", "", "")
        else:
            for what, a in old[name].items():
                if a != (b := new[name][what]):
                    yield Difference(kind, name, what, _as_text(a), _as_text(b))


def _outcomes(before: Results, after: Results) -> Iterator[Difference]:
    """Cells that were fused in one run and not in the other."""
    first, second = (
        {(*cell.place, cell.method): cell for cell in run.manifest.cells} for run in (before, after)
    )
    for key in (key for key in first if key in second):
        a, b = first[key], second[key]
        if a.status != b.status:
            name = f"{a.method} on {a.dataset}/{a.scene}"
            reason = f"status ({a.message or b.message})"
            yield Difference("cell", name, reason, a.status, b.status)
        elif a.compression != b.compression and a.status == "ok":
            name, kinds = f"{a.method} on {a.dataset}/{a.scene}", (a.compression, b.compression)
            yield Difference("cell", name, "compression", *(kind or "lossless" for kind in kinds))


def _same_scenes(old: RunManifest, new: RunManifest) -> set[tuple[str, str]]:
    """Scenes whose pixels are the same in both runs."""
    shared = old.scene.keys() & new.scene.keys()
    return {p for p in shared if old.scene[p].fingerprint == new.scene[p].fingerprint}


def _renewed(old: RunManifest, new: RunManifest) -> list[str]:
    """Metrics that both runs have in different versions."""
    both = [name for name in old.metric if name in new.metric]
    return [name for name in both if old.metric[name].version != new.metric[name].version]


def _notes(old: RunManifest, new: RunManifest, scores: pd.DataFrame, alpha: float) -> list[str]:
    notes = []
    shared = old.scene.keys() & new.scene.keys()
    other = len(shared) - len(_same_scenes(old, new))
    if other:
        notes.append(f"{other} of {len(shared)} common scenes have other pixels now: left out")
    for name in _renewed(old, new):
        notes += [f"{name} is another version now, which is another quantity: left out"]
    moved = scores[scores["moved"] > 0]
    if len(moved) and (most := int(moved["scenes"].max())) < 60:
        least = 2.0 ** (1 - most) * len(moved)
        if least > alpha:
            notes.append(
                f"over {most} scenes and {len(moved)} tests no difference can be significant: "
                f"the least corrected p is {min(1.0, least):.2g}"
            )
    if old.machine != new.machine or old.threads != new.threads:
        notes.append("machine, threads or libraries differ: times say nothing about the methods")
    return notes


def _as_text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{k}={v}" for k, v in sorted(value.items())) or "none"
    text = str(value)
    return text[:12] if len(text) == 64 and text.isalnum() else text
