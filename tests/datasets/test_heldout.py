"""Held-out pairs: of which photos, gray and in colour, and what is said where there are none."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from bench.cli.main import main
from bench.core.errors import DataUnavailable
from bench.core.pixels import to_gray255
from datasets import load_scenes
from datasets.heldout import KINDS, LARGE, PREFIX

OF_PHOTOS = [kind for kind in (*KINDS, *LARGE) if kind != "depth"]


def scenes(kind, photos):
    argument = "" if kind == "depth" else f":{photos}"
    return load_scenes(f"{PREFIX}{kind}{argument}")


@pytest.mark.parametrize("kind", [*KINDS, *LARGE])
def test_every_pair_is_there_in_gray_and_in_colour(kind, photos):
    name = "motorcycle" if kind == "depth" else "9"  # of ten photos the last is held out
    gray, colour = scenes(kind, photos)
    assert (gray.id, colour.id) == (f"gray_{name}", f"colour_{name}")
    assert gray.origin == colour.origin == "synthetic"
    assert gray.note
    images, plain = colour.images, gray.images
    assert images.reference is not None
    assert images.mask is not None
    pairs = zip((*images.sources, images.reference), (*plain.sources, plain.reference), strict=True)
    for one, other in pairs:
        assert one.ndim == 3
        np.testing.assert_array_equal(to_gray255(one), other)
    times = 4 if kind in LARGE else 1
    if kind != "depth":
        assert images.reference.shape == (times * 96, times * 128, 3)
    assert pickle.loads(pickle.dumps(gray)).read().fingerprint() == plain.fingerprint()


@pytest.mark.parametrize(
    ("kind", "like"),
    [("region", "synthetic"), ("lens", "synthetic-lens"), ("camera", "synthetic-camera")],
)
def test_pairs_are_made_like_those_of_the_public_datasets(kind, like, photos):
    same = next(scene for scene in load_scenes(f"{like}:{photos}") if scene.id == "9")
    colour = scenes(kind, photos)[1]
    assert colour.images.fingerprint() == same.images.fingerprint()
    assert colour.note == same.note


@pytest.mark.parametrize("kind", OF_PHOTOS)
def test_without_photos_the_dataset_says_so(kind, monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("MFIF_DATA", raising=False)
    with pytest.raises(DataUnavailable, match=f"heldout-{kind}: no folder of photos.*MFIF_DATA"):
        load_scenes(PREFIX + kind)
    with pytest.raises(DataUnavailable, match="no photos for 'held-out'"):
        load_scenes(f"{PREFIX}{kind}:{tmp_path}")
    with pytest.raises(DataUnavailable, match="no such folder of photos"):
        load_scenes(f"{PREFIX}{kind}:{tmp_path / 'none'}")
    assert main(["list", "datasets"]) == 0
    assert PREFIX + kind in capsys.readouterr().out
