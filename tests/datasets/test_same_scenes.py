"""Facts about scenes that several collections have."""

from __future__ import annotations

import numpy as np
import pytest

from bench.core.image_io import read_image
from datasets import DATASETS, load_scenes
from datasets.fetch import data_folder
from datasets.same_scenes import same_scenes

COLLECTIONS = ("liu2020", "mfifb", "natural")


def test_names_are_those_of_our_scenes():
    known = {scene.name for name in COLLECTIONS for scene in load_scenes(name)}
    found = {other for name in known for other in same_scenes(name)}
    assert {name for name in found if name.partition("/")[0] in DATASETS} <= known


def test_being_the_same_goes_both_ways():
    for name in COLLECTIONS:
        for scene in load_scenes(name):
            for other in same_scenes(scene.name):
                assert same_scenes(other) == same_scenes(scene.name)


@pytest.mark.parametrize(("theirs", "ours"), [("craft", "g_10"), ("pepsi", "g_02")])
def test_the_same_pictures_are_the_same_pixels(theirs, ours):
    root = data_folder()
    folder = None if root is None else root / "drl-fpd" / "sourceimages" / "naturalDatasets"
    (scene,) = load_scenes(f"liu2020/{ours}")
    if folder is None or not folder.is_dir() or scene.missing():
        pytest.skip("the collections are not on this machine")
    assert f"natural/{theirs}" in same_scenes(scene.name)
    for number, image in enumerate(scene.images.sources, start=1):
        np.testing.assert_array_equal(image, read_image(folder / f"{theirs}{number}.bmp"))
