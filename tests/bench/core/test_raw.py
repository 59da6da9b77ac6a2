"""Raw photos are developed, or refused with the extra that reads them; never their preview."""

import io
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import tifffile

from bench.core.errors import ImageError
from bench.core.raw import decode_raw

SIZE = (64, 96)
IDENTITY = (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)


def dng(level: float, *, preview: bool = False) -> bytes:
    """A DNG of one tone, `level` of white; with a red preview in its first directory or not."""
    mosaic = np.full(SIZE, round(512 + level * (4095 - 512)), np.uint16)
    camera = [
        (50706, "B", 4, b"\1\4\0\0", True),
        (50707, "B", 4, b"\1\1\0\0", True),
        (50708, "s", 0, "Test Camera", True),
        (50721, "2i", 9, IDENTITY, True),
        (50728, "2I", 3, (1, 1, 1, 1, 1, 1), True),
        (50778, "H", 1, 21, True),
    ]
    sensor = [
        (33421, "H", 2, (2, 2), True),
        (33422, "B", 4, b"\0\1\1\2", True),
        (50714, "H", 1, 512, True),
        (50717, "H", 1, 4095, True),
    ]
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        if preview:
            red = np.zeros((16, 24, 3), np.uint8)
            red[..., 0] = 255
            writer.write(red, photometric="rgb", subfiletype=1, subifds=1, extratags=camera)
            writer.write(mosaic, photometric="cfa", subfiletype=0, extratags=sensor)
        else:
            writer.write(mosaic, photometric="cfa", extratags=camera + sensor)
    return file.getvalue()


def tone(level: float) -> float:
    """The sRGB tone curve on 16 bits."""
    linear = 12.92 * level if level <= 0.0031308 else 1.055 * level ** (1 / 2.4) - 0.055
    return 65535 * linear


def test_a_raw_photo_is_developed_and_not_brightened():
    pytest.importorskip("rawpy")
    dark, light = (decode_raw(dng(level), "x.dng") for level in (0.1, 0.6))
    assert dark.shape == (*SIZE, 3)
    assert dark.dtype == np.uint16
    for image, level in ((dark, 0.1), (light, 0.6)):
        assert abs(float(image[16:-16, 16:-16, 1].mean()) - tone(level)) < 400


def test_the_preview_is_not_the_picture():
    pytest.importorskip("rawpy")
    image = decode_raw(dng(0.3, preview=True), "x.dng")
    assert np.array_equal(image, decode_raw(dng(0.3), "x.dng"))


@pytest.mark.parametrize("part", ["head", "cut", "noise"])
def test_a_damaged_raw_photo_is_one_line(part, capfd):
    pytest.importorskip("rawpy")
    whole = dng(0.3)
    data = {"head": b"II*\0", "cut": whole[: len(whole) // 2], "noise": bytes(range(256)) * 9}
    with pytest.raises(ImageError, match=r"^x\.nef: .*raw photo") as caught:
        decode_raw(data[part], "x.nef")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("module", "function", "name"), [
    ("raw", "decode_raw", "a.cr3"),
    ("heif", "decode_heif", "a.heic"),
])  # fmt: skip
def test_without_the_extra_the_refusal_names_it(module, function, name):
    code = (
        "import sys; sys.modules['rawpy'] = sys.modules['pillow_heif'] = None\n"
        f"from bench.core.{module} import {function}\n"
        f"try: {function}(b'0000ftypheic' + bytes(64), {name!r})\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    kind, _, text = done.stdout.partition(" ")
    assert kind == "ImageError"
    assert name in text
    assert f"mfif-bench[{module}]" in text
    assert name[-5:].strip("a") in text


def test_what_other_threads_print_meanwhile_is_no_damage(capfd):
    pytest.importorskip("rawpy")
    stop = threading.Event()

    def progress() -> None:
        while not stop.wait(0.0005):
            os.write(2, b"50 %\n")

    thread = threading.Thread(target=progress)
    thread.start()
    try:
        images = [decode_raw(dng(0.3), "x.dng") for _ in range(5)]
    finally:
        stop.set()
        thread.join()
    assert len(images) == 5
    printed = capfd.readouterr().err
    assert set(printed.split("\n")) == {"50 %", ""}
