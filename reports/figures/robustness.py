"""Score against the severity of each perturbation, one line a method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.core.files import safe_name
from bench.store.manifest import MetricEntry
from reports.data.results import Results
from reports.data.robustness import (
    REFERENCE_METRICS,
    WHAT,
    Axis,
    Robustness,
    What,
    make_robustness,
    points,
    shown,
)
from reports.figures.drawing import COLOURS, MARKERS, STYLES, WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Panels side by side.
COLUMNS = 3
#: How the baselines are drawn.
_BASELINES: dict[str, Any] = {
    "oracle": {"color": "black", "linestyle": (0, (5, 2)), "linewidth": 1.0},
    "average": {"color": "0.55", "linestyle": ":", "linewidth": 1.4},
}


def robustness_figures(results: Results) -> Iterator[tuple[str, Figure]]:
    """``robustness_WHAT_BASE_METRIC`` of a run with perturbed sets.

    WHAT is the ``score``; of the metrics with a reference also the ``loss`` and the ``lead``, see
    `reports.data.robustness.points`.

    Parameters
    ----------
    results : Results
        A run; without a perturbed set beside one as it is there is no figure.
    """
    found = make_robustness(results)
    if found is None:
        return
    for base in found.bases:
        for name in found.metrics(base, results.manifest):
            metric = results.manifest.metric[name]
            methods = shown(found, base, name, results.manifest)
            kinds: Sequence[What] = tuple(WHAT) if name in REFERENCE_METRICS else ("score",)
            for what in kinds:
                stem = f"robustness_{what}_{safe_name(base)}_{safe_name(name)}"
                yield stem, curves(found, base, metric, methods, what)


def curves(
    found: Robustness, base: str, metric: MetricEntry, methods: Sequence[str], what: What = "score"
) -> Figure:
    """One panel a perturbation, with a common scale of the score.

    Parameters
    ----------
    found : Robustness
        The curves.
    base : str
        The dataset.
    metric : MetricEntry
        The metric.
    methods : sequence of str
        Which methods, in the order of the legend.
    what : {'score', 'loss', 'lead'}
        What is drawn; no baselines where it is the lead.
    """
    from matplotlib.figure import Figure

    axes_of_base = found.axes_of(base)
    columns = min(COLUMNS, len(axes_of_base))
    rows = -(-len(axes_of_base) // columns)
    figure = Figure((WIDTH, 0.9 + 1.95 * rows), layout="constrained")
    label = metric.header if what == "score" else f"{what} of {metric.label}"
    figure.suptitle(f"{base}, {metric.header}: {WHAT[what]}, by severity", fontsize=9)
    panels = np.atleast_1d(figure.subplots(rows, columns, sharey=True)).ravel()
    methods = [name for name in methods if what != "lead" or name not in _BASELINES]
    styles = dict(zip(methods, _styles(methods), strict=True))
    for panel, axis in zip(panels, axes_of_base, strict=False):
        for name, line in points(found, axis, metric, methods, what).items():
            panel.plot(line.index, line, label=name, **styles[str(name)])
        _dress(panel, axis)
    for panel in panels[len(axes_of_base) :]:
        panel.set_axis_off()
    for row in range(rows):
        panels[row * columns].set_ylabel(label)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, names, loc="outside lower center", ncols=6, frameon=False, fontsize=7,
        handlelength=3.2, columnspacing=1.2,
    )  # fmt: skip
    return figure


def _dress(panel: Any, axis: Axis) -> None:
    panel.set_title(axis.name, fontsize=8)
    panel.set_xlabel(axis.entry.unit.partition(",")[0], fontsize=7)
    panel.set_xticks(axis.severities, axis.labels)
    panel.tick_params(labelsize=7)
    panel.grid(axis="y", linewidth=0.4, color="0.88")
    panel.set_axisbelow(True)


def _styles(methods: Sequence[str]) -> list[dict[str, Any]]:
    """Colour, line and marker of each method; no two are alike."""
    styles: list[dict[str, Any]] = []
    k = 0
    for name in methods:
        if name in _BASELINES:
            styles.append(_BASELINES[name])
            continue
        again = k // len(COLOURS)
        styles.append(
            {
                "color": COLOURS[k % len(COLOURS)],
                "linestyle": STYLES[(k + 2 * again) % len(STYLES)],
                "marker": MARKERS[(k + 3 * again) % len(MARKERS)],
                "markersize": 3.2,
                "linewidth": 1.1,
                "markerfacecolor": "white" if again else COLOURS[k % len(COLOURS)],
            }
        )
        k += 1
    return styles
