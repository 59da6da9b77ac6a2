"""The paper's figures of the network itself: what its layers respond to, how variants train.

Both work without a run: Fig. 2 comes from the shipped weights, Fig. 5 from the committed training
curves or those of one's own ``bench ablate``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import BenchError, DataUnavailable
from bench.core.pixels import to_gray255
from bench.store.manifest import RunManifest
from reports.data.sources import Sources
from reports.figures.drawing import COLOURS, MARKERS, STYLES, WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The training curves that come with the project.
ABLATION = Path(__file__).parents[1] / "published" / "ablation"

#: Longest side that Fig. 2 shows: the maps of all layers of a large photo would fill the memory.
LARGEST = 640

#: Panels of Fig. 5 by their names in the curves: the title, and the paper's choice.
PANELS = {
    "filters": ("filters per layer", "64"),
    "filter size": ("filter size", "5 x 5"),
    "depth": ("layers: streams, fusion, reconstruction", "2-1-2"),
    "patch": ("training patch", "50 x 50"),
}

Maps = Mapping[str, NDArray[np.float32]]
Curves = Sequence[Mapping[str, Any]]


def network_figures(
    manifest: RunManifest, sources: Sources, ablation: Path | None, note: Callable[[str], None]
) -> Iterator[tuple[str, Figure]]:
    """Both figures by name, or a note why one of them cannot be drawn.

    Parameters
    ----------
    manifest : RunManifest
        Manifest of the run. The network gets its scene Clock, or else the first one that can
        be read.
    sources : Sources
        Reads them.
    ablation : Path, optional
        Folder of ``bench ablate``; the committed curves unless given.
    note : callable
        Called with one line for what is missing.
    """
    try:
        pair, title = _shown_pair(manifest, sources)
        maps = feature_maps(np.stack(pair))
        yield "fig2_feature_maps", features_figure(pair, maps, title=title)
    except BenchError as error:
        note(f"no fig2_feature_maps: {error}")
    try:
        yield "fig5_ablation", curves_figure(*read_curves(ablation or ABLATION))
    except BenchError as error:
        note(f"no fig5_ablation: {error}")


def _shown_pair(manifest: RunManifest, sources: Sources) -> tuple[list[NDArray[np.float32]], str]:
    """Two gray sources for the network, and their title."""
    entries = sorted(manifest.scenes, key=lambda entry: entry.place != ("paper", "clock"))
    why = "the run has no scene"
    for entry in entries:
        if not entry.fingerprint:  # the run could not read it
            continue
        images, why = sources.images(entry)
        if images is not None:
            title = f"Feature maps of fcn: {entry.title or entry.name} ({entry.origin})"
            return [gray_image(source) for source in images.sources[:2]], title
    raise DataUnavailable(f"the sources of no scene of the run can be read ({why})")


def gray_image(image: NDArray[Any]) -> NDArray[np.float32]:
    """Luminance in [0, 1] for the network; of a larger image the middle `LARGEST` pixels."""
    height, width = (min(side, LARGEST) for side in image.shape[:2])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    middle = image[top : top + height, left : left + width]
    return (to_gray255(middle) / 255).astype(np.float32)


def feature_maps(pair: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Responses of the shipped `fcn` to a pair of gray images.

    Parameters
    ----------
    pair : ndarray
        float32 (2, H, W) in [0, 1].

    Returns
    -------
    dict
        By layer — the second convolution of either stream, and the fusion layer — float32
        (64, H, W), after ReLU.
    """
    import torch

    from methods.learned import WEIGHTS
    from methods.learned.nets.weights import load_network

    network: Any = load_network(WEIGHTS / "fcn.safetensors", "fcn", "gray")
    first, second = torch.from_numpy(pair)[:, None, None].unbind(0)
    with torch.inference_mode():
        maps = network.encode(first, second)
    names = ("stream A, 2nd layer", "stream B, 2nd layer", "fusion layer")
    return {name: x[0].numpy() for name, x in zip(names, maps, strict=True)}


