"""Stacks of the lens model: each region is sharp where it is focused, occlusion, and the plan."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bench.core.errors import ImageError, UsageError
from bench.core.pixels import to_gray255
from datasets import SceneImages, load_scenes
from datasets._depth import depth_layers
from datasets._photos import BUNDLED
from datasets.defocus import composite, lens_blur
from datasets.focal_stack import LEAST_SHARE, Surface, focal_stack, random_surfaces
from datasets.synthetic_stack import SOURCES, StackPlan, stack_images

#: Read once for all tests here.
SCENES = load_scenes("synthetic-stack")


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).random(shape, dtype=np.float32)


def flat(colour: np.ndarray, disparity: float, alpha: np.ndarray | None = None) -> Surface:
    shape = colour.shape[:2]
    opaque = np.ones(shape, np.float32) if alpha is None else alpha
    return Surface(colour, opaque, np.full(shape, disparity, np.float32))


@pytest.mark.parametrize("kernel", ["disk", "gaussian"])
def test_flat_surfaces_are_composed_as_layers_are(kernel):
    alpha = np.zeros((48, 64), np.float32)
    alpha[12:36, 16:40] = 1
    back, front = noise(48, 64, 3), noise(64, 48, 3).transpose(1, 0, 2)
    stack = focal_stack([flat(back, 1.0), flat(front, 5.0, alpha)], [1.0, 3.0, 5.0], kernel)
    layers = [(back, np.ones_like(alpha)), (front, alpha)]
    for source, radii in zip(stack.sources, [(0, 4), (2, 2), (4, 0)], strict=True):
        assert np.allclose(source, composite(layers, radii, kernel), atol=1e-5)
    assert np.allclose(stack.reference, composite(layers, (0, 0)))
    assert stack.index_map[24, 28] == 2
    assert stack.index_map[0, 0] == 0


def test_a_tilted_surface_is_blurred_by_its_own_radius():
    photo = noise(40, 400)
    ramp = np.broadcast_to(np.linspace(0, 10, 400, dtype=np.float32), photo.shape)
    (source,) = focal_stack([Surface(photo, np.ones_like(photo), ramp)], [0.0]).sources
    for radius in (1.0, 4.0, 8.0):
        column = round(radius / 10 * 399)
        assert np.abs(source - lens_blur(photo, radius))[:, column].max() < 0.02
    assert np.array_equal(source[:, :20], photo[:, :20])


def test_a_defocused_object_spreads_over_what_lies_behind_it_and_not_the_other_way_round():
    alpha = np.zeros((64, 64), np.float32)
    alpha[20:44, 20:44] = 1
    black, white = np.zeros((64, 64), np.float32), np.ones((64, 64), np.float32)
    far, near = focal_stack([flat(black, 0.0), flat(white, 6.0, alpha)], [0.0, 6.0]).sources
    assert 0 < far[32, 17] < 1
    assert far[32, 46] == pytest.approx(far[32, 17], abs=1e-5)
    assert near[32, 17] == 0
    assert near[32, 21] == 1


def test_depth_layers_make_the_photo_and_follow_the_depth():
    photo, depth = noise(48, 64, 3), np.zeros((48, 64), np.float32)
    depth[10:30, 20:50] = 6
    depth += np.linspace(0, 1, 64, dtype=np.float32)
    stack = focal_stack(depth_layers(photo, depth, 8), [0.5, 6.5])
    assert np.allclose(stack.reference, photo, atol=1e-6)
    assert np.allclose(stack.sources[1][14:26, 26:44], photo[14:26, 26:44], atol=1e-6)
    assert np.array_equal(stack.index_map, (depth > 3.5).astype(np.uint8))


def test_random_surfaces_hide_only_what_is_behind_them_and_leave_all_visible():
    for seed in range(8):
        surfaces = random_surfaces(np.random.default_rng(seed), [noise(60, 80)] * 4, 7.0)
        shown = np.zeros((60, 80), int)
        for number, (_, alpha, disparity) in enumerate(surfaces):
            assert disparity.min() >= 0
            assert disparity.max() <= 7
            if number:
                assert disparity.min() > surfaces[number - 1].disparity.max() - 1e-5
                shown[alpha > 0.5] = number
        shares = np.bincount(shown.ravel(), minlength=len(surfaces)) / shown.size
        assert shares.min() > LEAST_SHARE - 0.02


def test_what_is_no_stack_is_refused():
    with pytest.raises(UsageError, match="got 0 and 2"):
        focal_stack([], [0, 1])
    with pytest.raises(UsageError, match="got 1 and 0"):
        focal_stack([flat(noise(8, 8), 0)], [])


def test_an_index_map_must_fit_the_sources():
    image = np.zeros((4, 4), np.uint8)
    with pytest.raises(ImageError, match="the index map names source 3 of 2"):
        SceneImages((image, image), index_map=np.full((4, 4), 2, np.uint8)).check("s")
    with pytest.raises(ImageError, match="the index map is 5x5"):
        SceneImages((image, image), index_map=np.zeros((5, 5), np.uint8)).check("s")


@pytest.mark.slow
def test_the_set_has_a_stack_per_photo_of_4_to_12_sources():
    assert [scene.id for scene in SCENES] == [*BUNDLED, "motorcycle"]
    counts = [len(scene.images.sources) for scene in SCENES]
    assert (min(counts), max(counts)) == SOURCES
    for scene, count in zip(SCENES, counts, strict=True):
        assert f"{count} sources" in scene.note
        assert scene.images.mask is None


def energy(image: np.ndarray) -> np.ndarray:
    return cv2.Laplacian(to_gray255(image), cv2.CV_64F) ** 2


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.id)
def test_each_region_is_sharpest_in_the_source_that_is_focused_there(scene):
    """And nowhere is a source sharper than the reference."""
    images = scene.images
    energies = [energy(source) for source in images.sources]
    checked = 0
    for k in range(len(images.sources)):
        inside = cv2.erode((images.index_map == k).astype(np.uint8), np.ones((9, 9))) > 0
        if inside.sum() < 500 or energy(images.reference)[inside].mean() < 20:
            continue
        sharp = [float(e[inside].mean()) for e in energies]
        # two neighbouring planes may both be within half a pixel of what a region shows
        assert sharp[k] >= 0.999 * max(sharp)
        assert all(sharp[k] > 1.05 * sharp[j] for j in range(len(sharp)) if abs(j - k) > 2)
        assert sharp[k] <= 1.02 * energy(images.reference)[inside].mean()
        checked += 1
    assert checked >= 2


@pytest.mark.slow
def test_a_perfect_choice_is_close_to_the_reference_and_no_source_is():
    for scene in SCENES:
        images = scene.images
        stack, index = np.stack(images.sources), images.index_map[None]
        index = index[..., None] if stack.ndim == 4 else index
        chosen = np.take_along_axis(stack, index.astype(int), 0)[0]

        def error(image, reference=images.reference):
            return np.square(image.astype(float) - reference).mean()

        assert error(chosen) < 0.5 * min(error(source) for source in images.sources), scene.id


def test_another_seed_gives_another_scene_of_the_same_photo():
    plan = StackPlan(4, 2, 5.0, "disk")
    others = [(name, None) for name in ("coins", "gravel", "chelsea")]
    first, again, other = (
        stack_images("camera", None, others, plan, seed=seed) for seed in ("a", "a", "b")
    )
    assert first.fingerprint() == again.fingerprint()
    assert first.fingerprint() != other.fingerprint()
    assert len(first.sources) == 4


def test_a_photo_without_others_gets_objects_of_its_own_texture():
    alone = stack_images("coffee", None, [], StackPlan(5, 2, 5.0, "disk"))
    assert len(alone.sources) == 5
    assert alone.index_map.max() == 4
