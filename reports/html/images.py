"""The pictures of the HTML report: small ones inside the page, full-size ones beside it on demand.

How large the small ones may be depends on how many there are, so that the page can be mailed
and opens at once: a few scenes are shown at their own size, a hundred as thumbnails.
"""

from __future__ import annotations

import base64
import io
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.files import safe_name, write_bytes
from bench.core.image_io import encode_png
from bench.core.pixels import quantise, to_unit
from bench.store.manifest import CellEntry, SceneEntry
from bench.store.store import Store
from reports.data.focus import UNDECIDED, boundary_box, gray, nearest_source, source_name
from reports.data.results import Results
from reports.data.sources import Note, Sources

cv2 = lazy.load("cv2")

_log = logging.getLogger(__name__)

#: Most characters of pictures that a page may hold; the rest of the page needs a few million.
LIMIT = 55_000_000

#: Side of the square around a focus boundary, in pixels of the original.
CROP = 96

#: Okabe and Ito's colours, which the colour-blind tell apart: the two sources of a decision map.
#: The sources of a stack have an order, so their colours have one too: OpenCV's viridis.
PAIR_COLOURS = ("#0072b2", "#e69f00")
UNDECIDED_COLOUR = "#d9d9d9"


@dataclass(frozen=True)
class Sizes:
    """Size and quality of the pictures of a page.

    Attributes
    ----------
    images : int
        Most pictures of a page with these sizes.
    side, map_side : int
        Longest side of a picture, and of a decision map.
    quality, crop_quality : int
        Quality of WebP.
    """

    images: int
    side: int
    map_side: int
    quality: int
    crop_quality: int


#: From few pictures to many.
STEPS = (
    Sizes(150, 768, 512, 90, 92),
    Sizes(500, 512, 320, 85, 88),
    Sizes(1200, 400, 240, 78, 82),
    Sizes(2200, 320, 200, 68, 78),
    Sizes(4000, 240, 160, 56, 70),
    Sizes(8000, 176, 112, 55, 64),
    Sizes(16000, 128, 96, 50, 56),
)

Picture = dict[str, Any]
Cells = dict[tuple[str, str], list[CellEntry]]


@dataclass(frozen=True)
class Gallery:
    """All pictures of a page.

    Attributes
    ----------
    scenes : list of dict
        ``dataset``, ``scene``, ``title``, ``note``, ``notes``, ``origin``, ``width``, ``height``,
        ``missing`` (why the sources are not shown, or nothing), ``colours`` (of each source in the
        maps), ``crop`` (box in parts of the width and height, or None) and ``images``, each with
        ``name``, ``kind`` (``source``,
        ``reference`` or ``fused``), ``thumb``, ``crop``, ``map`` (data addresses or nothing) and
        ``full`` (a relative address or nothing).
    sizes : Sizes
        Their size and quality.
    """

    scenes: list[dict[str, Any]]
    sizes: Sizes


def make_gallery(
    results: Results, assets: Path | None = None, note: Note = _log.warning
) -> Gallery:
    """Encode the pictures of a run.

    Parameters
    ----------
    results : Results
        A run.
    assets : path-like, optional
        Folder for lossless full-size files; none are written unless given.
    note : callable
        Called with one line for each of the user's files that is missing.

    Returns
    -------
    Gallery
        Of every scene with a fused image, in the run's order.
    """
    store = results.store
    cells: Cells = {}
    for cell in results.manifest.cells:
        if cell.pixels and store.has_image(cell.pixels):
            cells.setdefault(cell.place, []).append(cell)
    entries = [scene for scene in results.manifest.scenes if scene.place in cells]
    sources = Sources(results.manifest, note)
    count = sum(map(len, cells.values())) + 3 * len(entries)
    steps = [sizes for sizes in STEPS if sizes.images >= count] or [STEPS[-1]]
    for sizes in steps:
        limit = math.inf if sizes is steps[-1] else LIMIT
        scenes = _scenes(entries, cells, store, sources, sizes, limit)
        if len(scenes) == len(entries):
            break
    if assets is not None:
        for entry, scene in zip(entries, scenes, strict=True):
            _write_full(entry, scene, cells[entry.place], store, sources, assets)
    return Gallery(scenes, sizes)


def _scenes(
    entries: list[SceneEntry],
    cells: Cells,
    store: Store,
    sources: Sources,
    sizes: Sizes,
    limit: float,
) -> list[dict[str, Any]]:
    """All scenes; fewer once they are too large together."""
    scenes: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        scene = _scene(entry, cells[entry.place], store, sources, sizes)
        size += sum(len(image[key]) for image in scene["images"] for key in _ENCODED)
        expected = size / (len(scenes) + 1) * len(entries)
        if size > limit or (len(scenes) > 8 and expected > 1.2 * limit):
            break
        scenes.append(scene)
    return scenes


_ENCODED = ("thumb", "crop", "map")


