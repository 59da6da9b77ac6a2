"""A finished run as one HTML file that can be mailed: it loads nothing from elsewhere.

The page is rendered by Jinja2 with autoescape, its charts are drawn here, its only script is
allowed by hash, and its security policy forbids everything else: a method called ``<script>``
is shown, not run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import math
import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench.core.errors import EnvironmentFault
from bench.core.files import write_bytes
from bench.store.manifest import CellEntry, MetricEntry, RunManifest
from reports.data.best import best_of
from reports.data.references import references
from reports.data.results import Results
from reports.data.robustness import WHAT
from reports.data.sources import Note

TITLE = "Multi-focus image fusion, compared"

_log = logging.getLogger(__name__)

_TEMPLATES = Path(__file__).with_name("templates")


def write_html(
    results: Results,
    path: Path | str,
    *,
    assets: bool = False,
    note: Note = _log.warning,
) -> list[Path]:
    """Write the report of a run.

    Parameters
    ----------
    results : Results
        A run. Sources and references are read again from the datasets where they are on this
        machine; without them a scene shows its fused images alone.
    path : path-like
        The HTML file.
    assets : bool
        Also write lossless full-size images to a folder beside it, with its name and
        ``_files``, for the page to show on demand.
    note : callable
        Called with one line for each of the user's files that is missing.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    EnvironmentFault
        Jinja2 is not installed.
    """
    path = Path(path)
    folder = path.with_name(f"{path.stem}_files") if assets else None
    write_bytes(path, render(results, folder, note).encode())
    return [path] if folder is None else [path, folder]


def render(results: Results, assets: Path | None = None, note: Note = _log.warning) -> str:
    """The page as text; see `write_html`."""
    try:
        import jinja2
        from markupsafe import Markup
    except ImportError:
        raise EnvironmentFault("the HTML report needs Jinja2: pip install jinja2") from None
    from reports.html.board import family_name, group_of, make_views
    from reports.html.charts import legend_mark
    from reports.html.images import make_gallery
    from reports.html.robustness import robustness_parts

    manifest = results.manifest
    gallery = make_gallery(results, assets, note)
    _add_scores(gallery.scenes, results)
    families = list(dict.fromkeys(method.family for method in manifest.methods))
    families.sort(key=group_of)
    scripts = ["report_table.js", *(["report_viewer.js"] if gallery.scenes else [])]
    script = "\n".join((_TEMPLATES / name).read_text("utf-8") for name in scripts)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True
    )
    return environment.get_template("report.html").render(
        title=TITLE,
        manifest=manifest,
        papers=references(method.name for method in manifest.methods),
        counts=_counts(manifest),
        command=shlex.join(manifest.command),
        record=json.dumps(manifest.facts(), indent=1, ensure_ascii=False),
        standins=[scene for scene in manifest.scenes if scene.origin == "stand-in"],
        failures=_failures(results.failures),
        views=make_views(results),
        robustness=robustness_parts(results),
        robustness_what=WHAT,
        families={family: family_name(family) for family in families},
        keys={family: legend_mark(group_of(family)) for family in families},
        gallery=gallery,
        assets=assets is not None,
        style=Markup((_TEMPLATES / "report.css").read_text("utf-8")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _add_scores(scenes: list[dict[str, Any]], results: Results) -> None:
    """Number the scenes; give each fused image its scores and the metrics that it is best on."""
    manifest = results.manifest
    cells = {(*cell.place, cell.method): cell for cell in manifest.cells}
    for number, scene in enumerate(scenes):
        scene["number"] = number
        fused = [image for image in scene["images"] if image["kind"] == "fused"]
        mine = [cells[scene["dataset"], scene["scene"], image["name"]] for image in fused]
        for image, cell in zip(fused, mine, strict=True):
            image["scores"] = {n: _plain(score.value) for n, score in cell.scores.items()}
            image["best"] = []
        for metric in manifest.metrics:
            best = _best(mine, metric, manifest.baselines)
            for image in fused:
                if best.get(image["name"]) == 1:
                    image["best"].append(metric.name)


def _best(
    cells: Sequence[CellEntry], metric: MetricEntry, baselines: Collection[str]
) -> dict[str, int]:
    """The best methods of a scene: of the lossless images, and of the JPEG ones."""
    best: dict[str, int] = {}
    for lossy in (False, True):
        column = {
            cell.method: cell.scores[metric.name].value
            for cell in cells
            if metric.name in cell.scores and bool(cell.compression) == lossy
        }
        values = pd.Series(column, dtype=float)
        higher = metric.higher_is_better
        best |= best_of(values, higher_is_better=higher, baselines=baselines)
    return best


def _plain(value: float | None) -> float | str | None:
    """A score for JSON, in which infinity is text."""
    return value if value is None or math.isfinite(value) else str(value)


def _counts(manifest: RunManifest) -> str:
    counts = {
        "method": len(manifest.methods),
        "scene": len(manifest.scenes),
        "dataset": len(manifest.datasets),
        "metric": len(manifest.metrics),
    }
    return ", ".join(f"{count} {what}{'s' * (count != 1)}" for what, count in counts.items())


def _failures(failures: pd.DataFrame) -> list[dict[str, Any]]:
    """One entry for each reason, with the number of its cells; most cells first."""
    groups: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in failures.to_dict("records"):
        message = str(row["message"]) or "no reason was given"
        entry = groups.setdefault(
            (row["status"], row["metric"], _alike(message, row["scene"], row["method"])),
            {"status": row["status"], "metric": row["metric"], "reason": message, "count": 0}
            | {"methods": [], "scenes": [], "messages": set()},
        )
        entry["count"] += 1
        entry["messages"].add(message)
        for key, name in (("methods", row["method"]), ("scenes", _place(row))):
            if name not in entry[key]:
                entry[key].append(name)
    for entry in groups.values():
        if others := len(entry.pop("messages")) - 1:
            entry["reason"] += f" — and {others} like it"
    return sorted(groups.values(), key=lambda entry: -entry["count"])


def _place(row: Mapping[Any, Any]) -> str:
    return f"{row['dataset']}/{row['scene']}"


def _alike(message: str, scene: str, method: str) -> str:
    """The message without the names in it, so that one reason is listed once."""
    for name in (scene, method.rpartition(":")[2]):
        message = re.sub(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", "…", message, flags=re.I)
    return message
