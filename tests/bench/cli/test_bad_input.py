"""More than a hundred bad files: each is read right, or refused in one line with its name."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from bench.checks.methods import pair
from bench.cli.main import main
from bench.core.errors import BenchError, ImageError
from bench.core.image_io import read_image, write_image
from datasets import load_scenes

GRAY = pair(24, 32)[0]
COLOUR = pair(24, 32, colour=True)[0]


def encoded(image: np.ndarray | Image.Image, kind: str, **options: object) -> bytes:
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, data: bytes = b"", colour: int = 0, depth: int = 8) -> bytes:
    """A PNG that claims a size and brings what it likes."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def tiff(array: np.ndarray) -> bytes:
    ok, data = cv2.imencode(".tiff", array)
    assert ok
    return data.tobytes()


WHOLE = {
    "png": encoded(GRAY, "PNG"),
    "rgb.png": encoded(COLOUR, "PNG"),
    "jpg": encoded(GRAY, "JPEG"),
    "rgb.jpg": encoded(COLOUR, "JPEG"),
    "progressive.jpg": encoded(COLOUR, "JPEG", progressive=True),
    "tif": encoded(GRAY, "TIFF"),
    "lzw.tif": encoded(COLOUR, "TIFF", compression="tiff_lzw"),
    "bmp": encoded(COLOUR, "BMP"),
    "webp": encoded(COLOUR, "WEBP", lossless=True),
    "pgm": encoded(GRAY, "PPM"),
    "deep.png": cv2.imencode(".png", GRAY.astype(np.uint16) * 257)[1].tobytes(),
    "deep.tif": tiff(GRAY.astype(np.uint16) * 257),
}


def refused() -> Iterator[tuple[str, bytes]]:
    """Name and contents of files that are not one whole image."""
    for name, data in WHOLE.items():
        for part in (0.02, 0.3, 0.6, 0.9):
            yield f"cut {part} {name}", data[: int(len(data) * part)]
        yield f"magic {name}", b"XX" + data[2:]
    for name in ("png", "jpg", "tif", "bmp", "webp", "pgm", "gif", "xyz"):
        yield f"empty.{name}", b""
        yield f"zeros.{name}", bytes(4096)
        yield f"page.{name}", b"<!DOCTYPE html><html><body>404</body></html>"
    yield "bomb.png", png(60000, 60000, bytes(1 << 20))
    yield "claims 3 GB.png", png(32000, 32000, bytes(100), colour=2)
    yield "claims 3 GB.bmp", WHOLE["bmp"][:18] + struct.pack("<ii", 32000, 32000) + bytes(60)
    yield "claims 3 GB.pgm", b"P5 60000 60000 255\n" + bytes(100)
    yield "claims 3 GB.ppm", b"P6\n32000 32000\n255\n" + bytes(100)
    radiance = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 30000 +X 30000\n"
    yield "claims 3 GB.hdr", radiance + bytes(100)
    yield "hdr that says png.png", radiance + bytes(100)
    yield "no size.png", png(0, 0)
    yield "no width.pgm", b"P5 0 10 255\n"
    yield "negative.pgm", b"P5 -3 10 255\n" + bytes(30)
    yield "huge number.pgm", b"P5 " + b"9" * 5000 + b" 10 255\n"
    for value in (np.nan, np.inf, -np.inf, -0.5, 1.5, 300.0):
        array = np.full((8, 9), 0.5, np.float32)
        array[3, 4] = value
        yield f"float {value}.tif", tiff(array)
    yield "int32.tif", encoded(Image.fromarray(np.full((8, 9), 70000, np.int32)), "TIFF")
    yield "text.png", b"an image, honestly"
    frames = [Image.fromarray(np.roll(COLOUR, k, 0)) for k in range(3)]
    options = {"save_all": True, "append_images": frames[1:]}
    yield "animated.gif", encoded(frames[0], "GIF", **options)
    yield "animated.png", encoded(frames[0], "PNG", **options)
    yield "animated.webp", encoded(frames[0], "WEBP", **options)
    yield "pages.tif", encoded(frames[0], "TIFF", **options)


