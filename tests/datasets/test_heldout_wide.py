"""Wide held-out pairs and stacks: what they hold, and that they are the same in every process."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import scipy.io

from datasets import load_scenes
from datasets._seeds import generator
from datasets.heldout_wide import CUT_OUT, DISK, SIGMA, SOFTNESS, WidePlan, wide_images


@pytest.fixture
def segmented(photos, tmp_path):
    """A tree as BSDS500 has it, of one photo in each part, whose halves are its segments."""
    for part in ("train", "val"):
        (tmp_path / "images" / part).mkdir(parents=True)
        (tmp_path / "groundTruth" / part).mkdir(parents=True)
        for k in range(2):
            data = (photos / f"{k}.png").read_bytes()
            (tmp_path / "images" / part / f"{part}{k}.png").write_bytes(data)
            labels = np.repeat([[1, 2, 3, 3]], 32, axis=1).repeat(96, axis=0).astype(np.uint16)
            person = np.empty((1, 1), dtype=object)
            person[0, 0] = {"Segmentation": labels}
            file = tmp_path / "groundTruth" / part / f"{part}{k}.mat"
            scipy.io.savemat(file, {"groundTruth": person})
    return tmp_path


def test_plans_cover_what_they_say():
    plans = [WidePlan.drawn(generator("test", str(k))) for k in range(400)]
    for kernel, (least, most) in (("disk", DISK), ("gaussian", SIGMA)):
        drawn = [r for p in plans if p.kernel == kernel for r in (p.behind, p.before)]
        assert len(drawn) > 300
        assert least <= min(drawn) < 1.1 * least
        assert 0.9 * most < max(drawn) <= most
        middle = np.exp(np.mean(np.log(drawn)))  # that of an even distribution of logarithms
        assert abs(np.log(middle / np.sqrt(least * most))) < 0.15
    assert SOFTNESS[0] <= min(p.softness for p in plans)
    assert max(p.softness for p in plans) <= SOFTNESS[1]
    assert abs(np.mean([p.cut_out for p in plans]) - CUT_OUT) < 0.08


def test_pairs_in_gray_and_in_colour(photos):
    gray, colour = load_scenes(f"heldout-wide:{photos}")
    assert (gray.id, colour.id) == ("gray_9", "colour_9")
    images = colour.images
    assert images.reference is not None
    assert images.mask is not None
    assert images.reference.shape == (96, 128, 3)  # the photo is smaller than a pair
    first, second = (abs(s.astype(int) - images.reference).mean(axis=2) for s in images.sources)
    inside, outside = images.mask, ~images.mask
    assert first[inside].mean() < second[inside].mean()
    assert second[outside].mean() < first[outside].mean()
    again = pickle.loads(pickle.dumps(colour)).read()
    assert again.fingerprint() == images.fingerprint()


def test_objects_are_cut_from_another_photo(segmented):
    plan = WidePlan("disk", 3, 3, 0.6, cut_out=True)
    file, other = (segmented / "images" / "val" / f"val{k}.png" for k in range(2))
    own = wide_images("val0", file, [], plan)
    mixed = wide_images("val0", file, [other], plan)
    assert own.fingerprint() != mixed.fingerprint()


@pytest.mark.parametrize("folder", ["photos", "segmented"])
def test_stacks_have_planes_of_focus_and_an_index_map(folder, request):
    (scene,) = load_scenes(f"heldout-stack:{request.getfixturevalue(folder)}")
    images = scene.images
    assert 4 <= len(images.sources) <= 12
    assert f"{len(images.sources)} sources" in scene.note
    assert images.reference is not None
    assert images.index_map is not None
    assert len(np.unique(images.index_map)) > 2
    error = np.stack([abs(s.astype(int) - images.reference).mean(axis=2) for s in images.sources])
    chosen = np.take_along_axis(error, images.index_map[None].astype(int), axis=0)
    assert chosen.mean() < 0.5 * error.mean()
    assert pickle.loads(pickle.dumps(scene)).read().fingerprint() == images.fingerprint()
