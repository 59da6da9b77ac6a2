"""Every registered dataset: what its scenes promise is so, with and without the real data."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from bench.cli.main import main
from bench.core.errors import (
    BenchError,
    ContractViolation,
    DataUnavailable,
    ImageError,
    UnknownName,
    UsageError,
)
from bench.core.pixels import to_gray255
from datasets import DATASETS, dataset, load_scenes
from datasets._base import Scene, SceneImages
from datasets.standard import CATALOGUED

OFFLINE = {"MFIF_OFFLINE": "1", "MFIF_DATA": "", "XDG_CACHE_HOME": "/nonexistent"}

with pytest.MonkeyPatch.context() as patch:
    for key, value in OFFLINE.items():
        patch.setenv(key, value)
    EMBEDDED: list[Scene] = []
    for entry in DATASETS:
        if not entry.argument_required:
            with contextlib.suppress(DataUnavailable):  # of photos that are not here
                EMBEDDED += [s for s in entry.scenes() if not (s.files or s.lacks)]

#: Datasets whose sources have noise and compression, and the root mean square of these at the most.
SHOT = {"synthetic-camera": 8}

DEPTH_OF_LENS = 10  # pixels that a defocused object may reach beyond its outline


@pytest.fixture(params=EMBEDDED, ids=lambda scene: scene.name)
def scene(request) -> Scene:
    return request.param


def test_scene_is_of_the_right_kind(scene):
    images = scene.images
    assert all(source.dtype == np.uint8 for source in images.sources)
    assert all(max(source.shape) <= 640 for source in images.sources)
    assert images.sources[0].shape == images.sources[1].shape
    assert (images.sources[0] != images.sources[1]).any()
    assert scene.origin in ("synthetic", "stand-in")
    assert scene.note
    assert scene.missing() == ""
    assert "/" not in scene.id


def test_scene_is_the_same_again(scene):
    assert scene.read().fingerprint() == scene.images.fingerprint()


def test_scene_can_be_sent_to_another_process(scene):
    fresh = Scene(scene.dataset, scene.id, scene.read, scene.origin)
    assert pickle.loads(pickle.dumps(fresh)).read().fingerprint() == scene.images.fingerprint()


@pytest.mark.slow
def test_scenes_are_the_same_in_another_process():
    names = sorted({scene.dataset for scene in EMBEDDED})
    code = (
        "import json; from datasets import DATASETS; print(json.dumps({s.name: "
        f"s.images.fingerprint() for d in {names} "
        "for s in reversed(DATASETS[d].scenes()) if not s.files}))"
    )
    environment = {**os.environ, **OFFLINE, "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {s.name: s.images.fingerprint() for s in EMBEDDED}


def sharpness(image, where) -> float:
    """Mean energy of the Laplacian over a region."""
    laplacian = cv2.Laplacian(to_gray255(image), cv2.CV_64F)
    return float((laplacian[where] ** 2).mean())


def test_truth_is_sharp_where_either_source_is_not(scene):
    images = scene.images
    if images.reference is None or images.mask is None:
        pytest.skip("a scene without a reference or a mask")
    assert images.mask.dtype == np.bool_
    assert 0.05 < images.mask.mean() < 0.95
    for source, blurred in zip(images.sources, (~images.mask, images.mask), strict=True):
        # A region blur leaves a step at its edge, which is sharp but not true.
        away = cv2.erode(blurred.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        assert sharpness(images.reference, away) > 1.3 * sharpness(source, away)


def test_sources_equal_the_truth_where_they_are_sharp(scene):
    """Inside what the mask says, farther from its edge than any blur reaches."""
    images = scene.images
    if images.reference is None or images.mask is None:
        pytest.skip("a scene without a reference or a mask")
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * DEPTH_OF_LENS + 1,) * 2)
    for source, sharp in zip(images.sources, (images.mask, ~images.mask), strict=True):
        inside = cv2.erode(sharp.astype(np.uint8), disk) > 0
        assert inside.any()
        difference = np.abs(source.astype(int) - images.reference.astype(int))[inside]
        if scene.dataset in SHOT:
            assert 0.5 < np.sqrt(np.square(difference).mean()) < SHOT[scene.dataset]
        else:
            assert difference.max() <= 1


def test_names_are_unique_and_metadata_is_there():
    names = [scene.name for scene in EMBEDDED]
    assert len(names) == len(set(names))
    for entry in DATASETS:
        assert entry.title
        assert entry.citation
        assert entry.licence
        assert entry.scenes.__doc__


class TestPaper:
    def test_order_and_titles(self, offline):
        scenes = load_scenes("paper")
        assert [s.id for s in scenes] == ["clock", "pepsi", "camera", "color"]
        assert [s.title for s in scenes] == ["Clock", "Pepsi", "Camera", "Color"]

    def test_stand_ins_say_so(self, offline):
        clock, pepsi, camera, color = load_scenes("paper")
        for scene in (clock, pepsi):
            assert scene.origin == "stand-in"
            assert "STAND-IN" in scene.note
            assert scene.images.sources[0].shape == (512, 512)
        assert (camera.origin, color.origin) == ("synthetic", "synthetic")
        assert camera.images.sources[0].shape == (256, 256)
        assert color.images.sources[0].shape == (400, 600, 3)

    def test_real_pairs_are_used_where_they_are(self, liu2020):
        clock, pepsi, *_ = load_scenes("paper")
        for scene, pair in ((clock, "g_01"), (pepsi, "g_02")):
            assert scene.origin == "real"
            assert "STAND-IN" not in scene.note
            same = next(s for s in load_scenes("liu2020") if s.id == pair)
            assert scene.images.fingerprint() == same.images.fingerprint()
            assert scene.images.reference is None

    def test_damaged_data_is_not_papered_over(self, offline, monkeypatch, tmp_path):
        file = tmp_path / "liu2020" / "sourceimages" / "grayscale" / "g_01_1.tif"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"a page of HTML")
        monkeypatch.setenv("MFIF_DATA", str(tmp_path))
        with pytest.raises(Exception, match=r"g_01_1\.tif: 14 bytes, expected"):
            load_scenes("paper")


class TestCollections:
    def test_all_scenes_are_listed_without_data(self, offline):
        liu, mfifb = load_scenes("liu2020"), load_scenes("mfifb")
        assert (len(liu), len(mfifb)) == (30, 105)
        assert [s.id for s in liu][:1] + [s.id for s in liu][-1:] == ["g_01", "c_20"]
        assert all(len(s.files) == 2 and s.origin == "real" for s in liu + mfifb)

    def test_scenes_that_are_not_here_say_why(self, offline):
        scene = load_scenes("mfifb/books")[0]
        assert "MFIF_OFFLINE forbids the network" in scene.missing()
        with pytest.raises(Exception, match=r"mfifb/input/books/books_A\.jpg is not on disk"):
            _ = scene.images

    @pytest.mark.parametrize("name", CATALOGUED)
    def test_every_scene_that_is_here_loads(self, name, monkeypatch):
        monkeypatch.setenv("MFIF_OFFLINE", "1")
        here = [scene for scene in load_scenes(name) if not scene.missing()]
        if not here:
            pytest.skip(f"needs {name} in MFIF_DATA")
        for scene in here:
            images = scene.read_checked()
            assert len(images.sources) == len(scene.files)
            assert images.reference is None


class TestSelection:
    def test_one_scene(self, offline):
        assert [s.name for s in load_scenes(["paper/camera", "paper/camera"])] == ["paper/camera"]

    def test_unknown(self, offline):
        with pytest.raises(UnknownName, match="did you mean 'synthetic"):
            load_scenes("sinthetic")
        with pytest.raises(UnknownName, match="did you mean 'camera'"):
            load_scenes("paper/camra")

    def test_argument(self):
        with pytest.raises(UsageError, match="takes no argument"):
            load_scenes("paper:x")
        with pytest.raises(UsageError, match="folder:DIR"):
            load_scenes("folder")


class TestListing:
    """What a stranger's dataset may get wrong."""

    def scene(self, of="mine", name="one", read=None, origin="real"):
        return Scene(of, name, read or (lambda: ()), origin)

    @pytest.mark.parametrize(
        ("scenes", "says"),
        [
            (lambda self: None, "it must return a list of Scene"),
            (lambda self: ["one"], "it must return a list of Scene"),
            (lambda self: [self.scene(), self.scene()], "two scenes are called 'one'"),
            (lambda self: [self.scene(of="other")], "has the dataset 'other'"),
            (
                lambda self: Path("/nowhere/list").read_text(),
                "ended with FileNotFoundError: .*nowhere/list",
            ),
            (lambda self: [self.scene(origin="photo")], "origin 'photo' must be one of real"),
        ],
    )
    def test_is_named_with_the_dataset(self, own_registries, scenes, says):
        dataset("mine", title="t", citation="c", licence="l")(lambda: scenes(self))
        with pytest.raises(BenchError, match=rf"mine.*{says}"):
            load_scenes("mine")

    def test_images_of_another_kind(self):
        with pytest.raises(ContractViolation, match=r"mine/one: read\(\) gave tuple, not SceneIm"):
            _ = self.scene().images


