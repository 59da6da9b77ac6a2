"""Compare the scores of a run with committed ones: which moved, how far, which way."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import tabulate

from bench.core.errors import UsageError
from bench.core.files import write_bytes
from bench.store.manifest import RunManifest
from methods import NETWORK_FAMILIES

KEYS = ["dataset", "scene", "method", "metric"]
COLUMNS = [*KEYS, "value", "version", "tolerance"]

#: Largest difference of a score that is no change, unless the baseline has another one.
TOLERANCE = 1e-3
#: The same for learned methods, unless the run selected float32 (`bench.core.precision`).
TOLERANCE_LEARNED = 2e-2
#: Metrics in decibels move more than those around 1 do.
SCALE = {"psnr": 50.0}

#: What XML 1.0 cannot hold, even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

#: Outcomes that fail the regression.
BAD = ("worse", "missing", "invalid", "version")


@dataclass(frozen=True)
class Change:
    """One score that differs from the baseline.

    Attributes
    ----------
    dataset, scene, method, metric : str
        Where the score belongs.
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
        """Cell and metric in one text."""
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
    except FileNotFoundError:
        raise UsageError(f"--baseline {path}: no such file; --update writes it") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"--baseline {path}: cannot be read ({error})") from None
    if missing := [name for name in COLUMNS if name not in table]:
        raise UsageError(f"--baseline {path}: no column {', '.join(missing)}")
    return table[COLUMNS]


def make_baseline(scores: pd.DataFrame, manifest: RunManifest) -> pd.DataFrame:
    """The scores of a run in the form of a baseline; raises unless all of them are ok."""
    if bad := scores[scores["status"] != "ok"].to_dict("records"):
        raise UsageError(f"a baseline needs every score, but {_name(bad[0])} is {bad[0]['status']}")
    exact = manifest.precision_asked == "fp32"
    learned = {
        method.name
        for method in manifest.methods
        if method.family in NETWORK_FAMILIES and not (exact and method.takes_precision)
    }
    table = scores[[*KEYS, "value"]].copy()
    table["version"] = [manifest.metric[str(name)].version for name in table["metric"]]
    loose = table["method"].isin(learned)
    scale = table["metric"].map(SCALE).fillna(1.0)
    table["tolerance"] = loose.map({True: TOLERANCE_LEARNED, False: TOLERANCE}) * scale
    return table


def compare(
    baseline: pd.DataFrame,
    scores: pd.DataFrame,
    manifest: RunManifest,
    failures: pd.DataFrame | None = None,
) -> list[Change]:
    """Every score that moved beyond its tolerance, disappeared or appeared.

    Parameters
    ----------
    baseline : DataFrame
        See `read_baseline`.
    scores : DataFrame
        ``scores`` of `reports.data.results.Results`.
    manifest : RunManifest
        The run's; tells directions and versions of the metrics.
    failures : DataFrame, optional
        ``failures`` of the same results: why a score is invalid.

    Returns
    -------
    list of Change
        The bad ones first.
    """
    both = baseline.merge(scores, on=KEYS, how="outer", suffixes=("_before", ""), indicator=True)
    reasons = _reasons(failures)
    changes = []
    for row in both.to_dict("records"):
        if kind := _kind(row, manifest):
            head = {key: row[key] for key in KEYS}
            remark = _remark(kind, row, manifest, reasons)
            values = {"before": row["value_before"], "after": row["value"]}
            changes.append(Change(**head, **values, kind=kind, remark=remark))
    order = [*BAD, "better", "new"]
    return sorted(changes, key=lambda change: (order.index(change.kind), change.name))


def _kind(row: Mapping[Any, Any], manifest: RunManifest) -> str:
    if row["_merge"] == "left_only":
        return "missing"
    if row["status"] != "ok" or math.isnan(row["value"]):
        return "invalid"
    if row["_merge"] == "right_only":
        return "new"
    metric = manifest.metric[row["metric"]]
    if metric.version != row["version"]:
        return "version"
    before, after = row["value_before"], row["value"]
    if before == after or abs(after - before) <= row["tolerance"]:
        return ""
    return "better" if (after > before) == metric.higher_is_better else "worse"


