"""JPEG rows are marked, ranked apart, and our images are scored through the same JPEG."""

from __future__ import annotations

import csv
import shutil

import numpy as np
import pytest
from PIL import Image

import bench
from bench.checks.methods import pair
from bench.cli.main import main
from bench.core.errors import UnknownName
from bench.core.image_io import read_image, write_image
from bench.core.jpeg import through_jpeg
from bench.engine.selection import select_methods
from datasets import load_scenes

METHODS = ["lp", "average", "source-a"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two scenes, and the fused images of lp as JPEG of quality 80, and as PNG."""
    from methods._fusion import fuse

    root = tmp_path_factory.mktemp("jpeg")
    for name, seed in {"one": 1, "two": 2}.items():
        sources = pair(96, 104, seed)
        for letter, image in zip("AB", sources, strict=True):
            write_image(root / "sources" / f"{name}_{letter}.png", image)
        fused = fuse("lp", sources)
        (root / "theirs").mkdir(exist_ok=True)
        Image.fromarray(fused).save(root / "theirs" / f"{name}.jpg", quality=80)
        write_image(root / "same" / f"{name}.png", fused)
    return root


def run(folder, out, *more, **options):
    given = {"metrics": ["mi", "qabf"], "repeats": 0, "isolation": "none", **options}
    methods = [*METHODS, f"images:theirs={folder / 'theirs'}", *more]
    return bench.run(methods, f"folder:{folder / 'sources'}", out=out, **given)


@pytest.fixture(scope="module")
def finished(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return out, run(folder, out, f"images:same={folder / 'same'}")


def test_ours_through_the_same_jpeg_scores_what_theirs_does(finished):
    _, results = finished
    values = results.scores.pivot_table(index="method", columns="metric", values="value")
    assert values.loc["lp+jpeg"].to_list() == values.loc["theirs"].to_list()
    assert values.loc["same+jpeg"].to_list() == values.loc["theirs"].to_list()
    assert values.loc["lp"].to_list() == values.loc["same"].to_list()
    assert values.loc["lp"].to_list() != values.loc["theirs"].to_list()
    kinds = results.scores.groupby("method")["compression"].unique().map(list).to_dict()
    assert kinds["lp"] == kinds["same"] == [""]
    assert kinds["theirs"] == kinds["lp+jpeg"] == kinds["source-a+jpeg"] == ["jpeg80"]


def test_the_image_is_ours_through_jpeg(finished):
    out, _ = finished
    (lossless,) = out.glob("fused/*/one/lp.png")
    lossy = read_image(lossless.with_name("lp+jpeg.png"))
    assert np.array_equal(lossy, through_jpeg(read_image(lossless), 80))


def test_tables_mark_jpeg_and_rank_like_with_like(finished, capsys):
    out, _ = finished
    (table,) = (out / "tables").glob("mean_*.md")
    text = table.read_text()
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if "|" in line}
    assert {"lp", "lp+jpeg †", "theirs †", "same"} <= rows.keys()
    assert "**" in rows["lp"]
    assert "**" in rows["theirs †"]
    assert "quality 80" in text
    (latex,) = (out / "tables").glob("mean_*.tex")
    assert r"theirs \textdagger{}" in latex.read_text()
    with (out / "scores.csv").open() as file:
        assert {row["compression"] for row in csv.DictReader(file)} == {"", "jpeg80"}
    assert main(["report", "leaderboard", "--out", str(out)]) == 0
    boards = [out / "leaderboard" / f"leaderboard{ending}.csv" for ending in ("", "_jpeg")]
    names = [
        {row["method"] for row in csv.DictReader(board.read_text().splitlines())}
        for board in boards
    ]
    assert names == [
        {*METHODS, "same"},
        {"theirs", "same+jpeg", *(f"{name}+jpeg" for name in METHODS)},
    ]
    assert main(["report", "html", "--out", str(out)]) == 0
    assert "JPEG images" in (out / "report.html").read_text()
    capsys.readouterr()


def test_a_second_run_finds_the_jpeg_rows(folder, finished, tmp_path):
    out, first = finished
    shutil.copytree(out / "store", tmp_path / "store")
    again = run(folder, tmp_path, f"images:same={folder / 'same'}", rerun="none")
    assert again.scores.equals(first.scores)


def test_parts_merge_with_their_jpeg_rows(folder, tmp_path, capsys):
    for k in (1, 2):
        run(folder, tmp_path / f"part{k}", shard=f"{k}/2")
    whole = run(folder, tmp_path / "whole")
    parts = [str(tmp_path / f"part{k}") for k in (1, 2)]
    assert main(["merge", *parts, "--out", str(tmp_path / "all")]) == 0
    capsys.readouterr()
    order = ["scene", "method", "metric"]
    merged = bench.load_results(tmp_path / "all").scores.sort_values(order, ignore_index=True)
    assert merged.equals(whole.scores.sort_values(order, ignore_index=True))


def test_parts_with_folders_of_several_methods_merge(folder, tmp_path, capsys):
    for name in ("a", "b"):
        shutil.copytree(folder / "same", tmp_path / "two" / name)
    given = {"metrics": ["mi"], "repeats": 0, "isolation": "none"}
    methods = ["lp", f"images:{tmp_path / 'two'}/{{method}}/{{scene}}"]
    for k in (1, 2):
        out = tmp_path / f"part{k}"
        bench.run(methods, f"folder:{folder / 'sources'}", out=out, shard=f"{k}/2", **given)
    parts = [str(tmp_path / f"part{k}") for k in (1, 2)]
    assert main(["merge", *parts, "--out", str(tmp_path / "all")]) == 0
    capsys.readouterr()
    merged = bench.load_results(tmp_path / "all").scores
    assert set(merged["method"]) == {"lp", "a", "b"}
    assert merged["status"].tolist() == ["ok"] * 6


def test_off_leaves_ours_as_they_are(folder, tmp_path):
    results = run(folder, tmp_path, jpeg="off")
    assert set(results.scores["method"]) == {*METHODS, "theirs"}
    assert "jpeg80" in set(results.scores["compression"])


def test_a_method_that_is_jpeg_on_some_scenes_is_ranked_as_jpeg(folder, tmp_path):
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    shutil.copy(folder / "theirs" / "one.jpg", mixed)
    shutil.copy(folder / "same" / "two.png", mixed)
    run(folder, tmp_path / "out", f"images:mixed={mixed}")
    (table,) = (tmp_path / "out" / "tables").glob("mean_*.csv")
    with table.open() as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert rows["mixed"]["scenes_finished"] == "2"
    assert rows["mixed"]["mi"] == rows["theirs"]["mi"]  # the same pictures, all through JPEG
    assert "mixed+jpeg" not in rows
    assert main(["report", "leaderboard", "--out", str(tmp_path / "out")]) == 0
    boards = [tmp_path / "out" / "leaderboard" / f"leaderboard{e}.csv" for e in ("", "_jpeg")]
    ranked = [
        {row["method"] for row in csv.DictReader(board.read_text().splitlines())}
        for board in boards
    ]
    assert "mixed" not in ranked[0]
    assert "mixed" in ranked[1]


def test_one_lossless_method_beside_jpeg_rows_leaves_their_board(folder, tmp_path):
    given = {"metrics": ["mi"], "repeats": 0, "isolation": "none", "out": tmp_path}
    bench.run(["lp", f"images:theirs={folder / 'theirs'}"], f"folder:{folder / 'sources'}", **given)
    assert main(["report", "leaderboard", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "leaderboard" / "leaderboard_jpeg.csv").is_file()


def test_the_fused_folder_of_a_run_gives_no_row_twice(folder, finished, tmp_path):
    out, _ = finished
    methods = ["dwt", f"images:{out / 'fused'}", f"images:jp={folder / 'theirs'}"]
    given = {"metrics": ["mi"], "repeats": 0, "isolation": "none", "out": tmp_path}
    results = bench.run(methods, f"folder:{folder / 'sources'}", **given)
    names = [method.name for method in results.manifest.methods]
    assert len(set(names)) == len(names)
    assert not results.scores.duplicated(["scene", "method", "metric"]).any()


def test_scenes_of_equal_pixels_have_their_own_images(tmp_path):
    a, b = pair(48, 56, 3)
    for scene in "uv":
        write_image(tmp_path / "s" / f"{scene}_A.png", a)
        write_image(tmp_path / "s" / f"{scene}_B.png", b)
    write_image(tmp_path / "mine" / "u.png", a)
    write_image(tmp_path / "mine" / "v.png", b)
    given = {"metrics": ["ie"], "repeats": 0, "isolation": "none", "out": tmp_path / "out"}
    results = bench.run(f"images:mine={tmp_path / 'mine'}", f"folder:{tmp_path / 's'}", **given)
    u, v = results.manifest.cells
    assert u.pixels != v.pixels


def test_16_bit_scenes_have_rows_through_jpeg(folder, tmp_path):
    for name, seed in {"one": 1, "two": 2}.items():
        for letter, image in zip("AB", pair(96, 104, seed), strict=True):
            write_image(tmp_path / "s" / f"{name}_{letter}.png", image.astype(np.uint16) * 257)
    given = {"metrics": ["mi"], "repeats": 0, "isolation": "none", "out": tmp_path / "out"}
    methods = ["lp", f"images:theirs={folder / 'theirs'}"]
    results = bench.run(methods, f"folder:{tmp_path / 's'}", **given)
    rows = results.scores[results.scores.method == "lp+jpeg"]
    assert rows["status"].tolist() == ["ok", "ok"]


def test_names_of_published_rows():
    names = [m.name for m in select_methods(["LIU2020:GFF", "mfifb:dct_*", "-mfifb:dct-eol"])]
    assert names == ["liu2020:gff", "mfifb:dct-corr"]
    assert len(select_methods("mfifb:*")) == 30
    with pytest.raises(UnknownName, match="gff"):
        select_methods("liu2020:gf")


def test_published_images_are_found_by_the_picture():
    """The survey's Lytro pairs are MFIFB's, pixel for pixel."""
    theirs, survey = select_methods(["mfifb:dsift", "liu2020:dsift"])
    for name in ("liu2020/c_07", "mfifb/lytro_07"):
        (scene,) = load_scenes(name)
        assert theirs.covers(scene)
        assert survey.covers(scene)
    (scene,) = load_scenes("mfifb/stand_02")
    assert theirs.covers(scene)
    assert not survey.covers(scene)


@pytest.mark.slow
def test_mfifb_beside_the_survey(liu2020, tmp_path, monkeypatch):
    """MFIFB's dsift is the survey's through JPEG, to the byte: the catalogue's SHA-256 holds."""
    target = tmp_path / "data" / "mfifb" / "fused_images" / "lytro_01_DSIFT.jpg"
    target.parent.mkdir(parents=True)
    (tmp_path / "data" / "liu2020").symlink_to(liu2020)
    with Image.open(liu2020 / "Results" / "color" / "c_01_dsift.tif") as picture:
        picture.save(target, quality=75)
    monkeypatch.setenv("MFIF_DATA", str(tmp_path / "data"))
    results = bench.run(
        ["gf", "liu2020:gff", "liu2020:dsift", "mfifb:dsift"], "liu2020/c_01",
        metrics=["mi", "qabf"], repeats=0, out=tmp_path / "out",
    )  # fmt: skip
    values = results.scores.pivot_table(index="method", columns="metric", values="value")
    assert values.loc["mfifb:dsift"].to_list() == values.loc["liu2020:dsift+jpeg"].to_list()
    assert (values.loc["gf+jpeg"] - values.loc["liu2020:gff+jpeg"]).abs().max() < 0.005
