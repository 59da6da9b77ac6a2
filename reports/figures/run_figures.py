"""Figures of a run for a paper: contact sheets of scenes, bar and radar charts of tables.

Each is written as PNG and as PDF with embedded fonts, in the width of a page; the paper's
figures of the network itself (`reports.figures.network_figures`) go with them.
"""

from __future__ import annotations

import logging
import string
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.core.files import safe_name
from bench.core.pixels import quantise, to_unit
from bench.store.manifest import SceneEntry
from reports.data import paper
from reports.data.focus import source_name
from reports.data.means import cap_of
from reports.data.parts import caption
from reports.data.results import Results
from reports.data.robustness import axes_of
from reports.data.sources import Sources
from reports.figures.drawing import COLOURS, MARKERS, STYLES, WIDTH, save, style
from reports.figures.network_figures import network_figures
from reports.figures.robustness import robustness_figures
from reports.tables.table import TIME, Table, mean_table, scene_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Methods in a radar chart: more lines than these cannot be told apart.
RADAR = 6

PLAIN, BEST = "#9aa5b1", "#0072b2"


_log = logging.getLogger(__name__)

#: Called with one line: what could not be drawn, and why.
Note = Callable[[str], None]


def write_figures(
    results: Results,
    folder: Path | str,
    *,
    ablation: Path | None = None,
    note: Note = _log.warning,
) -> list[Path]:
    """Write all figures of a run.

    ``scene_DATASET_SCENE`` for each scene (Figs. 6-9 of the paper), ``bar_NAME`` and
    ``radar_NAME`` for each of Tables 1-4 and each dataset's means, ``fig2_feature_maps`` and
    ``fig5_ablation``, and ``robustness_…`` instead of these for perturbed sets; ``.png`` and
    ``.pdf``.

    Parameters
    ----------
    results : Results
        A run.
    folder : path-like
        Made if need be.
    ablation : Path, optional
        What ``bench ablate`` wrote; the curves that come with the project unless given.
    note : callable
        Called with one line for what could not be drawn, and why.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    EnvironmentFault
        Matplotlib is not installed.
    """
    written: list[Path] = []
    with style():
        for name, figure in _figures(results, ablation, note):
            written += save(figure, Path(folder) / name)
    return written


def _figures(results: Results, ablation: Path | None, note: Note) -> Iterator[tuple[str, Figure]]:
    sources = Sources(results.manifest, note)
    yield from network_figures(results.manifest, sources, ablation, note)
    yield from robustness_figures(results)
    perturbed = {name for axis in axes_of(results.manifest) for name in axis.datasets.values()}
    if perturbed:
        note(f"no contact sheets and charts of the {len(perturbed)} perturbed sets: see robustness")
    for entry in results.manifest.scenes:
        if entry.dataset in perturbed:
            continue
        images, missing = scene_images(results, sources, entry)
        if not images:
            note(f"no contact sheet of {entry.name}: {missing}")
            continue
        if missing:
            note(f"contact sheet of {entry.name} is without its sources: {missing}")
        name = f"scene_{safe_name(entry.dataset)}_{safe_name(entry.scene)}"
        yield name, contact_sheet(images, _title(entry))
    for name, title, table in _tables(results, perturbed):
        yield from _charts(name, title, table, note)


def _charts(name: str, title: str, table: Table, note: Note) -> Iterator[tuple[str, Figure]]:
    known = [str(n) for n in table.values if n != TIME and table.values[n].notna().any()]
    if not known:
        note(f"no bar and radar charts of {name}: there is no score in it")
        return
    yield f"bar_{name}", bars(table, known, title)
    if len(known) < 3:
        note(f"no radar chart of {name}: it needs three metrics, there are {len(known)}")
    elif not len(_complete(table, known)):
        note(f"no radar chart of {name}: no method but baselines has a score on every metric")
    else:
        yield f"radar_{name}", radar(table, known, title)


def _tables(results: Results, without: Collection[str]) -> Iterator[tuple[str, str, Table]]:
    for dataset, scene in results.manifest.scene:
        if dataset == "paper" and scene in paper.TABLES:
            number = paper.TABLES[scene]
            title = f"Table {number}: {_title(results.manifest.scene[dataset, scene])}"
            yield f"table{number}", title, scene_table(results, scene)
    for dataset in results.manifest.datasets:
        if dataset != "paper" and dataset not in without:
            title = f"Means over {caption(results.manifest, dataset)}"
            yield f"mean_{safe_name(dataset)}", title, mean_table(results, dataset)


