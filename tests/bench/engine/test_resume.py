"""Which cells a run takes, and what becomes of the rest: shards, merging, reruns, dry runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.cli.main import main
from bench.core.image_io import write_image
from bench.core.plugins import load_plugin
from bench.engine.runner import Selection
from bench.store.manifest import load_manifest
from bench.store.merge import copy_records
from bench.store.repair import examine
from bench.store.store import Store
from bench.workers.process import WorkerProcess
from reports.data.results import load_results
from tests import TESTS

pytestmark = pytest.mark.slow

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


def test_a_damaged_part_does_not_spread(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.store.store.SMALL", 0)
    run(tmp_path / "1")
    damaged = list((tmp_path / "1" / "store" / "images").rglob("*.png"))
    for image in damaged:
        image.write_bytes(image.read_bytes()[:50])
    copied = Store(tmp_path / "copy")
    assert copy_records([Store(tmp_path / "1" / "store")], copied) > 0
    assert damaged
    assert copied.image_files() == []
    main(["merge", str(tmp_path / "1"), "--out", str(tmp_path / "merged")])
    assert examine(Store(tmp_path / "merged" / "store"), repair=False).damaged == []


def test_parts_with_other_metrics_are_completed(tmp_path):
    run(tmp_path / "1", "--shard", "1/2")
    run(tmp_path / "2", "--shard", "2/2", "--metrics", "mi", "qabf")
    parts = [str(tmp_path / part) for part in "12"]
    assert main(["merge", *parts, "--out", str(tmp_path / "merged")]) == 1
    table = load_results(tmp_path / "merged").scores
    assert set(table[table.status == "ok"].metric) == {"mi", "qabf"}
    assert (table[table.method != "raises"].status == "ok").all()


def test_what_is_missing_of_a_joined_run_is_said(tmp_path, capsys):
    run(tmp_path / "1", "--shard", "1/3")
    run(tmp_path / "3", "--shard", "3/3")
    (tmp_path / "3" / "run.json").write_text(
        (tmp_path / "3" / "run.json").read_text().replace('"complete": true', '"complete": false')
    )
    capsys.readouterr()
    main(["merge", str(tmp_path / "1"), str(tmp_path / "3"), "--out", str(tmp_path / "m")])
    said = capsys.readouterr().err
    assert "no part is shard 2/3" in said
    assert f"{tmp_path / '3'}: the run was interrupted" in said


def test_folders_of_fused_images_are_joined_too(tmp_path):
    run(tmp_path / "1", "--methods", "average")
    images = f"images:mine={tmp_path / '1' / 'fused'}"
    run(tmp_path / "2", "--methods", "source-a", images)
    parts = [str(tmp_path / part) for part in "12"]
    assert main(["merge", *parts, "--out", str(tmp_path / "m")]) == 0
    assert {c.method for c in load_manifest(tmp_path / "m").cells} >= {"average", "source-a"}


@pytest.mark.parametrize("at", ["one", "two"])
def test_an_interrupted_run_keeps_the_cells_of_the_last_one(tmp_path, monkeypatch, at):
    methods = ["--methods", "average", "source-a"]
    run(tmp_path, *methods)
    before = load_results(tmp_path).scores
    from bench.engine.scene_run import SceneRun

    read = SceneRun.read

    def stop(self, worker):
        if self.scene.id == at:
            raise KeyboardInterrupt
        return read(self, worker)

    monkeypatch.setattr(SceneRun, "read", stop)
    assert run(tmp_path, *methods, "source-b") == 130
    keys = ["dataset", "scene", "method", "metric"]
    after = load_results(tmp_path).scores
    kept = after[after.method != "source-b"].sort_values(keys, ignore_index=True)
    assert kept.equals(before.sort_values(keys, ignore_index=True))
    assert not load_manifest(tmp_path).complete
    assert (after.method == "source-b").sum() == (at == "two")


def test_code_that_changes_during_a_run_is_not_stored_under_the_former_key(tmp_path):
    plugin = tmp_path / "changing.py"
    plugin.write_text(CHANGING)
    load_plugin(plugin)
    code = run(tmp_path / "out", "--methods", "changing", "--datasets", "tiny")
    assert code == 1
    said = {cell.scene: cell.message for cell in load_manifest(tmp_path / "out").cells}
    assert said["one"] == ""
    assert "is not that with which the run began" in said["two"]


CHANGING = """
from pathlib import Path
from methods import method

LEVEL = 0.0

