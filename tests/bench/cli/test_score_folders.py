"""Scoring a folder of fused images in the layouts people have."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from bench.checks.methods import pair
from bench.cli.main import main
from bench.core.errors import NothingSelected, UsageError
from bench.core.image_io import write_image
from bench.engine.image_folder import find_images
from datasets import load_scenes
from metrics import Scorer

LAYOUTS = ["{method}/{scene}", "{scene}_{method}", "{method}_{scene}", "deep/er/{scene}_{method}"]
SCENES = {"one": 1, "one_more": 2, "übung 3": 3}


@pytest.fixture
def results(tmp_path):
    """Sources of three scenes, and fused images of two methods in a layout to be chosen."""
    for name, seed in SCENES.items():
        for letter, image in zip("AB", pair(40, 44, seed), strict=True):
            write_image(tmp_path / "sources" / f"{name}_{letter}.png", image)

    def lay(layout):
        for name, seed in SCENES.items():
            for method, rule in (("max", np.maximum), ("my-min", np.minimum)):
                target = layout.format(scene=name, method=method) + ".png"
                write_image(tmp_path / "fused" / target, rule(*pair(40, 44, seed)))
        return tmp_path

    return lay


def score(folder, *options):
    given = ["--sources", str(folder / "sources"), "--fused", str(folder / "fused")]
    return main(["score", *given, "--metrics", "mi,qabf", *options])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(results, layout, capsys):
    assert score(results(layout)) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 3 * 2 * 2
    for row in rows:
        sources = pair(40, 44, SCENES[row["scene"]])
        fused = (np.maximum if row["method"] == "max" else np.minimum)(*sources)
        assert float(row["value"]) == Scorer(sources).score(fused, row["metric"])


def test_processes_give_the_same(results, capsys):
    folder = results(LAYOUTS[0])
    score(folder)
    alone = capsys.readouterr().out
    assert score(folder, "--jobs", "2") == 0
    assert capsys.readouterr().out == alone


def test_a_missing_or_wrong_file_is_named_and_the_rest_goes_on(results, capsys):
    folder = results("{method}/{scene}")
    (folder / "fused" / "max" / "one.png").unlink()
    write_image(folder / "fused" / "my-min" / "one.png", np.zeros((3, 4), np.uint8))
    (folder / "fused" / "max" / "one_more.png").write_bytes(b"no image")
    write_image(folder / "fused" / "max" / "stray.png", np.zeros((3, 4), np.uint8))
    assert score(folder, "--json") == 1
    told = capsys.readouterr()
    status = {(r["scene"], r["method"]): r["status"] for r in json.loads(told.out)}
    assert status == {
        ("one", "max"): "missing",
        ("one", "my-min"): "failed",
        ("one_more", "max"): "failed",
        ("one_more", "my-min"): "ok",
        ("übung 3", "max"): "ok",
        ("übung 3", "my-min"): "ok",
    }
    assert "no fused image by max of one" in told.err
    assert "one.png: " in told.err
    assert "4x3" in told.err
    assert "one_more.png" in told.err
    assert "fits no scene: " in told.err


def test_pattern_and_out(results, capsys):
    folder = results("deep/er/{scene}_{method}")
    out = folder / "scores.csv"
    assert score(folder, "--pattern", "er/{scene}_{method}", "--out", str(out)) == 0
    assert len(out.read_text().splitlines()) == 1 + 12
    assert capsys.readouterr().out == ""


def test_two_files_for_one_cell_are_an_error(results, capsys):
    folder = results("{method}/{scene}_out")
    assert score(folder) == 2
    assert "both out of" in capsys.readouterr().err
    assert score(folder, "--pattern", "{method}/{scene}_out") == 0


def test_sources_that_are_not_there_are_rows(tmp_path, capsys, offline):
    write_image(tmp_path / "g_01_mine.png", np.zeros((512, 512), np.uint8))
    options = ["--fused", str(tmp_path), "--metrics", "ie"]
    assert main(["score", "--sources", "liu2020/g_01", *options]) == 1
    told = capsys.readouterr()
    assert "g_01,mine,ie,,failed" in told.out
    assert "not on disk" in told.err


def test_a_metric_selected_by_name_is_not_dropped(results, capsys):
    """Without a reference PSNR fails for every image, and the other metrics are scored."""
    folder = results("{method}/{scene}")
    given = ["--sources", str(folder / "sources"), "--fused", str(folder / "fused")]
    assert main(["score", *given, "--metrics", "psnr", "mi"]) == 1
    told = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(told.out)))
    assert [r["status"] for r in rows if r["metric"] == "mi"] == ["ok"] * 6
    psnr = [r for r in rows if r["metric"] == "psnr"]
    assert [r["status"] for r in psnr] == ["failed"] * 6
    assert all("needs a reference image" in r["message"] for r in psnr)
    assert told.err.count("needs a reference image") == len(SCENES)
    assert main(["score", *given, "--metrics", "all"]) == 0
    told = capsys.readouterr()
    assert ",psnr," not in told.out
    assert "not defined for any of these scenes: " in told.err
    assert "psnr" in told.err


def test_longest_scene_name_wins(results):
    folder = results("{scene}_{method}")
    found, strays = find_images(folder / "fused", load_scenes(f"folder:{folder / 'sources'}"))
    assert not strays
    assert {m.name for m in found} == {"max", "my-min"}
    assert all(len(m.files) == len(SCENES) for m in found)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--pattern", "{method}"], "has no {scene}"),
        (["--pattern", "x/{scene}/{method}"], "none of 6 images fits"),
        (["--pattern", "{method}_{scene}/{method}"], "none of 6 images fits"),
        (["--reference", "a.png"], "--reference does not go with --sources"),
        (["--jobs", "0"], "--jobs 0"),
        (["--json", "a.png"], "not both"),
    ],
)
def test_bad_options(results, capsys, options, says):
    assert score(results("{method}/{scene}"), *options) == 2
    assert says in capsys.readouterr().err


def test_no_images(tmp_path):
    with pytest.raises(NothingSelected, match="no image in it"):
        find_images(tmp_path, load_scenes("paper/clock"))


def test_no_folder(tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        find_images(tmp_path / "none", load_scenes("paper/clock"))


def test_stored_scores_are_found_again(results, capsys, monkeypatch):
    folder = results(LAYOUTS[0])
    assert score(folder, "--store", str(folder / "store")) == 0
    first = capsys.readouterr().out
    monkeypatch.setattr(Scorer, "score", None)  # nothing is computed any more
    assert score(folder, "--store", str(folder / "store")) == 0
    assert capsys.readouterr().out == first
