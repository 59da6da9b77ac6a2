"""Which cells a run takes, and what becomes of the rest: shards, merging, reruns, plans."""

from __future__ import annotations

import csv
import json

import pytest

from bench.checks.methods import pair
from bench.cli.main import main
from bench.core.image_io import write_image
from bench.core.plugins import load_plugin
from bench.engine.runner import Selection
from bench.store.store import Store
from bench.workers.process import WorkerProcess
from tests import TESTS

PLUGIN = TESTS / "support" / "plugin_faulty.py"
OPTIONS = ["--methods", "average", "raises", "source-a", "--datasets", "tiny", "--metrics", "mi"]


@pytest.fixture(autouse=True)
def plugin(own_registries):
    load_plugin(PLUGIN)


def run(out, *options):
    return main(["run", *OPTIONS, "--repeats", "1", "--threads", "1", "--out", str(out), *options])


@pytest.mark.parametrize("parts", [1, 2, 4, 7])
def test_shards_are_the_cells_once(parts):
    from bench.engine.selection import select_methods, select_metrics
    from datasets import load_scenes

    scenes, methods = load_scenes("tiny"), select_methods(["average", "source-a", "sobel"])
    every = []
    for part in range(1, parts + 1):
        chosen = Selection(scenes, methods, select_metrics(["mi"]), shard=(part, parts))
        every += [(scene.id, m.name) for scene, entrants in chosen.cells() for m in entrants]
    assert every == [(s.id, m.name) for s in scenes for m in methods]


def test_merged_tables_are_those_of_one_run(tmp_path, capsys):
    assert run(tmp_path / "whole") == 1
    for part in "1234":
        run(tmp_path / part, "--shard", f"{part}/4")
    parts = [str(tmp_path / part) for part in "1234"]
    assert main(["merge", *parts, "--out", str(tmp_path / "merged")]) == 1
    assert "6 cells of 4 runs, 4 ok" in capsys.readouterr().err
    for name in ("scores.csv", "failures.csv"):
        assert (tmp_path / "merged" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    images = sorted(p.relative_to(tmp_path / "whole") for p in tmp_path.glob("whole/fused/*/*/*"))
    assert images
    assert all((tmp_path / "merged" / image).is_file() for image in images)


def test_a_run_goes_on_from_a_merged_store(tmp_path, monkeypatch):
    for part in "12":
        run(tmp_path / part, "--shard", f"{part}/2")
    parts = [str(tmp_path / part) for part in "12"]
    main(["merge", *parts, "--out", str(tmp_path / "merged")])

    def ask(self, request, arguments, limits):
        assert request == "open", "something was missing"
        return real(self, request, arguments, limits)

    real = WorkerProcess.ask
    monkeypatch.setattr(WorkerProcess, "ask", ask)
    assert run(tmp_path / "merged", "--rerun", "missing") == 1


def test_a_damaged_part_does_not_spread(tmp_path):
    run(tmp_path / "1")
    for image in (tmp_path / "1" / "store" / "images").rglob("*.png"):
        image.write_bytes(image.read_bytes()[:50])
    main(["merge", str(tmp_path / "1"), "--out", str(tmp_path / "merged")])
    assert list((tmp_path / "merged" / "store").glob("images/*/*")) == []
    assert all(Store(tmp_path / "merged" / "store").keys())


def merged(tmp_path, *parts):
    folders = [str(tmp_path / part) for part in parts]
    return main(["merge", *folders, "--out", str(tmp_path / "merged")])


def scores(out):
    with (out / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {(r["scene"], r["method"], r["metric"]): (r["status"], r["value"]) for r in rows}


def test_what_no_part_has_is_said_and_computed_by_the_next_run(tmp_path):
    run(tmp_path / "1")
    run(tmp_path / "2", "--metrics", "qabf", "--methods", "average")
    assert merged(tmp_path, "1", "2") == 1
    found = scores(tmp_path / "merged")
    assert found["one", "average", "mi"][0] == found["one", "average", "qabf"][0] == "ok"
    assert found["one", "source-a", "qabf"] == ("skipped", "")
    assert run(tmp_path / "merged", "--metrics", "mi", "qabf") == 1
    assert scores(tmp_path / "merged")["one", "source-a", "qabf"][0] == "ok"


def test_other_pixels_of_one_scene_are_not_mixed(tmp_path):
    def shard(name, seed, method):
        for letter, image in zip("AB", pair(40, 44, seed), strict=True):
            write_image(tmp_path / "in" / f"one_{letter}.png", image)
        where = f"folder:{tmp_path / 'in'}"
        assert run(tmp_path / name, "--methods", method, "--datasets", where) == 0

    shard("1", 1, "average")
    shard("2", 2, "source-a")
    assert merged(tmp_path, "1", "2") == 1
    found = scores(tmp_path / "merged")
    assert found["one", "average", "mi"] == ("skipped", "")
    assert found["one", "source-a", "mi"] == scores(tmp_path / "2")["one", "source-a", "mi"]


def test_a_key_that_leads_elsewhere_is_nothing(tmp_path):
    run(tmp_path / "1")
    text = (tmp_path / "1" / "run.json").read_text()
    keys = {cell["key"] for cell in json.loads(text)["cells"]}
    for key in filter(None, keys):
        text = text.replace(key, "../../evil")
    (tmp_path / "1" / "run.json").write_text(text)
    before = sorted(tmp_path.iterdir())
    assert merged(tmp_path, "1") == 1
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "merged"])
    assert not list(tmp_path.rglob("*evil*"))


