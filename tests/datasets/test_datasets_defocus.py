"""The two models of defocus against what optics says, and the masks they are used with."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import ImageError, UsageError
from bench.core.pixels import quantise
from datasets._base import SceneImages
from datasets._depth import filled, layered
from datasets._photos import polygon_mask
from datasets.camera import shot_images
from datasets.defocus import (
    composite,
    degrade,
    disk_kernel,
    fill_hidden,
    gaussian_blur,
    lens_blur,
    lens_pair,
    region_pair,
)
from datasets.masks import SHARE, bsds_labels, random_mask, segment_mask


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).random(shape, dtype=np.float32)


def square(size: int = 64, margin: int = 20) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    mask[margin:-margin, margin:-margin] = True
    return mask


@pytest.mark.parametrize("radius", [1.0, 2.3, 6.7])
def test_disk_has_its_radius(radius):
    kernel = disk_kernel(radius)
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert np.array_equal(kernel, kernel[::-1, ::-1])
    assert 1 / kernel.max() == pytest.approx(np.pi * radius**2, rel=0.2)


@pytest.mark.parametrize("kernel", ["disk", "gaussian"])
def test_both_kernels_spread_light_equally_far(kernel):
    """The second moment of a disk of radius r is r² / 4 along each axis."""
    point = np.zeros((61, 61), np.float32)
    point[30, 30] = 1
    spread = lens_blur(point, 8.0, kernel)
    axis = np.arange(61) - 30
    assert spread.sum() == pytest.approx(1, abs=1e-4)
    assert (spread.sum(axis=0) * axis**2).sum() == pytest.approx(8**2 / 4, rel=0.05)


def test_blur_keeps_flat_images_and_small_radii_change_nothing():
    flat = np.full((20, 30, 3), 0.3, np.float32)
    assert np.allclose(lens_blur(flat, 5.0), flat, atol=1e-6)
    assert np.allclose(gaussian_blur(flat, 5.0), flat, atol=1e-6)
    image = noise(9, 9)
    assert lens_blur(image, 0.5) is image
    with pytest.raises(UsageError, match="must be 'disk' or 'gaussian', got 'box'"):
        lens_blur(image, 3.0, "box")


@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 3)])
def test_region_pair(shape):
    photo, mask = noise(*shape), square()
    a, b = region_pair(photo, mask, 3.0)
    blurred = gaussian_blur(photo, 3.0)
    assert a.dtype == b.dtype == np.float32
    assert np.array_equal(a[~mask], photo[~mask])
    assert np.array_equal(a[mask], blurred[mask])
    assert np.array_equal(b[mask], photo[mask])
    assert np.array_equal(b[~mask], blurred[~mask])


class TestLensPair:
    """A white object before black, and a black one before white: directions of spread."""

    def test_a_defocused_object_spreads_over_what_is_behind(self):
        mask = square()
        pair = lens_pair(np.ones((64, 64), np.float32), mask, 6.0, background=0 * noise(64, 64))
        outside = ~mask & (gaussian_blur(mask.astype(np.float32), 2) > 0.01)
        assert pair.far[outside].mean() > 0.1
        assert pair.far[32, 15] == pytest.approx(0.12, abs=0.08)

    def test_a_defocused_background_takes_nothing_from_the_object(self):
        mask = square()
        photo = np.where(mask, 1, 0).astype(np.float32)
        pair = lens_pair(photo, mask, 6.0, outline=0)
        assert np.allclose(pair.near, photo, atol=1e-5)

    def test_the_fill_takes_nothing_from_the_object(self):
        mask = square()
        photo = np.where(mask[..., None], np.float32([1, 0, 0]), np.float32([0, 0.5, 1]))
        hidden = fill_hidden(photo, (~mask).astype(np.float32))
        assert np.allclose(hidden, np.float32([0, 0.5, 1]), atol=1e-5)

    @pytest.mark.parametrize("shape", [(64, 64), (64, 64, 3)])
    @pytest.mark.parametrize("kernel", ["disk", "gaussian"])
    def test_reference_is_the_photo_for_a_hard_mask(self, shape, kernel):
        photo = noise(*shape)
        pair = lens_pair(photo, square(), (3.0, 4.0), kernel=kernel, outline=0)
        assert np.allclose(pair.reference, photo, atol=1e-6)
        for image in pair:
            assert image.dtype == np.float32
            assert image.shape == shape
            assert image.min() >= 0
            assert image.max() <= 1

    def test_radii_are_of_background_and_object(self):
        photo, mask = noise(64, 64), square()
        pair = lens_pair(photo, mask, (0.0, 5.0))
        assert np.array_equal(pair.near, pair.reference)
        assert not np.allclose(pair.far, pair.reference, atol=0.05)

    @pytest.mark.parametrize("whole", [True, False])
    def test_an_object_that_is_everything_or_nothing(self, whole):
        photo = noise(24, 24)
        pair = lens_pair(photo, np.full((24, 24), whole), 3.0)
        assert np.allclose(pair.reference, photo, atol=1e-5)
        assert np.allclose(pair.near if whole else pair.far, photo, atol=1e-5)


def test_layers_in_focus_give_the_reference():
    front, back, mask = noise(32, 32), 1 - noise(32, 32), square(32, 8).astype(np.float32)
    sharp = composite([(back, mask), (front, mask)], (0, 0))
    assert np.allclose(sharp, np.where(mask > 0, front, back), atol=1e-6)


def test_a_sloping_surface_is_not_seen_through():
    """A white surface that recedes stays white: there are no gaps between its layers."""
    depth = np.linspace(0, 40, 64, dtype=np.float32)[:, None] + np.zeros((64, 64), np.float32)
    seen = layered(np.ones((64, 64, 3), np.float32), depth, lambda d: 0.2 * d)
    assert np.allclose(seen, 1, atol=1e-4)


def test_holes_in_disparity_belong_to_what_lies_behind():
    disparity = np.full((9, 12), 30.0, np.float32)
    disparity[:, 8:] = 10
    disparity[:, 6:8] = np.inf
    assert np.array_equal(filled(disparity)[:, 6:8], np.full((9, 2), 10, np.float32))


def test_degrade_is_slight_and_seeded():
    image = noise(40, 50, 3) * 0.5 + 0.25
    first, again = (degrade(image, np.random.default_rng(3), exposure=0) for _ in range(2))
    assert np.array_equal(first, again)
    assert first.dtype == np.float32
    assert first.shape == image.shape
    plain = degrade(image, np.random.default_rng(3), exposure=0, quality=None)
    assert np.abs(plain - image).std() < 0.01
    brighter = degrade(image, np.random.default_rng(3), noise=0, quality=None)
    assert np.ptp(brighter / image) < 1e-5


@given(seed=st.integers(0, 2**32), height=st.integers(24, 90), width=st.integers(24, 90))
@settings(max_examples=60, deadline=None)
def test_random_masks_are_objects(seed, height, width):
    mask = random_mask(np.random.default_rng(seed), height, width)
    assert mask.shape == (height, width)
    assert mask.dtype == np.bool_
    assert SHARE[0] - 0.01 <= mask.mean() <= SHARE[1] + 0.01
    assert np.array_equal(mask, random_mask(np.random.default_rng(seed), height, width))


@pytest.mark.parametrize("blocks", [1, 2, 8])
def test_segment_masks_follow_the_segments(blocks):
    """One segment too large, some that fit, many too small."""
    labels = np.kron(
        np.arange(blocks**2).reshape(blocks, blocks), np.ones((48 // blocks,) * 2, int)
    )
    mask = segment_mask(np.random.default_rng(1), labels)
    assert SHARE[0] <= mask.mean() <= SHARE[1]
    if blocks > 1:
        assert all(mask[labels == value].all() for value in np.unique(labels[mask]))


def test_segmentation_files_that_are_none(tmp_path):
    (tmp_path / "a.mat").write_bytes(b"nothing of the kind")
    for name in ("a.mat", "missing.mat"):
        with pytest.raises(ImageError, match=f"{name}: not a segmentation"):
            bsds_labels(tmp_path / name)


def test_polygons_cover_pixels_by_half():
    mask = polygon_mask([[[1, 1], [3.3, 1], [3.3, 3.7], [1, 3.7]]], 5, 6)
    assert np.argwhere(mask).min(axis=0).tolist() == [1, 1]
    assert np.argwhere(mask).max(axis=0).tolist() == [3, 2]


def test_shots_of_a_camera_differ_by_little_more_than_noise():
    picture = quantise(gaussian_blur(noise(64, 96, 3), 3.0))
    given = SceneImages((picture, picture), reference=picture)
    shots = shot_images("scene", lambda: given)
    assert shots.reference is picture
    errors = [shot.astype(float) - picture for shot in shots.sources]
    for error in errors:
        assert 0.7 < error.std() < 2
        assert abs(error.mean()) < 0.03 * picture.mean()
    assert abs(errors[0].mean() - errors[1].mean()) > 0.05
    assert np.array_equal(shot_images("scene", lambda: given).sources, shots.sources)
    assert not np.array_equal(shot_images("other", lambda: given).sources, shots.sources)
