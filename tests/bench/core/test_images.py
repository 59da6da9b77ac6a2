"""Reading, writing and scaling: every kind of file a person may have, good and bad."""

from __future__ import annotations

import io
import warnings

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from bench.core.errors import ImageError
from bench.core.files import safe_name
from bench.core.image_io import encode_png, read_image, write_image
from bench.core.pixels import as_image, luminance, quantise, same_size, to_gray255, to_unit


@pytest.fixture
def photo():
    return data.astronaut()[:60, :80]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".ppm", ".webp"])
def test_lossless_formats_come_back_as_written(tmp_path, photo, suffix):
    file = tmp_path / f"photo{suffix}"
    Image.fromarray(photo).save(file, **({"lossless": True} if suffix == ".webp" else {}))
    assert np.array_equal(read_image(file), photo)


@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3), (1, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_write_then_read(tmp_path, shape, dtype):
    rng = np.random.default_rng(0)
    image = rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    write_image(tmp_path / "sub" / "image.png", image)
    back = read_image(tmp_path / "sub" / "image.png")
    assert back.dtype == dtype
    assert np.array_equal(back, image)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bit_keeps_its_depth(tmp_path, suffix, channels):
    image = np.arange(5 * 6 * channels, dtype=np.uint16).reshape(5, 6, channels) * 700 + 3
    file = tmp_path / f"deep{suffix}"
    cv2.imwrite(str(file), image[..., ::-1])
    assert np.array_equal(read_image(file), image if channels == 3 else image[..., 0])


@pytest.mark.parametrize("mode", ["RGBA", "P", "CMYK", "LA", "1", "L"])
def test_other_modes_become_gray_or_rgb(tmp_path, photo, mode):
    suffix = ".tif" if mode == "CMYK" else ".png"
    Image.fromarray(photo).convert(mode).save(tmp_path / f"photo{suffix}")
    image = read_image(tmp_path / f"photo{suffix}")
    gray = mode in {"LA", "1", "L"}
    assert image.shape == (photo.shape[:2] if gray else photo.shape)
    assert image.dtype == np.uint8


def test_alpha_is_dropped_and_colour_kept(tmp_path, photo):
    Image.fromarray(np.dstack([photo, np.full(photo.shape[:2], 9, np.uint8)])).save(
        tmp_path / "alpha.png"
    )
    assert np.array_equal(read_image(tmp_path / "alpha.png"), photo)


def test_exif_rotation_is_applied(tmp_path, photo):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photo).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "turned.png"), np.rot90(photo, -1))


def test_floating_point_file(tmp_path):
    gray = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    Image.fromarray(gray).save(tmp_path / "float.tif")
    assert np.array_equal(read_image(tmp_path / "float.tif"), gray)


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1, 1.5])
def test_bad_floating_point_file(tmp_path, value):
    gray = np.full((3, 4), 0.5, np.float32)
    gray[1, 1] = value
    Image.fromarray(gray).save(tmp_path / "float.tif")
    with pytest.raises(ImageError, match=r"float\.tif: .*(NaN|\[0, 1\])"):
        read_image(tmp_path / "float.tif")


def _file(format_: str, photo) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, format_)
    return buffer.getvalue()


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "TIFF", "BMP"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_truncated_file_is_an_error_not_a_gray_area(tmp_path, photo, format_, kept):
    whole = _file(format_, photo)
    file = tmp_path / "broken.img"
    file.write_bytes(whole[: int(len(whole) * kept)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of TIFF tags that are cut
        with pytest.raises(ImageError, match=r"broken\.img"):
            read_image(file)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"not an image at all", "not an image.*TIFF, PNG"),
        (b"\x89PNG\r\n\x1a\n", "img"),
    ],
)
def test_no_image(tmp_path, content, says):
    (tmp_path / "x.img").write_bytes(content)
    with pytest.raises(ImageError, match=says):
        read_image(tmp_path / "x.img")


def test_missing_file_and_folder(tmp_path):
    for path, says in ((tmp_path / "none.png", "no such image file"), (tmp_path, "a folder")):
        with pytest.raises(ImageError, match=says):
            read_image(path)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((2, 2, 5), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros(5, np.uint8),
        np.zeros((2, 2), np.int32),
        np.full((2, 2), np.nan),
        np.full((2, 2), 2.0),
    ],
)
def test_arrays_that_are_no_images(image):
    with pytest.raises(ImageError):
        as_image(image)


def test_bool_is_black_and_white():
    assert as_image(np.array([[True, False]])).tolist() == [[255, 0]]


def test_same_size_names_the_odd_one():
    with pytest.raises(ImageError, match=r"second is 3x2, but first is 2x2"):
        same_size([np.zeros((2, 2)), np.zeros((2, 3))], ["first", "second"])


def test_luminance_weights_are_the_inverse_ntsc_matrix():
    matrix = np.array([[1, 0.956, 0.621], [1, -0.272, -0.647], [1, -1.106, 1.703]])
    assert np.allclose(luminance(np.eye(3)), np.linalg.inv(matrix)[0], rtol=0, atol=1e-15)


def test_gray_scale_of_metrics_is_whole_numbers(photo):
    gray = to_gray255(photo)
    assert gray.dtype == np.float64
    assert np.array_equal(gray, np.floor(luminance(photo.astype(float)) + 0.5))
    assert np.array_equal(to_gray255(photo.astype(np.uint16) * 257), gray)
    assert np.abs(to_gray255(to_unit(photo)) - gray).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_quantise_inverts_to_unit(dtype):
    levels = np.arange(np.iinfo(dtype).max + 1).astype(dtype)[None]
    assert np.array_equal(quantise(to_unit(levels), dtype), levels)
    assert quantise(np.array([[-1.0, 2.0]]), dtype).tolist() == [[0, np.iinfo(dtype).max]]


def test_float64_is_rounded_in_float64():
    """In float32 a level that lies 1e-6 below a half is the half, and is rounded up."""
    assert quantise(np.array([[200.499999, 200.500001]]) / 255).tolist() == [[200, 201]]


def test_png_bytes_are_deterministic(photo):
    assert encode_png(photo) == encode_png(photo.copy())


@pytest.mark.parametrize(
    ("text", "name"),
    [("lp@levels=5", "lp@levels=5"), ("../../x", "_.._x-"), ("a b/c", "a_b_c-"), ("..", "-")],
)
def test_safe_name(text, name):
    assert safe_name(text).startswith(name)
    assert "/" not in safe_name(text)


def test_safe_names_stay_different():
    assert len({safe_name(text) for text in ("a b", "a_b", "a/b", ".a_b", "a  b")}) == 5