def _title(entry: SceneEntry) -> str:
    return f"{entry.title or entry.name} ({entry.origin})"


def scene_images(
    results: Results, sources: Sources, entry: SceneEntry
) -> tuple[list[tuple[str, NDArray[Any]]], str]:
    """Captions and images of a scene: its sources, the paper's methods in its order, others.

    Parameters
    ----------
    results : Results
        A run.
    sources : Sources
        Reads the sources of the run; a scene that it cannot read is shown without.
    entry : SceneEntry
        The scene.

    Returns
    -------
    images : list of (str, ndarray)
        Empty when no method finished the scene. Baselines come last.
    missing : str
        Why there are none, or none of the sources; empty when nothing is missing.
    """
    fused: dict[str, NDArray[Any]] = {}
    for cell in results.manifest.cells:
        here = cell.place == entry.place and cell.pixels
        image = results.store.get_image(cell.pixels) if here else None
        if image is not None:
            fused[cell.method] = image
    if not fused:
        return [], "no fused image of it is in the store"
    order = [name for name in paper.ROWS if name in fused]
    baselines = results.manifest.baselines
    order += sorted((name for name in fused if name not in order), key=baselines.__contains__)
    images, missing = sources.images(entry)
    given = () if images is None else images.sources
    shown = [(source_name(k), source) for k, source in enumerate(given)]
    return [*shown, *((name, fused[name]) for name in order)], missing


