"""TIFF files as microscopes, cameras and image editors write them: each pixel, or a refusal."""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bench.core.errors import ImageError
from bench.core.image_io import decode_image, page_count, read_image
from bench.core.remarks import collect

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


def tiff(stored: NDArray[Any], **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, stored, **options)
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha", "unspecified"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_alpha_is_dropped_and_said(dtype, kind, planes):
    picture = pixels(dtype, 9, 12, 4)
    opaque = picture.copy()
    opaque[..., 3] = 1 if dtype == "float32" else np.iinfo(dtype).max
    for stored, said in ((picture, True), (opaque, False)):
        planar = np.moveaxis(stored, -1, 0) if planes == "separate" else stored
        data = tiff(planar, photometric="rgb", extrasamples=[kind], planarconfig=planes)
        with collect() as remarks:
            assert same(decode_image(data, "a.tif"), stored[..., :3])
        assert any("alpha channel is not opaque" in text for text in remarks) == said
        assert any("already multiplied" in text for text in remarks) == (
            said and kind == "assocalpha"
        )


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_alpha_of_gray_and_of_colour_that_is_called_minisblack(dtype):
    two, four = pixels(dtype, 9, 12, 2), pixels(dtype, 9, 12, 4)
    options = {"photometric": "minisblack", "planarconfig": "contig"}
    assert same(decode_image(tiff(two, extrasamples=[2], **options), "a"), two[..., 0])
    extra = ["unspecified", "unspecified", "unassalpha"]
    data = tiff(four, extrasamples=extra, **options)
    assert same(decode_image(data, "a"), four[..., :3])


@pytest.mark.parametrize("samples", [2, 4, 5, 20])
def test_samples_that_no_tag_explains_are_refused(samples):
    data = tiff(pixels("uint16", 9, 12, samples), photometric="minisblack", planarconfig="contig")
    with pytest.raises(ImageError, match=rf"^a\.tif: {samples} samples per pixel.*MINISBLACK"):
        decode_image(data, "a.tif")


@pytest.mark.parametrize("space", ["cielab", "icclab", "ycbcr", "logluv"])
def test_colour_spaces_that_are_not_converted_are_refused(space):
    with pytest.raises(ImageError, match=f"photometric {space.upper()}"):
        decode_image(tiff(pixels("uint8", 16, 16, 3), photometric=space), "a.tif")


def test_a_file_that_does_not_say_whether_0_is_black_is_refused():
    data = tiff(pixels("uint8", 9, 12), metadata=None)
    assert data.count(b"\x06\x01\x03\x00") == 1  # the tag 262 of type 3
    with pytest.raises(ImageError, match="whether 0 is black"):
        decode_image(data.replace(b"\x06\x01\x03\x00", b"\x06\x81\x03\x00"), "a.tif")


