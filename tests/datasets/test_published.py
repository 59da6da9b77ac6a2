"""The fused images that came with collections: each is of a scene that exists, and by a method."""

from __future__ import annotations

import pytest

from bench.core.errors import UsageError
from bench.core.image_io import read_image
from datasets import fetch, load_scenes
from datasets.catalog import collection
from datasets.published import COPIES, PUBLISHED, published_images
from datasets.standard import CATALOGUED

#: Collection: how many methods, and how many images of each dataset a method has.
EXPECTED = {
    "liu2020": (18, {"liu2020": 30}),
    "mfifb": (30, {"mfifb": 105, "mffw": 13}),
    "mffw": (2, {"liu2020": 30, "mffw": 13}),
    "drl-fpd": (1, {"liu2020": 20, "mfifb": 13, "mffw": 13, "lytro-triple": 4, "natural": 18}),
    "db-mfif": (1, {"liu2020": 20}),
    "mfif-gan": (1, {"liu2020": 30, "mffw": 13}),
    "mmf-net": (1, {"liu2020": 20}),
}
SIX = ("fusiondn", "gcf", "madcnn", "mff-gan", "pmgi", "u2fusion")


def counted(images):
    names = [name.partition("/")[0] for name in images]
    return {name: names.count(name) for name in names}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_method_has_all_images(name):
    methods, of_each = EXPECTED[name]
    published = published_images(name)
    assert len(published) == methods
    assert all(counted(images) == of_each for images in published.values())


def test_methods_of_the_comparative_study():
    published = published_images("mfi-whu")
    assert len(published) == 35
    for method, images in published.items():
        more = {"liu2020": 20, "mfifb": 13, "mffw": 13} if method in SIX else {}
        assert counted(images) == {"mfi-whu": 30, **more}


def test_variants_of_ifcnn():
    published = published_images("ifcnn")
    assert {method: counted(images) for method, images in published.items()} == {
        "ifcnn-max": {"liu2020": 20, "lytro-triple": 4},
        "ifcnn-mean": {"liu2020": 20},
        "ifcnn-sum": {"liu2020": 20},
    }


@pytest.mark.parametrize("name", PUBLISHED)
def test_no_file_is_left_over_or_used_for_two_pictures(name):
    """Every file is a source, a fused image, or known to be something else."""
    every = {path for images in published_images(name).values() for path in
             (image.path for image in images.values())}  # fmt: skip
    sources = {
        path for dataset in CATALOGUED for scene in load_scenes(dataset)
        for whose, path in scene.files if whose == name
    }  # fmt: skip
    assert not every & sources
    left = collection(name).entries.keys() - every - sources
    other = ("_map.png", "Map_Analysis/label.png", "/shell/", "Triple Series/")
    assert [path for path in left if not any(word in path for word in other)] == []


@pytest.mark.parametrize("name", PUBLISHED)
def test_scenes_exist(name):
    every = {scene.name for dataset in CATALOGUED for scene in load_scenes(dataset)}
    for images in published_images(name).values():
        assert images.keys() <= every


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_image_has_the_size_of_its_sources(name):
    """The first and the last image of each method and dataset that is on this machine."""
    scenes = {scene.name: scene for dataset in CATALOGUED for scene in load_scenes(dataset)}
    compared = 0
    for images in published_images(name).values():
        here = [
            (scene, image.path) for scene, image in images.items()
            if fetch.find(name, image.path, verify=False)
            and fetch.available(*_files(scenes[scene]))
        ]  # fmt: skip
        for scene, path in {*here[:1], *here[-1:]}:
            compared += 1
            first = read_image(fetch.local_path(*scenes[scene].files[0]))
            assert read_image(fetch.local_path(name, path)).shape[:2] == first.shape[:2]
    if not compared:
        pytest.skip(f"needs {name} and its sources in MFIF_DATA")


def _files(scene):
    return scene.files[0][0], [path for _, path in scene.files]


def test_images_made_from_copies_say_so():
    noted = {
        (name, scene.partition("/")[0])
        for name in PUBLISHED
        for images in published_images(name).values()
        for scene, image in images.items()
        if image.note == COPIES
    }
    copies = {("ifcnn", "lytro-triple"), *((name, "mffw") for name in ("mfifb", "mfi-whu"))}
    assert noted == copies | {("drl-fpd", "mffw")}


def test_a_collection_without_fused_images():
    with pytest.raises(UsageError, match="expected one of liu2020, mfifb"):
        published_images("bsds500")
