"""12 bits stored in 16 are noticed from the values of a scene, scaled, and said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.core.errors import ImageError, UsageError
from bench.core.remarks import remark
from datasets import Scene, SceneImages
from datasets.bits import check_bits, scale_bits, significant_bits, unscale_bits


def image(largest, dtype=np.uint16):
    values = np.linspace(0, largest, 12 * 10).round().astype(dtype)
    return values.reshape(12, 10)


def scene(*sources, reference=None, bits=0):
    given = SceneImages(sources, reference)
    return Scene("mine", "one", lambda: given, "real", bits=bits)


@pytest.mark.parametrize(
    ("largest", "bits"),
    [
        (1, 8),
        (255, 8),
        (256, 10),
        (1023, 10),
        (2000, 12),
        (4095, 12),
        (4096, 14),
        (16383, 14),
        (16384, 16),
        (65535, 16),
        (0, 16),
    ],
)
def test_the_smallest_depth_that_holds_the_largest_value(largest, bits):
    assert significant_bits([image(largest // 3), image(largest)]) == bits


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_scaled_pixels_are_those_of_a_file_stored_with_16_bits(bits):
    low = [image((1 << bits) - 1), image(1 << (bits - 1))]
    read = scene(*low).read_checked()
    high = scene(*(i * np.uint16(1 << (16 - bits)) for i in low)).read_checked()
    assert read.fingerprint() == high.fingerprint()
    assert (read.bits, high.bits, high.notes) == (bits, 0, ())
    assert len(read.notes) == 1
    assert "--bits 16" in read.notes[0]


@pytest.mark.parametrize("bits", range(8, 17))
def test_scaling_keeps_every_value(bits):
    values = np.arange(1 << bits, dtype=np.uint16)[None]
    scaled = scale_bits(values, bits)
    assert int(scaled.max()) * 255 / 65535 >= 254.5, "white is 255 as metrics see it"
    assert (np.diff(scaled.astype(int)) > 0).all()
    np.testing.assert_array_equal(unscale_bits(scaled, bits), values)


def test_the_reference_counts_and_is_scaled_too():
    read = scene(image(900), image(1000), reference=image(4000)).read_checked()
    assert read.bits == 12
    np.testing.assert_array_equal(read.reference, image(4000) * np.uint16(16))


def test_eight_bit_and_full_images_stay_as_they_are():
    for sources in [(image(200, np.uint8),) * 2, (image(60000), image(300))]:
        read = scene(*sources).read_checked()
        assert (read.bits, read.notes) == (0, ())
        assert all(a is b for a, b in zip(read.sources, sources, strict=True))


def test_given_bits_overrule_the_values():
    low = scene(image(900), image(1000))
    assert replace(low, bits=16).read_checked().bits == 0
    np.testing.assert_array_equal(
        replace(low, bits=12).read_checked().sources[1], image(1000) * np.uint16(16)
    )
    with pytest.raises(ImageError, match=r"source 2: its largest value is 1000; .* allows 511"):
        scene(image(500), image(1000), bits=9).read_checked()


@pytest.mark.parametrize("bits", [7, 17, -1, 12.0, "12", True])
def test_impossible_bits_are_refused(bits):
    with pytest.raises(UsageError, match="from 8 to 16"):
        check_bits(bits)


def test_what_a_reader_remarks_is_a_note_of_the_images():
    def read():
        remark("x.png: has a palette")
        return SceneImages((image(200, np.uint8),) * 2)

    assert Scene("mine", "one", read, "real").read_checked().notes == ("x.png: has a palette",)