def contact_sheet(images: Sequence[tuple[str, NDArray[Any]]], title: str) -> Figure:
    """All images of a scene in rows, lettered as the paper letters them: (a), (b), (c)….

    Parameters
    ----------
    images : sequence of (str, ndarray)
        Captions and images of one size.
    title : str
        Title above all images.
    """
    from matplotlib.figure import Figure

    columns = 4 if len(images) <= 12 else 5 if len(images) <= 20 else 6
    rows = -(-len(images) // columns)
    height, width = images[0][1].shape[:2]
    gap, caption, head = 0.08, 0.24, 0.3
    cell = (WIDTH - gap * (columns - 1)) / columns
    tall = cell * height / width
    total = head + rows * (tall + caption)
    figure = Figure((WIDTH, total))
    figure.text(0.5, 1 - 0.08 / total, title, ha="center", va="top", fontsize=9)
    for k, (name, image) in enumerate(images):
        row, column = divmod(k, columns)
        left = column * (cell + gap)
        bottom = total - head - (row + 1) * tall - row * caption
        box = (left / WIDTH, bottom / total, cell / WIDTH, tall / total)
        axes = figure.add_axes(box)
        axes.set_axis_off()
        axes.imshow(quantise(to_unit(image)), cmap="gray", vmin=0, vmax=255, aspect="auto")
        text = f"({letter(k)}) {name}"
        fits = int(cell * 72 / 4.4)
        short = text if len(text) <= fits else text[: fits - 1] + "…"
        axes.text(0.5, -0.04 / tall, short, ha="center", va="top", transform=axes.transAxes)
    return figure


def letter(k: int) -> str:
    """Letter of the k-th image: a to z, then aa, ab and so on.

    Examples
    --------
    >>> from reports.figures.run_figures import letter
    >>> letter(0), letter(25), letter(26)
    ('a', 'z', 'aa')
    """
    letters = string.ascii_lowercase
    return letters[k] if k < 26 else letter(k // 26 - 1) + letters[k % 26]


def bars(table: Table, metrics: Sequence[str], title: str) -> Figure:
    """One panel a metric, one bar a method in the table's order; the best of each is blue.

    Methods that do not compete (baselines, means over fewer scenes) have hollow bars.

    Parameters
    ----------
    table : Table
        Table of a scene, or of means.
    metrics : sequence of str
        Its columns to draw.
    title : str
        Title above the panels.
    """
    from matplotlib.figure import Figure

    count, names = len(metrics), list(map(str, table.values.index))
    columns = 3 if count in (3, 5, 6, 9) else min(4, count)
    rows = -(-count // columns)
    panel = 0.55 + 0.15 * len(names)
    figure = Figure((WIDTH, rows * panel + 0.5), layout="constrained")
    figure.suptitle(title, fontsize=9)
    figure.supxlabel(_BARS, fontsize=7)
    panels = np.atleast_1d(figure.subplots(rows, columns, sharey=True)).ravel()
    for axes, metric in zip(panels, metrics, strict=False):
        _panel(axes, table, metric)
        axes.set_title(table.header(metric), fontsize=8)
        axes.set_yticks(np.arange(len(names)), [name[:24] for name in names], fontsize=7)
        axes.tick_params(axis="x", labelsize=7)
        axes.locator_params(axis="x", nbins=4)
    panels[0].invert_yaxis()
    for axes in panels[count:]:
        axes.set_axis_off()
    return figure


def _panel(axes: Any, table: Table, metric: str) -> None:
    """The bars of one metric, each with its score."""
    values, places = table.values[metric], table.places(metric)
    rivals = table.rivals(metric)
    low, high = _limits(values.to_numpy(float))
    axes.set_xlim(low, high)
    axes.spines["left"].set_linestyle("-" if low == 0 else (0, (2, 2)))
    longest = values.replace([np.inf, -np.inf], np.nan).max()
    for place, (name, value) in enumerate(values.items()):
        edge = BEST if places.get(str(name)) == 1 else PLAIN
        face = edge if str(name) in rivals else "white"
        end = np.nan_to_num(longest if np.isinf(value) else value)
        axes.barh(place, end, 0.75, color=face, edgecolor=edge, linewidth=0.8)
        at = low if np.isnan(value) else end
        axes.annotate(_written(value), (at, place), (2, 0), "data", "offset points", **_VALUE)


def _written(value: float) -> str:
    if np.isnan(value):
        return "–"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}"


_BARS = (
    "Blue: best. Hollow: does not compete (baselines, means over fewer scenes). "
    "Dashed base line: not from 0. –: no score."
)
_RADAR = "Inner ring: worst of all methods\nthat compete; outer ring: best."
_VALUE: Any = {"fontsize": 7, "va": "center"}


def _complete(table: Table, metrics: Sequence[str]) -> pd.DataFrame:
    """Capped scores, higher better, of the methods that compete on every metric."""
    names = set.intersection(*(table.rivals(metric) for metric in metrics))
    columns = {
        metric: table.values[metric].clip(upper=cap_of(metric)) * table.manifest.metric[metric].sign
        for metric in metrics
    }
    scores = pd.DataFrame(columns)
    return scores[[str(name) in names for name in scores.index]]


def radar(table: Table, metrics: Sequence[str], title: str) -> Figure:
    """The methods of the best mean rank on axes from the worst of all methods to the best.

    Methods that do not compete on every metric are left out.

    Parameters
    ----------
    table : Table
        Table of a scene, or of means.
    metrics : sequence of str
        Its columns to draw, at least three.
    title : str
        Title above the chart.
    """
    from matplotlib.figure import Figure

    rivals = _complete(table, metrics)
    spread = (rivals.max() - rivals.min()).replace(0, 1)
    scaled = (rivals - rivals.min()) / spread
    chosen = rivals.rank(ascending=False).mean(axis=1).sort_values(kind="stable").index[:RADAR]
    figure = Figure((WIDTH, 4.2))
    figure.suptitle(title, fontsize=9)
    axes: Any = figure.add_axes((0.13, 0.09, 0.5, 0.78), projection="polar")
    angles = np.linspace(0, 2 * np.pi, len(metrics), endpoint=False)
    for k, name in enumerate(chosen):
        values = scaled.loc[name].to_numpy()
        (line,) = axes.plot([*angles, 0], [*values, values[0]], MARKERS[k], markersize=4)
        line.set(color=COLOURS[k], linestyle=STYLES[k], label=str(name)[:32])
    axes.set_xticks(angles, [table.header(metric) for metric in metrics])
    axes.tick_params(axis="x", pad=4)
    for angle, label in zip(angles, axes.get_xticklabels(), strict=True):
        across = np.cos(angle)
        label.set_horizontalalignment(
            "center" if abs(across) < 0.1 else "left" if across > 0 else "right"
        )
    axes.set_yticks([0, 0.5, 1], ["", "", ""])
    figure.text(0.985, 0.05, _RADAR, ha="right", fontsize=7)
    axes.set_ylim(-0.1, 1.05)
    axes.spines["polar"].set_visible(False)
    what = "methods" if len(chosen) == len(rivals) else f"of {len(rivals)} methods: best mean rank"
    figure.legend(loc="center right", title=f"{len(chosen)} {what}", frameon=False)
    return figure


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    """From zero, unless all values lie far from it; with room for a number behind each bar."""
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    span = high - low or abs(high) or 1.0
    if low >= 0 and low < 2 * span:
        return 0.0, 1.25 * high or 1.0
    return low - 0.25 * span, high + 0.4 * span
