"""Sets made of a user's own files: ``folder:DIR``, ``synthetic:DIR``, ``synthetic-lens:DIR``."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.core.errors import ImageError, NothingSelected, UsageError
from bench.core.image_io import write_image
from datasets import load_scenes


def put(folder: Path, *names: str, size: tuple[int, ...] = (12, 16)) -> Path:
    """Write a different picture under each name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        pixels = np.random.default_rng(len(name)).integers(0, 256, size, np.uint8)
        _, code = cv2.imencode(Path(name).suffix, pixels)
        (folder / name).write_bytes(bytes(code))
    return folder


def test_reference_and_mask(tmp_path):
    put(tmp_path, "s_A.png", "s_B.png", "s_Truth.png")
    mask = np.zeros((12, 16), np.uint8)
    mask[:, 8:] = 255
    write_image(tmp_path / "s_mask.png", mask)
    images = load_scenes(f"folder:{tmp_path}")[0].images
    assert images.reference.shape == (12, 16)
    assert np.array_equal(images.mask, mask > 0)


def test_links_are_followed_and_circles_are_not(tmp_path):
    store = put(tmp_path / ".store", "one.png", "other.png")
    folder = put(tmp_path / "set", "notes.png", "._s_A.png")
    (folder / "readme_A.txt").write_text("no picture")
    (folder / "s_A.png").symlink_to(store / "one.png")
    (folder / "s_B.png").symlink_to(store / "other.png")
    (folder / "again").symlink_to(folder)
    (scene,) = load_scenes(f"folder:{folder}")
    assert [file.name for file in scene.read.files.sources] == ["s_A.png", "s_B.png"]


def test_errors_on_reading(tmp_path):
    put(tmp_path, "s_A.png")
    put(tmp_path, "s_B.png", size=(12, 17))
    with pytest.raises(ImageError, match="scene folder/s: source 2 is 17x12"):
        _ = load_scenes(f"folder:{tmp_path}")[0].images
    put(tmp_path, "s_B.png", "s_mask.png")
    with pytest.raises(ImageError, match=r"s_mask\.png: not a mask"):
        _ = load_scenes(f"folder:{tmp_path}")[0].images


def test_two_folders_with_scenes_of_one_name(tmp_path):
    one, two = (put(tmp_path / name, "s_A.png", "s_B.png") for name in ("one", "two"))
    assert len(load_scenes([f"folder:{one}", f"folder:{one}"])) == 1
    with pytest.raises(UsageError, match="both have a scene folder/s"):
        load_scenes([f"folder:{one}", f"folder:{two}"])


@pytest.mark.parametrize(
    "dataset", ["folder", "synthetic", "synthetic-lens", "synthetic-camera", "synthetic-stack"]
)
def test_no_such_folder(tmp_path, dataset):
    with pytest.raises(UsageError, match="no such folder"):
        load_scenes(f"{dataset}:{tmp_path / 'missing'}")


@pytest.mark.parametrize(
    "dataset", ["synthetic", "synthetic-lens", "synthetic-camera", "synthetic-stack"]
)
class TestFromPhotos:
    def test_each_photo_becomes_a_pair(self, tmp_path, dataset):
        put(tmp_path, "one.png", "two.jpg", size=(48, 64, 3))
        put(tmp_path, "two.png", size=(48, 64))
        scenes = load_scenes(f"{dataset}:{tmp_path}")
        assert [s.id for s in scenes] == ["one", "two.jpg", "two.png"]
        for scene in scenes:
            assert scene.images.reference.shape == scene.images.sources[0].shape
            assert scene.images.fingerprint() == scene.read().fingerprint()

    def test_a_scene_does_not_hang_on_the_other_photos(self, tmp_path, dataset):
        put(tmp_path, "one.png", size=(48, 64, 3))
        alone = load_scenes(f"{dataset}:{tmp_path}")[0].images.fingerprint()
        put(tmp_path, "another.png", "zebra.png", size=(40, 40))
        scenes = {s.id: s for s in load_scenes(f"{dataset}:{tmp_path}")}
        assert scenes["one"].images.fingerprint() == alone

    def test_large_photos_are_reduced(self, tmp_path, dataset):
        put(tmp_path, "wide.png", size=(300, 1280, 3))
        shape = (90, 384, 3) if dataset == "synthetic-stack" else (150, 640, 3)
        assert load_scenes(f"{dataset}:{tmp_path}")[0].images.sources[0].shape == shape

    def test_no_photos(self, tmp_path, dataset):
        with pytest.raises(NothingSelected, match="no photo in it"):
            load_scenes(f"{dataset}:{tmp_path}")


def test_segments_that_people_drew_are_the_objects(tmp_path):
    scipy_io = pytest.importorskip("scipy.io")
    images = put(tmp_path / "images" / "test", "7.png", size=(48, 64))
    labels = np.ones((48, 64), np.uint16)
    labels[10:30, 20:50] = 2
    truth = tmp_path / "groundTruth" / "test" / "7.mat"
    truth.parent.mkdir(parents=True)
    people = np.empty((1, 1), object)
    people[0, 0] = {"Segmentation": labels}
    scipy_io.savemat(truth, {"groundTruth": people})
    mask = load_scenes(f"synthetic-lens:{images}")[0].images.mask
    assert np.array_equal(mask, labels == 2) or np.array_equal(mask, labels == 1)


def test_real_segmentations(tmp_path):
    root = Path(os.environ.get("MFIF_DATA", ""), "bsds500", "BSDS500", "data", "images", "val")
    if not root.is_dir():
        pytest.skip("needs bsds500 in MFIF_DATA")
    scenes = load_scenes(f"synthetic-lens:{root}")
    assert len(scenes) == 100
    assert 0.05 < scenes[0].images.mask.mean() < 0.95
