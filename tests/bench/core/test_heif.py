"""HEIC and AVIF photos are read with all their bits, or refused in one line."""

import io

import imagecodecs
import numpy as np
import pytest

from bench.core.errors import ImageError
from bench.core.heif import decode_heif, is_heif
from bench.core.remarks import collect


def picture(top: int, channels: int = 3) -> np.ndarray:
    rows, columns = np.indices((64, 80))
    planes = [(rows * (k + 2) + columns) % 97 / 96 for k in range(channels)]
    smooth = np.cumsum(np.stack(planes, -1), 1)
    return np.round(top * smooth / smooth.max())


def heic(image: np.ndarray, mode: str) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    height, width = image.shape[:2]
    made = pillow_heif.from_bytes(mode=mode, size=(width, height), data=image.tobytes())
    made.save(file, quality=-1, chroma=444)
    return file.getvalue()


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return 10 * np.log10(1 / np.mean((a - b) ** 2))


def test_eight_bits():
    image = picture(255).astype(np.uint8)
    data = heic(image, "RGB")
    assert is_heif(data)
    found = decode_heif(data, "a.heic")
    assert found.dtype == np.uint8
    assert found.shape == image.shape
    assert psnr(found / 255, image / 255) > 45


def test_ten_bits_fill_sixteen():
    image = picture(65535).astype(np.uint16)
    found = decode_heif(heic(image, "RGB;16"), "a.heic")
    assert found.dtype == np.uint16
    assert len(np.unique(found)) > 256
    assert psnr(found / 65535, image / 65535) > 45


def test_alpha_is_dropped_and_said():
    image = picture(255, 4).astype(np.uint8)
    with collect() as remarks:
        found = decode_heif(heic(image, "RGBA"), "a.heic")
    assert found.shape == (64, 80, 3)
    assert remarks == ["a.heic: its alpha channel is not opaque and was dropped"]


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_avif_is_read_with_all_its_bits(bits):
    image = picture(2**bits - 1).astype(np.uint16 if bits > 8 else np.uint8)
    found = decode_heif(imagecodecs.avif_encode(image, level=100, bitspersample=bits), "a.avif")
    assert np.array_equal(found, image << (16 - bits) if bits > 8 else image)


@pytest.mark.parametrize("ending", ["heic", "avif"])
def test_a_damaged_photo_is_one_line(ending, capfd):
    image = picture(255).astype(np.uint8)
    data = heic(image, "RGB") if ending == "heic" else imagecodecs.avif_encode(image)
    for cut in (40, len(data) // 2):
        with pytest.raises(ImageError, match=r"^a\.\w+: ") as caught:
            decode_heif(data[:cut], f"a.{ending}")
        assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""
