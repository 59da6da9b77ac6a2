"""Photos written: pixels, EXIF, colour profile and orientation, in every format."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from bench.core.errors import UsageError
from bench.core.image_io import read_image
from bench.core.photo_files import ENCODERS, PhotoMetadata, read_metadata, write_photo

LOSSLESS = (".tif", ".tiff", ".png")


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """A JPEG that a camera might write: on its side, with place, exposure and profile."""
    path = tmp_path_factory.mktemp("photos") / "camera.jpg"
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.IFD.Exif] = {
        ExifTags.Base.ExposureTime: 0.5,
        ExifTags.Base.ISOSpeedRatings: 200,
        ExifTags.Base.ExifImageWidth: 30,
        ExifTags.Base.MakerNote: b"offsets of the old file",
    }
    exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N"}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    Image.fromarray(pixels).save(path, exif=exif, icc_profile=profile)
    return path


@pytest.mark.parametrize("ending", ENCODERS)
def test_what_the_camera_said_is_kept_and_the_photo_is_upright(photo, tmp_path, ending):
    image, metadata = read_image(photo), read_metadata(photo)
    assert image.shape == (30, 20, 3)
    target = tmp_path / f"fused{ending}"
    write_photo(target, image, metadata)
    again = read_image(target)
    assert again.shape == image.shape
    if ending in LOSSLESS:
        assert np.array_equal(again, image)
    with Image.open(target) as written:
        exif, icc = written.getexif(), written.info["icc_profile"]
        inner, place = exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)
    assert exif[ExifTags.Base.Make] == "Maker"
    assert exif.get(ExifTags.Base.Orientation, 1) == 1
    assert float(inner[ExifTags.Base.ExposureTime]) == 0.5
    assert inner[ExifTags.Base.ISOSpeedRatings] == 200
    assert ExifTags.Base.MakerNote not in inner
    assert ExifTags.Base.ExifImageWidth not in inner
    assert place[ExifTags.GPS.GPSLatitudeRef] == "N"
    assert icc == metadata.icc != b""
    assert read_metadata(target) == metadata


@pytest.mark.parametrize("ending", LOSSLESS)
@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3)])
def test_16_bits_are_kept(tmp_path, ending, shape):
    image = np.random.default_rng(2).integers(0, 65536, shape, np.uint16)
    metadata = PhotoMetadata(icc=b"a profile")
    write_photo(tmp_path / f"deep{ending}", image, metadata)
    again = read_image(tmp_path / f"deep{ending}")
    assert again.dtype == np.uint16
    assert np.array_equal(again, image)


def test_jpeg_has_the_upper_8_bits(tmp_path):
    write_photo(tmp_path / "a.jpg", np.full((8, 8), 200 * 257 + 100, np.uint16))
    assert read_image(tmp_path / "a.jpg")[4, 4] == 200


def test_a_photo_without_any_of_it_gets_nothing(tmp_path):
    write_photo(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    assert read_metadata(tmp_path / "a.png") == PhotoMetadata()
    (tmp_path / "no.cr2").write_bytes(b"no photo")
    assert read_metadata(tmp_path / "no.cr2") == PhotoMetadata()


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"a\.bmp: photos are written as \.tif, .* not '\.bmp'"):
        write_photo(tmp_path / "a.bmp", np.zeros((4, 4), np.uint8))
    assert not list(tmp_path.iterdir())
