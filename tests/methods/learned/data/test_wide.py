"""Training scenes of a wide range of defocus: what is drawn, and which source is the best."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from bench.core.pixels import luminance, to_unit
from datasets.defocus import lens_blur
from datasets.photo_parts import list_photos
from methods.learned.data.masks import thin_mask
from methods.learned.data.photos import prepared
from methods.learned.data.scenes import make_scene
from methods.learned.data.shots import TWELVE_BITS, in_levels
from methods.learned.data.specs import DEEP, STACKS, PoolSpec
from methods.learned.data.wide import DISK, SIGMA, even_in_log, faded_pair, with_lights

SHAPE = (96, 64)


@pytest.fixture(scope="module")
def names(photos):
    return [str(file) for file in list_photos(photos, "train")]


def test_blurs_are_even_in_their_logarithms():
    rng = np.random.default_rng(0)
    for least, most in (DISK, SIGMA):
        drawn = np.array([even_in_log(rng, (least, most)) for _ in range(600)])
        assert least <= drawn.min() < 1.1 * least
        assert 0.9 * most < drawn.max() <= most
        below = (drawn < np.sqrt(least * most)).mean()
        assert 0.42 < below < 0.58
        assert ((drawn >= 0.5) & (drawn <= 1.5)).mean() > 0.2  # small ones are frequent


@pytest.mark.parametrize("kind", sorted(DEEP))
def test_scenes_follow_from_their_number(kind, names):
    spec = PoolSpec(kind, 1, shape=SHAPE)
    one, two, other = (make_scene(spec, names, k) for k in (3, 3, 4))
    for key, value in one.items():
        np.testing.assert_array_equal(value, two[key])
    assert not np.array_equal(one["reference"], other["reference"])
    assert one["sources"].dtype == one["reference"].dtype == np.uint16
    assert one["sources"].shape == (STACKS.get(kind, 2), *SHAPE)
    assert one["owner"].max() < len(one["sources"])


def test_the_owner_is_closest_to_the_reference_and_points_lie_where_it_changes(names):
    changes, errors = 0, []
    for kind in ("wide", "stack-4"):
        for k in range(6):
            scene = make_scene(PoolSpec(kind, 1, shape=SHAPE), names, k)
            sources, reference = scene["sources"].astype(float), scene["reference"].astype(float)
            error = abs(sources - reference)
            own = np.take_along_axis(error, scene["owner"][None].astype(int), axis=0)
            errors.append((own.mean(), error.mean()))
            owner = scene["owner"].astype(int)
            if owner.min() == owner.max():
                continue
            changes += 1
            for y, x in scene["edges"][:40]:
                around = owner[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
                assert around.min() != around.max()
    own, any_source = np.mean(errors, axis=0)
    assert own < 0.7 * any_source
    assert changes > 8


def test_some_scenes_have_twelve_bits():
    rng = np.random.default_rng(1)
    image = np.linspace(0, 1, 5000, dtype=np.float32).reshape(50, 100)
    counts = [len(np.unique(in_levels([image], True, rng)[0])) for _ in range(200)]
    assert set(counts) == {256, 4096}
    assert abs(np.mean([n == 4096 for n in counts]) - TWELVE_BITS) < 0.1
    (levels,) = in_levels([image * 1.5 - 0.2], True, rng)
    assert (levels.min(), levels.max()) == (0, 65535)
    (levels,) = in_levels([image], False, rng)
    assert levels.dtype == np.uint8


def test_a_light_out_of_focus_stays_white():
    dark = np.full((80, 80), 0.1, np.float32)
    lit = with_lights(dark, np.random.default_rng(2))
    assert lit.max() > 2
    assert lens_blur(np.clip(lit, 0, 1), 5.0).max() < 0.8
    assert lens_blur(lit, 5.0).max() > 1


def test_a_faded_pair_is_half_blurred_on_the_outline():
    rng = np.random.default_rng(0)
    photo, behind = rng.random((2, 48, 64), dtype=np.float32)
    alpha = np.broadcast_to(np.linspace(0, 1, 64, dtype=np.float32), photo.shape)
    near, far, reference = faded_pair(photo, alpha, (3.0, 6.0), behind)
    np.testing.assert_allclose(reference, alpha * photo + (1 - alpha) * behind, atol=1e-6)
    np.testing.assert_array_equal(near[:, -1], reference[:, -1])
    np.testing.assert_array_equal(far[:, 0], reference[:, 0])
    errors = [abs(image - reference).mean(axis=0) for image in (near, far)]
    assert np.minimum(*errors)[24:40].min() > 0.05


def test_thin_objects_are_thin():
    for seed in range(20):
        mask = thin_mask(np.random.default_rng(seed), (120, 160))
        assert mask.any()
        thickest = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
        assert np.quantile(thickest[mask], 0.5) < 4


def test_photos_of_any_depth_are_read_alike(tmp_path):
    colour = data.astronaut()[:96, :64]
    rng = np.random.default_rng
    spec = PoolSpec("wide", 1, shape=SHAPE, augment=False)
    files = {
        "deep.png": (colour[..., ::-1].astype(np.uint16) * 257),
        "plain.png": colour[..., ::-1],
    }
    for name, pixels in files.items():
        cv2.imwrite(str(tmp_path / name), pixels)
    deep, plain = (prepared(spec, str(tmp_path / name), rng(0))[0] for name in files)
    np.testing.assert_allclose(deep, plain, atol=1e-6)
    # A scene is wider than high, so the photo was turned.
    spec = PoolSpec("wide", 1, shape=(64, 96), augment=False)
    turned = prepared(spec, str(tmp_path / "plain.png"), rng(0))[0]
    np.testing.assert_allclose(turned, luminance(to_unit(colour)).T, atol=1e-6)
    cv2.imwrite(str(tmp_path / "gray.png"), colour[..., 0].T)
    gray = prepared(
        PoolSpec("wide", 1, colour=True, shape=(64, 96)), str(tmp_path / "gray.png"), rng(0)
    )
    assert gray[0].shape == (64, 96, 3)
