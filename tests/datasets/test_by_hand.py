"""Collections that the user fetches: listed always, run where they are, skipped where not."""

from __future__ import annotations

import re

import numpy as np
import pytest

from bench.core.errors import DataUnavailable
from bench.core.image_io import write_image
from datasets import DATASETS, load_scenes
from datasets.by_hand import hand_collections

NAMES = sorted(hand_collections())


def photo(seed: int, shape=(12, 16, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.fixture
def data(offline, tmp_path, monkeypatch):
    """An empty ``MFIF_DATA``."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("MFIF_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.mark.parametrize("name", NAMES)
def test_entries_are_complete(name):
    entry = hand_collections()[name]
    assert all(str(value).strip() for value in vars(entry).values())
    assert entry.home.startswith("https://")
    assert f"MFIF_DATA/{name}/" in entry.steps
    (doi,) = re.findall(r"doi += \{(.+)\}", entry.bibtex)
    assert doi in entry.citation
    assert entry.bibtex.count("{") == entry.bibtex.count("}")
    assert DATASETS[name].reference == "yes"


@pytest.mark.parametrize("name", NAMES)
def test_all_scenes_are_listed_and_say_what_to_do(name, data):
    entry, scenes = hand_collections()[name], load_scenes(name)
    assert len(scenes) == entry.scenes
    for scene in (scenes[0], scenes[-1]):
        assert len(scene.read.sources) == entry.sources
        assert scene.missing().startswith(f"{name}/")
        assert scene.missing().endswith(entry.steps)
        with pytest.raises(DataUnavailable, match="is not on disk"):
            scene.read_checked()


def test_a_pair_that_is_here_runs(data):
    paths = ("imageA/001_A.png", "imageB/001_B.png", "Fusion/001_F.png")
    images = {path: photo(seed) for seed, path in enumerate(paths)}
    for path, image in images.items():
        assert "not on disk" in load_scenes("real-mff/001")[0].missing()
        write_image(data / "real-mff" / path, image)
    (scene,) = load_scenes("real-mff/001")
    assert scene.missing() == ""
    read = scene.read_checked()
    np.testing.assert_array_equal(read.sources[1], images["imageB/001_B.png"])
    np.testing.assert_array_equal(read.reference, images["Fusion/001_F.png"])
    assert "not on disk" in load_scenes("real-mff/002")[0].missing()


def stack(data, scene):
    folder = data / "zedd" / scene.partition("_")[0] / scene / "focus_stack"
    for run in range(1, 10):
        for aperture in ("F1.4", "F2.8"):
            name = f"img_run_{run}_motor_{run * 4096:X}_aperture_{aperture}.jpg"
            write_image(folder / name, np.full((16, 16, 3), 20 * run, np.uint8))
    write_image(folder / "img_run_5_motor_5000_aperture_F16.0.jpg", photo(0, (16, 16, 3)))
    return folder


def test_a_stack_that_is_here_runs(data):
    folder = stack(data, "test_0050")
    (scene,) = load_scenes("zedd/test_0050")
    assert scene.missing() == ""
    read = scene.read_checked()
    assert [int(source.mean().round()) for source in read.sources] == [20 * k for k in range(1, 10)]
    assert read.reference is not None
    write_image(folder / "img_run_2_motor_1_aperture_F1.4.jpg", photo(1))
    assert "are both" in load_scenes("zedd/test_0050")[0].missing()