@method("changing", title="Changes itself", kind="transform", family="control", paper="a test")
def changing(sources):
    file = Path(__file__)
    file.write_text(file.read_text().replace("LEVEL = 0.0", "LEVEL = 1.0"))
    return sources.mean(axis=0)
"""


@pytest.mark.slow
def test_runs_that_do_not_fit_together(tmp_path, capsys):
    run(tmp_path / "1")
    parts = [tmp_path / "3", tmp_path / "4"]
    for part, precision in zip(parts, ("fp32", "bf16"), strict=True):
        run(part, "--precision", precision)
    assert main(["merge", *map(str, parts), "--out", str(tmp_path / "5")]) == 1  # none offers one
    for part, precision in zip(parts, ("fp32", "bf16"), strict=True):
        run(part, "--precision", precision, "--methods", "fcn-s", "--datasets", "tiny/one")
    assert main(["merge", *map(str, parts), "--out", str(tmp_path / "6")]) == 2
    assert "different number formats (fp32 in" in capsys.readouterr().err
    assert main(["merge", str(tmp_path / "7"), "--out", str(tmp_path / "4")]) == 4
    (tmp_path / "1" / "run.json").write_text(json.dumps([1]))
    assert main(["merge", str(tmp_path / "1"), "--out", str(tmp_path / "4")]) == 4


def _scene_of(level: int, folder: Path) -> str:
    """A pair of our own, called ``pair`` whatever it holds."""
    rng = np.random.default_rng(level)
    for name in "AB":
        write_image(folder / f"pair_{name}.png", rng.integers(0, 256, (40, 40), np.uint8))
    return f"folder:{folder}"


def test_other_pixels_under_one_name_are_not_mixed(tmp_path, capsys):
    """A part whose Clock was the real one, joined with one whose Clock was the stand-in."""
    mine = _scene_of(1, tmp_path / "photos")
    run(tmp_path / "1", "--datasets", mine, "--methods", "average")
    _scene_of(2, tmp_path / "photos")
    run(tmp_path / "2", "--datasets", mine, "--methods", "source-a")
    parts = [str(tmp_path / part) for part in "12"]
    assert main(["merge", *parts, "--out", str(tmp_path / "merged")]) == 0
    run(tmp_path / "whole", "--datasets", mine, "--methods", "average", "source-a")
    scores = [(tmp_path / out / "scores.csv").read_text() for out in ("merged", "whole")]
    assert scores[0] == scores[1]


def test_other_code_under_one_name_is_not_mixed(tmp_path, monkeypatch):
    run(tmp_path / "1", "--shard", "1/2")
    from bench.engine import selection

    monkeypatch.setattr(selection, "modules_fingerprint", lambda names: "changed")
    run(tmp_path / "2", "--shard", "2/2")
    parts = [str(tmp_path / part) for part in "12"]
    assert main(["merge", *parts, "--out", str(tmp_path / "merged")]) == 1
    keys = {cell.key for cell in load_manifest(tmp_path / "merged").cells}
    assert keys.isdisjoint({cell.key for cell in load_manifest(tmp_path / "1").cells})
    assert keys > {cell.key for cell in load_manifest(tmp_path / "2").cells}


def test_timings_of_another_machine_stay_with_it(tmp_path, monkeypatch):
    run(tmp_path / "1", "--datasets", "tiny/one")
    before = len(pd.read_csv(tmp_path / "1" / "timing.csv"))
    assert before == 2
    from bench.core import environment

    elsewhere = environment.machine("cpu", 1) | {"cpu": "another processor"}
    monkeypatch.setattr(environment, "machine", lambda device, threads: elsewhere)
    main(["merge", str(tmp_path / "1"), "--out", str(tmp_path / "merged")])
    assert len(pd.read_csv(tmp_path / "merged" / "timing.csv")) == 0


def test_a_crafted_key_writes_nothing_elsewhere(tmp_path):
    run(tmp_path / "1", "--datasets", "tiny/one", "--methods", "average")
    store = Store(tmp_path / "1" / "store")
    evil = {"status": "ok", "pixels": "../../evil"}
    store.put("../../evil", evil)
    store.put("png-../../../evil", {"png": "AAAA"})
    text = (tmp_path / "1" / "run.json").read_text()
    key = json.loads(text)["cells"][0]["key"]
    (tmp_path / "1" / "run.json").write_text(text.replace(key, "../../evil"))
    main(["merge", str(tmp_path / "1"), "--out", str(tmp_path / "deep" / "er" / "merged")])
    assert not list(tmp_path.rglob("evil*"))
    assert "../../evil" not in set(Store(tmp_path / "deep" / "er" / "merged" / "store").keys())


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
