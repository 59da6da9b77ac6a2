"""Notes on the pixels of scenes: each appears where it is due, and only there."""

from __future__ import annotations

import re
from dataclasses import replace

import cv2
import numpy as np
import pytest

from bench.core.pixels import quantise
from datasets import SceneImages, load_scenes
from datasets.alignment import Motion, estimate_motion, small_view
from datasets.camera import shot_images
from datasets.notes import scene_notes

SYNTHETIC = ("paper", "synthetic", "synthetic-lens", "synthetic-camera")
PAIRS = [scene for part in SYNTHETIC for scene in load_scenes(part) if not scene.missing()]


@pytest.fixture(scope="module")
def pair():
    """A pair by the lens model, (400, 600, 3)."""
    (scene,) = load_scenes("synthetic-lens/coffee")
    return scene.images.sources


def moved(image, x, y, scale=1.0):
    """An image whose points lie `x` to the right and `y` lower, scaled about its centre."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 0, scale)
    matrix[:, 2] += x, y
    return cv2.warpAffine(
        image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )


def stack_of(pair, count=8):
    """Aligned photos whose plane of focus goes from left to right."""
    first, second = pair
    width = first.shape[1]
    edges = np.linspace(0, width, count).astype(int)
    return [np.concatenate([first[:, :edge], second[:, edge:]], axis=1) for edge in edges]


@pytest.mark.parametrize("scene", PAIRS, ids=lambda scene: scene.name)
def test_aligned_pairs_get_no_note(scene):
    assert scene_notes(scene.images) == ()


@pytest.mark.parametrize("size", [1, 2, 3, 11, 40])
def test_small_images_get_no_false_note(size, pair):
    cut = tuple(source[100 : 100 + size, 100 : 100 + size].copy() for source in pair)
    notes = scene_notes(SceneImages(cut))
    assert not any("register" in note for note in notes)


def test_equal_sources_are_named(pair):
    a, b = pair
    assert scene_notes(SceneImages((a, b, a.copy(), a))) == ("sources 1, 3 and 4 are equal",)
    almost = a.copy()
    almost[5, 7, 1] ^= 1
    assert scene_notes(SceneImages((a, almost))) == ()


def test_two_groups_of_equal_sources(pair):
    a, b = pair
    assert scene_notes(SceneImages((a, b, a, b))) == (
        "sources 1 and 3 are equal",
        "sources 2 and 4 are equal",
    )


def test_constant_and_two_valued_images_are_named(pair):
    a, b = pair
    flat, half = np.full_like(a, 90), np.full_like(a, 90)
    half[:, 300:] = 40
    assert scene_notes(SceneImages((a, flat))) == ("source 2 is constant",)
    assert scene_notes(SceneImages((half, b), reference=flat)) == (
        "source 1 has two values only",
        "the reference is constant",
    )
    half[17, 23] = 41
    assert scene_notes(SceneImages((half, b))) == ()


@pytest.mark.parametrize(
    ("x", "y", "how"),
    [
        (2, 3, r"(\S+) px right and (\S+) px down"),
        (-8, -4, r"(\S+) px left and (\S+) px up"),
        (0, -2, r"(\S+) px up"),
    ],
)
def test_a_shift_is_told_with_its_size_and_way(pair, x, y, how):
    (note,) = scene_notes(SceneImages((pair[0], np.roll(pair[1], (y, x), (0, 1)))))
    told = re.fullmatch(
        rf"source 2 is shifted by {how} against source 1: register them first", note
    )
    assert told
    sizes = [abs(size) for size in (x, y) if size]
    assert [float(size) for size in told.groups()] == pytest.approx(sizes, abs=0.15)


def test_a_shift_by_most_of_a_tile_is_told(pair):
    (note,) = scene_notes(SceneImages((pair[0], np.roll(pair[1], (60, 90), (0, 1)))))
    right, down = (float(part.split()[0]) for part in note.split("by ")[1].split("and "))
    assert (right, down) == pytest.approx((90, 60), abs=0.2)


def test_a_shift_of_a_small_image_that_goes_round(pair):
    a, b = (source[60:100, 200:240] for source in pair)
    (note,) = scene_notes(SceneImages((a, np.roll(b, (2, 3), (0, 1)))))
    assert "3.0 px right and 2.0 px down" in note


@pytest.mark.parametrize("scale", [1.02, 0.96])
def test_a_scale_is_told(pair, scale):
    (note,) = scene_notes(SceneImages((pair[0], moved(pair[1], 0, 0, scale))))
    assert note.startswith("source 2 is scaled by ")
    assert float(note.split("by ")[1].split()[0]) == pytest.approx(scale, abs=0.0007)
    assert "px at the corners" in note


@pytest.mark.parametrize("scale", [1.007, 0.993])
def test_a_scale_that_focus_explains_is_not_told(pair, scale):
    assert scene_notes(SceneImages((pair[0], moved(pair[1], 0, 0, scale)))) == ()


def test_sizes_are_those_of_the_full_image(pair):
    large = [cv2.resize(source, None, fx=3, fy=3) for source in pair]
    assert small_view(large[0])[1] == 2
    (note,) = scene_notes(SceneImages((large[0], np.roll(large[1], 6, 1))))
    assert "6.0 px right" in note or "5.9 px right" in note or "6.1 px right" in note


def test_a_stack_of_aligned_photos_gets_no_note(pair):
    assert scene_notes(SceneImages(tuple(stack_of(pair)))) == ()


@pytest.mark.slow
def test_a_stack_that_drifts_is_told_with_its_last_source(pair):
    drifting = [moved(photo, 2 * k, 0) for k, photo in enumerate(stack_of(pair))]
    (note,) = scene_notes(SceneImages(tuple(drifting)))
    how = note.removeprefix("source 8 is shifted by ")
    assert float(how.split()[0]) == pytest.approx(14, abs=0.3)
    assert "right" in how
    assert "against source 1 (the farthest of 8 sources): register them first" in how


@pytest.mark.slow
def test_one_photo_of_a_stack_that_is_shifted_is_named(pair):
    stack = stack_of(pair)
    stack[4] = moved(stack[4], 0, 2)
    (note,) = scene_notes(SceneImages(tuple(stack)))
    assert note.startswith("source 5 is shifted by ")
    assert float(note.split("by ")[1].split()[0]) == pytest.approx(2, abs=0.2)


def test_brightness_is_told_from_five_per_cent_on(pair):
    def notes(gain):
        brighter = quantise(np.clip(pair[1] / 255 * gain, 0, 1))
        return scene_notes(SceneImages((pair[0], brighter)))

    assert notes(0.8) == ("source 2 is 0.80 times as bright as source 1",)
    assert notes(1.03) == ()


def test_sixteen_bits_and_few_photons_give_the_same_notes(pair):
    dim = [source.astype(np.uint16) * 4 for source in (pair[0], np.roll(pair[1], 3, 1))]
    (note,) = scene_notes(SceneImages(tuple(dim)))
    assert "shifted by 3.0 px right" in note


def test_noise_and_jpeg_of_two_shots_hide_no_shift(pair):
    shifted = SceneImages((pair[0], np.roll(pair[1], 2, 1)))
    (note,) = scene_notes(shot_images("a pair", lambda: shifted))
    assert "shifted by 2.0 px right" in note or "1.9 px" in note or "2.1 px" in note


def test_views_without_texture_give_no_estimate():
    noise = np.random.default_rng(0).normal(0.5, 0.001, (2, 200, 300)).astype(np.float32)
    assert estimate_motion(noise[0], noise[1]) is None


def test_motions_follow_each_other():
    first, second = Motion(2 + 1j, 1.02 + 0j, 0.3), Motion(1j, 1.01 + 0.01j, 0.4, sure=False)
    both = first.then(second)
    point = 30 - 20j
    there = point + first.at(point)
    assert both.at(point) == pytest.approx(there + second.at(there) - point)
    assert both.error == pytest.approx(0.5)
    assert not both.sure
    assert replace(first, factor=1 + 0j).largest(10, 10) == pytest.approx(abs(2 + 1j))
