"""JPEG: the quality of files, images that were JPEG, and the same loss again."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data

from bench.core.errors import ImageError, UsageError
from bench.core.image_io import encode_png
from bench.core.jpeg import JpegFacts, jpeg_facts, standard_tables, through_jpeg, was_jpeg

PHOTO = np.ascontiguousarray(data.astronaut()[:256, :256])


def jpeg(image, **options):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "jpeg", **options)
    return file.getvalue()


@pytest.mark.parametrize("quality", [1, 30, 50, 75, 90, 92, 95, 99])
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_quality_and_sampling_of_a_file(quality, sampling):
    found = jpeg_facts(jpeg(PHOTO, quality=quality, subsampling=sampling))
    assert found == JpegFacts(quality, sampling)


def test_gray_progressive_and_other_tables():
    found = jpeg_facts(jpeg(PHOTO[..., 0], quality=80, progressive=True))
    assert found == JpegFacts(80, progressive=True)
    table = (standard_tables(80)[0] + 1).ravel().tolist()
    found = jpeg_facts(jpeg(PHOTO[..., 0], qtables=[table]))
    assert not found.standard
    assert abs(found.quality - 80) <= 4
    assert "about" in str(found)


def test_other_files_are_none_and_damaged_ones_refused():
    assert jpeg_facts(encode_png(PHOTO)) is None
    assert jpeg_facts(b"") is None
    with pytest.raises(ImageError, match="not a readable JPEG"):
        jpeg_facts(b"\xff\xd8\xff" + bytes(40))


def test_through_jpeg_is_what_the_file_gives():
    for image in (PHOTO, PHOTO[..., 1]):
        again = np.asarray(Image.open(io.BytesIO(jpeg(np.ascontiguousarray(image), quality=75))))
        assert np.array_equal(through_jpeg(image, 75, "4:2:0"), again)


def test_what_cannot_be_jpeg_is_refused():
    with pytest.raises(ImageError, match="8 bits"):
        through_jpeg(PHOTO.astype(np.uint16), 75)
    with pytest.raises(UsageError, match="subsampling"):
        through_jpeg(PHOTO, 75, "4:1:0")
    with pytest.raises(UsageError, match="from 1 to 100"):
        through_jpeg(PHOTO, 0)


@pytest.mark.parametrize("quality", [50, 75, 90])
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:0"])
def test_a_lossless_file_that_was_jpeg(quality, sampling):
    assert was_jpeg(through_jpeg(PHOTO, quality, sampling)) == JpegFacts(quality, sampling)
    gray = np.ascontiguousarray(PHOTO[..., 1])
    assert was_jpeg(through_jpeg(gray, quality)) == JpegFacts(quality)


def test_a_lossless_photo_was_not():
    camera = data.camera()  # astronaut.png of scikit-image was a JPEG once
    assert was_jpeg(camera) is None
    assert was_jpeg(camera.astype(np.uint16) * 257) is None


def test_copied_sources_that_were_jpeg_do_not_count():
    """A fused image inherits the blocks of its sources; a JPEG of it has others."""
    photo = data.camera()
    near, far = (through_jpeg(np.roll(photo, k, axis=1), 75) for k in (0, 5))
    fused = np.where(np.add.outer(np.arange(512), np.arange(512)) < 500, near, far)
    assert was_jpeg(fused) == JpegFacts(75)
    assert was_jpeg(fused, (near, far)) is None
    assert was_jpeg(through_jpeg(fused, 60), (near, far)) == JpegFacts(60)


@pytest.mark.slow
def test_the_survey_is_lossless(liu2020):
    """Its colour sources are decoded JPEGs of quality 75; its fused images are not JPEG."""
    from bench.core.image_io import read_image

    seen = 0
    for file in sorted((liu2020 / "Results").glob("*/*_01_*.tif")):
        folder = liu2020 / "sourceimages" / file.parent.name
        sources = [read_image(folder / f"{file.stem[:4]}_{k}.tif") for k in (1, 2)]
        fused = read_image(file)
        assert was_jpeg(fused, sources) is None, file.name
        assert was_jpeg(through_jpeg(fused, 90), sources) is not None, file.name
        seen += 1
    assert seen
