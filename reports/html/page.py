"""A finished run as one HTML file that works when it is mailed: no request leaves it.

The page is rendered by Jinja2 with autoescape, its charts are drawn here, its only script is
allowed by hash, and its security policy forbids everything else: a method called ``<script>``
is shown, not run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from bench.core.errors import EnvironmentFault
from bench.core.files import write_bytes
from bench.store.store import Store
from reports.data.results import Results

TITLE = "Multi-focus image fusion, compared"

_TEMPLATES = Path(__file__).with_name("templates")


def write_html(
    results: Results, store: Store, path: Path | str, *, assets: bool = False
) -> list[Path]:
    """Write the report of a run.

    Parameters
    ----------
    results : Results
        A run.
    store : Store
        Its store, for the fused images. Sources and truth are read again from the datasets
        where they are on this machine; without them a scene shows its fused images alone.
    path : path-like
        The HTML file.
    assets : bool
        Also write lossless full-size images to a folder beside it, called as the file is and
        ``_files``, for the page to show on demand.

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
    write_bytes(path, render(results, store, folder).encode())
    return [path] if folder is None else [path, folder]


def render(results: Results, store: Store, assets: Path | None = None) -> str:
    """The page as text; see `write_html`."""
    try:
        import jinja2
        from markupsafe import Markup
    except ImportError:
        raise EnvironmentFault("the HTML report needs Jinja2: pip install jinja2") from None
    from reports.html.board import group_of, make_views
    from reports.html.charts import legend_mark
    from reports.html.images import make_gallery

    manifest = results.manifest
    gallery = make_gallery(results, store, assets)
    _add_scores(gallery.scenes, results)
    families = list(dict.fromkeys(m["family"] for m in manifest["methods"]))
    families.sort(key=group_of)
    scripts = ["report_table.js", *(["report_viewer.js"] if gallery.scenes else [])]
    script = "\n".join((_TEMPLATES / name).read_text("utf-8") for name in scripts)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True
    )
    return environment.get_template("report.html").render(
        title=TITLE,
        manifest=manifest,
        counts=_counts(manifest),
        command=shlex.join(manifest["command"]),
        record=_record(manifest),
        standins=[s for s in manifest["scenes"] if s["origin"] == "stand-in"],
        failures=_failures(results.failures),
        views=make_views(results),
        families=families,
        keys={family: legend_mark(group_of(family)) for family in families},
        gallery=gallery,
        assets=assets is not None,
        style=Markup((_TEMPLATES / "report.css").read_text("utf-8")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _add_scores(scenes: list[dict[str, Any]], results: Results) -> None:
    """Number the scenes and give each fused image its scores."""
    cells = {(c["dataset"], c["scene"], c["method"]): c for c in results.manifest["cells"]}
    for number, scene in enumerate(scenes):
        scene["number"] = number
        for image in scene["images"]:
            cell = cells.get((scene["dataset"], scene["scene"], image["name"]), {})
            if image["kind"] == "fused":
                entries = cell.get("scores", {}).items()
                image["scores"] = {name: _finite(entry["value"]) for name, entry in entries}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _counts(manifest: dict[str, Any]) -> str:
    scenes = manifest["scenes"]
    datasets = dict.fromkeys(scene["dataset"] for scene in scenes)
    return ", ".join(
        f"{count} {what if count == 1 else what + 's' if what != 'index' else 'indexes'}"
        for count, what in (
            (len(manifest["methods"]), "method"),
            (len(scenes), "scene"),
            (len(datasets), "dataset"),
            (len(manifest["metrics"]), "index"),
        )
    )


def _record(manifest: dict[str, Any]) -> str:
    kept = {key: value for key, value in manifest.items() if key not in {"cells", "format"}}
    return json.dumps(kept, indent=1, ensure_ascii=False)


def _failures(failures: pd.DataFrame) -> list[dict[str, Any]]:
    """One entry a reason, however many cells it struck; most first."""
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
    """The message without the names in it, so that one reason is told once."""
    for name in (scene, method.rpartition(":")[2]):
        message = re.sub(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", "…", message, flags=re.I)
    return message