def accepted() -> Iterator[tuple[str, bytes, tuple[int, ...]]]:
    """Name, contents and shape of files that look odd and are images."""
    picture = Image.fromarray(COLOUR)
    exif = picture.getexif()
    exif[0x0112] = 6  # lying on its side
    yield "rotated.jpg", encoded(picture, "JPEG", exif=exif), (32, 24, 3)
    yield "cmyk.jpg", encoded(picture.convert("CMYK"), "JPEG"), (24, 32, 3)
    yield "cmyk.tif", encoded(picture.convert("CMYK"), "TIFF"), (24, 32, 3)
    yield "palette.png", encoded(picture.convert("P"), "PNG"), (24, 32, 3)
    yield "alpha.png", encoded(picture.convert("RGBA"), "PNG"), (24, 32, 3)
    yield "gray alpha.png", encoded(Image.fromarray(GRAY).convert("LA"), "PNG"), (24, 32)
    yield "one bit.png", encoded(Image.fromarray(GRAY).convert("1"), "PNG"), (24, 32)
    yield "row.png", encoded(GRAY[:1], "PNG"), (1, 32)
    yield "column.png", encoded(GRAY[:, :1].copy(), "PNG"), (24, 1)
    yield "dot.png", encoded(GRAY[:1, :1].copy(), "PNG"), (1, 1)
    yield "deep.png", WHOLE["deep.png"], (24, 32)
    yield "deep.tif", WHOLE["deep.tif"], (24, 32)
    yield "deep rgb.tif", tiff(COLOUR.astype(np.uint16) * 257), (24, 32, 3)
    yield "float.tif", tiff(np.full((8, 9), 0.5, np.float32)), (8, 9)
    yield "png that says jpg.jpg", WHOLE["png"], (24, 32)
    yield "Ünïcödé 图像.png", WHOLE["png"], (24, 32)
    yield "spaces  and 'quotes\".png", WHOLE["png"], (24, 32)
    yield "new\nline.png", WHOLE["png"], (24, 32)
    yield "-dash.png", WHOLE["png"], (24, 32)
    yield "$(touch x);%s{0}.png", WHOLE["png"], (24, 32)
    yield "trailing.png", WHOLE["png"] + b"more" * 100, (24, 32)


REFUSED, ACCEPTED = list(refused()), list(accepted())


def one_line(error: str, path: Path) -> None:
    assert "\n" not in error.strip()
    assert " ".join(path.name.split()) in error
    assert "Traceback" not in error


def test_there_are_enough():
    assert len(REFUSED) + len(ACCEPTED) >= 100


@pytest.mark.parametrize(("name", "data"), REFUSED, ids=[name for name, _ in REFUSED])
def test_refused(tmp_path, capsys, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ImageError):
        read_image(path)
    write_image(tmp_path / "other.png", GRAY)
    before = sorted(tmp_path.iterdir())
    other = str(tmp_path / "other.png")
    assert main(["score", other, str(path), "--fused", other]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("error: ")
    one_line(error, path)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("name", "data", "shape"), ACCEPTED, ids=[row[0] for row in ACCEPTED])
def test_accepted(tmp_path, name, data, shape):
    path = tmp_path / name
    path.write_bytes(data)
    image = read_image(path)
    assert image.shape == shape
    assert image.dtype in (np.uint8, np.uint16, np.float32)


@pytest.mark.parametrize("name", list(WHOLE))
def test_every_byte_may_be_wrong(tmp_path, name):
    """A damaged file is an image still, or an `ImageError`: nothing else, and no crash."""
    rng = np.random.default_rng(len(name))
    for _ in range(25):
        data = bytearray(WHOLE[name])
        for place in rng.integers(0, len(data), 3):
            data[place] = rng.integers(256)
        path = tmp_path / name
        path.write_bytes(data)
        try:
            read_image(path)
        except ImageError as error:
            one_line(str(error), path)