def _scene(
    entry: SceneEntry,
    cells: list[CellEntry],
    store: Store,
    sources: Sources,
    sizes: Sizes,
) -> dict[str, Any]:
    images, why = sources.images(entry)
    shown: list[Picture] = []
    box = None
    colours = [] if images is None else source_colours(len(images.sources))
    grays = [] if images is None else [gray(source) for source in images.sources]
    if images is not None:
        side = min(CROP, min(images.sources[0].shape[:2]) // 2)
        box = boundary_box(images.sources, side)
        shown = [
            _picture(source_name(k), "source", source, sizes, box)
            for k, source in enumerate(images.sources)
        ]
        if images.reference is not None:
            picture = _picture("Reference", "reference", images.reference, sizes, box)
            if images.index_map is not None:
                picture["map"] = _map(images.index_map, colours, sizes.map_side)
            shown.append(picture)
    for cell in cells:
        fused = store.get_image(cell.pixels)
        if fused is None:
            continue
        picture = _picture(cell.method, "fused", fused, sizes, box)
        if images is not None:
            nearest = nearest_source(grays, gray(fused))
            picture["map"] = _map(nearest, colours, sizes.map_side)
        shown.append(picture)
    height, width = entry.height, entry.width
    about = {key: getattr(entry, key) for key in ("dataset", "scene", "title", "note", "origin")}
    about["notes"] = list(entry.notes)
    return about | {
        "width": width,
        "height": height,
        "sources": 0 if images is None else len(images.sources),
        "colours": colours,
        "missing": why,
        "crop": box and [box[0] / width, box[1] / height, box[2] / width, box[3] / height],
        "images": shown,
    }


def _picture(
    name: str, kind: str, image: NDArray[Any], sizes: Sizes, box: tuple[int, ...] | None
) -> Picture:
    plain = _plain(image)
    crop = (
        "" if box is None else _webp(plain[box[1] : box[3], box[0] : box[2]], 0, sizes.crop_quality)
    )
    thumb = _webp(plain, sizes.side, sizes.quality)
    return {"name": name, "kind": kind, "thumb": thumb, "crop": crop, "map": "", "full": ""}


def _plain(image: NDArray[Any]) -> NDArray[np.uint8]:
    """The image in eight bits."""
    return image if image.dtype == np.uint8 else quantise(to_unit(image))


def _webp(image: NDArray[np.uint8], side: int, quality: int) -> str:
    """Data address of an image, made no longer than `side` unless that is 0."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(image))
    if side and max(picture.size) > side:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=quality, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def source_colours(count: int) -> list[str]:
    """The colour of each source in decision maps: two that differ, or from dark to light.

    The map of a focal stack, whose sources are in the order of their focus, thus is a depth map.

    Examples
    --------
    >>> from reports.html.images import source_colours
    >>> source_colours(2)
    ['#0072b2', '#e69f00']
    >>> source_colours(3)
    ['#440154', '#21918c', '#fde725']
    """
    if count <= len(PAIR_COLOURS):
        return [*PAIR_COLOURS[:count]]
    places = np.rint(np.linspace(0, 255, count)).astype(np.uint8)
    viridis = cv2.applyColorMap(places[None], cv2.COLORMAP_VIRIDIS)[0, :, ::-1]
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in viridis.tolist()]


def _map(nearest: NDArray[np.uint8], colours: Sequence[str], side: int) -> str:
    """Data address of a decision map: a PNG with a palette, a few kilobytes."""
    from PIL import Image

    levels = np.where(nearest == UNDECIDED, len(colours), nearest).astype(np.uint8)
    picture = Image.fromarray(levels).convert("P")
    palette = [*colours, UNDECIDED_COLOUR]
    picture.putpalette([int(c[i : i + 2], 16) for c in palette for i in (1, 3, 5)])
    if max(picture.size) > side:
        picture.thumbnail((side, side), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _write_full(
    entry: SceneEntry,
    scene: dict[str, Any],
    cells: list[CellEntry],
    store: Store,
    sources: Sources,
    assets: Path,
) -> None:
    """Write the lossless files of a scene and note their addresses in it."""
    images, _ = sources.images(entry)
    originals: dict[tuple[str, str], NDArray[Any] | None] = {
        ("fused", cell.method): store.get_image(cell.pixels) for cell in cells
    }
    if images is not None:
        originals |= {("source", source_name(k)): source for k, source in enumerate(images.sources)}
        originals["reference", "Reference"] = images.reference
    folder = f"{safe_name(entry.dataset)}-{safe_name(entry.scene)}"
    for number, picture in enumerate(scene["images"]):
        image = originals[picture["kind"], picture["name"]]
        if image is not None:
            name = f"{number:02}-{safe_name(picture['name'])}.png"
            write_bytes(assets / folder / name, encode_png(_plain(image)))
            picture["full"] = quote(f"{assets.name}/{folder}/{name}")
