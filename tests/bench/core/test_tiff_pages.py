"""Which pages of a TIFF file are pictures: stacks, hyperstacks, thumbnails, raw photos."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from bench.core.errors import ImageError
from bench.core.image_io import decode_image, page_count, read_image, read_pages

RAMPS = np.eye(3, dtype=np.uint8)[:, :, None] * np.arange(256, dtype=np.uint8)


def stack(*shape: int) -> NDArray[np.uint16]:
    return np.random.default_rng(len(shape)).integers(0, 65535, shape, np.uint16)


def write(path: Path, *pages: tuple[NDArray[Any], dict[str, Any]]) -> None:
    with tifffile.TiffWriter(path) as writer:
        for pixels, options in pages:
            writer.write(pixels, **{"photometric": "minisblack", **options})


WRITERS = {
    "plain": {"metadata": None},
    "tifffile": {},
    "first page only": {"truncate": True},
    "compressed": {"compression": "zlib"},
    "big-endian": {"byteorder": ">", "bigtiff": True},
    "ImageJ, depth": {"imagej": True, "metadata": {"axes": "ZYX"}},
    "ImageJ, time": {"imagej": True, "metadata": {"axes": "TYX"}},
    "OME": {"ome": True, "metadata": {"axes": "ZYX"}},
    "OME, tiled": {"ome": True, "metadata": {"axes": "ZYX"}, "tile": (16, 16)},
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_stack_is_its_pages_and_no_single_image(tmp_path, writer):
    file, pixels = tmp_path / "stack.tif", stack(5, 20, 30)
    tifffile.imwrite(file, pixels, photometric="minisblack", **WRITERS[writer])
    assert page_count(file) == 5
    assert np.array_equal(read_pages(file), pixels)
    with pytest.raises(ImageError, match=r"stack\.tif: holds 5 pages"):
        read_image(file)


@pytest.mark.parametrize("kind", ["imagej", "ome"])
def test_a_stack_of_colours(tmp_path, kind):
    file, pixels = tmp_path / "stack.tif", (stack(4, 20, 30, 3) >> 8).astype(np.uint8)
    axes = {"metadata": {"axes": "ZYXS"}}
    tifffile.imwrite(file, pixels, photometric="rgb", **{kind: True}, **axes)
    assert page_count(file) == 4
    assert np.array_equal(read_pages(file), pixels)


@pytest.mark.parametrize("options", [{}, {"metadata": None}])
def test_pictures_that_were_added_one_after_the_other_are_a_stack(tmp_path, options):
    file, pixels = tmp_path / "stack.tif", stack(3, 20, 30)
    write(file, *((page, options) for page in pixels))
    assert page_count(file) == 3
    assert np.array_equal(read_pages(file), pixels)


def test_a_hyperstack_with_axes_of_length_1_is_a_stack(tmp_path):
    for kind in ("imagej", "ome"):
        pixels, axes = stack(1, 5, 1, 20, 30), {"axes": "TZCYX"}
        tifffile.imwrite(tmp_path / "a.tif", pixels, **{kind: True}, metadata=axes)
        assert np.array_equal(read_pages(tmp_path / "a.tif"), pixels[0, :, 0])


@pytest.mark.parametrize(
    ("kind", "axes", "shape", "says"),
    [
        ("imagej", "TZYX", (2, 3, 20, 30), "T of 2, Z of 3"),
        ("ome", "TZYX", (2, 3, 20, 30), "T of 2, Z of 3"),
        ("ome", "CYX", (3, 20, 30), "channels .*C of 3"),
        ("imagej", "ZCYX", (4, 2, 20, 30), "channels .*Z of 4, C of 2"),
    ],
)
def test_hyperstacks_that_are_no_focus_stack_are_refused(tmp_path, kind, axes, shape, says):
    file = tmp_path / "hyper.tif"
    metadata = {"axes": axes}
    options = {kind: True, "photometric": "minisblack", "metadata": metadata}
    tifffile.imwrite(file, stack(*shape), **options)
    with pytest.raises(ImageError, match=rf"hyper\.tif: .*{says}"):
        read_pages(file)
    with pytest.raises(ImageError, match=rf"holds {np.prod(shape[:-2])} pages"):
        read_image(file)


@pytest.mark.parametrize("tables", [None, list(RAMPS)])
def test_three_channels_of_imagej_that_are_red_green_and_blue_are_colour(tmp_path, tables):
    file, pixels = tmp_path / "a.tif", stack(4, 3, 20, 30)
    metadata = {"axes": "ZCYX", "mode": "composite", **({"LUTs": tables} if tables else {})}
    tifffile.imwrite(file, pixels, imagej=True, metadata=metadata)
    assert page_count(file) == 4
    assert np.array_equal(read_pages(file), np.moveaxis(pixels, 1, -1))
    metadata["axes"] = "CYX"
    tifffile.imwrite(file, pixels[0], imagej=True, metadata=metadata)
    assert np.array_equal(read_image(file), np.moveaxis(pixels[0], 0, -1))


def test_three_channels_of_imagej_in_other_colours_are_refused(tmp_path):
    metadata = {"axes": "CYX", "mode": "composite", "LUTs": list(RAMPS[::-1])}
    tifffile.imwrite(tmp_path / "a.tif", stack(3, 20, 30), imagej=True, metadata=metadata)
    with pytest.raises(ImageError, match="channels"):
        read_pages(tmp_path / "a.tif")


def test_thumbnails_are_no_pages(tmp_path):
    file, pixels = tmp_path / "a.tif", stack(20, 30)
    small = (pixels[::2, ::2], {"subfiletype": 1})
    for pages in ((small, (pixels, {})), ((pixels, {}), small)):
        write(file, *pages)
        assert page_count(file) == 1
        assert np.array_equal(read_image(file), pixels)


def test_levels_of_a_pyramid_are_no_pages(tmp_path):
    file, pixels = tmp_path / "a.tif", stack(64, 80)
    levels = [(pixels[::step, ::step], {"subfiletype": 1}) for step in (2, 4)]
    write(file, (pixels, {"subifds": 2}), *levels)
    assert np.array_equal(read_image(file), pixels)
    stacked = stack(3, 64, 80)
    levels = [(stacked[:, ::2, ::2], {"subfiletype": 1})]
    write(file, (stacked, {"subifds": 1}), *levels)
    assert np.array_equal(read_pages(file), stacked)


def test_a_file_of_previews_only_is_refused(tmp_path):
    write(tmp_path / "a.tif", (stack(20, 30), {"subfiletype": 1}))
    with pytest.raises(ImageError, match="previews"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("other", [stack(10, 30), stack(20, 30, 3), stack(20, 30).astype(np.uint8)])
def test_pages_that_differ_are_no_stack(tmp_path, other):
    file = tmp_path / "a.tif"
    write(file, (stack(20, 30), {}), (other, {"photometric": "rgb"} if other.ndim == 3 else {}))
    assert page_count(file) == 2
    with pytest.raises(ImageError, match="its pages differ"):
        read_pages(file)


def test_a_stack_of_32_bit_is_converted_alike(tmp_path):
    small, large = np.full((8, 9), 7, np.uint32), np.full((8, 9), 1 << 31, np.uint32)
    write(tmp_path / "a.tif", (np.stack([small, large]), {}))
    assert {page.dtype.name for page in read_pages(tmp_path / "a.tif")} == {"float32"}
    write(tmp_path / "a.tif", (np.stack([small, small]), {}))
    assert {page.dtype.name for page in read_pages(tmp_path / "a.tif")} == {"uint16"}


def test_32_bit_values_of_no_certain_scale_are_refused(tmp_path):
    write(tmp_path / "a.tif", (np.full((8, 9), 200_000, np.uint32), {}))
    with pytest.raises(ImageError, match=r"a\.tif: 32-bit values up to 200000: "):
        read_image(tmp_path / "a.tif")


def test_a_truncated_stack_is_refused(tmp_path):
    for options in WRITERS.values():
        file = tmp_path / "a.tif"
        tifffile.imwrite(file, stack(5, 20, 30), photometric="minisblack", **options)
        whole = file.read_bytes()
        for length in range(0, len(whole), len(whole) // 9 + 1):
            file.write_bytes(whole[:length])
            with pytest.raises(ImageError, match=r"\A[^\n]*a\.tif: [^\n]+\Z"):
                read_pages(file)


@pytest.mark.parametrize(
    "description",
    [
        '{"shape": [40, 60, 3]}',
        "ImageJ=1.53\nimages=8\nslices=8\n",
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<Pixels DimensionOrder="XYCZT" ID="Pixels:0" SizeC="3" SizeT="1" SizeX="99" SizeY="20" '
        'SizeZ="2" Type="uint16"><Channel ID="C:0" SamplesPerPixel="3"/><TiffData/></Pixels>'
        "</Image></OME>",
    ],
)
def test_a_description_left_from_before_an_image_was_cropped_says_nothing(tmp_path, description):
    pixels = stack(20, 30, 3)
    options = {"photometric": "rgb", "description": description, "metadata": None}
    write(tmp_path / "a.tif", (pixels, options))
    assert np.array_equal(read_image(tmp_path / "a.tif"), pixels)


def test_other_files_have_one_page(tmp_path):
    from bench.core.image_io import write_image

    write_image(tmp_path / "a.png", stack(20, 30))
    assert page_count(tmp_path / "a.png") == 1
    assert np.array_equal(read_pages(tmp_path / "a.png"), stack(20, 30)[None])


def sensor(kind: str) -> bytes:
    """A raw photo in a TIFF container, whose first page is a preview of it (or the sensor)."""
    file = io.BytesIO()
    preview, photo = np.full((12, 16, 3), 255, np.uint8), np.zeros((48, 64), np.uint16)
    with tifffile.TiffWriter(file) as writer:
        if kind == "cfa":
            writer.write(photo, photometric=32803, metadata=None)
        elif kind == "dng":
            version = [(50706, "B", 4, bytes((1, 4, 0, 0)), True)]
            writer.write(preview, photometric="rgb", metadata=None, extratags=version)
        else:
            options = {"photometric": "rgb", "subfiletype": 1, "metadata": None}
            writer.write(preview, subifds=1, **options)
            writer.write(photo, photometric="minisblack", metadata=None)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["cfa", "dng", "preview and sub-images"])
@pytest.mark.parametrize("ending", [".tif", ".dng", ".nef", ""])
def test_the_preview_of_a_raw_photo_is_never_the_photo(tmp_path, kind, ending):
    file = tmp_path / f"shot{ending}"
    file.write_bytes(sensor(kind))
    assert page_count(file) == 1
    for read in (read_image, lambda path: read_pages(path)[0]):
        try:
            image = read(file)
        except ImageError as error:
            assert "raw" in str(error)  # noqa: PT017 - without the extra, or not developed
        else:
            assert image.shape[:2] == (48, 64)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.cr2", b"II*\0\x10\0\0\0CR\2\0"),
        ("a.cr3", b"\0\0\0\x18ftypcrx \0\0\0\1"),
        ("a.orf", b"IIRO\x08\0\0\0"),
        ("a.rw2", b"IIU\0\x18\0\0\0"),
        ("a.raf", b"FUJIFILMCCD-RAW 0201"),
        ("a.x3f", b"FOVb"),
    ],
)
def test_raw_photos_of_other_containers_are_known_by_their_beginning(name, start):
    for called in (name, "a.tif") if name != "a.x3f" else (name,):
        with pytest.raises(ImageError, match=r"raw"):
            decode_image(start + bytes(200), called)
