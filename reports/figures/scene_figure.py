"""A figure for a paper: one crop of a scene, as its sources and methods show it, side by side."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import DataUnavailable, UnknownName, UsageError
from bench.core.files import safe_name, write_bytes
from bench.core.image_io import write_image
from bench.core.pixels import quantise, to_unit
from bench.store.manifest import SceneEntry
from datasets import SceneImages
from datasets.subsets import SUBSETS
from reports.data.crops import disputed_box, parse_crop
from reports.data.focus import UNDECIDED, Box, gray, nearest_source
from reports.data.leaderboard import NO_FUSION
from reports.data.results import Results
from reports.data.sources import Note, Sources
from reports.figures.drawing import DPI, save, stem, style
from reports.figures.run_figures import letter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_log = logging.getLogger(__name__)

#: Space between panels, height of a caption, in inches.
GAP, CAPTION = 0.05, 0.18

#: Share of the differences that the scale covers: a few large ones must not hide all others.
COVERED = 0.995


@dataclass(frozen=True)
class FigureOptions:
    """What a figure shows.

    Attributes
    ----------
    scene : str
        ``dataset/scene``, a scene of the run.
    methods : tuple of str
        Methods of the run, in this order.
    crop : str
        ``auto``: where the methods differ the most; or ``x,y,w,h`` in pixels.
    zoom : int
        Factor by which the crops that are written as files are enlarged.
    difference : bool
        Whether a row shows the difference to the reference, or without one to the first source.
    index_map : bool
        Whether a row shows which source each pixel is closest to.
    columns : int
        Panels in a row.
    width : float
        Inches.
    """

    scene: str
    methods: tuple[str, ...]
    crop: str = "auto"
    zoom: int = 3
    difference: bool = False
    index_map: bool = False
    columns: int = 4
    width: float = 7.2

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not self.methods:
            raise UsageError("--methods: a figure needs at least one method")
        if self.zoom < 1 or self.columns < 1 or not 1 <= self.width <= 40:
            raise UsageError("zoom and columns must be at least 1, the width 1 to 40 inches")


@dataclass(frozen=True)
class Panel:
    """A crop and what is known of it.

    Attributes
    ----------
    name : str
        Its caption.
    image : ndarray
        The crop.
    difference : ndarray, optional
        Its absolute difference in gray levels (h, w).
    nearest : ndarray, optional
        Index of the closest source, or `UNDECIDED`.
    """

    name: str
    image: NDArray[Any]
    difference: NDArray[Any] | None = None
    nearest: NDArray[Any] | None = None


def write_scene_figure(
    results: Results, options: FigureOptions, path: Path | str, *, note: Note
) -> list[Path]:
    """Write ``PATH.pdf``, ``PATH.png`` and the crops as PNG files in the folder ``PATH``.

    Parameters
    ----------
    results : Results
        A run that has fused the scene.
    options : FigureOptions
        What to show.
    path : path-like
        Without ending, or with ``.pdf`` or ``.png``.
    note : callable
        Called with the sentence that a caption needs: which crop, and the scale of differences.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    UnknownName
        The run has no such scene or method.
    DataUnavailable
        The sources or a fused image are missing.
    """
    panels, scale, sources = _content(results, options, note)
    target = stem(Path(path))
    with style():
        written = save(draw(panels, options, scale, sources), target)
    for panel in panels:
        enlarged = np.kron(
            panel.image, np.ones((options.zoom,) * 2 + (1,) * (panel.image.ndim - 2))
        )
        written.append(target / f"{safe_name(panel.name.lower().replace(' ', '-'))}.png")
        written[-1].parent.mkdir(parents=True, exist_ok=True)
        write_image(written[-1], enlarged.astype(panel.image.dtype))
    return written


def picture(results: Results, options: FigureOptions, path: Path) -> Path:
    """Write the figure as one PNG file, for a page."""
    panels, scale, sources = _content(results, options, _log.info)
    with style():
        buffer = io.BytesIO()
        figure = draw(panels, options, scale, sources)
        figure.savefig(buffer, format="png", dpi=DPI["png"], metadata={"Software": None})
    write_bytes(path, buffer.getvalue())
    return path


def _content(
    results: Results, options: FigureOptions, note: Note
) -> tuple[list[Panel], float, int]:
    """Panels, the scale of their differences, and the number of sources."""
    entry = _entry(results, options.scene)
    images, missing = Sources(results.manifest, note).images(entry)
    if images is None:
        raise DataUnavailable(f"{entry.name}: {missing}")
    fused = _fused(results, entry, options.methods)
    height, width = images.sources[0].shape[:2]
    box = parse_crop(options.crop, height, width) or disputed_box(
        [image for name, image in fused.items() if name not in NO_FUSION] or list(fused.values())
    )
    panels = _panels(images, fused, box)
    scale = _scale(panels)
    note(_caption(entry, box, scale, options, images.reference is not None))
    return panels, scale, len(images.sources)


def figure_path(out: Path, scene: str) -> Path:
    """Where the figure of a scene of the run in `out` is written, unless that is said."""
    return out / "figures" / f"figure_{safe_name(scene.replace('/', '_'))}"


def _entry(results: Results, scene: str) -> SceneEntry:
    """The scene of that name; ``lytro/c_01`` is one of a subset's."""
    known = {entry.name: entry for entry in results.manifest.scenes}
    subset = SUBSETS.get(scene.partition("/")[0].lower())
    name = f"{subset.dataset}/{scene.partition('/')[2]}" if subset else scene
    if name not in known:
        raise UnknownName("scene of this run", scene, known)
    return known[name]


