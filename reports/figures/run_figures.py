"""Figures of a run for a paper: contact sheets of scenes, bar and radar charts of tables.

Each is written as PNG and as PDF with embedded fonts, in the width of a page; the paper's
figures of the network itself (`reports.figures.network_figures`) go with them.
"""

from __future__ import annotations

import logging
import string
from collections.abc import Callable, Iterator, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.core.files import safe_name
from bench.core.pixels import quantise, to_unit
from bench.store.store import Store
from reports.data import paper
from reports.data.results import Results
from reports.data.sources import Sources
from reports.figures.drawing import COLOURS, MARKERS, STYLES, WIDTH, save, style
from reports.figures.network_figures import network_figures
from reports.tables.run_tables import COVERAGE, DIGITS, TIME, mean_table, scene_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Methods in a radar chart: more lines than these cannot be told apart.
RADAR = 6

PLAIN, BEST = "#9aa5b1", "#0072b2"


_log = logging.getLogger(__name__)

#: Says in a line what could not be drawn, and why.
Note = Callable[[str], None]


def write_figures(
    results: Results,
    store: Store,
    folder: Path | str,
    *,
    ablation: Path | None = None,
    note: Note = _log.warning,
) -> list[Path]:
    """Write all figures of a run.

    ``scene_DATASET_SCENE`` for each scene (Figs. 6-9 of the paper), ``bar_NAME`` and
    ``radar_NAME`` for each of Tables 1-4 and each dataset's means, ``fig2_feature_maps`` and
    ``fig5_ablation``; ``.png`` and ``.pdf``.

    Parameters
    ----------
    results : Results
        A run.
    store : Store
        Its store, for the fused images.
    folder : path-like
        Made if need be.
    ablation : Path, optional
        What ``bench ablate`` wrote; the curves that come with the project unless given.
    note : callable
        Is told what could not be drawn, and why.

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
        for name, figure in _figures(results, store, ablation, note):
            written += save(figure, Path(folder) / name)
    return written


def _figures(
    results: Results, store: Store, ablation: Path | None, note: Note
) -> Iterator[tuple[str, Figure]]:
    sources = Sources(results.manifest)
    yield from network_figures(results.manifest, sources, ablation, note)
    for entry in results.manifest["scenes"]:
        where = f"{entry['dataset']}/{entry['scene']}"
        images, missing = scene_images(results, store, sources, entry)
        if not images:
            note(f"no contact sheet of {where}: {missing}")
            continue
        if missing:
            note(f"contact sheet of {where} is without its sources: {missing}")
        name = f"scene_{safe_name(entry['dataset'])}_{safe_name(entry['scene'])}"
        yield name, contact_sheet(images, _title(entry))
    for name, title, table in _tables(results):
        yield from _charts(results.manifest, name, title, table, note)


def _charts(
    manifest: dict[str, Any], name: str, title: str, table: pd.DataFrame, note: Note
) -> Iterator[tuple[str, Figure]]:
    aside = _controls(manifest) | _short(table)
    scores = table.drop(columns=[COVERAGE, TIME], errors="ignore").astype(float)
    scores = scores.replace([np.inf, -np.inf], np.nan).dropna(axis=1, how="all")
    if scores.empty:
        note(f"no bar and radar charts of {name}: there is no finite score in it")
        return
    yield f"bar_{name}", bars(scores, manifest, title, aside)
    if scores.shape[1] < 3:
        note(f"no radar chart of {name}: it needs three indexes, there are {scores.shape[1]}")
    elif scores.drop(index=list(aside), errors="ignore").dropna().empty:
        note(f"no radar chart of {name}: no method but controls has a score on every index")
    else:
        yield f"radar_{name}", radar(scores, manifest, title, aside)


def _tables(results: Results) -> Iterator[tuple[str, str, pd.DataFrame]]:
    done = results.scores[["dataset", "scene"]].drop_duplicates().itertuples(index=False)
    for dataset, scene in done:
        if dataset == "paper" and scene in paper.TABLES:
            number = paper.TABLES[scene]
            entry = _entry(results.manifest, dataset, scene)
            yield f"table{number}", f"Table {number}: {_title(entry)}", scene_table(results, scene)
    for dataset in results.scores["dataset"].unique():
        if dataset != "paper":
            title = f"Means over {dataset}"
            yield f"mean_{safe_name(dataset)}", title, mean_table(results, dataset)


def _entry(manifest: dict[str, Any], dataset: str, scene: str) -> dict[str, Any]:
    return next(s for s in manifest["scenes"] if (s["dataset"], s["scene"]) == (dataset, scene))


def _title(entry: dict[str, Any]) -> str:
    name = entry["title"] or f"{entry['dataset']}/{entry['scene']}"
    return f"{name} ({entry['origin']})"


def scene_images(
    results: Results, store: Store, sources: Sources, entry: dict[str, Any]
) -> tuple[list[tuple[str, NDArray[Any]]], str]:
    """Captions and images of a scene: its sources, the paper's methods in its order, others.

    Parameters
    ----------
    results : Results
        A run.
    store : Store
        Its store.
    sources : Sources
        Of the run; a scene that it cannot read is shown without.
    entry : dict
        The scene in the manifest.

    Returns
    -------
    images : list of (str, ndarray)
        Empty when no method finished the scene. Controls come last.
    missing : str
        Why there are none, or none of the sources; empty when nothing is missing.
    """
    fused: dict[str, NDArray[Any]] = {}
    for cell in results.manifest["cells"]:
        here = (cell["dataset"], cell["scene"]) == (entry["dataset"], entry["scene"])
        image = store.get_image(cell["pixels"]) if here and "pixels" in cell else None
        if image is not None:
            fused[cell["method"]] = image
    if not fused:
        return [], "no fused image of it is in the store"
    order = [name for name in paper.ROWS if name in fused]
    controls = _controls(results.manifest)
    order += sorted((name for name in fused if name not in order), key=controls.__contains__)
    images, missing = sources.images(entry)
    given = () if images is None else images.sources
    shown = [(f"Source {chr(65 + k)}", source) for k, source in enumerate(given)]
    return [*shown, *((name, fused[name]) for name in order)], missing


def contact_sheet(images: Sequence[tuple[str, NDArray[Any]]], title: str) -> Figure:
    """All images of a scene in rows, lettered as the paper letters them: (a), (b), (c)….

    Parameters
    ----------
    images : sequence of (str, ndarray)
        Captions and images of one size.
    title : str
        Above them all.
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


