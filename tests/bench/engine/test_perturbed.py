"""Runs on perturbed sets: keys, workers, published rows, selection again, resuming."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bench.api import dry_run, merge, run
from bench.cli.main import main
from bench.core.image_io import write_image
from bench.engine.published import select_published
from datasets import load_scenes
from reports.data.sources import Sources


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a pair and its reference."""
    folder = tmp_path_factory.mktemp("sets") / "mine"
    rng = np.random.default_rng(3)
    sharp = rng.integers(0, 256, (40, 48), dtype=np.uint8)
    flat = np.full_like(sharp, 128)
    left = np.arange(48) < 24
    for name, image in {
        "glass_1": np.where(left, sharp, flat),
        "glass_2": np.where(left, flat, sharp),
        "glass_gt": sharp,
    }.items():
        write_image(folder / f"{name}.png", image.astype(np.uint8))
    return folder


def sets_of(folder) -> list[str]:
    return [f"folder:{folder}", *(f"folder+noise={k}:{folder}" for k in (0, 5, 20))]


@pytest.fixture(scope="module")
def finished(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    results = run("lp,average", sets_of(folder), "psnr", out, repeats=0, threads=1)
    return out, results


@pytest.mark.slow
def test_a_perturbed_scene_is_a_cell_of_its_own(finished):
    _, results = finished
    assert set(results.scores["status"]) == {"ok"}
    cells = results.manifest.cells
    keys = {(cell.dataset, cell.method): cell.key for cell in cells}
    assert len(set(keys.values())) == 6  # what changes no pixel has the key of the set as it is
    assert keys["folder", "lp"] == keys["folder+noise=0", "lp"]
    psnr = results.scores.query("method == 'lp'").set_index("dataset")["value"]
    assert psnr["folder+noise=20"] < psnr["folder+noise=5"] < psnr["folder"]
    entries = {entry.dataset: entry for entry in results.manifest.scenes}
    assert entries["folder+noise=5"].changes == ("noise=5",)
    assert entries["folder"].changes == ()
    assert "sources perturbed: +noise=5" in entries["folder+noise=5"].note


@pytest.mark.slow
def test_it_resumes_reports_and_joins(finished, folder, tmp_path, capsys):
    out, results = finished
    *_, said = dry_run("lp,average", sets_of(folder), "psnr", out, repeats=0).lines()
    assert said.startswith("in all: 8 cells, 8 stored, 0 to fuse")
    for entry in results.manifest.scenes:  # found again by their selection, pixel for pixel
        images, why = Sources(results.manifest).images(entry)
        assert (why, images is not None) == ("", True)
    joined = merge([out], tmp_path / "joined")
    pd.testing.assert_frame_equal(joined.scores, results.scores)
    assert (tmp_path / "joined" / "tables" / "robustness.md").is_file()
    assert main(["compare", str(out), str(tmp_path / "joined")]) == 0
    capsys.readouterr()
    sets = sets_of(folder)
    again = run(f"images:{out / 'fused'}", sets, "psnr", tmp_path / "im", repeats=0)
    assert set(again.scores["status"]) == {"ok"}
    ours, theirs = (
        {(r.dataset, r.value) for r in s.itertuples()} for s in (again.scores, results.scores)
    )
    assert ours == theirs


def test_published_images_are_not_of_a_perturbed_scene():
    (row,) = select_published("published:liu2020/cnn")
    clean, noisy = load_scenes("lytro/c_01,lytro+noise=5/c_01")
    assert row.covers(clean)
    assert row.covers(noisy)
    with pytest.raises(Exception, match="published images are of the sources without noise=5"):
        row.image(noisy)
    assert not row.covers(replace(noisy, id="nowhere"))


def test_list_and_show_know_them(capsys):
    assert main(["list", "perturbations", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["+noise=X"]["sources"] == "all"
    assert rows["+shift=X"]["sources"] == "second and later"
    assert "+vignetting[=X]" in rows
    assert main(["show", "+noise"]) == 0
    assert "sigma in 8-bit levels" in capsys.readouterr().out
    assert main(["show", "robustness"]) == 0
    assert "synthetic-lens/camera" in capsys.readouterr().out
    assert main(["list", "scenes", "robustness", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 76
    assert main(["list", "scenes", "synthetic-lens+nois=5"]) == 2
    assert "did you mean 'noise'" in capsys.readouterr().err