class TestSceneImages:
    gray = np.zeros((8, 9), np.uint8)

    def test_one_source(self):
        with pytest.raises(ImageError, match="two"):
            SceneImages((self.gray,)).check("s")

    @pytest.mark.parametrize("odd", ["source", "reference", "mask"])
    def test_sizes_must_agree(self, odd):
        other = np.zeros((8, 8), np.uint8)
        images = SceneImages(
            (self.gray, other if odd == "source" else self.gray),
            other if odd == "reference" else None,
            other > 0 if odd == "mask" else None,
        )
        with pytest.raises(ImageError, match=f"{odd}.* is 8x8, but scene s: source 1 is 9x8"):
            images.check("s")

    @pytest.mark.parametrize("role", ["source 2", "the reference", "the mask"])
    @pytest.mark.parametrize(
        ("odd", "says"),
        [
            (Image.fromarray(gray), "is PIL.Image.Image, not a numpy array"),
            (gray.tolist(), "is list, not a numpy array"),
            ("a.png", "is str, not a numpy array"),
            (Path("a.png"), "PosixPath, not a numpy array"),
            (memoryview(gray), "is memoryview, not a numpy array"),
            (gray.astype(object), "type object is not uint8, uint16 or floating-point"),
            (gray.astype(np.int64), "type int64 is not uint8, uint16 or floating-point"),
            (gray[0], r"shape \(9,\) is not \(H, W\)"),
            (gray[:0], "the image has no pixels"),
        ],
    )
    def test_only_numpy_arrays_are_images(self, role, odd, says):
        given = [odd if role == name else self.gray for name in ("source 2", "the reference")]
        images = SceneImages((self.gray, given[0]), given[1], odd if role == "the mask" else None)
        with pytest.raises(ImageError, match=f"^scene s: {role}.*{says}"):
            images.check("s")

    @pytest.mark.parametrize("odd", [None, 3, {gray.size}, iter([gray, gray])])
    def test_the_sources_are_a_tuple(self, odd):
        with pytest.raises(ImageError, match=r"^scene s: the sources are .*, not a tuple of numpy"):
            SceneImages(odd).check("s")

    def test_tensors_are_refused(self):
        tensor = pytest.importorskip("torch").zeros(8, 9)
        with pytest.raises(ImageError, match=r"source 1 is torch\.Tensor, not a numpy array"):
            SceneImages((tensor, tensor)).check("s")

    def test_fingerprint_sees_pixels_types_and_roles(self):
        marked = self.gray.copy()
        marked[3, 3] = 1
        variants = [
            SceneImages((self.gray, self.gray)),
            SceneImages((self.gray, marked)),
            SceneImages((marked, self.gray)),
            SceneImages((self.gray, self.gray, self.gray)),
            SceneImages((self.gray, self.gray), reference=self.gray),
            SceneImages((self.gray.astype(np.uint16), self.gray)),
        ]
        assert len({images.fingerprint() for images in variants}) == len(variants)


ODD = """
from PIL import Image
import numpy as np
from datasets import Scene, SceneImages, dataset

@dataset("odd", title="odd", citation="none", licence="none")
def odd():
    pixels = np.arange(1600).reshape(40, 40).astype(np.uint8)
    def read(): return SceneImages((Image.fromarray(pixels), Image.fromarray(pixels)))
    return [Scene("odd", "x", read, "real"),
            Scene("odd", "y", lambda: SceneImages((pixels, pixels)), "real")]
"""


@pytest.mark.parametrize("isolation", ["scene", "none"])
def test_a_scene_of_other_objects_is_a_failed_row(tmp_path, own_registries, isolation):
    (tmp_path / "odd.py").write_text(ODD)
    run = ["run", "--plugin", str(tmp_path / "odd.py"), "--datasets", "odd", "--repeats", "0"]
    run += ["--methods", "average", "--metrics", "ie", "--isolation", isolation]
    assert main([*run, "--out", str(tmp_path / "out")]) == 1
    table = (tmp_path / "out" / "scores.csv").read_text()
    assert "odd,x,average,ie,,failed" in table
    assert "odd,y,average,ie,7.99" in table