def test_samples_of_24_bit_are_refused():
    picture = pixels("uint16", 8, 12).astype(np.uint32)
    data = tiff(picture, bitspersample=24, photometric="minisblack")
    with pytest.raises(ImageError, match="samples of 24 bits"):
        decode_image(data, "a.tif")


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_packed_samples(bits):
    for shape, kind in (((9, 13), "minisblack"), ((9, 13), "miniswhite"), ((9, 13, 3), "rgb")):
        picture = pixels("uint16", *shape) >> (16 - bits)
        stored = (1 << bits) - 1 - picture if kind == "miniswhite" else picture
        data = tiff(stored.astype(np.uint16), bitspersample=bits, photometric=kind)
        assert same(decode_image(data, "a.tif"), picture)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_fill_the_range(bits):
    levels = pixels("uint8", 9, 13) >> (8 - bits)
    stored = levels.astype(bool) if bits == 1 else levels
    wanted = levels * np.uint8(255 // ((1 << bits) - 1))
    data = tiff(stored, bitspersample=bits, photometric="minisblack")
    assert same(decode_image(data, "a.tif"), wanted)
    data = tiff(stored, bitspersample=bits, photometric="miniswhite")
    assert same(decode_image(data, "a.tif"), 255 - wanted)


@pytest.mark.parametrize("group", ["group3", "group4"])
def test_fax_compressions(group):
    picture = Image.fromarray(pixels("uint8", 24, 32)).convert("1")
    file = io.BytesIO()
    picture.save(file, "TIFF", compression=group)
    assert same(decode_image(file.getvalue(), "a"), np.asarray(picture.convert("L")))


@pytest.mark.parametrize("step", [256, 257])
def test_palette_of_8_bit(step):
    colours = pixels("uint8", 3, 256)
    indices = pixels("uint8", 9, 12)
    data = tiff(indices, photometric="palette", colormap=colours.astype(np.uint16) * step)
    with collect() as remarks:
        image = decode_image(data, "a.tif")
    assert same(image, np.moveaxis(colours[:, indices], 0, -1))
    assert remarks == ["a.tif: has a palette"]


def test_palette_of_16_bit_and_of_grays():
    colours = pixels("uint16", 3, 256)
    indices = pixels("uint8", 9, 12)
    data = tiff(indices, photometric="palette", colormap=colours)
    assert same(decode_image(data, "a"), np.moveaxis(colours[:, indices], 0, -1))
    grays = np.stack([colours[0]] * 3)
    data = tiff(indices, photometric="palette", colormap=grays)
    assert same(decode_image(data, "a"), colours[0][indices])


@pytest.mark.parametrize("space", ["rgb", "ycbcr"])
def test_jpeg_in_tiff_is_as_other_readers_see_it(space):
    smooth = np.stack(np.meshgrid(np.arange(64), np.arange(48)), -1) * 2
    picture = np.dstack([smooth, smooth.sum(-1) // 2]).astype(np.uint8)
    if space == "ycbcr":
        file = io.BytesIO()
        Image.fromarray(picture).convert("YCbCr").save(file, "TIFF", compression="jpeg")
        data = file.getvalue()
    else:
        data = tiff(picture, photometric="rgb", compression="jpeg")
    image = decode_image(data, "a.tif")
    with Image.open(io.BytesIO(data)) as other:
        theirs = np.asarray(other.convert("RGB"))
    assert np.abs(image.astype(int) - theirs).max() <= 2
    assert np.abs(image.astype(int) - picture).mean() < 4


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_cmyk_is_the_product_of_its_inks(dtype):
    inks = pixels(dtype, 9, 12, 4)
    with collect() as remarks:
        image = decode_image(tiff(inks, photometric="separated"), "a.tif")
    light = 1 - inks / np.iinfo(dtype).max
    assert image.dtype == dtype
    wanted = light[..., :3] * light[..., 3:] * np.iinfo(dtype).max
    assert np.abs(image - wanted).max() <= 0.5 + 1e-6
    assert remarks == ["a.tif: CMYK became RGB without its colour profile"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation):
    picture = pixels("uint8", 9, 12, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(file)))
    data = tiff(picture, photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
    assert same(decode_image(data, "a.tif"), upright)


def test_integers_of_32_bit_that_need_them_become_floats():
    picture = pixels("uint16", 9, 12).astype(np.uint32) * 65537
    wanted = (picture / 4294967295).astype(np.float32)
    assert same(decode_image(tiff(picture, photometric="minisblack"), "a"), wanted)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint64"])
def test_types_that_are_no_light_are_refused_with_their_range(dtype):
    stored = np.array([[3, 5], [7, 100]], dtype)
    if dtype != "uint64":
        stored[0, 0] = -4
    with pytest.raises(ImageError, match=rf"a\.tif: type {dtype} .*\[{stored.min()}, 100\]"):
        decode_image(tiff(stored, photometric="minisblack"), "a.tif")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("value", [-0.25, 1.5, 255, np.nan, np.inf, -np.inf])
def test_floats_outside_the_range_are_refused_with_it(dtype, value):
    stored = np.array([[0.5, 0.75], [0.25, value]], dtype)
    says = r"1 of 4 values are NaN or infinity.*\[0.25, 0.75\]"
    if np.isfinite(value):
        says = rf"\[0, 1\], got \[{min(0.25, value):g}, {max(0.75, value):g}\]"
    with pytest.raises(ImageError, match=says):
        decode_image(tiff(stored, photometric="minisblack"), "a.tif")


def test_complex_samples_are_refused():
    with pytest.raises(ImageError, match="type complex64"):
        decode_image(tiff(np.ones((4, 4), np.complex64), photometric="minisblack"), "a.tif")


@pytest.mark.parametrize("ending", [".bmp", ".png", ".jpg", ""])
def test_the_content_counts_not_the_ending(tmp_path, ending):
    picture = pixels("uint16", 9, 12)
    write(tmp_path / f"a{ending}", picture, "white")
    assert same(read_image(tmp_path / f"a{ending}"), picture)


@pytest.mark.parametrize("compression", [*COMPRESSIONS, "jpeg"])
@pytest.mark.parametrize("layout", [{}, {"tile": (16, 16)}, {"rowsperstrip": 7}])
def test_damaged_files_are_refused_in_one_line(capfd, compression, layout):
    data = tiff(pixels("uint8", 40, 50, 3), photometric="rgb", compression=compression, **layout)
    rng = np.random.default_rng(1)
    for length in range(1, len(data), max(1, len(data) // 40)):
        with pytest.raises(ImageError, match=r"\Aa\.tif: [^\n]+\Z"):
            decode_image(data[:length], "a.tif")
    for _ in range(40):
        broken = bytearray(data)
        broken[rng.integers(len(data))] ^= 1 << rng.integers(8)
        try:
            decode_image(bytes(broken), "a.tif")
        except ImageError as error:
            assert "\n" not in str(error)  # noqa: PT017 - not every flip can be noticed
    assert capfd.readouterr() == ("", "")


def test_a_strip_that_is_missing_is_no_black_area():
    data = bytearray(tiff(pixels("uint8", 20, 30), rowsperstrip=5, metadata=None))
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        counts = tif.pages[0].tags["StripByteCounts"].valueoffset
    data[counts : counts + 2] = b"\0\0"
    with pytest.raises(ImageError, match="pixels are missing"):
        decode_image(bytes(data), "a.tif")


def test_a_page_that_claims_too_many_pixels_is_refused_before_it_is_decoded():
    data = bytearray(tiff(pixels("uint8", 20, 30), metadata=None))
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        places = [tif.pages[0].tags[name].valueoffset for name in ("ImageWidth", "ImageLength")]
    for place in places:
        data[place : place + 2] = b"\xff\xff"
    with pytest.raises(ImageError, match=r"65535x65535 .*250 megapixels"):
        decode_image(bytes(data), "a.tif")
