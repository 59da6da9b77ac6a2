"""Photos, outlines of objects in them, and scenes made from both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.image_io import read_image
from bench.core.pixels import quantise, to_unit
from datasets._base import SceneImages
from datasets.defocus import Image

cv2 = lazy.load("cv2")

#: Longer side of a photo that a scene is made from; a larger one is reduced.
LARGEST = 640
#: Photos that scikit-image's wheel contains, so that nothing is downloaded.
BUNDLED = (
    *("astronaut", "brick", "camera", "chelsea", "coffee", "coins"),
    *("gravel", "immunohistochemistry", "rocket"),
)
#: Terms of use of `BUNDLED`.
PHOTOS = "scikit-image's bundled photos: public domain, CC0 or without known restrictions"


def bundled(name: str) -> Image:
    """One of the `BUNDLED` photos at its own size, float32 in [0, 1]."""
    import skimage.data

    return to_unit(getattr(skimage.data, name)())


def photo_of(file: Path) -> Image:
    """A photo from a file, reduced to `LARGEST` where it is larger."""
    return reduced(to_unit(read_image(file)), LARGEST)


def reduced(photo: Image, longest: int) -> Image:
    """The photo with its longer side at most `longest`, each pixel the mean of its area."""
    height, width = photo.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return photo
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def cut_to(photo: Image, size: tuple[int, ...]) -> Image:
    """The upper left part of a photo, of `size` (H, W); mirrored where the photo is smaller."""
    missing = [max(0, a - b) for a, b in zip(size, photo.shape[:2], strict=True)]
    margins = [(0, missing[0]), (0, missing[1]), (0, 0)][: photo.ndim]
    whole = np.pad(photo, margins, mode="symmetric")
    return np.ascontiguousarray(whole[: size[0], : size[1]])


def outline(name: str) -> NDArray[np.bool_]:
    """The object that ``data/<name>.json`` outlines."""
    file = Path(__file__).parent / "data" / f"{name}.json"
    shape: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return polygon_mask(shape["polygons"], shape["height"], shape["width"])


def polygon_mask(
    polygons: Sequence[Sequence[Sequence[float]]], height: int, width: int
) -> NDArray[np.bool_]:
    """Pixels of which polygons cover at least half; x, y from the upper left corner."""
    fine = 8
    sheet = np.zeros((height * fine, width * fine), np.uint8)
    corners = [np.rint(np.array(polygon) * fine - 0.5).astype(np.int32) for polygon in polygons]
    cv2.fillPoly(sheet, corners, 255)
    return cv2.resize(sheet, (width, height), interpolation=cv2.INTER_AREA) >= 128


def known_scene(
    first: Image, second: Image, *, reference: Image, mask: NDArray[np.bool_]
) -> SceneImages:
    """Two float images and their reference as 8 bits; `mask` is where the first is sharp."""
    sources = (quantise(first), quantise(second))
    return SceneImages(sources, reference=quantise(reference), mask=mask)
