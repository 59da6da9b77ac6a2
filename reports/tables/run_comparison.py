"""A comparison of two runs as text and as JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import pandas as pd

from bench.store.manifest import RunManifest
from reports.data.run_comparison import RunComparison
from reports.tables.formats import Cell, to_markdown


def comparison_json(found: RunComparison) -> str:
    """All of it as JSON; a number that is not finite is null."""
    content = {
        "differences": [difference._asdict() for difference in found.differences],
        "scores": _records(found.scores),
        "times": _records(found.times),
        "notes": found.notes,
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    def finite(value: object) -> bool:
        return not isinstance(value, float) or math.isfinite(value)

    rows = ({str(key): value for key, value in row.items()} for row in table.to_dict("records"))
    return [{key: v if finite(v) else None for key, v in row.items()} for row in rows]


def comparison_text(found: RunComparison, manifest: RunManifest) -> str:
    """What differs and what moved, as Markdown.

    Parameters
    ----------
    found : RunComparison
        See `reports.data.run_comparison.compare_runs`.
    manifest : RunManifest
        Manifest of the later run, with the labels of its metrics.
    """
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
            parts.append(_table(moved, manifest))
    return "\n\n".join([*parts, *(f"Note: {note}." for note in found.notes)])


def _table(moved: pd.DataFrame, manifest: RunManifest) -> str:
    labels = {metric.name: metric.label for metric in manifest.metrics}
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
    headers = ["Method", "Metric", "Moved", "A", "B", "Difference", "p", "p (Holm)", "Verdict"]
    return to_markdown(headers, rows, left=(0, 1, 8))