PLACES: dict[str, Callable[[Path], None]] = {
    "folder.png": lambda path: path.mkdir(),
    "nowhere.png": lambda path: None,
    "dangling.png": lambda path: path.symlink_to("gone.png"),
    "loop.png": lambda path: path.symlink_to(path.name),
    "pipe.png": lambda path: os.mkfifo(path),
    "x" * 300 + ".png": lambda path: None,
    "zero\0.png": lambda path: None,
}


@pytest.mark.parametrize("name", list(PLACES), ids=[name[:12] for name in PLACES])
def test_what_is_no_file(tmp_path, name):
    PLACES[name](tmp_path / name)
    with pytest.raises(ImageError) as error:
        read_image(tmp_path / name)
    one_line(str(error.value), tmp_path / name)


def test_a_device_is_not_read_for_ever():
    with pytest.raises(ImageError, match="/dev/zero"):
        read_image("/dev/zero")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(tmp_path):
    path = tmp_path / "secret.png"
    path.write_bytes(WHOLE["png"])
    path.chmod(0)
    with pytest.raises(ImageError, match=r"secret\.png.*Permission"):
        read_image(path)


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real.png").write_bytes(WHOLE["png"])
    (tmp_path / "link.png").symlink_to("real.png")
    assert np.array_equal(read_image(tmp_path / "link.png"), GRAY)


@pytest.mark.parametrize(("dy", "dx"), [(0, 1), (1, 0), (-1, 0)])
def test_sizes_that_differ_by_one(tmp_path, capsys, dy, dx):
    write_image(tmp_path / "a.png", GRAY)
    write_image(tmp_path / "b.png", np.pad(GRAY, 1)[: 24 + dy, : 32 + dx])
    paths = [str(tmp_path / f"{name}.png") for name in "ab"]
    assert main(["score", *paths, "--fused", paths[0]]) == 2
    error = capsys.readouterr().err
    assert f"{32 + dx}x{24 + dy}" in error
    one_line(error, tmp_path / "b.png")


def test_a_run_over_a_folder_of_bad_pairs(tmp_path, capsys):
    """Every scene has its row and its reason, and nothing is written outside of the output."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    names = {"fine": WHOLE["png"], "cut": WHOLE["png"][:90], "bomb": png(60000, 60000)}
    names |= {"sp ace": WHOLE["png"], "ünï": WHOLE["png"], "new\nline": WHOLE["png"]}
    names |= {"..": WHOLE["png"], "...up": WHOLE["png"]}
    for name, data in names.items():
        (folder / f"{name}_A.png").write_bytes(data)
        (folder / f"{name}_B.png").write_bytes(WHOLE["png"])
    scenes = {scene.id for scene in load_scenes(f"folder:{folder}")}
    before = sorted(folder.iterdir())
    command = ["run", "--methods", "average", "--datasets", f"folder:{folder}", "--metrics", "mi"]
    assert main([*command, "--repeats", "0", "--threads", "1", "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert "Traceback" not in error
    import pandas as pd

    table = pd.read_csv(out / "scores.csv").set_index("scene")
    assert set(table.index) == scenes
    assert set(table.index[table.status != "ok"]) == {"cut", "bomb"}
    assert sorted(folder.iterdir()) == before
    assert sorted(tmp_path.iterdir()) == [folder, out]
    fused = list((out / "fused").rglob("*.png"))
    assert len(fused) == len(scenes) - 2


@pytest.mark.parametrize(
    "name", ["../../evil", "/etc/passwd", "a/../../b", "", ".", "..", "\0", "a" * 300]
)
def test_names_stay_in_their_folder(tmp_path, name):
    from bench.core.files import safe_name

    target = (tmp_path / safe_name(name)).resolve()
    assert target.parent == tmp_path.resolve()
    assert 0 < len(safe_name(name).encode()) <= 200


@pytest.mark.parametrize("path", ["../evil.png", "/etc/passwd", "a/../../evil.png"])
def test_a_catalogue_cannot_lead_outside(tmp_path, monkeypatch, path):
    from datasets import fetch

    monkeypatch.setenv("MFIF_DATA", str(tmp_path))
    monkeypatch.setenv("MFIF_OFFLINE", "1")
    with pytest.raises(BenchError):
        fetch.local_path("liu2020", path)
