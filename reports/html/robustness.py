"""The robustness part of the HTML page: curves as inline SVG, and means over the severities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from bench.store.manifest import MetricEntry
from reports.data.results import Results
from reports.data.robustness import (
    AREA_NOTE,
    REFERENCE_METRICS,
    SOURCES_NOTE,
    WHAT,
    Axis,
    Robustness,
    What,
    make_robustness,
    points,
    shown,
)
from reports.html.charts import WIDTH, nice_ticks, svg, svg_line, svg_text
from reports.tables.robustness import area_table

#: Panels side by side, and the size of one with its texts, in pixels of the drawing.
COLUMNS = 3
PANEL = (WIDTH // COLUMNS, 200)
#: Room left of, right of, above and below the lines of a panel.
MARGINS = (44, 14, 24, 40)
#: Height of a line of the legend, and how many names it holds.
LEGEND_ROW, LEGEND_COLUMNS = 20, 4
#: Dashes of the lines by number: six colours, then the same six with other dashes.
DASHES = ("", "7 3", "2 3", "8 3 2 3", "4 2", "1 2", "10 4", "3 3", "12 3 3 3", "5 5")
#: Methods that are drawn as baselines.
BASELINES = {"oracle": "7 4", "average": "1 4"}


@dataclass(frozen=True)
class Part:
    """The curves and the table of one metric on one dataset.

    Attributes
    ----------
    key, label : str
        Name in the page, and for people.
    charts : dict of str to Markup
        By what is drawn: ``score``, ``loss``, ``lead``.
    header : list of str
        Of the table.
    rows : list of list of Cell
        Of the table.
    note : str
        What to know of the metric; may be empty.
    about : list of str
        The perturbations in words.
    """

    key: str
    label: str
    charts: dict[What, Markup]
    header: list[str]
    rows: list[list[Any]]
    note: str
    about: list[str]


def robustness_parts(results: Results) -> list[Part]:
    """One for each dataset that is perturbed, and metric; empty without perturbed sets.

    Parameters
    ----------
    results : Results
        A run.
    """
    found = make_robustness(results)
    if found is None:
        return []
    parts: list[Part] = []
    manifest = results.manifest
    for base in found.bases:
        for name in found.metrics(base, manifest):
            metric = manifest.metric[name]
            methods = shown(found, base, name, manifest)
            header, rows = area_table(found, base, metric, manifest)
            parts.append(
                Part(
                    key=f"r{len(parts)}",
                    label=metric.header + (f" on {base}" if len(found.bases) > 1 else ""),
                    charts={w: curves(found, base, metric, methods, w) for w in WHAT},
                    header=header,
                    rows=rows,
                    note=" ".join([AREA_NOTE, SOURCES_NOTE * (name not in REFERENCE_METRICS)]),
                    about=[f"{a.name}: {a.entry.title}" for a in found.axes_of(base)],
                )
            )
    return parts


def curves(
    found: Robustness, base: str, metric: MetricEntry, methods: Sequence[str], what: What
) -> Markup:
    """One panel a perturbation with a common scale, and a legend below.

    Parameters
    ----------
    found : Robustness
        The curves.
    base : str
        The dataset.
    metric : MetricEntry
        The metric.
    methods : sequence of str
        Which methods.
    what : {'score', 'loss', 'lead'}
        What is drawn; no baselines where it is the lead.
    """
    names = [name for name in methods if what != "lead" or name not in BASELINES]
    axes = found.axes_of(base)
    tables = [points(found, axis, metric, names, what) for axis in axes]
    values = np.concatenate([table.to_numpy(float).ravel() for table in tables])
    ticks = nice_ticks(float(np.nanmin(values)), float(np.nanmax(values)))
    lines = {name: line_class(names, name) for name in names}
    parts = []
    for k, (axis, table) in enumerate(zip(axes, tables, strict=True)):
        row, column = divmod(k, COLUMNS)
        inner = _panel(axis, table, ticks, lines)
        move = Markup('<g transform="translate({} {})">').format(column * PANEL[0], row * PANEL[1])
        parts.append(move + inner + Markup("</g>"))
    top = -(-len(axes) // COLUMNS) * PANEL[1]
    parts.append(_legend(lines, top))
    height = top + LEGEND_ROW * -(-len(names) // LEGEND_COLUMNS) + 6
    return svg(WIDTH, height, f"{base}, {metric.label}: {WHAT[what]}, by severity", parts)


def line_class(names: Sequence[str], name: str) -> tuple[str, str]:
    """Class (colour) and dashes of a method's line."""
    if name in BASELINES:
        return "curve f0", BASELINES[name]
    others = [n for n in names if n not in BASELINES]
    k = others.index(name)
    return f"curve f{1 + k % 5}", DASHES[k % len(DASHES)]


def _panel(
    axis: Axis, table: pd.DataFrame, ticks: Sequence[float], lines: dict[str, tuple[str, str]]
) -> Markup:
    left, right, top, bottom = MARGINS
    width, height = PANEL[0] - left - right, PANEL[1] - top - bottom
    most = axis.severities[-1]

    def x(severity: float) -> float:
        return left + severity / most * width

    def y(value: float) -> float:
        return top + (ticks[-1] - value) / (ticks[-1] - ticks[0]) * height

    parts = []
    for tick in ticks:
        parts.append(svg_line(left, y(tick), left + width, y(tick), "grid"))
        parts.append(svg_text(left - 6, y(tick) + 4, f"{tick:g}", "end"))
    last = -99.0
    for severity, label in zip(axis.severities, axis.labels, strict=True):
        parts.append(svg_line(x(severity), top + height, x(severity), top + height + 4, "axis"))
        if x(severity) - last > 5.5 * len(label) + 4:
            parts.append(svg_text(x(severity), top + height + 17, label, "middle"))
            last = x(severity)
    parts.append(svg_text(left + width / 2, top - 10, axis.name, "middle"))
    unit = axis.entry.unit.partition(",")[0]
    parts.append(svg_text(left + width / 2, top + height + 33, unit, "middle"))
    for name, column in table.items():
        kind, dashes = lines[str(name)]
        known = {s: v for s, v in zip(axis.severities, column, strict=True) if v == v}
        path = " ".join(f"{x(s):.1f},{y(v):.1f}" for s, v in known.items())
        said = ", ".join(f"{v:.4g}" for v in known.values())
        parts.append(
            Markup(
                '<polyline class="{}" stroke-dasharray="{}" points="{}">'
                "<title>{}: {}</title></polyline>"
            ).format(kind, dashes, path, name, said)
        )
    return Markup("").join(parts)


def _legend(lines: dict[str, tuple[str, str]], top: float) -> Markup:
    parts = []
    for k, (name, (kind, dashes)) in enumerate(lines.items()):
        row, column = divmod(k, LEGEND_COLUMNS)
        x, y = 20 + column * (WIDTH - 20) / LEGEND_COLUMNS, top + LEGEND_ROW * row + 10
        sample = '<line class="{}" stroke-dasharray="{}" x1="{:.1f}" y1="{}" x2="{:.1f}" y2="{}"/>'
        parts.append(Markup(sample).format(kind, dashes, x, y, x + 34, y))
        parts.append(svg_text(x + 42, y + 4, name, "start"))
    return Markup("").join(parts)