def features_figure(
    pair: Sequence[NDArray[np.float32]], maps: Maps, count: int = 5, title: str = ""
) -> Figure:
    """One row a layer: what goes in, then its maps of the largest variance.

    Parameters
    ----------
    pair : sequence of ndarray
        The two gray sources.
    maps : mapping
        See `feature_maps`. Each map is shown on its own scale, black being no response.
    count : int
        Maps a layer.
    title : str
        Title above all maps.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    height, width = pair[0].shape
    cell = (WIDTH - 0.35) / (count + 1)
    tall = cell * height / width
    tight = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    figure = Figure((WIDTH, 3 * (tall + 0.2) + 0.35), layout=tight)
    figure.suptitle(title, fontsize=9)
    beside = (
        ("source A", pair[0]),
        ("source B", pair[1]),
        ("mean of both", (pair[0] + pair[1]) / 2),
    )
    grid = figure.subplots(3, count + 1, squeeze=False)
    for row, (name, stack), (what, source) in zip(grid, maps.items(), beside, strict=True):
        for axes in row:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        row[0].set_ylabel(name.replace(", ", ",\n"), fontsize=7)  # rows are low with many maps
        row[0].imshow(source, cmap="gray", vmin=0, vmax=1)
        row[0].set_title(what, fontsize=7, pad=2)
        for axes, index in zip(row[1:], np.argsort(-stack.var(axis=(1, 2)))[:count], strict=True):
            axes.imshow(stack[index], cmap="gray", vmin=0)
            axes.set_title(f"map {index}", fontsize=7, pad=2)
    return figure


def read_curves(folder: Path) -> tuple[list[dict[str, Any]], str]:
    """Training curves that ``bench ablate`` left in a folder, and on what they were trained.

    Returns
    -------
    rows : list of dict
        ``panel``, ``variant``, ``step``, ``psnr``.
    about : str
        One line for below the figure; empty when nothing is known.

    Raises
    ------
    DataUnavailable
        There are none, or they cannot be read.
    """
    path = folder / "ablation.csv"
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows: list[dict[str, Any]] = [
                {**row, "step": int(row["step"]), "psnr": float(row["psnr"])}
                for row in csv.DictReader(file)
                if row["panel"] in PANELS and row["variant"]
            ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataUnavailable(f"{path}: no training curves ({error!r})") from None
    if not rows:
        raise DataUnavailable(f"{path}: no training curves in it")
    return rows, _budget(folder / "ablation.json")


def _budget(path: Path) -> str:
    try:
        given = json.loads(path.read_bytes())
        text = f"{given['steps']} steps of {given['batch']} patches, seed {given['seed']}"
        return f"{text}; validation: {given['validation']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def curves_figure(rows: Curves, about: str = "") -> Figure:
    """The four panels of Fig. 5: validation PSNR against training step.

    Parameters
    ----------
    rows : sequence of mapping
        ``panel``, ``variant``, ``step``, ``psnr``; see `read_curves`.
    about : str
        Line below the panels.
    """
    from matplotlib.figure import Figure

    present = [panel for panel in PANELS if any(row["panel"] == panel for row in rows)]
    columns = min(2, len(present))
    lines = -(-len(present) // columns)
    figure = Figure((WIDTH, 2.5 * lines + 0.3), layout="constrained")
    panels = np.asarray(figure.subplots(lines, columns, squeeze=False, sharey=True)).ravel()
    for k, (axes, panel) in enumerate(zip(panels, present, strict=False)):
        title, ours = PANELS[panel]
        mine = [row for row in rows if row["panel"] == panel]
        variants = dict.fromkeys(row["variant"] for row in mine)
        for n, label in enumerate(variants):
            n %= len(COLOURS)
            curve = [(row["step"], row["psnr"]) for row in mine if row["variant"] == label]
            (line,) = axes.plot(*zip(*curve, strict=True), MARKERS[n], markersize=3)
            line.set(color=COLOURS[n], linestyle=STYLES[n])
            line.set_label(f"{label} (paper)" if label == ours else label)
        axes.set_title(f"({'abcd'[k]}) {title}", fontsize=8)
        axes.set_xlabel("training step")
        if k % columns == 0:
            axes.set_ylabel("validation PSNR (dB)")
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right", frameon=False)
    for axes in panels[len(present) :]:
        axes.set_axis_off()
    figure.supxlabel(about, fontsize=7)
    return figure
