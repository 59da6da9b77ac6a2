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
    assert score(results(layout), "--format", "csv") == 0
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
    folder = results("{method}/{scene}_v1")
    assert score(folder) == 0
    capsys.readouterr()
    (folder / "fused" / "max" / "one_v1.tif").write_bytes(b"")
    assert score(folder) == 2
    said = capsys.readouterr().err
    assert "max/one_v1.png and max/one_v1.tif are both max of folder/one" in said
    assert "--pattern" in said


def test_sources_that_are_not_there_are_rows(tmp_path, capsys, offline):
    write_image(tmp_path / "g_01_mine.png", np.zeros((512, 512), np.uint8))
    options = ["--fused", str(tmp_path), "--metrics", "ie", "--format", "csv"]
    assert main(["score", "--sources", "liu2020/g_01", *options]) == 1
    told = capsys.readouterr()
    assert "liu2020,g_01,mine,ie,,failed" in told.out
    assert "not on disk" in told.err


def test_a_metric_selected_by_name_is_not_dropped(results, capsys):
    """Without a reference PSNR fails for every image, and the other metrics are scored."""
    folder = results("{method}/{scene}")
    given = ["--sources", str(folder / "sources"), "--fused", str(folder / "fused")]
    given += ["--format", "csv"]
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
    found = find_images(folder / "fused", load_scenes(f"folder:{folder / 'sources'}"))
    assert not found[0].notes
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
        (["--json", "--format", "csv"], "--json does not go with --format csv"),
        (["--wide", "--format", "json"], "--wide is for CSV, not for json"),
        (["--wide", "--out", "s.md"], "--wide is for CSV, not for table"),
        (["--out", "scores.xls"], "--out scores.xls: must end with .csv, .md, .json"),
        (["--pattern", "{scene}_{mehtod}"], "{mehtod} must be {scene}, {method} or {dataset}"),
        (["--fused", "=x"], "no name before the ="),
        (["--fused", "none"], "images:none: no such folder"),
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


def test_the_means_are_those_of_a_run(results, capsys):
    """The table on the screen is the one that ``run`` writes for the same images."""
    folder = results("{method}/{scene}")
    assert score(folder) == 0
    shown = capsys.readouterr().out
    command = ["run", "--methods", f"images:{folder / 'fused'}", "--metrics", "mi,qabf"]
    command += ["--datasets", f"folder:{folder / 'sources'}", "--isolation", "none"]
    assert main([*command, "--out", str(folder / "out")]) == 0
    assert shown == (folder / "out" / "tables" / "mean_folder.md").read_text()
    assert "MI ↑" in shown
    assert "3/3" in shown
    assert "**" in shown
    assert "Time" not in shown


def test_what_is_written(results, capsys):
    folder = results("{method}/{scene}")
    assert score(folder, "--format", "csv") == 0
    long = capsys.readouterr().out
    for options in (["--out", "s.csv"], ["--out", "s.txt", "--format", "csv"]):
        options[1] = str(folder / options[1])
        assert score(folder, *options) == 0
        assert (folder / options[1]).read_text() == long
        assert capsys.readouterr().out == ""
    assert score(folder, "--wide") == 0
    wide = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert list(wide[0]) == ["dataset", "scene", "method", "mi", "qabf"]
    values = {(r["scene"], r["method"], m): r[m] for r in wide for m in ("mi", "qabf")}
    rows = csv.DictReader(io.StringIO(long))
    assert values == {(r["scene"], r["method"], r["metric"]): r["value"] for r in rows}
    assert score(folder) == 0
    means = capsys.readouterr().out
    assert score(folder, "--out", str(folder / "s.md")) == 0
    assert (folder / "s.md").read_text() == means
    assert score(folder, "--out", str(folder / "s.json")) == 0
    assert len(json.loads((folder / "s.json").read_text())) == 12


def test_only_scenes_with_images_when_asked(results, capsys):
    folder = results("{method}/{scene}")
    (folder / "fused" / "max" / "one.png").unlink()
    (folder / "fused" / "max" / "übung 3.png").unlink()
    assert score(folder, "--format", "csv") == 1
    assert "no fused image by max of one, übung 3" in capsys.readouterr().err
    assert score(folder, "--format", "csv", "--available") == 0
    told = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(told.out)))
    assert "no fused image" not in told.err
    assert {(r["scene"], r["method"]) for r in rows} == {
        ("one_more", "max"),
        *((scene, "my-min") for scene in SCENES),
    }


def test_several_data_sets_and_folders(tmp_path, capsys):
    for folder, seed in (("left", 1), ("right", 2)):
        for letter, image in zip("AB", pair(40, 44, seed), strict=True):
            write_image(tmp_path / folder / f"{folder}-1_{letter}.png", image)
        write_image(tmp_path / f"{folder}_results" / "1.png", np.maximum(*pair(40, 44, seed)))
    given = ["--sources", str(tmp_path / "left"), str(tmp_path / "right"), "--metrics", "mi"]
    assert main(["score", *given, "--fused", str(tmp_path / "left_results")]) == 2
    assert "select scenes of one kind" in capsys.readouterr().err
    for folder in ("left", "right"):
        results = tmp_path / f"{folder}_results"
        (results / "1.png").rename(results / f"{folder}_01.png")
    images = [f"mine={tmp_path / 'left_results'}", f"mine={tmp_path / 'right_results'}"]
    assert main(["score", *given, "--format", "csv", "--fused", *images]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(r["scene"], r["method"]) for r in rows] == [("left-1", "mine"), ("right-1", "mine")]
    assert main(["score", *given, "--fused", images[0], images[0]]) == 2
    assert "are both mine of folder/left-1; name the methods" in capsys.readouterr().err


def test_one_image_and_its_sources_in_any_order(tmp_path, capsys):
    files = [str(tmp_path / f"{name}.png") for name in "abf"]
    for file, image in zip(files, (*pair(40, 44), np.maximum(*pair(40, 44))), strict=True):
        write_image(file, image)
    assert main(["score", *files[:2], "--fused", files[2], "--metrics", "mi"]) == 0
    shown = capsys.readouterr().out
    assert main(["score", "--metrics", "mi", "--fused", files[2], *files[:2]]) == 0
    assert capsys.readouterr().out == shown
    assert main(["score", *files[:2], "--fused", files[2], files[2], "--metrics", "mi"]) == 2
    assert "one fused image at a time" in capsys.readouterr().err
    assert main(["score", *files[:2], "--fused", files[2], "--available"]) == 2
    assert "--available does not go without --sources" in capsys.readouterr().err