def bars(
    scores: pd.DataFrame, manifest: dict[str, Any], title: str, aside: Set[str] = frozenset()
) -> Figure:
    """One panel an index, one bar a method in the table's order; the best of each is blue.

    Parameters
    ----------
    scores : DataFrame
        Methods by metrics, finite or NaN.
    manifest : dict
        The run's, for labels and directions.
    title : str
        Above the panels.
    aside : set of str
        Methods that are no candidates for the best: controls, means over fewer scenes. Their
        bars are hollow.
    """
    from matplotlib.figure import Figure

    metrics = {m["name"]: m for m in manifest["metrics"]}
    columns = 3 if scores.shape[1] in (3, 5, 6, 9) else min(4, scores.shape[1])
    rows = -(-scores.shape[1] // columns)
    panel = 0.55 + 0.15 * len(scores)
    figure = Figure((WIDTH, rows * panel + 0.5), layout="constrained")
    figure.suptitle(title, fontsize=9)
    figure.supxlabel(_BARS, fontsize=7)
    panels = np.atleast_1d(figure.subplots(rows, columns, sharey=True)).ravel()
    places = np.arange(len(scores))
    for axes, name in zip(panels, scores.columns, strict=False):
        values = scores[name].to_numpy()
        best = _best(scores[name], metrics[str(name)]["higher_is_better"], aside)
        hollow = [str(n) in aside for n in scores.index]
        edges = [BEST if b else PLAIN for b in best]
        faces = ["white" if h else edge for h, edge in zip(hollow, edges, strict=True)]
        axes.barh(places, np.nan_to_num(values), 0.75, color=faces, edgecolor=edges, linewidth=0.8)
        low, high = _limits(values)
        axes.set_xlim(low, high)
        axes.spines["left"].set_linestyle("-" if low == 0 else (0, (2, 2)))
        for place, value in enumerate(values):
            if np.isfinite(value):
                text = f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}"
                axes.annotate(text, (value, place), (2, 0), "data", "offset points", **_VALUE)
            else:
                axes.annotate("–", (low, place), (2, 0), "data", "offset points", **_VALUE)
        arrow = "↑" if metrics[str(name)]["higher_is_better"] else "↓"
        axes.set_title(f"{metrics[str(name)]['label']} {arrow}", fontsize=8)
        axes.set_yticks(places, [str(n)[:24] for n in scores.index], fontsize=7)
        axes.tick_params(axis="x", labelsize=7)
        axes.locator_params(axis="x", nbins=4)
    panels[0].invert_yaxis()
    for axes in panels[scores.shape[1] :]:
        axes.set_axis_off()
    return figure


