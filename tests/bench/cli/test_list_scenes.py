"""``list scenes``, and ``--layout`` from the command line to the reports."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from bench.cli.main import join_exclusions, main
from bench.core.image_io import write_image
from bench.store.manifest import load_manifest
from reports.data.sources import Sources

LAYOUT = ["{source}/{scene}", "reference=ok/{scene}"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two scenes whose sources lie in folders of names that say nothing."""
    folder = tmp_path_factory.mktemp("photos") / "set"
    rng = np.random.default_rng(0)
    for scene in (1, 2):
        for place in ("left", "right", "ok"):
            write_image(folder / place / f"{scene}.png", rng.integers(0, 256, (24, 32), np.uint8))
    return folder


def test_lines(photos, capsys):
    assert main(["list", "scenes", f"folder:{photos}", "--layout", *LAYOUT]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        *("SCENE", "TITLE", "SOURCES", "SIZE", "REFERENCE", "ORIGIN", "FILES", "NOTE")
    ]
    assert lines[1].split() == [
        *("folder/1", "2", "32x24", "yes", "real"),
        *("left/1.png", "right/1.png", "ok/1.png"),
    ]


def test_json_of_several_datasets(photos, capsys):
    assert main(["list", "scenes", "LYTRO", "-liu2020/c_0*", "paper/camera", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["scene"] for row in rows] == [
        *(f"liu2020/c_{k}" for k in range(10, 21)),
        "paper/camera",
    ]
    assert rows[0]["sources"] == 2
    assert len(rows[0]["files"]) == 2
    assert (rows[-1]["sources"], rows[-1]["reference"], rows[-1]["size"]) == (None, True, None)


def test_what_is_left_out_is_said(tmp_path, capsys):
    for name in ("1_A", "1_B", "1_F", "cat"):
        (tmp_path / f"{name}.png").touch()
    assert main(["list", "scenes", f"folder:{tmp_path}"]) == 0
    said = capsys.readouterr()
    assert "1_F.png: a fused image" in said.out
    assert said.err == f"{tmp_path}/cat.png fits no scene; left out\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scenes"], "list scenes needs a dataset"),
        (["methods", "lytro"], "only list scenes takes datasets"),
        (["scenes", "paper", "--layout", "{scene}"], "--layout is for folder:DIR"),
    ],
)
def test_usage(arguments, message, capsys):
    assert main(["list", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_exclusions_behind_names():
    given = ["scenes", "liu2020", "-liu2020/g_*", "-c_01..c_03", "-h"]
    assert join_exclusions(given) == ["scenes", "liu2020,-liu2020/g_*,-c_01..c_03", "-h"]
    given = ["--datasets", "liu2020", "-lytro", "--json"]
    assert join_exclusions(given) == ["--datasets", "liu2020,-lytro", "--json"]


@pytest.mark.slow
def test_a_layout_goes_to_workers_and_reports(photos, tmp_path, monkeypatch):
    """The run is given a relative folder; its report finds the pictures from another one."""
    monkeypatch.chdir(photos.parent)
    out = tmp_path / "out"
    run = ["run", "--methods", "average", "--metrics", "psnr", "--repeats", "0", "--out", str(out)]
    assert main([*run, "--datasets", "folder:set", "--layout", *LAYOUT]) == 0
    monkeypatch.chdir(tmp_path)
    manifest = load_manifest(out)
    assert [entry.reference for entry in manifest.scenes] == [True, True]
    for entry in manifest.scenes:
        images, reason = Sources(manifest).images(entry)
        assert reason == ""
        assert images is not None
        assert images.reference is not None
    assert main(["merge", str(out), "--out", str(tmp_path / "joined")]) == 0
    assert len(load_manifest(tmp_path / "joined").cells) == 2


def test_score_takes_a_layout(photos, capsys):
    call = ["score", "--sources", str(photos), "--layout", *LAYOUT, "--metrics", "psnr", "--json"]
    assert main([*call, "--fused", str(photos / "ok")]) == 0
    assert "folder" in capsys.readouterr().out


def test_sizes_are_those_of_the_upright_picture_and_never_of_a_preview(tmp_path, capsys):
    tall = Image.Exif()
    tall[ExifTags.Base.Orientation] = 6
    for source in "AB":
        Image.new("RGB", (32, 24)).save(tmp_path / f"tall_{source}.jpg", exif=tall)
        with tifffile.TiffWriter(tmp_path / f"raw_{source}.dng") as file:
            preview = np.zeros((12, 16, 3), np.uint8)
            file.write(preview, photometric="rgb", subfiletype=1, subifds=1)
            file.write(np.zeros((48, 64), np.uint16), photometric="minisblack")
    assert main(["list", "scenes", f"folder:{tmp_path}", "--json"]) == 0
    sizes = {row["scene"]: row["size"] for row in json.loads(capsys.readouterr().out)}
    assert sizes == {"folder/raw": None, "folder/tall": "24x32"}