def test_runs_that_do_not_fit_together(tmp_path, capsys):
    for part, precision in zip("34", ("fp32", "bf16"), strict=True):
        run(tmp_path / part, "--precision", precision)
    assert merged(tmp_path, "3", "4") == 1  # no method of theirs takes one
    for part, precision in zip("34", ("fp32", "bf16"), strict=True):
        options = ["--methods", "fcn-s", "--datasets", "tiny/one"]
        run(tmp_path / part, "--precision", precision, *options)
    assert merged(tmp_path, "3", "4") == 2
    assert "different number formats (bf16, fp32)" in capsys.readouterr().err
    assert merged(tmp_path, "7") == 4
    assert main(["merge", str(tmp_path / "3"), "--out", str(tmp_path), "--stores", "none"]) == 4
    assert "--stores none: no such folder" in capsys.readouterr().err
    (tmp_path / "3" / "run.json").write_text(json.dumps([1]))
    assert merged(tmp_path, "3") == 4


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "-1/2", "1/0"])
def test_bad_shards(tmp_path, capsys, text):
    assert run(tmp_path, f"--shard={text}") == 2
    assert "--shard" in capsys.readouterr().err


class TestRerun:
    """Which results are computed again."""

    @pytest.fixture
    def fused(self, monkeypatch):
        from bench.engine import cell

        names, real = [], cell.fuse

        def counting(method, *rest):
            names.append(method.name)
            return real(method, *rest)

        monkeypatch.setattr(cell, "fuse", counting)
        return names

    @pytest.mark.parametrize(
        ("how", "again"),
        [
            ("missing", []),
            ("failed", ["raises"]),
            ("all", ["average", "raises", "source-a"]),
            ("none", []),
        ],
    )
    def test_of_a_finished_run(self, tmp_path, fused, how, again):
        run(tmp_path, "--datasets", "tiny/one")
        before = (tmp_path / "scores.csv").read_bytes()
        fused.clear()
        assert run(tmp_path, "--datasets", "tiny/one", "--rerun", how) == 1
        assert fused == again
        assert (tmp_path / "scores.csv").read_bytes() == before

    def test_none_of_an_empty_store(self, tmp_path, fused):
        assert run(tmp_path, "--rerun", "none") == 1
        assert fused == []
        assert (tmp_path / "scores.csv").read_text().count("skipped") == 6

    def test_dry_run_tells_and_does_nothing(self, tmp_path, fused, capsys):
        out = tmp_path / "out"
        assert run(out, "--dry-run") == 0
        assert "in all: 6 cells, 0 stored, 6 to fuse" in capsys.readouterr().out
        assert not out.exists()
        run(out, "--shard", "1/2")
        capsys.readouterr()
        fused.clear()
        assert run(out, "--dry-run", "--metrics", "mi", "qabf", "--rerun", "missing") == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "tiny/one: 3 stored, 0 to fuse, 2 scores of stored images to compute"
        assert lines[1] == "tiny/two: 0 stored, 3 to fuse (average raises source-a)"
        assert fused == []


@pytest.mark.parametrize(
    "options",
    [
        ["--timeout", "soon"],
        ["--timeout", "-1"],
        ["--timeout", "0"],
        ["--memory", "lots"],
        ["--memory", "0"],
        ["--jobs", "0"],
        ["--jobs", "2", "--isolation", "none"],
    ],
)
def test_bad_limits(tmp_path, capsys, options):
    assert run(tmp_path, *options) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
