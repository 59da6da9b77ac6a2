"""Figures of a run for a paper: contact sheets of scenes, bar and radar charts of tables.

Each is written as PNG and as PDF with embedded fonts, in the width of a page (7.2 inches),
with no letter below 7 points.
"""

from __future__ import annotations

import io
import string
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.errors import EnvironmentFault
from bench.images import quantise, safe_name, to_unit, write_bytes
from bench.store import Store
from reports import paper
from reports.results import Results
from reports.sources import Sources
from reports.tables import COVERAGE, TIME, mean_table, scene_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 7.2
DPI = 200

#: Methods in a radar chart: more lines than these cannot be told apart.
RADAR = 6

#: Okabe and Ito's colours, which the colour-blind tell apart; lines differ in style as well.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")
PLAIN, BEST = "#9aa5b1", "#0072b2"

#: Text as it is (a ``$`` in a name is no formula), fonts that can be searched and edited.
STYLE: Any = {
    "font.size": 8,
    "text.parse_math": False,
    "pdf.fonttype": 42,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def write_figures(results: Results, store: Store, folder: Path | str) -> list[Path]:
    """Write all figures of a run.

    ``scene_DATASET_SCENE`` for each scene (Figs. 6-9 of the paper), ``bar_NAME`` and
    ``radar_NAME`` for each of Tables 1-4 and each dataset's means; ``.png`` and ``.pdf``.

    Parameters
    ----------
    results : Results
        A run.
    store : Store
        Its store, for the fused images.
    folder : path-like
        Made if need be.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    EnvironmentFault
        Matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise EnvironmentFault("figures need Matplotlib: pip install matplotlib") from None
    written: list[Path] = []
    with matplotlib.rc_context(STYLE):
        for name, figure in _figures(results, store):
            written += _save(figure, Path(folder) / name)
    return written


def _figures(results: Results, store: Store) -> Iterator[tuple[str, Figure]]:
    sources = Sources(results.manifest)
    for entry in results.manifest["scenes"]:
        images = scene_images(results, store, sources, entry)
        if images:
            name = f"scene_{safe_name(entry['dataset'])}_{safe_name(entry['scene'])}"
            yield name, contact_sheet(images, _title(entry))
    for name, title, table in _tables(results):
        aside = _controls(results.manifest) | _short(table)
        scores = table.drop(columns=[COVERAGE, TIME], errors="ignore").astype(float)
        scores = scores.replace([np.inf, -np.inf], np.nan).dropna(axis=1, how="all")
        if scores.notna().any(axis=None):
            yield f"bar_{name}", bars(scores, results.manifest, title, aside)
            rivals = scores.drop(index=list(aside), errors="ignore").dropna()
            if scores.shape[1] >= 3 and len(rivals):
                yield f"radar_{name}", radar(scores, results.manifest, title, aside)


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
) -> list[tuple[str, NDArray[Any]]]:
    """Captions and images of a scene: its sources, the paper's methods in its order, the others.

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
    list of (str, ndarray)
        Empty when no method finished the scene.
    """
    fused: dict[str, NDArray[Any]] = {}
    for cell in results.manifest["cells"]:
        here = (cell["dataset"], cell["scene"]) == (entry["dataset"], entry["scene"])
        image = store.get_image(cell["pixels"]) if here and "pixels" in cell else None
        if image is not None:
            fused[cell["method"]] = image
    if not fused:
        return []
    order = [name for name in paper.ROWS if name in fused]
    order += [name for name in fused if name not in order]
    images, _ = sources.images(entry)
    given = () if images is None else images.sources
    shown = [(f"Source {chr(65 + k)}", source) for k, source in enumerate(given)]
    return [*shown, *((name, fused[name]) for name in order)]


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
    >>> from reports.figures import letter
    >>> letter(0), letter(25), letter(26)
    ('a', 'z', 'aa')
    """
    letters = string.ascii_lowercase
    return letters[k] if k < 26 else letter(k // 26 - 1) + letters[k % 26]


def bars(
    scores: pd.DataFrame, manifest: dict[str, Any], title: str, aside: Set[str] = frozenset()
) -> Figure:
    """One panel an index, one bar a method in the table's order; the best of each stands out.

    Parameters
    ----------
    scores : DataFrame
        Methods by metrics, finite or NaN.
    manifest : dict
        The run's, for labels and directions.
    title : str
        Above the panels.
    aside : set of str
        Methods that are no candidates for the best: controls, means over fewer scenes.
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
        axes.barh(places, np.nan_to_num(values), 0.75, color=[BEST if b else PLAIN for b in best])
        low, high = _limits(values)
        axes.set_xlim(low, high)
        axes.spines["left"].set_linestyle("-" if low == 0 else (0, (2, 2)))
        for place, value in enumerate(values):
            if np.isfinite(value):
                text = f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}"
                axes.annotate(text, (value, place), (2, 0), "data", "offset points", **_VALUE)
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
    "Dark: best, controls and means over fewer scenes aside. "
    "Where the base line is dashed, bars do not start at 0."
)
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
    figure = Figure((WIDTH, 4.4))
    figure.suptitle(title, fontsize=9)
    axes = figure.add_axes((0.13, 0.1, 0.5, 0.76), projection="polar")
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
    axes.set_yticks([0, 0.5, 1], ["worst", "", "best"], fontsize=7)
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
    rivals = values.drop(index=list(aside), errors="ignore").dropna()
    if not len(rivals):
        return [False] * len(values)
    top = rivals.max() if higher else rivals.min()
    return [name in rivals and value == top for name, value in values.items()]


def _limits(values: NDArray[Any]) -> tuple[float, float]:
    """From zero, unless all values lie far from it; with room for a number behind each bar."""
    known = values[np.isfinite(values)]
    low, high = float(known.min()), float(known.max())
    span = high - low or abs(high) or 1.0
    if low >= 0 and low < 2 * span:
        return 0.0, 1.25 * high
    return low - 0.25 * span, high + 0.4 * span


def _save(figure: Figure, stem: Path) -> list[Path]:
    paths = []
    for kind in ("png", "pdf"):
        buffer = io.BytesIO()
        # No dates inside, so that the same run gives the same file.
        metadata = {"CreationDate": None} if kind == "pdf" else {"Software": None}
        figure.savefig(buffer, format=kind, dpi=DPI, metadata=metadata)
        paths.append(stem.with_name(f"{stem.name}.{kind}"))
        write_bytes(paths[-1], buffer.getvalue())
    return paths
