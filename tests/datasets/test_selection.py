"""Scenes by name: subsets, one scene, globs, ranges, exclusions, in any case."""

from __future__ import annotations

import numpy as np
import pytest

from bench.core.errors import NothingSelected, UnknownName, UsageError
from bench.core.image_io import write_image
from datasets import DATASETS, Dataset, Scene, load_scenes
from datasets.subsets import SUBSETS, caption_of, subset_of


@pytest.fixture
def photos(tmp_path):
    """A folder with the scenes glass, globe and Übung."""
    folder = tmp_path / "my, photos"
    for k, name in enumerate(("glass", "globe", "Übung")):
        for role in "AB":
            image = np.full((12, 16), 10 * k + ord(role), np.uint8)
            write_image(folder / f"{name}_{role}.png", image)
    return folder


def ids(*selection: str) -> list[str]:
    return [scene.id for scene in load_scenes(selection)]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (["lytro/c_02"], ["c_02"]),
        (["LIU2020/C_02"], ["c_02"]),
        (["liu2020/c_01..c_03"], ["c_01", "c_02", "c_03"]),
        (["Lytro/C_19..c_20"], ["c_19", "c_20"]),
        (["liu2020/?_10"], ["g_10", "c_10"]),
        (["liu2020/c_0[12]"], ["c_01", "c_02"]),
        (["liu2020,-lytro,-g_03..g_10"], ["g_01", "g_02"]),
        (["liu2020", "-liu2020/c_*", "-G_0*"], ["g_10"]),
        (["lytro/c_01,c_04", "paper/clock"], ["c_01", "c_04", "clock"]),
        (["gray,lytro,-liu2020/?_0*"], ["g_10", *(f"c_{k}" for k in range(10, 21))]),
        (["paper", "PAPER/Clock"], ["clock", "pepsi", "camera", "color"]),
        (["mffw/mffw_13"], ["mffw_13"]),
    ],
)
def test_selected(selection, expected):
    assert ids(*selection) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", ["glass", "globe", "Übung"]),
        ("/glass", ["glass"]),
        ("/GLASS", ["glass"]),
        ("/gl*b*", ["globe"]),
        ("/glass..globe", ["glass", "globe"]),
        ("/glass,globe", ["glass", "globe"]),
        (",-gl*", ["Übung"]),
    ],
)
def test_of_a_folder(photos, wanted, expected, monkeypatch):
    assert ids(f"folder:{photos}{wanted}") == expected
    assert ids(f"Folder:{photos}::{{scene}}_{{source}}") == ["glass", "globe", "Übung"]
    monkeypatch.chdir(photos.parent)
    (scene, *_) = load_scenes(f"folder:{photos.name}{wanted}")
    assert scene.selected == f"folder:{photos}"  # found again from any working directory


def test_a_scene_and_its_own_folder_are_the_same(tmp_path):
    for name in ("one", "two"):
        for role in "AB":
            write_image(tmp_path / name / f"{role}.png", np.zeros((8, 8), np.uint8))
    assert ids(f"folder:{tmp_path}/one", f"folder:{tmp_path}") == ["one", "two"]
    assert ids(f"folder:{tmp_path}", f"-folder:{tmp_path}/one") == ["two"]


@pytest.mark.parametrize(
    ("selection", "error", "message"),
    [
        ("lytr", UnknownName, "did you mean 'lytro'"),
        ("liu2020/c_99", UnknownName, "scene of liu2020 'c_99'; did you mean 'c_"),
        ("lytro/g_01", UnknownName, "scene of lytro 'g_01'"),
        ("liu2020/c_05..c_99", UnknownName, "'c_99'"),
        ("liu2020/c_05..c_01", UsageError, "comes behind the last"),
        ("-liu2020", UsageError, "nothing was selected before it"),
        ("paper,-xyz*", UnknownName, "scene to leave out|scene of the selection"),
        ("paper,-paper", NothingSelected, "no scene in paper,-paper"),
        ("lytro:x", UsageError, "takes no argument"),
        ("folder", UsageError, "needs an argument: folder:DIR"),
        ("folder:no/such", UsageError, "no such folder"),
    ],
)
def test_refused(selection, error, message):
    with pytest.raises(error, match=message):
        load_scenes(selection)


def test_a_near_miss_is_no_wall_of_names():
    with pytest.raises(UnknownName, match=r"known: .* and 85 more$"):
        load_scenes("mfifb/zzz")


def test_a_folder_without_its_word_and_a_scene_that_is_not_there(photos):
    with pytest.raises(UsageError, match="a folder is selected by folder:"):
        load_scenes(str(photos.parent))
    with pytest.raises(UsageError, match=r"no such folder, and no such scene .*mean 'glass'"):
        load_scenes(f"folder:{photos}/glas")


def test_an_argument_that_is_no_folder_is_left_as_it_is(own_registries):
    given = []

    def scenes(argument: str) -> list[Scene]:
        given.append(argument)
        return [Scene("noise", "x", list, "synthetic")]  # type: ignore[arg-type]

    DATASETS.add(Dataset("noise", "Noise", scenes, "none", "CC0", argument="LEVEL"))
    assert ids("noise:0.5/2") == ["x"]
    assert given == ["0.5/2"]


@pytest.mark.parametrize("name", SUBSETS)
def test_a_subset_is_what_it_says(name):
    subset = SUBSETS[name]
    assert len(load_scenes(name)) == subset.count
    assert {scene.dataset for scene in load_scenes(name)} == {subset.dataset}
    found = ids(name)
    assert subset_of(subset.dataset, found) == subset
    assert caption_of(subset.dataset, found) == f"{subset.title}, {subset.counted}"


def test_titles_of_the_gray_pairs():
    titles = {scene.id: scene.title for scene in load_scenes("gray") if scene.title}
    assert titles["g_03"] == "Lab"
    assert titles["g_04"] == "Desk"
