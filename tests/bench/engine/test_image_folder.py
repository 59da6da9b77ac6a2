"""Folders of fused images as methods: found in the layouts people have, scored, never timed."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from bench.checks.methods import pair
from bench.cli.main import main
from bench.core.errors import NothingSelected, UsageError
from bench.core.image_io import write_image
from bench.engine.image_folder import find_images, select_images
from bench.engine.selection import select_methods
from datasets import load_scenes
from metrics import Scorer

SCENES = {"one": 1, "one_more": 2, "übung 3": 3}


@pytest.fixture
def scenes(tmp_path):
    """Three scenes of a folder."""
    for name, seed in SCENES.items():
        for letter, image in zip("AB", pair(40, 44, seed), strict=True):
            write_image(tmp_path / "sources" / f"{name}_{letter}.png", image)
    return load_scenes(f"folder:{tmp_path / 'sources'}")


def fill(folder, layout, **methods):
    for name, seed in SCENES.items():
        for method, rule in methods.items():
            target = layout.format(scene=name, method=method)
            write_image(folder / f"{target}.png", rule(*pair(40, 44, seed)))


@pytest.mark.parametrize(
    "layout", ["{method}/{scene}", "{scene}_{method}", "{method}_{scene}", "x/{scene}/{method}"]
)
def test_methods_of_a_folder(tmp_path, scenes, layout):
    fill(tmp_path / "fused", layout, high=np.maximum, low=np.minimum)
    found = find_images(tmp_path / "fused", scenes)
    assert [m.name for m in found] == ["high", "low"]
    assert not found[0].notes
    assert all(m.covers(scene) and scene.name in m.files for m in found for scene in scenes)


@pytest.mark.parametrize("layout", ["{scene}", "{scene}-Fusion", "{scene}_fused"])
def test_a_flat_folder_is_one_method(tmp_path, scenes, layout):
    fill(tmp_path / "MMF", layout, high=np.maximum)
    assert [m.name for m in select_images(f"images:{tmp_path / 'MMF'}", scenes)] == ["MMF"]
    (mine,) = select_images(f"images:mine={tmp_path / 'MMF'}", scenes)
    assert mine.name == "mine"
    assert len(mine.files) == len(SCENES)


def test_the_fused_images_of_a_run_are_methods(tmp_path, scenes, capsys):
    selection = ["--datasets", f"folder:{tmp_path / 'sources'}", "--metrics", "mi", "--isolation"]
    common = [*selection, "none", "--threads", "1", "--repeats", "1"]
    first, second = tmp_path / "first", tmp_path / "second"
    assert main(["run", "--methods", "average", "lp", *common, "--out", str(first)]) == 0
    images = f"images:{first / 'fused'}"
    assert main(["run", "--methods", images, *common, "--out", str(second)]) == 0
    assert (first / "scores.csv").read_text() == (second / "scores.csv").read_text()
    assert len((second / "timing.csv").read_text().splitlines()) == 1, "never timed"
    manifest = json.loads((second / "run.json").read_text())
    assert [m["family"] for m in manifest["methods"]] == ["images", "images"]


def test_a_missing_image_is_a_row_and_a_changed_one_is_scored_anew(tmp_path, scenes, capsys):
    fill(tmp_path / "high", "{scene}", high=np.maximum)
    (tmp_path / "high" / "one.png").unlink()
    command = ["run", "--methods", "gf", f"images:{tmp_path / 'high'}", "--metrics", "mi"]
    command += ["--datasets", f"folder:{tmp_path / 'sources'}", "--isolation", "none"]
    command += ["--repeats", "0", "--out", str(tmp_path / "out")]

    def rows():
        assert main(command) == 1
        with (tmp_path / "out" / "scores.csv").open() as file:
            return {r["scene"]: r for r in csv.DictReader(file) if r["method"] == "high"}

    before = rows()
    assert before["one"]["status"] == "skipped"
    assert "no fused image by high of one in " in capsys.readouterr().err
    sources = pair(40, 44, 2)
    expected = Scorer(sources).score(np.maximum(*sources), "mi")
    assert float(before["one_more"]["value"]) == expected
    write_image(tmp_path / "high" / "one_more.png", sources[0])
    assert float(rows()["one_more"]["value"]) == Scorer(sources).score(sources[0], "mi")


def test_what_cannot_be_matched_is_said(tmp_path, scenes):
    with pytest.raises(UsageError, match="images:none: no such folder"):
        select_images("images:none", scenes)
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingSelected, match="no image in it"):
        select_images(f"images:{tmp_path / 'empty'}", scenes)
    fill(tmp_path / "fused", "{method}/{scene}", high=np.maximum, low=np.minimum)
    with pytest.raises(UsageError, match=r"several methods \(high, low\)"):
        select_images(f"images:mine={tmp_path / 'fused'}", scenes)
    with pytest.raises(UsageError, match=r"no name before the =; write images:NAME=DIR"):
        select_images(f"images:={tmp_path / 'fused'}", scenes)
    texts = [f"images:{tmp_path / 'fused'}", f"images:low={tmp_path / 'fused' / 'high'}"]
    with pytest.raises(UsageError, match="another method that is selected is called 'low'"):
        select_methods(texts, scenes)
    with pytest.raises(
        UsageError, match=r"none of 6 images fits a scene of clock by its name, for example high"
    ):
        select_images(f"images:{tmp_path / 'fused'}", load_scenes("paper/clock"))


def test_swapped_channels_are_noted(tmp_path, capsys):
    colour = pair(40, 44, colour=True)
    for letter, image in zip("AB", colour, strict=True):
        write_image(tmp_path / "in" / f"one_{letter}.png", image)
    write_image(tmp_path / "right" / "one.png", np.maximum(*colour))
    write_image(tmp_path / "wrong" / "one.png", np.maximum(*colour)[..., ::-1])
    where = ["--sources", str(tmp_path / "in"), "--metrics", "mi", "--fused"]
    assert main(["score", *where, str(tmp_path / "right")]) == 0
    assert "swapped" not in capsys.readouterr().err
    assert main(["score", *where, str(tmp_path / "wrong")]) == 0
    assert "wrong: red and blue seem to be swapped in: " in capsys.readouterr().err
    images = [f"images:{tmp_path / name}" for name in ("right", "wrong")]
    command = ["run", "--methods", *images, "--datasets", f"folder:{tmp_path / 'in'}"]
    command += ["--metrics", "mi", "--isolation", "none", "--out", str(tmp_path / "out")]
    assert main(command) == 0
    assert capsys.readouterr().err.count("seem to be swapped") == 1


def test_what_the_reader_remarks_of_a_fused_image_is_noted(tmp_path, scenes, capsys):
    fused = Image.fromarray(np.maximum(*pair(40, 44, SCENES["one"])))
    clear = Image.new("L", fused.size, 128)
    for name, image in (
        ("palette", fused.convert("RGB").quantize(16)),
        ("alpha", Image.merge("LA", (fused, clear))),
    ):
        (tmp_path / name).mkdir()
        image.save(tmp_path / name / "one.png")
    command = ["run", "--methods", *(f"images:{tmp_path / n}" for n in ("palette", "alpha"))]
    command += ["--datasets", f"folder:{tmp_path / 'sources'}/one", "--metrics", "mi"]
    assert main([*command, "--isolation", "none", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().err
    assert f"palette: {tmp_path / 'palette' / 'one.png'}: has a palette" in said
    assert f"alpha: {tmp_path / 'alpha' / 'one.png'}: its alpha channel is not opaque" in said


def test_folders_are_named_in_one_text(tmp_path, scenes):
    fill(tmp_path / "a", "{scene}", high=np.maximum)
    fill(tmp_path / "x=1", "{scene}_{method}", low=np.minimum)
    text = f"lp@levels=5,images:A={tmp_path / 'a'},images:{tmp_path / 'x=1'}"
    assert [m.name for m in select_methods(text, scenes)] == ["lp@levels=5", "A", "low"]
    (mine,) = select_images(f"images:mine={tmp_path}/x=1/{{scene}}_low", scenes)
    assert mine.files["folder/one"] == tmp_path / "x=1" / "one_low.png"


def test_what_is_left_out_is_said_once(tmp_path, scenes, capsys):
    fill(tmp_path / "mine", "{scene}", high=np.maximum)
    fill(tmp_path / "mine", "{scene}_map", high=np.maximum)
    write_image(tmp_path / "mine" / "other.png", np.zeros((40, 44), np.uint8))
    command = ["run", "--methods", f"images:{tmp_path / 'mine'}", "--metrics", "mi", "--datasets"]
    command += [f"folder:{tmp_path / 'sources'}", "--isolation", "none"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().err
    assert said.count("not scored, fits no scene: ") == 1
    assert "mine/other.png" in said
    assert said.count("not scored, called as a decision map: ") == 1
    assert "one_map.png and 2 more" in said


def test_results_of_another_data_set_are_noticed(tmp_path, scenes, capsys):
    """The names fit, but the sizes or the pictures do not."""
    for seed, name in enumerate(SCENES, start=11):
        write_image(tmp_path / "size" / f"{name}.png", pair(30, 30, seed)[0])
        write_image(tmp_path / "picture" / f"{name}.png", pair(40, 44, seed)[0])
    where = ["--sources", str(tmp_path / "sources"), "--metrics", "mi", "--fused"]
    assert main(["score", *where, str(tmp_path / "size")]) == 1
    said = capsys.readouterr().err
    assert "size: 30x30, but folder/one is 44x40; are these images of another data set?" in said
    assert main(["score", *where, str(tmp_path / "picture")]) == 0
    said = capsys.readouterr().err
    assert "picture: does not look like folder/one; is it of another picture?: " in said


@pytest.mark.slow
def test_rows_of_images_are_in_every_report(tmp_path, scenes, capsys):
    """Tests, leaderboard, page and figures; without times."""
    fill(tmp_path / "fused", "{method}/{scene}", high=np.maximum, low=np.minimum)
    out = tmp_path / "out"
    command = ["run", "--methods", "average", "gf", f"images:{tmp_path / 'fused'}"]
    command += ["--metrics", "mi", "qabf", "--datasets", f"folder:{tmp_path / 'sources'}"]
    assert main([*command, "--isolation", "none", "--repeats", "1", "--out", str(out)]) == 0
    for report in ("leaderboard", "html", "figures"):
        assert main(["report", report, "--out", str(out)]) == 0
    page = (out / "report.html").read_text()
    assert 'class="mark f5"' in page, "images have a colour of their own"
    assert "high" in (out / "leaderboard" / "leaderboard.md").read_text()
    assert list((out / "figures").glob("*.png"))
    timed = (out / "timing.csv").read_text()
    assert ",gf," in timed
    assert ",high," not in timed
