"""PNG, JPEG, PGM, PPM, WebP, BMP and GIF: each pixel, a remark where one is due, or a refusal."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import warnings
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bench.core import photo
from bench.core.errors import ImageError
from bench.core.image_io import SUFFIXES, decode_image, read_image, write_image
from bench.core.remarks import collect

RNG = np.random.default_rng(3)
DEEP = {
    channels: RNG.integers(0, 65536, (21, 34, *([channels] if channels > 1 else [])), np.uint16)
    for channels in (1, 2, 3, 4)
}
SMALL = RNG.integers(0, 256, (21, 34, 3), np.uint8)


def png(image: NDArray[np.uint16], *, interlaced: bool = False) -> bytes:
    """A PNG file of 16 bit, written row by row without filters, with or without Adam7."""
    rows = image if image.ndim == 3 else image[..., None]
    height, width, channels = rows.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4)]
        passes += [(1, 0, 2, 2), (0, 1, 1, 2)]
    body = b"".join(
        b"\0" + row.astype(">u2").tobytes()
        for left, top, across, down in passes
        for row in rows[top::down, left::across]
    )
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, interlaced)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(body)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def saved(image: NDArray[Any] | Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", DEEP)
def test_png_of_16_bit(channels, interlaced):
    image = DEEP[channels]
    wanted = {1: image, 2: image[..., 0], 3: image, 4: image[..., :3]}[channels]
    with collect() as remarks:
        came = decode_image(png(image, interlaced=interlaced), "a.png")
    assert came.dtype == np.uint16
    assert np.array_equal(came, wanted)
    assert bool(remarks) == (channels in {2, 4})


def test_png_of_16_bit_that_another_library_wrote(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), DEEP[3][..., ::-1])
    assert np.array_equal(read_image(tmp_path / "a.png"), DEEP[3])


def test_opaque_alpha_is_not_worth_a_remark():
    deep, flat = DEEP[4].copy(), np.dstack([SMALL, np.full(SMALL.shape[:2], 255, np.uint8)])
    deep[..., 3] = 65535
    with collect() as remarks:
        decode_image(png(deep), "a.png")
        decode_image(saved(flat, "PNG"), "a.png")
    assert remarks == []


def test_what_was_lost_is_said():
    seen = np.dstack([SMALL, np.full(SMALL.shape[:2], 254, np.uint8)])
    files = {
        "palette": saved(Image.fromarray(SMALL).convert("P"), "PNG"),
        "alpha": saved(seen, "PNG"),
        "transparent": saved(SMALL, "PNG", transparency=(1, 2, 3)),
        "inks": saved(Image.fromarray(SMALL).convert("CMYK"), "JPEG"),
        "plain": saved(SMALL, "PNG"),
    }
    said = {}
    for name, data in files.items():
        with collect() as remarks:
            decode_image(data, "x")
        said[name] = remarks
    alpha = ["x: its alpha channel is not opaque (dropped)"]
    assert said == {
        "palette": ["x: has a palette"],
        "alpha": alpha,
        "transparent": alpha,
        "inks": ["x: CMYK became RGB without its colour profile"],
        "plain": [],
    }


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("white", [200, 255, 300, 1023, 4095, 65535])
def test_pgm_and_ppm_state_what_is_white(white, channels, plain):
    values = RNG.integers(0, white + 1, (5, 7, channels))
    values.flat[:2] = 0, white
    kind = (2 if channels == 1 else 3) + (0 if plain else 3)
    header = f"P{kind}\n# a comment\n7 # width\n5\n{white}\n".encode()
    body = values.astype(">u2" if white > 255 else "u1").tobytes()
    text = " ".join(str(value) for value in values.flat).encode()
    image = decode_image(header + (text if plain else body), "a.ppm")
    top = 65535 if white > 255 else 255
    assert image.dtype == (np.uint16 if white > 255 else np.uint8)
    assert image.shape == ((5, 7) if channels == 1 else (5, 7, 3))
    assert np.abs(image - values.reshape(image.shape) * (top / white)).max() <= 0.5 + 1e-9
    with pytest.raises(ImageError, match=r"a\.ppm: damaged"):
        decode_image((header + (text if plain else body))[:-9], "a.ppm")


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_animations_are_refused_with_their_frames(kind):
    frames = [Image.fromarray(np.roll(SMALL, shift, 1)) for shift in (0, 5, 9)]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    with pytest.raises(ImageError, match=r"a\.img: is an animation of 3 frames"):
        decode_image(data, "a.img")


def test_the_first_picture_of_a_stereo_photo_is_read():
    one = Image.fromarray(SMALL)
    data = saved(one, "MPO", save_all=True, append_images=[Image.fromarray(255 - SMALL)])
    assert np.array_equal(decode_image(data, "a.mpo"), decode_image(saved(one, "JPEG"), "a.jpg"))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "WEBP", "GIF"])
def test_wrong_endings_do_not_matter(tmp_path, kind):
    gray = Image.fromarray(np.dstack([SMALL[..., 0]] * 3))  # a GIF has 256 colours
    picture = gray if kind == "GIF" else Image.fromarray(SMALL)
    data = saved(picture, kind, **({"lossless": True} if kind == "WEBP" else {}))
    for ending in SUFFIXES:
        assert np.array_equal(decode_image(data, f"a{ending}"), np.asarray(picture)), ending


@pytest.mark.parametrize(
    "content",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n",
        b"%PDF-1.7\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"8BPS\0\1" + bytes(40),
        b"SIMPLE  =                    T" + bytes(90),
    ],
)
def test_other_formats_are_refused(content):
    with pytest.raises(ImageError, match=r"a\.img: not an image, or of a format"):
        decode_image(content, "a.img")


FILES = {
    "deep.png": png(DEEP[3]),
    "deep_alpha.png": png(DEEP[4], interlaced=True),
    "a.png": saved(SMALL, "PNG"),
    "palette.png": saved(Image.fromarray(SMALL).convert("P"), "PNG"),
    "a.jpg": saved(SMALL, "JPEG"),
    "a.bmp": saved(SMALL, "BMP"),
    "a.webp": saved(SMALL, "WEBP"),
    "a.gif": saved(SMALL, "GIF"),
    "a.ppm": saved(SMALL, "PPM"),
    "deep.pgm": b"P5 9 9 65535\n" + bytes(162),
}


@pytest.mark.parametrize("name", FILES)
def test_damage_is_one_line_and_nothing_is_printed(capfd, name):
    whole = FILES[name]
    rng = np.random.default_rng(5)
    with warnings.catch_warnings(action="error"):
        for length in range(0, len(whole) - 20, max(1, len(whole) // 60)):
            with pytest.raises(ImageError, match=rf"\A{name}: [^\n]+\Z"):
                decode_image(whole[:length], name)
        for _ in range(120):
            broken = bytearray(whole)
            broken[rng.integers(len(whole))] ^= 1 << rng.integers(8)
            try:
                decode_image(bytes(broken), name)
            except ImageError as error:
                assert "\n" not in str(error)  # noqa: PT017 - not every flip can be noticed
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("place", [-30, -20, 45, 60, 300])
def test_damaged_pixels_of_a_deep_png_are_noticed(place):
    broken = bytearray(FILES["deep.png"])
    broken[place] ^= 4
    with pytest.raises(ImageError, match=r"a\.png: damaged"):
        decode_image(bytes(broken), "a.png")


def test_photos_have_up_to_250_megapixels():
    photo.check_size(20_000, 12_500, "a.png")
    data = bytearray(FILES["a.png"])
    data[16:24] = struct.pack(">II", 20_001, 12_500)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    with pytest.raises(ImageError, match=r"a\.png: 20001x12500 pixels .*250 megapixels"):
        decode_image(bytes(data), "a.png")


def test_the_limit_of_pillow_does_not_count_and_stays_as_it_was(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert np.array_equal(decode_image(FILES["a.png"], "a.png"), SMALL)
    assert Image.MAX_IMAGE_PIXELS == 100


def test_reading_a_png_loads_no_library_that_it_does_not_need(tmp_path):
    write_image(tmp_path / "a.png", SMALL)
    code = (
        "import sys, bench, bench.api; bench.score; from bench.core.image_io import read_image; "
        f"read_image({str(tmp_path / 'a.png')!r}); "
        "print([m for m in ('tifffile', 'imagecodecs', 'rawpy', 'pillow_heif') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
