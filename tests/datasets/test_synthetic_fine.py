"""The pairs of synthetic-lens with many small objects."""

from __future__ import annotations

import numpy as np
import pytest

from datasets import load_scenes
from datasets.synthetic import WIDTHS


@pytest.fixture(scope="module")
def lens():
    (scene,) = load_scenes("synthetic-lens/coins")
    return scene


@pytest.mark.parametrize("width", WIDTHS)
def test_only_the_shape_of_what_is_in_front_differs(lens, width):
    (fine,) = load_scenes(f"synthetic-fine/coins_{width}")
    assert fine.note == f"{lens.note}, objects {width} pixels wide"
    one, many = lens.images, fine.images
    assert many.mask.mean() == pytest.approx(0.5, abs=0.1)
    changes = np.count_nonzero(np.diff(many.mask, axis=1)) / len(many.mask)
    assert many.mask.shape[1] / changes == pytest.approx(width, rel=0.3)
    # where both have the same layer in front of the lens, well inside, both references show it
    same = one.mask == many.mask
    assert np.mean(one.reference[same] == many.reference[same]) > 0.7
    assert np.mean(one.reference[~same] == many.reference[~same]) < 0.2


def test_there_is_a_scene_for_each_photo_and_width():
    names = [scene.id for scene in load_scenes("synthetic-lens")]
    fine = [scene.id for scene in load_scenes("synthetic-fine")]
    assert sorted(fine) == sorted(f"{name}_{width}" for name in names for width in WIDTHS)
