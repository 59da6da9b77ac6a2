"""Pictures of the collections are recognised in folders of other names."""

import numpy as np
import pytest

from bench.core.image_io import write_image
from bench.engine.selection import select_methods
from datasets import load_scenes
from datasets.known_scenes import known_as


@pytest.fixture
def clock():
    scene = load_scenes("liu2020/g_01")[0]
    if scene.missing():
        pytest.skip(scene.missing())
    return scene


def scene_of(folder, a, b):
    write_image(folder / "mine_A.png", a)
    write_image(folder / "mine_B.png", b)
    return load_scenes(f"folder:{folder}")[0]


def test_a_copy_under_another_name_has_the_published_rows(clock, tmp_path):
    copy = scene_of(tmp_path, *clock.images.sources)
    assert known_as(copy) == {"folder/mine", "liu2020/g_01"}
    (row,) = select_methods("liu2020:gff")
    assert row.covers(copy)
    assert np.array_equal(row.image(copy), row.image(clock))


def test_other_pixels_are_another_scene(clock, tmp_path):
    a, b = (image.copy() for image in clock.images.sources)
    a[0, 0] ^= 1
    changed = scene_of(tmp_path, a, b)
    assert known_as(changed) == {"folder/mine"}
    assert not select_methods("liu2020:gff")[0].covers(changed)


def test_a_catalogued_scene_is_not_read():
    assert "mfifb/lytro_20" in known_as(load_scenes("liu2020/c_20")[0])
