"""The images of a scene aligned to its first one: types, chains, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from bench.core.errors import ContractViolation, ImageError, UnknownName, UsageError
from datasets import load_scenes
from datasets.alignment import ALIGNMENTS, Alignment, NotAligned, align, check_alignment
from datasets.alignment.stack import common_rectangle
from datasets.alignment.transforms import distances, of_motion

FAR = "+shift=8+rotation=1+scale=1.02"


@pytest.fixture(scope="module")
def moved():
    """A pair by the lens model whose second source is moved, and that motion."""
    (scene,) = load_scenes(f"synthetic-lens{FAR}/chelsea")
    return scene.images, scene.changes[0].motion(1, 2)


@pytest.fixture
def registered(monkeypatch):
    """Registers a method that returns what it is given."""

    def register(transform):
        entry = Alignment("made-up", "Made up", lambda fixed, moving: transform, "none")
        ALIGNMENTS.discover()
        monkeypatch.setitem(ALIGNMENTS._entries, "made-up", entry)

    return register


def test_the_second_source_lies_as_the_first_one(moved):
    images, motion = moved
    aligned = align(images.sources)
    height, width = images.sources[0].shape[:2]
    truth = of_motion(motion, height, width)
    assert distances(aligned.transforms[1], truth, height, width).max() < 0.2
    (clean,) = load_scenes("synthetic-lens/chelsea")
    inside = tuple(slice(s.start + 4, s.stop - 4) for s in aligned.common)
    error = aligned.images[1][inside].astype(float) - clean.images.sources[1][inside]
    assert np.sqrt((error**2).mean()) < 2.5
    assert aligned.moved[0] == 0
    assert aligned.moved[1] == pytest.approx(
        distances(truth, np.eye(3), height, width).max(), abs=0.3
    )


def test_the_first_image_and_an_aligned_one_keep_every_pixel():
    for scene in load_scenes(["synthetic-lens/coffee", "synthetic-lens/gravel"]):
        aligned = align(scene.images.sources)
        for before, after in zip(scene.images.sources, aligned.images, strict=True):
            assert np.array_equal(before, after), scene.name
        assert aligned.outside == 0
        assert aligned.cropped()[0].shape == before.shape


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_types_are_kept_and_give_the_same_picture(moved, dtype):
    images, _ = moved
    scale = {np.uint8: 1, np.uint16: 257, np.float32: 1 / 255}[dtype]
    given = [(source.astype(np.float64) * scale).astype(dtype) for source in images.sources]
    aligned = align(given)
    assert {image.dtype for image in aligned.images} == {np.dtype(dtype)}
    levels = aligned.images[1].astype(float) / scale
    assert np.abs(levels - align(images.sources).images[1]).mean() < 0.5
    if dtype == np.float32:
        assert aligned.images[1].min() >= 0
        assert aligned.images[1].max() <= 1


@pytest.mark.slow
def test_a_stack_is_chained_from_neighbour_to_neighbour():
    (scene,) = load_scenes("synthetic-stack+scale=1.02+shift=2/coins")
    count = len(scene.images.sources)
    height, width = scene.images.sources[0].shape[:2]
    aligned = align(scene.images.sources)
    for k, found in enumerate(aligned.transforms):
        truth = of_motion(scene.changes[0].motion(k, count), height, width)
        assert distances(found, truth, height, width).mean() < 0.2
    assert len(aligned.images) == count
    assert aligned.left < 0.5


@pytest.mark.slow
def test_small_steps_add_up():
    """A lens that breathes by 0.3 % moves neighbours by less than can be seen between two."""
    (scene,) = load_scenes("synthetic-stack+scale=1.003/brick")
    count = len(scene.images.sources)
    height, width = scene.images.sources[0].shape[:2]
    found = align(scene.images.sources).transforms[-1]
    truth = of_motion(scene.changes[0].motion(count - 1, count), height, width)
    assert distances(truth, np.eye(3), height, width).max() > 0.7
    assert distances(found, truth, height, width).mean() < 0.1


@pytest.mark.slow
def test_an_aligned_stack_keeps_every_pixel():
    (scene,) = load_scenes("synthetic-stack/rocket")
    aligned = align(scene.images.sources)
    for before, after in zip(scene.images.sources, aligned.images, strict=True):
        assert np.array_equal(before, after)


@pytest.mark.slow
def test_depth_that_looks_like_motion_moves_a_stack_by_less_than_a_pixel():
    """Blur that spreads over depth edges to one side is taken for a tenth of a pixel a step."""
    (scene,) = load_scenes("synthetic-stack/motorcycle")
    height, width = scene.images.sources[0].shape[:2]
    for transform in align(scene.images.sources).transforms:
        assert distances(transform, np.eye(3), height, width).max() < 1


def test_different_photos_are_refused():
    first, second = (load_scenes(f"synthetic-lens/{n}")[0] for n in ("brick", "camera"))
    with pytest.raises(NotAligned, match="source 2 cannot be aligned with source 1: "):
        align([first.images.sources[0], second.images.sources[0]])


@pytest.mark.parametrize(
    ("images", "why"),
    [
        ([np.full((64, 64), 9, np.uint8)] * 2, "too little texture"),
        ([np.arange(400, dtype=np.uint8).reshape(20, 20)] * 2, "20x20 pixels are too few"),
    ],
)
def test_what_cannot_be_told_is_refused(images, why):
    with pytest.raises(NotAligned, match=why):
        align(images)


@pytest.mark.parametrize(
    ("transform", "error", "why"),
    [
        (np.array([[1, 0, 900], [0, 1, 0], [0, 0, 1.0]]), NotAligned, "a quarter"),
        (np.eye(2), ContractViolation, r"'made-up' returned no homography \(3, 3\)"),
        (np.full((3, 3), np.nan), ContractViolation, "returned no homography"),
    ],
)
def test_what_a_method_returns_is_judged(moved, registered, transform, error, why):
    registered(transform)
    with pytest.raises(error, match=why):
        align(moved[0].sources, "made-up")


def test_a_transform_that_explains_nothing_is_not_used(registered):
    registered(np.array([[1, 0, 3], [0, 1, 0], [0, 0, 1.0]]))
    (scene,) = load_scenes("synthetic-lens/coffee")
    assert max(align(scene.images.sources, "made-up").moved) == 0


def test_sizes_and_names_are_checked(moved):
    first = moved[0].sources[0]
    with pytest.raises(ImageError, match="image 2 is 450x300, but image 1 is 451x300"):
        align([first, first[:, 1:]])
    with pytest.raises(ImageError, match="1 image; there is nothing to align it to"):
        align([first])
    with pytest.raises(UnknownName, match="did you mean 'ecc'"):
        align([first, first], "eccc")


def test_the_common_rectangle_loses_the_sides_that_are_not_covered():
    inside = np.ones((20, 30), bool)
    inside[:3], inside[:, -2:], inside[-1, 4:9] = False, False, False
    assert common_rectangle(inside) == (slice(3, 19), slice(0, 28))
    assert not inside[common_rectangle(inside)].size - inside[common_rectangle(inside)].sum()


def test_names_of_alignments_are_in_any_case_and_none_aligns_nothing():
    images = load_scenes("synthetic-lens/coins")[0].images.sources
    assert align(images, "ECC").moved == align(images, "ecc").moved
    with pytest.raises(UsageError, match="align 'none': must be one of ecc, features"):
        align(images, "none")
    with pytest.raises(UsageError, match="align None: must be"):
        align(images, None)
    with pytest.raises(UnknownName, match="known: ecc, features, none"):
        check_alignment("xyz")
