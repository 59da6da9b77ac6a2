"""Compare two finished runs: what changed, and whether it is significant.

Differences of methods, weights, metrics, data, versions and machine; then every score that
moved, tested over the scenes that both runs finished on the same pixels (Wilcoxon's
signed-rank test, Holm's correction over all methods and indexes that moved).

for example:
  python -m bench compare results/before results/after
  python -m bench compare results/before results/after --json
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cli import console
from bench.core.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from reports.data.run_comparison import RunComparison


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``compare``."""
    add = parser.add_argument
    add("before", type=Path, metavar="RUN_A", help="output folder of a run")
    add("after", type=Path, metavar="RUN_B", help="output folder of another")
    add("--alpha", type=float, default=0.05, metavar="P", help="level of the tests (0.05)")
    add("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print the comparison."""
    from reports.data.results import load_results
    from reports.data.run_comparison import compare_runs

    if not 0 < args.alpha < 1:
        raise UsageError(f"--alpha must lie between 0 and 1, got {args.alpha:g}")
    before, after = load_results(args.before), load_results(args.after)
    found = compare_runs(before, after, alpha=args.alpha)
    if args.json:
        console.emit(_json(found))
        return 0
    heads = [
        f"{letter}: {folder}, finished {results.manifest['finished']}"
        for letter, folder, results in (("A", args.before, before), ("B", args.after, after))
    ]
    labels = {m["name"]: m["label"] for m in after.manifest["metrics"]}
    console.emit("\n\n".join(["\n".join(heads), *_text(found, labels)]))
    return 0


def _json(found: RunComparison) -> str:
    import json

    def plain(table: pd.DataFrame) -> list[dict[str, Any]]:
        rows = ({str(k): v for k, v in row.items()} for row in table.to_dict("records"))
        return [{k: v if finite(v) else None for k, v in row.items()} for row in rows]

    def finite(value: object) -> bool:
        return not isinstance(value, float) or math.isfinite(value)

    content = {
        "differences": [difference._asdict() for difference in found.differences],
        "scores": plain(found.scores),
        "times": plain(found.times),
        "notes": found.notes,
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)


def _text(found: RunComparison, labels: dict[str, str]) -> list[str]:
    from reports.tables.formats import Cell, to_markdown

    parts = ["Nothing about code, data, machine or outcomes differs."]
    if found.differences:
        rows = [[Cell(text) for text in difference] for difference in found.differences]
        parts = [to_markdown(["Of", "Name", "What", "A", "B"], rows, left=range(5))]
    for title, table in (("scores", found.scores), ("times", found.times)):
        if not len(table):
            parts.append(f"No {title} to compare.")
            continue
        moved = table[table["moved"] > 0]
        counts = moved["verdict"].value_counts()
        parts.append(
            f"{len(moved)} of {len(table)} {title} moved: "
            f"{counts.get('better', 0)} better, {counts.get('worse', 0)} worse, "
            f"{counts.get('unclear', 0)} not significant."
        )
        if len(moved):
            parts.append(_table(moved, labels))
    return [*parts, *(f"Note: {note}." for note in found.notes)]


def _table(moved: pd.DataFrame, labels: dict[str, str]) -> str:
    from reports.tables.formats import Cell, to_markdown

    rows = [
        [
            Cell(row["method"]),
            Cell(labels.get(row["metric"], row["metric"])),
            Cell(f"{row['moved']}/{row['scenes']}"),
            *(Cell(f"{row[key]:.5g}") for key in ("before", "after")),
            Cell(f"{row['difference']:+.3g}"),
            Cell(f"{row['p']:.2g}"),
            Cell(f"{row['p_holm']:.2g}"),
            Cell(row["verdict"], best=row["verdict"] in ("better", "worse")),
        ]
        for row in moved.to_dict("records")
    ]
    headers = ["Method", "Index", "Moved", "A", "B", "Difference", "p", "p (Holm)", "Verdict"]
    return to_markdown(headers, rows, left=(0, 1, 8))
