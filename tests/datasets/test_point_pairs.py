"""Points marked by hand on the misaligned pairs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bench.core.errors import DataUnavailable, ImageError, UnknownName
from datasets import fetch, load_scenes
from datasets.point_pairs import DOUBTFUL, PointPairs, point_pairs


def here(scenes: str) -> list[PointPairs]:
    """The point pairs on this machine."""
    found = []
    for scene in load_scenes(scenes):
        try:
            found.append(point_pairs(scene.name))
        except DataUnavailable:
            continue
    if not found:
        pytest.skip("the collection is not on this machine")
    return found


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setenv("MFIF_OFFLINE", "1")


def test_first_source_is_the_template():
    for scene in load_scenes("misaligned"):
        (_, first), (_, second) = scene.files
        assert first.endswith("_t.jpg")
        assert not second.endswith("_t.jpg")


def test_points_of_every_pair_that_is_here():
    for pairs in here("misaligned"):
        assert pairs.first.shape == pairs.second.shape
        assert len(pairs.first) >= 6
        inside = (pairs.first >= 0) & (pairs.first < (640, 360))
        assert inside.all()
        assert pairs.before_px > 0


def test_the_matrix_maps_source_2_to_source_1():
    """Mean reprojection error over V-1: 1.13 px in this direction, several in the other."""
    found = here("misaligned/V-1_*")
    forward = np.mean([pairs.error(pairs.homography) for pairs in found])
    backward = np.mean([pairs.error(np.linalg.inv(pairs.homography)) for pairs in found])
    if len(found) == 20:
        assert forward == pytest.approx(1.13, abs=0.01)
        assert np.mean([pairs.before_px for pairs in found]) == pytest.approx(3.80, abs=0.01)
    assert backward > 2 * forward


def test_doubtful_pairs_are_those_with_a_point_far_off():
    for pairs in here("misaligned"):
        moved = np.hstack([pairs.second, np.ones((len(pairs.second), 1))]) @ pairs.homography.T
        off = np.linalg.norm(moved[:, :2] / moved[:, 2:] - pairs.first, axis=1)
        assert (off.max() > 5) == (pairs.scene in DOUBTFUL)
        assert pairs.sure == (off.max() <= 5 and "V-3" not in pairs.scene)


def test_doubtful_pairs_exist():
    names = {scene.name for scene in load_scenes("misaligned")}
    assert names > DOUBTFUL
    judges = [name for name in names - DOUBTFUL if "V-3" not in name]
    assert len(judges) == 35


def test_other_scenes_have_no_points():
    with pytest.raises(UnknownName, match="did you mean 'misaligned/V-1_pair0'"):
        point_pairs("misaligned/V-1_pair00")
    with pytest.raises(UnknownName):
        point_pairs("paper/camera")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda body: body.pop("Sample"), "not a file of point pairs"),
        (lambda body: body["Sample"].update(Path="x\\V009.jpg"), r"about V009.jpg, not V004.jpg"),
        (lambda body: body["Sample"]["Points"].pop(), "6 points in one image, 5 in the other"),
        (lambda body: body["Template"].update(Points=[1, 2]), "not a list of x and y"),
    ],
)
def test_a_file_that_says_something_else(tmp_path, monkeypatch, change, message):
    points = [[float(k), float(k * k)] for k in range(6)]
    body = {
        "Template": {"Path": "E:/a\\V002_t.jpg", "Points": [*points]},
        "Sample": {"Path": "E:/a\\V004.jpg", "Points": [*points]},
        "Sample2Template Matrix": np.eye(3).tolist(),
    }
    change(body)
    file = tmp_path / "V004.json"
    file.write_text(json.dumps(body))
    monkeypatch.setattr(fetch, "local_path", lambda name, path: file)
    with pytest.raises(ImageError, match=message):
        point_pairs("misaligned/V-1_pair0")
