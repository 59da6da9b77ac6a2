"""Runs on catalogued collections and those fetched by hand: rows, notes, what is missing."""

from __future__ import annotations

import numpy as np
import pytest

import bench
from bench.core.image_io import write_image
from bench.engine.selection import select_methods
from datasets import load_scenes
from datasets.published import COPIES


def photo(seed):
    return np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)


def test_rows_of_one_picture_in_several_datasets():
    """DRL-FPD's gray images are those of the survey's pairs where the pictures are equal."""
    (row,) = select_methods("drl-fpd:drl-fpd")
    for name in ("natural/pepsi", "liu2020/g_02", "liu2020/c_20", "mfifb/lytro_20", "mffw/mffw_13"):
        assert row.covers(load_scenes(name)[0])
    for name in ("liu2020/g_01", "mffw/mffw3_1", "mfi-whu/mfi-whu_01"):
        assert not row.covers(load_scenes(name)[0])
    assert row.note(load_scenes("mffw/mffw_13")[0]) == COPIES
    assert row.note(load_scenes("mfifb/mffw_13")[0]) == ""
    assert row.note(load_scenes("liu2020/c_20")[0]) == ""


def test_names_of_the_rows():
    assert len(select_methods("published:mfi-whu")) == 35
    names = [row.name for row in select_methods(["MFI-WHU:dct_*", "published:mffw", "ifcnn:*-max"])]
    assert names == ["mfi-whu:dct-corr", "mfi-whu:dct-eol", "mffw:ms-lap", "mffw:ms-resnet",
                     "ifcnn:ifcnn-max"]  # fmt: skip


@pytest.mark.slow
def test_a_collection_fetched_by_hand(offline, tmp_path, monkeypatch):
    """The pair that is there has all scores, the other one is skipped and says what to do."""
    for seed, path in enumerate(("imageA/001_A.png", "imageB/001_B.png", "Fusion/001_F.png")):
        write_image(tmp_path / "data" / "real-mff" / path, photo(seed))
    monkeypatch.setenv("MFIF_DATA", str(tmp_path / "data"))
    results = bench.run(
        ["average"], ["real-mff/001..002"], metrics=["psnr", "mi"], repeats=0,
        isolation="none", out=tmp_path / "out",
    )  # fmt: skip
    rows = results.scores.set_index(["scene", "metric"])
    assert rows.loc["001", "status"].tolist() == ["ok", "ok"]
    assert np.isfinite(rows.loc["001", "value"].astype(float)).all()
    assert set(rows.loc["002", "status"]) == {"skipped"}
    assert "unpack it so that MFIF_DATA/real-mff" in results.failures.iloc[0]["message"]


@pytest.mark.slow
def test_images_fused_from_copies_are_noted_once(tmp_path, monkeypatch):
    """Lossless rows beside JPEG ones are scored through JPEG too."""
    monkeypatch.setenv("MFIF_OFFLINE", "1")
    if load_scenes("mffw/mffw_01")[0].missing():
        pytest.skip("needs mffw in MFIF_DATA")
    results = bench.run(
        ["mffw:ms-lap", "mfi-whu:gcf", "mfi-whu:pmgi"], "mffw/mffw_01", metrics=["mi"],
        repeats=0, isolation="none", out=tmp_path / "out",
    )  # fmt: skip
    assert set(results.scores["method"]) == {
        "mffw:ms-lap", "mffw:ms-lap+jpeg", "mfi-whu:gcf", "mfi-whu:pmgi"
    }  # fmt: skip
    notes = [note for note in results.manifest.scenes[0].notes if COPIES in note]
    assert notes == [f"mfi-whu:gcf and 1 more: {COPIES}"]
