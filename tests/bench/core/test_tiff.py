"""TIFF files as microscopes, cameras and image editors write them: each pixel, or a refusal."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from bench.core.image_io import page_count, read_image

TYPES = ("uint8", "uint16", "uint32", "float16", "float32", "float64")
COMPRESSIONS = (None, "lzw", "zlib", "packbits", "zstd")
LAYOUTS = ("gray", "white", "contig", "separate", "minisblack3")


def pixels(dtype: str, *shape: int) -> NDArray[Any]:
    """Random samples over the whole range of a type, its ends among them."""
    rng = np.random.default_rng(len(dtype) + sum(shape))
    unit = rng.random(shape)
    unit.flat[0], unit.flat[-1] = 0, 1
    if np.dtype(dtype).kind == "f":
        return unit.astype(dtype)
    top = min(np.iinfo(dtype).max, 65535)  # as large as 16 bit can hold
    return np.round(unit * top).astype(dtype)


def expected(picture: NDArray[Any]) -> NDArray[Any]:
    """What reading must give for the picture that was stored."""
    if picture.dtype.kind == "f":
        return picture.astype(np.float32)
    return picture.astype(np.uint16) if picture.dtype == np.uint32 else picture


def negative(picture: NDArray[Any]) -> NDArray[Any]:
    if picture.dtype.kind == "f":
        return 1 - picture
    return np.iinfo(picture.dtype).max - picture


def write(path: Path, picture: NDArray[Any], layout: str, **options: Any) -> None:
    stored, photometric = picture, "minisblack"
    if layout == "white":
        stored, photometric = negative(picture), "miniswhite"
    elif layout in {"contig", "separate"}:
        photometric = "rgb"
        options["planarconfig"] = layout
        stored = np.moveaxis(picture, -1, 0) if layout == "separate" else picture
    elif layout == "minisblack3":
        options["planarconfig"] = "contig"
    tifffile.imwrite(path, stored, photometric=photometric, **options)


def same(came: NDArray[Any], wanted: NDArray[Any]) -> bool:
    return came.dtype == wanted.dtype and np.array_equal(came, wanted)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", TYPES)
def test_every_way_to_store_a_picture(tmp_path, dtype, layout):
    picture = pixels(dtype, 21, 34, *(() if layout in {"gray", "white"} else (3,)))
    if layout == "white" and dtype == "uint32":
        picture = np.uint32(0xFFFFFFFF) - picture
    if layout == "white" and dtype.startswith("float"):
        picture = 1 - negative(picture)  # what comes back of two subtractions
    file = tmp_path / "a.tif"
    for compression, predictor, order, tile, big in itertools.product(
        COMPRESSIONS, (False, True), "<>", (None, (16, 16)), (False, True)
    ):
        if predictor and compression in {None, "packbits"}:
            continue
        ways = {"compression": compression, "predictor": predictor, "byteorder": order}
        write(file, picture, layout, **ways, tile=tile, bigtiff=big)
        wanted = expected(picture)
        if layout == "white" and dtype == "uint32":
            wanted = (picture / 4294967295).astype(np.float32)
        assert same(read_image(file), wanted), (ways, tile, big)
        assert page_count(file) == 1