_BARS = (
    "Blue: best. Hollow: no candidates (controls, means over fewer scenes). "
    "Dashed base line: not from 0. –: no finite score."
)
_RADAR = "Inner ring: worst of all methods\nthat compete; outer ring: best."
_VALUE: Any = {"fontsize": 7, "va": "center"}


def radar(
    scores: pd.DataFrame, manifest: dict[str, Any], title: str, aside: Set[str] = frozenset()
) -> Figure:
    """The methods of the best mean rank on axes from the worst of all methods to the best.

    Parameters
    ----------
    scores : DataFrame
        Methods by metrics, at least three, finite or NaN. A method without a score on some
        metric is left out.
    manifest : dict
        The run's, for labels and directions.
    title : str
        Above the chart.
    aside : set of str
        Further methods to leave out: controls, means over fewer scenes.
    """
    from matplotlib.figure import Figure

    metrics = {m["name"]: m for m in manifest["metrics"]}
    upward = scores * [1 if metrics[str(n)]["higher_is_better"] else -1 for n in scores.columns]
    rivals = upward.drop(index=list(aside), errors="ignore").dropna()
    spread = (rivals.max() - rivals.min()).replace(0, 1)
    scaled = (rivals - rivals.min()) / spread
    chosen = rivals.rank(ascending=False).mean(axis=1).sort_values(kind="stable").index[:RADAR]
    figure = Figure((WIDTH, 4.2))
    figure.suptitle(title, fontsize=9)
    axes: Any = figure.add_axes((0.13, 0.09, 0.5, 0.78), projection="polar")
    angles = np.linspace(0, 2 * np.pi, scores.shape[1], endpoint=False)
    for k, name in enumerate(chosen):
        values = scaled.loc[name].to_numpy()
        (line,) = axes.plot([*angles, 0], [*values, values[0]], MARKERS[k], markersize=4)
        line.set(color=COLOURS[k], linestyle=STYLES[k], label=str(name)[:32])
    labels = [
        f"{metrics[str(n)]['label']} {'↑' if metrics[str(n)]['higher_is_better'] else '↓'}"
        for n in scores.columns
    ]
    axes.set_xticks(angles, labels)
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


def _controls(manifest: dict[str, Any]) -> set[str]:
    return {m["name"] for m in manifest["methods"] if m["family"] == "control"}


def _short(table: pd.DataFrame) -> set[str]:
    """Methods whose mean is over fewer scenes than others' is."""
    if COVERAGE not in table:
        return set()
    finished = table[COVERAGE].str.partition("/")[0].astype(int)
    return {str(name) for name in table.index[finished < finished.max()]}


def _best(values: pd.Series, higher: bool, aside: Set[str]) -> list[bool]:
    """Which are best, as the tables print them."""
    printed = values.round(DIGITS)
    rivals = printed.drop(index=list(aside), errors="ignore").dropna()
    if not len(rivals):
        return [False] * len(values)
    top = rivals.max() if higher else rivals.min()
    return [name in rivals and value == top for name, value in printed.items()]


def _limits(values: NDArray[Any]) -> tuple[float, float]:
    """From zero, unless all values lie far from it; with room for a number behind each bar."""
    known = values[np.isfinite(values)]
    low, high = float(known.min()), float(known.max())
    span = high - low or abs(high) or 1.0
    if low >= 0 and low < 2 * span:
        return 0.0, 1.25 * high
    return low - 0.25 * span, high + 0.4 * span