def _fused(results: Results, entry: SceneEntry, methods: Sequence[str]) -> dict[str, NDArray[Any]]:
    cells = {cell.method: cell for cell in results.manifest.cells if cell.place == entry.place}
    found = {}
    for name in methods:
        if name not in cells:
            raise UnknownName("method of this run", name, cells)
        image = results.store.get_image(cells[name].pixels) if cells[name].pixels else None
        if image is None:
            why = cells[name].message or "its fused image is not in the store"
            raise DataUnavailable(f"{name} on {entry.name}: {why}")
        found[name] = image
    return found


def _panels(images: SceneImages, fused: dict[str, NDArray[Any]], box: Box) -> list[Panel]:
    """Crops of sources, reference and fused images, the latter with difference and index map."""
    left, top, right, bottom = box
    cut = np.s_[top:bottom, left:right]
    panels = [Panel(f"Source {k}", image[cut]) for k, image in enumerate(images.sources, 1)]
    if images.reference is not None:
        panels.append(Panel("Reference", images.reference[cut]))
    grays = [gray(source) for source in images.sources]
    base = grays[0] if images.reference is None else gray(images.reference)
    for name, image in fused.items():
        own = gray(image)
        nearest = nearest_source(grays, own)
        panels.append(Panel(name, image[cut], abs(own - base)[cut], nearest[cut]))
    return panels


def _scale(panels: Sequence[Panel]) -> float:
    """The difference in gray levels that is drawn black, one for all panels."""
    values = np.concatenate([p.difference.ravel() for p in panels if p.difference is not None])
    return float(max(1, np.ceil(np.quantile(values, COVERED))))


def _caption(
    entry: SceneEntry, box: Box, scale: float, options: FigureOptions, reference: bool
) -> str:
    left, top, right, bottom = box
    text = f"{entry.name}, crop {left},{top},{right - left},{bottom - top}"
    if options.difference:
        to = "the reference" if reference else "the first source"
        text += f"; difference to {to}: 0 is white, {scale:g} gray levels and more are black"
    if options.index_map:
        text += "; index map: dark is source 1; gray: two sources are equally close"
    return text


def draw(panels: Sequence[Panel], options: FigureOptions, scale: float, sources: int) -> Figure:
    """The figure: panels in rows, each with its caption and its maps below.

    Parameters
    ----------
    panels : sequence of Panel
        What to show.
    options : FigureOptions
        How.
    scale : float
        The difference, in gray levels, that is black.
    sources : int
        How many sources the index map knows.
    """
    from matplotlib.figure import Figure

    maps = options.difference + options.index_map
    height, width = panels[0].image.shape[:2]
    columns = min(options.columns, len(panels))
    cell = (options.width - GAP * (columns - 1)) / columns
    tall = cell * height / width
    rows = _rows(panels, columns, bool(maps))
    deep = [1 + maps * (row[-1].difference is not None) for row in rows]
    total = sum(n * (tall + GAP) + CAPTION for n in deep)
    figure = Figure((options.width, total))
    above, count = 0.0, 0
    for row, depth in zip(rows, deep, strict=True):
        for column, panel in enumerate(row):
            for line, picture in enumerate(_pictures(panel, options, scale, sources)):
                bottom = total - above - (line + 1) * tall - line * GAP
                x = column * (cell + GAP)
                place = (x / options.width, bottom / total, cell / options.width, tall / total)
                axes = figure.add_axes(place)
                axes.set_axis_off()
                axes.imshow(**picture, aspect="auto", interpolation="nearest")
                if line == 0:
                    first = axes
            _write(first, f"({letter(count)}) {panel.name}", depth * (tall + GAP), tall, cell)
            count += 1
        above += depth * (tall + GAP) + CAPTION
    return figure


def _rows(panels: Sequence[Panel], columns: int, maps: bool) -> list[Sequence[Panel]]:
    """Panels in rows; where methods have maps below, these begin a row of their own."""
    first = [panel for panel in panels if panel.difference is None] if maps else []
    groups = (first, panels[len(first) :])
    return [g[k : k + columns] for g in groups for k in range(0, len(g), columns)]


def _pictures(
    panel: Panel, options: FigureOptions, scale: float, sources: int
) -> list[dict[str, Any]]:
    """What ``imshow`` draws for a panel, from above to below."""
    levels = {"cmap": "gray", "vmin": 0, "vmax": 255}
    found: list[dict[str, Any]] = [{"X": quantise(to_unit(panel.image)), **levels}]
    if options.difference and panel.difference is not None:
        found.append({"X": panel.difference, "cmap": "gray_r", "vmin": 0, "vmax": scale})
    if options.index_map and panel.nearest is not None:
        found.append({"X": _coloured(panel.nearest, sources)})
    return found


def _coloured(nearest: NDArray[Any], sources: int) -> NDArray[Any]:
    """RGB of an index map: black and white, of more than two sources a scale; undecided is gray."""
    from matplotlib import colormaps

    scale = colormaps["gray" if sources == 2 else "viridis"]
    rgb = scale(nearest.astype(float) / max(1, sources - 1))[..., :3]
    rgb[nearest == UNDECIDED] = 0.6
    return np.asarray(rgb)


def _write(axes: Axes, text: str, below: float, tall: float, cell: float) -> None:
    """The caption of a panel, `below` inches under its upper edge, shortened to its width."""
    fits = int(cell * 72 / 4.4)
    short = text if len(text) <= fits else text[: fits - 1] + "…"
    axes.text(0.5, 1 - below / tall, short, ha="center", va="top", transform=axes.transAxes)
