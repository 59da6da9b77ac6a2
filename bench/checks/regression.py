"""Compare the scores of a run with committed ones: what moved, how far, which way."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.core.errors import UsageError

KEYS = ["dataset", "scene", "method", "metric"]
COLUMNS = [*KEYS, "value", "version", "tolerance"]

#: What a score may move by before it is a change, if the baseline does not say otherwise.
TOLERANCE = 1e-3
#: The same for learned methods, unless the run asked for float32 (`bench.core.precision`).
TOLERANCE_LEARNED = 2e-2
#: Metrics in decibels move more than indexes around 1 do.
SCALE = {"psnr": 50.0}

#: Outcomes that fail the regression.
BAD = ("worse", "missing", "invalid", "version")


@dataclass(frozen=True)
class Change:
    """One score that is not what the baseline says.

    Attributes
    ----------
    dataset, scene, method, metric : str
        Which.
    kind : {'worse', 'better', 'missing', 'invalid', 'version', 'new'}
        ``missing``: in the baseline only; ``invalid``: failed now; ``version``: the metric
        was renumbered, so that the two cannot be compared; ``new``: not in the baseline.
    before, after : float
        NaN where there is none.
    remark : str
        Which direction is better, why there is no score, or which versions differ.
    """

    dataset: str
    scene: str
    method: str
    metric: str
    kind: str
    before: float
    after: float
    remark: str = ""

    @property
    def difference(self) -> float:
        """After minus before."""
        return self.after - self.before

    @property
    def name(self) -> str:
        """The cell and metric in one word."""
        return f"{self.dataset}/{self.scene}/{self.method}/{self.metric}"


def read_baseline(path: Path) -> pd.DataFrame:
    """Read committed scores.

    Raises
    ------
    UsageError
        The file is missing or has not the columns of a baseline.
    """
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(KEYS, str), keep_default_na=False,
                            na_values={"value": [""]})  # fmt: skip
    except (OSError, ValueError) as error:
        raise UsageError(f"--baseline {path}: cannot be read ({error})") from None
    if missing := [name for name in COLUMNS if name not in table]:
        raise UsageError(f"--baseline {path}: no column {', '.join(missing)}")
    return table[COLUMNS]


def make_baseline(scores: pd.DataFrame, manifest: dict[str, Any]) -> pd.DataFrame:
    """The scores of a run in the form of a baseline; raises unless all of them are ok."""
    if bad := scores[scores["status"] != "ok"].to_dict("records"):
        raise UsageError(f"a baseline needs every score, but {_name(bad[0])} is {bad[0]['status']}")
    exact = manifest.get("precision_asked") == "fp32"
    learned = {
        m["name"]
        for m in manifest["methods"]
        if m["family"] == "learned" and not (exact and m.get("takes_precision"))
    }
    table = scores[[*KEYS, "value"]].copy()
    table["version"] = table["metric"].map(_versions(manifest))
    loose = table["method"].isin(learned)
    scale = table["metric"].map(SCALE).fillna(1.0)
    table["tolerance"] = loose.map({True: TOLERANCE_LEARNED, False: TOLERANCE}) * scale
    return table


def compare(
    baseline: pd.DataFrame,
    scores: pd.DataFrame,
    manifest: dict[str, Any],
    failures: pd.DataFrame | None = None,
) -> list[Change]:
    """Every score that moved beyond its tolerance, disappeared or appeared.

    Parameters
    ----------
    baseline : DataFrame
        See `read_baseline`.
    scores : DataFrame
        ``scores`` of `reports.data.results.Results`.
    manifest : dict
        The run's; tells directions and versions of the metrics.
    failures : DataFrame, optional
        ``failures`` of the same results: why a score is invalid.

    Returns
    -------
    list of Change
        The bad ones first.
    """
    both = baseline.merge(scores, on=KEYS, how="outer", suffixes=("_before", ""), indicator=True)
    higher = {m["name"]: m["higher_is_better"] for m in manifest["metrics"]}
    versions = _versions(manifest)
    reasons = _reasons(failures)
    changes = []
    for row in both.to_dict("records"):
        if kind := _kind(row, versions, higher):
            head = {key: row[key] for key in KEYS}
            remark = _remark(kind, row, versions, higher, reasons)
            values = {"before": row["value_before"], "after": row["value"]}
            changes.append(Change(**head, **values, kind=kind, remark=remark))
    order = [*BAD, "better", "new"]
    return sorted(changes, key=lambda change: (order.index(change.kind), change.name))


def _kind(row: Mapping[Any, Any], versions: dict[str, int], higher: dict[str, bool]) -> str:
    if row["_merge"] == "left_only":
        return "missing"
    if row["status"] != "ok" or math.isnan(row["value"]):
        return "invalid"
    if row["_merge"] == "right_only":
        return "new"
    if versions[row["metric"]] != row["version"]:
        return "version"
    before, after = row["value_before"], row["value"]
    if before == after or abs(after - before) <= row["tolerance"]:
        return ""
    return "better" if (after > before) == higher[row["metric"]] else "worse"


def _remark(
    kind: str,
    row: Mapping[Any, Any],
    versions: dict[str, int],
    higher: dict[str, bool],
    reasons: dict[tuple[str, ...], str],
) -> str:
    if kind in ("worse", "better"):
        return "higher is better" if higher[row["metric"]] else "lower is better"
    if kind == "version":
        return f"version {row['version']:.0f} -> {versions[row['metric']]}: another quantity"
    if kind == "invalid":
        cell = row["dataset"], row["scene"], row["method"]
        return reasons.get((*cell, row["metric"])) or reasons.get((*cell, ""), "")
    return {"missing": "not in the run", "new": "not in the baseline"}[kind]


def _reasons(failures: pd.DataFrame | None) -> dict[tuple[str, ...], str]:
    """Why there is no score, by cell and metric; the metric is empty where all are meant."""
    rows = [] if failures is None else failures.to_dict("records")
    return {tuple(row[key] for key in KEYS): f"{row['status']}: {row['message']}" for row in rows}


def failed(changes: list[Change]) -> bool:
    """Whether any change is for the worse or leaves a score in doubt."""
    return any(change.kind in BAD for change in changes)


def verdict(changes: list[Change], total: int) -> str:
    """How many scores were compared and how many moved which way.

    Examples
    --------
    >>> from bench.checks.regression import verdict
    >>> verdict([], 64)
    '64 scores compared, none moved'
    """
    kinds = [change.kind for change in changes]
    said = {"version": "of another version"}
    moved = [f"{kinds.count(kind)} {said.get(kind, kind)}" for kind in dict.fromkeys(kinds)]
    return f"{total} scores compared, {', '.join(moved) or 'none moved'}"


def junit(changes: list[Change], baseline: pd.DataFrame) -> bytes:
    """The comparison as JUnit XML: a test case for each score of the baseline or invalid now."""
    bad = {change.name: change for change in changes if change.kind in BAD}
    names = list(dict.fromkeys([*map(_name, baseline.to_dict("records")), *bad]))
    about = {"tests": len(names), "failures": len(bad), "errors": 0, "skipped": 0}
    counts = {key: str(value) for key, value in about.items()}
    suite = ElementTree.Element("testsuite", {"name": "mfif-bench regress", **counts})
    for name in names:
        place = ".".join(name.split("/")[:2])
        case = ElementTree.SubElement(suite, "testcase", classname=place, name=name)
        if change := bad.get(name):
            text = f"{change.kind}: {change.before:g} -> {change.after:g} ({change.remark})"
            ElementTree.SubElement(case, "failure", type=change.kind, message=text)
    return ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)


def _versions(manifest: dict[str, Any]) -> dict[str, int]:
    return {m["name"]: m["version"] for m in manifest["metrics"]}


def _name(row: Mapping[Any, Any]) -> str:
    return "/".join(str(row[key]) for key in KEYS)
