"""Two runs side by side: what is different about them, and which scores moved for certain.

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

from reports.data.results import KEYS, Results

#: Relative difference of two scores that are the same but for the order of additions.
SAME = 1e-9

TIME = "time"

#: Parts of a method's identity, and what a reader calls them.
IDENTITY = {
    "parameters": "parameters",
    "source": "code",
    "framework": "fusion code",
    "weights": "weights",
    "kind": "kind",
    "colour": "colour rule",
    "stack": "stack rule",
    "commit": "published images",
}


class Difference(NamedTuple):
    """One thing that is not the same in both runs.

    Attributes
    ----------
    kind : {'run', 'method', 'metric', 'scene', 'cell'}
        Of what.
    name : str
        Which.
    what : str
        What about it; ``added`` or ``removed`` when only one run has it.
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
        Of code, versions, weights, data and outcomes.
    scores : DataFrame
        A row a method and metric that both runs have: ``method, metric, scenes`` (compared),
        ``moved`` (scenes on which the score is another), ``before`` and ``after`` (means),
        ``difference`` (of them, NaN if infinite), ``sign`` (of the ranked changes), ``p``
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
    differences = [*_runs(old, new), *_methods(old, new), *_metrics(old, new), *_scenes(old, new)]
    differences += _outcomes(before, after)
    up = {m["name"]: m["higher_is_better"] for m in new["metrics"]}
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
        rows.append(
            {
                "method": method,
                "metric": metric,
                "scenes": len(table),
                "moved": int(np.count_nonzero(change)),
                "before": old.mean(),
                "after": new.mean(),
                "difference": change.mean() if np.isfinite(change).all() else np.nan,
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
    """Which way the sum of signed ranks points: what Wilcoxon's test tests."""
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


def _runs(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Difference]:
    facts = [
        ("MFIF-Bench", "version", old.get("mfif_bench"), new.get("mfif_bench")),
        ("MFIF-Bench", "commit", _commit(old), _commit(new)),
        ("learned methods", "precision", old.get("precision"), new.get("precision")),
    ]
    machines = old.get("machine", {}), new.get("machine", {})
    keys = [key for key in {**machines[0], **machines[1]} if key != "packages"]
    facts += [("machine", key, *(machine.get(key) for machine in machines)) for key in keys]
    packages = [machine.get("packages", {}) for machine in machines]
    names = {**packages[0], **packages[1]}
    facts += [(name, "version", *(each.get(name) for each in packages)) for name in names]
    for name, what, a, b in facts:
        if a != b:
            yield Difference("run", name, what, _said(a), _said(b))


def _commit(manifest: dict[str, Any]) -> str:
    git = manifest.get("git") or {}
    return git.get("commit", "")[:12] + (" and changes" if git.get("changed") else "")


def _methods(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Difference]:
    yield from _entries("method", _named(old["methods"]), _named(new["methods"]), IDENTITY)


def _metrics(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Difference]:
    first, second = _named(old["metrics"]), _named(new["metrics"])
    for table, manifest in ((first, old), (second, new)):
        for cell in manifest["cells"]:
            for name, entry in cell["scores"].items():
                if name in table and entry.get("fingerprint"):
                    table[name] = {**table[name], "fingerprint": entry["fingerprint"]}
    facts = {"version": "version", "higher_is_better": "direction", "fingerprint": "code"}
    yield from _entries("metric", first, second, facts)


def _scenes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Difference]:
    facts = {"fingerprint": "pixels", "origin": "origin", "status": "status"}
    yield from _entries("scene", _places(old), _places(new), facts)


def _entries(
    kind: str,
    old: Mapping[str, Mapping[str, Any]],
    new: Mapping[str, Mapping[str, Any]],
    facts: Mapping[str, str],
) -> Iterator[Difference]:
    """What was added, removed, or changed in one of the named facts."""
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            yield Difference(kind, name, "removed", "", "")
        elif name not in old:
            yield Difference(kind, name, "added", "", "")
        else:
            for key, what in facts.items():
                a, b = old[name].get(key), new[name].get(key)
                if a != b:
                    yield Difference(kind, name, what, _said(a), _said(b))


def _outcomes(before: Results, after: Results) -> Iterator[Difference]:
    """Cells that were fused in one run and not in the other."""
    states = []
    for manifest in (before.manifest, after.manifest):
        cells = manifest["cells"]
        states.append({(c["dataset"], c["scene"], c["method"]): c for c in cells})
    for key in (key for key in states[0] if key in states[1]):
        a, b = states[0][key], states[1][key]
        if a["status"] != b["status"]:
            dataset, scene, method = key
            reason = a["message"] or b["message"]
            name = f"{method} on {dataset}/{scene}"
            yield Difference("cell", name, f"status ({reason})", a["status"], b["status"])


def _named(entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in entries}


def _places(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{s['dataset']}/{s['scene']}": s for s in manifest["scenes"]}


def _same_scenes(old: dict[str, Any], new: dict[str, Any]) -> set[tuple[str, str]]:
    """Scenes whose pixels are the same in both runs."""
    first = {(s["dataset"], s["scene"]): s.get("fingerprint") for s in old["scenes"]}
    second = {(s["dataset"], s["scene"]): s.get("fingerprint") for s in new["scenes"]}
    return {place for place in first if place in second and first[place] == second[place]}


def _renewed(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Metrics that both runs have in different versions."""
    first, second = _named(old["metrics"]), _named(new["metrics"])
    return [n for n in first if n in second and first[n]["version"] != second[n]["version"]]


def _notes(
    old: dict[str, Any], new: dict[str, Any], scores: pd.DataFrame, alpha: float
) -> list[str]:
    notes = []
    shared = _places(old).keys() & _places(new).keys()
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
    if old.get("machine") != new.get("machine") or old.get("threads") != new.get("threads"):
        notes.append("machine, threads or libraries differ: times say nothing about the methods")
    return notes


def _said(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{k}={v}" for k, v in sorted(value.items())) or "none"
    text = str(value)
    return text[:12] if len(text) == 64 and text.isalnum() else text
