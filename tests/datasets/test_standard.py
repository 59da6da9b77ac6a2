"""Catalogued datasets: what they say of themselves is so, with and without their files."""

from __future__ import annotations

import pytest
from PIL import Image

from datasets import DATASETS, fetch, load_scenes
from datasets.standard import CATALOGUED
from datasets.subsets import SUBSETS

COUNTED = [entry.name for entry in DATASETS if entry.count]


@pytest.mark.parametrize("name", COUNTED)
def test_number_of_scenes(name, offline):
    assert len(load_scenes(name)) == DATASETS[name].count


@pytest.mark.parametrize("name", [*CATALOGUED, *SUBSETS])
def test_number_of_sources(name, offline):
    counts = sorted({len(scene.files) for scene in load_scenes(name)})
    said = SUBSETS[name].sources if name in SUBSETS else DATASETS[name].sources
    least, _, most = said.partition("-")
    assert (counts[0], counts[-1]) == (int(least), int(most or least))


@pytest.mark.parametrize("name", CATALOGUED)
def test_every_dataset_has_terms_and_a_citation(name):
    assert DATASETS[name].licence
    assert DATASETS[name].citation
    assert DATASETS[name].reference == "no"


def test_names_of_scenes():
    assert [s.id for s in load_scenes("mffw")][:2] == ["mffw_01", "mffw_02"]
    assert [s.id for s in load_scenes("mffw-stacks")] == [f"mffw3_{k}" for k in range(1, 7)]
    assert [s.id for s in load_scenes("low-light")] == [f"iso_{k}" for k in range(1, 11)]
    assert [s.name for s in load_scenes("stacks-keyboard")] == ["stacks/keyboard"]
    assert len(load_scenes(["stacks", "stacks-keyboard", "mffw", "mffw-pairs"])) == 7 + 19


def test_frames_of_a_stack_are_in_order():
    for scene in load_scenes("stacks"):
        paths = [path for _, path in scene.files]
        assert paths == sorted(paths)
        assert len(paths) == len(set(paths))


def test_the_photo_of_an_mpo_file_is_read_and_not_its_preview(monkeypatch):
    monkeypatch.setenv("MFIF_OFFLINE", "1")
    here = [scene for scene in load_scenes("low-light") if not scene.missing()]
    if not here:
        pytest.skip("needs low-light in MFIF_DATA")
    for scene in here:
        with Image.open(fetch.local_path(*scene.files[0])) as picture:
            assert picture.format == "MPO"
            assert picture.n_frames == 2
        images = scene.read_checked()
        assert [source.shape for source in images.sources] == [(347, 520, 3)] * 2