def _remark(
    kind: str,
    row: Mapping[Any, Any],
    manifest: RunManifest,
    reasons: Mapping[tuple[str, ...], str],
) -> str:
    if kind == "missing":
        return "not in the run"
    if kind == "new":
        return "not in the baseline"
    if kind == "invalid":
        cell = row["dataset"], row["scene"], row["method"]
        return reasons.get((*cell, row["metric"])) or reasons.get((*cell, ""), "")
    metric = manifest.metric[row["metric"]]
    if kind == "version":
        return f"version {row['version']:.0f} -> {metric.version}: another quantity"
    return "higher is better" if metric.higher_is_better else "lower is better"


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
        case = ElementTree.SubElement(
            suite, "testcase", classname=_as_xml(place), name=_as_xml(name)
        )
        if change := bad.get(name):
            text = f"{change.kind}: {change.before:g} -> {change.after:g} ({change.remark})"
            ElementTree.SubElement(case, "failure", type=change.kind, message=_as_xml(text))
    return ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)


def _as_xml(text: str) -> str:
    """The text without the characters that XML 1.0 forbids."""
    return _NOT_XML.sub("", text)


def _name(row: Mapping[Any, Any]) -> str:
    return "/".join(str(row[key]) for key in KEYS)


def table(changes: list[Change]) -> str:
    """The changes as a Markdown table."""
    rows = [
        [
            change.name,
            change.kind,
            _number(change.before),
            _number(change.after),
            _number(change.difference, "+"),
            change.remark,
        ]
        for change in changes
    ]
    return tabulate.tabulate(
        [[text.replace("|", "\\|") for text in row] for row in rows],
        ["Score", "Change", "Before", "After", "Difference", "Remark"],
        tablefmt="github",
        colalign=["left", "left", "right", "right", "right", "left"] if rows else None,
        disable_numparse=True,
    )


def _number(value: float, sign: str = "") -> str:
    return "–" if math.isnan(value) else f"{value:{sign}.6f}"


@dataclass(frozen=True)
class Regression:
    """A comparison with a baseline as text.

    Attributes
    ----------
    text : str
        What moved, as Markdown.
    notes : list of str
        Advice.
    failed : bool
        Whether a score is worse, missing or invalid, and the baseline was not renewed.
    """

    text: str
    notes: list[str]
    failed: bool


def check_baseline(path: Path, *, update: bool) -> None:
    """Raise `UsageError` unless the baseline can be read, or will be written anew.

    To be called before a run that takes long.
    """
    if not (update and not path.exists()):
        read_baseline(path)


def regress(
    scores: pd.DataFrame,
    failures: pd.DataFrame,
    manifest: RunManifest,
    path: Path,
    *,
    update: bool = False,
    junit_to: Path | None = None,
    summary_to: Path | None = None,
) -> Regression:
    """Compare a run with the baseline in a file.

    Parameters
    ----------
    scores, failures : DataFrame
        Those of `reports.data.results.Results`.
    manifest : RunManifest
        The run's.
    path : Path
        The baseline, a CSV file.
    update : bool
        Write the baseline from the run.
    junit_to, summary_to : Path, optional
        JUnit XML to write, and a Markdown file to append to.

    Raises
    ------
    UsageError
        The baseline cannot be read, or is to be written from a run with failures.
    """
    fresh = update and not path.exists()
    baseline = make_baseline(scores, manifest) if fresh else read_baseline(path)
    changes = compare(baseline, scores, manifest, failures)
    text = verdict(changes, len(baseline)) + (f"\n\n{table(changes)}" if changes else "")
    if summary_to:
        with summary_to.open("a", encoding="utf-8") as file:
            file.write(f"### Scores against {path.name}\n\n{text}\n")
    if junit_to:
        write_bytes(junit_to, junit(changes, baseline))
    if update:
        new = make_baseline(scores, manifest).to_csv(index=False, lineterminator="\n")
        write_bytes(path, new.encode())
        return Regression(
            text, [f"{path}: written; list the changes under 'Numbers changed'"], failed=False
        )
    notes = []
    if manifest.precision not in ("", "fp32") and failed(changes):
        form = manifest.precision
        notes.append(f"learned methods computed in {form} here: compare with --precision fp32")
    if any(change.kind in ("better", "new") for change in changes):
        notes.append("better and new scores are no failure: --update writes them into the baseline")
    return Regression(text, notes, failed(changes))
