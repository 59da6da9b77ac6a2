"""Facts about scenes that several collections have."""

from __future__ import annotations

import numpy as np
import pytest

from datasets import DATASETS, load_scenes
from datasets.same_scenes import same_scenes
from datasets.standard import CATALOGUED


def test_names_are_those_of_our_scenes():
    known = {scene.name for name in CATALOGUED for scene in load_scenes(name)}
    found = {other for name in known for other in same_scenes(name)}
    assert {name for name in found if name.partition("/")[0] in DATASETS} <= known


def test_being_the_same_goes_both_ways():
    for name in CATALOGUED:
        for scene in load_scenes(name):
            for other in same_scenes(scene.name):
                assert same_scenes(other) == same_scenes(scene.name)


@pytest.mark.parametrize("name", CATALOGUED)
def test_the_same_pictures_are_the_same_pixels(name, monkeypatch):
    """Every fact of which both scenes are on this machine."""
    monkeypatch.setenv("MFIF_OFFLINE", "1")
    every = {scene.name: scene for dataset in CATALOGUED for scene in load_scenes(dataset)}
    compared = 0
    for scene in load_scenes(name):
        for other in sorted(same_scenes(scene.name) & every.keys() - {scene.name}):
            if scene.missing() or every[other].missing():
                continue
            compared += 1
            for one, two in zip(scene.read().sources, every[other].read().sources, strict=True):
                np.testing.assert_array_equal(one, two)
    if not compared:
        pytest.skip("no two names of one picture are on this machine")
