"""The runner end to end, on tiny scenes: what is computed, kept, recomputed and reported."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import methods.baselines
from bench.cli.main import main
from bench.core.image_io import read_image
from bench.core.plugins import load_plugin
from bench.engine import cell
from bench.engine.selection import select_methods
from bench.workers.process import WorkerProcess
from datasets import load_scenes
from methods import _fusion as fusion
from tests import TESTS

pytestmark = pytest.mark.slow

PLUGIN = TESTS / "support" / "plugin_faulty.py"
GOOD = ["average", "source-a", "source-b"]
FAULTY = {
    "raises": "failed",
    "not-a-number": "invalid",
    "wrong-shape": "invalid",
    "declines": "skipped",
    "exhausts": "oom",
    "heavy-weights": "invalid",
}


@pytest.fixture(autouse=True)
def plugin(own_registries):
    load_plugin(PLUGIN)


def run(out: Path, *options: str, methods: list[str] | None = None, datasets: str = "tiny") -> int:
    chosen = ["--methods", *(methods or GOOD), "--datasets", datasets, "--out", str(out)]
    return main(["run", *chosen, "--repeats", "1", "--threads", "1", *options])


def scores(out: Path) -> pd.DataFrame:
    return pd.read_csv(out / "scores.csv")


@pytest.fixture
def counted(monkeypatch):
    """Names of the methods that were really run, in order."""
    names: list[str] = []
    fuse = cell.fuse

    def counting(method, *rest):
        names.append(method.name)
        return fuse(method, *rest)

    monkeypatch.setattr(cell, "fuse", counting)
    return names


def test_outputs(tmp_path):
    assert run(tmp_path) == 0
    table = scores(tmp_path)
    assert list(table.columns) == [
        "dataset",
        "scene",
        "method",
        "metric",
        "value",
        "status",
        "compression",
    ]
    assert len(table) == 2 * 3 * 8
    assert set(table.status) == {"ok"}
    assert table.value.notna().all()
    timing = pd.read_csv(tmp_path / "timing.csv")
    assert len(timing) == 6
    assert (timing.median_s > 0).all()
    assert set(timing.threads) == {1}
    facts = json.loads((tmp_path / "provenance.json").read_text())
    assert {"git", "machine", "methods", "scenes", "started", "finished"} <= set(facts)
    assert (tmp_path / "tables" / "mean_tiny.md").read_text().count("2/2") == 3
    assert not (tmp_path / "failures.csv").exists()


def test_exported_images_are_what_the_method_gives(tmp_path):
    run(tmp_path)
    for scene in load_scenes("tiny"):
        for name in GOOD:
            image = read_image(tmp_path / "fused" / "tiny" / scene.id / f"{name}.png")
            assert np.array_equal(image, fusion.fuse(name, scene.images.sources))


@pytest.mark.slow
@pytest.mark.parametrize("where", ["scene", "cell", "none", "dask"])
def test_learned_methods_compute_in_the_format_asked_for(tmp_path, where):
    how = ["--isolation", where]
    if where == "dask":
        pytest.importorskip("distributed")
        how = ["--backend", "dask", "--workers", "1"]
    scene = load_scenes("tiny/one")[0]
    images = {}
    for precision in ("fp32", "bf16"):
        options = ["--precision", precision, *how]
        assert run(tmp_path, *options, methods=["fcn"], datasets="tiny/one") == 0
        assert json.loads((tmp_path / "run.json").read_text())["precision"] == precision
        images[precision] = read_image(tmp_path / "fused" / "tiny" / "one" / "fcn.png")
        fused = fusion.fuse("fcn", scene.images.sources, precision=precision)
        assert np.array_equal(images[precision], fused)
    assert not np.array_equal(*images.values())


def test_scores_are_those_of_the_score_command(tmp_path, capsys):
    run(tmp_path)
    images = load_scenes("tiny/one")[0].images
    from bench.core.image_io import write_image

    for name, image in zip("ab", images.sources, strict=True):
        write_image(tmp_path / f"{name}.png", image)
    fused = tmp_path / "fused" / "tiny" / "one" / "average.png"
    sources = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    capsys.readouterr()
    assert main(["score", *sources, "--fused", str(fused), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["fused"] == str(fused)
    table = scores(tmp_path).query("scene == 'one' and method == 'average'")
    table = table.set_index("metric")["value"]
    assert told["scores"] == {name: table[name] for name in told["scores"]}
    assert list(told["scores"]) == ["ie", "mi", "qabf", "q", "qw", "qe"]


def test_second_run_computes_nothing_and_writes_the_same(tmp_path, counted, monkeypatch):
    run(tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in ("scores.csv", "timing.csv")}
    assert len(counted) == 6
    counted.clear()

    def ask(self, request, arguments, limits):
        assert request == "open", "something was computed"
        return real(self, request, arguments, limits)

    real = WorkerProcess.ask
    monkeypatch.setattr(WorkerProcess, "ask", ask)
    assert run(tmp_path) == 0
    assert counted == []
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_a_changed_method_recomputes_only_its_cells(tmp_path, counted, monkeypatch):
    run(tmp_path)
    counted.clear()
    assert run(tmp_path, methods=[*GOOD, "sobel"]) == 0
    assert counted == ["sobel", "sobel"]
    counted.clear()
    before = select_methods(["average"])[0].identity

    def changed(fn):
        return "changed" if fn is methods.baselines.average else before["source"]

    monkeypatch.setattr("bench.engine.selection.function_fingerprint", changed)
    run(tmp_path, methods=["average", "source-a"], datasets="tiny/one")
    assert counted == ["average"]


def test_a_new_metric_fuses_nothing(tmp_path, counted):
    run(tmp_path, "--metrics", "mi")
    counted.clear()
    assert run(tmp_path, "--metrics", "mi", "qabf") == 0
    assert counted == []
    assert set(scores(tmp_path).metric) == {"mi", "qabf"}


def test_a_lost_image_is_fused_again(tmp_path, counted, monkeypatch):
    monkeypatch.setattr("bench.store.store.SMALL", 0)
    run(tmp_path)
    for image in (tmp_path / "store" / "images").rglob("*.png"):
        image.unlink()
    counted.clear()
    assert run(tmp_path) == 0
    assert len(counted) == 6


def test_failures_are_records_and_the_rest_goes_on(tmp_path, capsys):
    assert run(tmp_path, methods=["average", *FAULTY, "source-a"], datasets="tiny/one") == 1
    table = scores(tmp_path)
    status = table.groupby("method")["status"].unique().map(list)
    assert status["average"] == status["source-a"] == ["ok"]
    assert {name: status[name] for name in FAULTY} == {n: [s] for n, s in FAULTY.items()}
    assert table[table.status != "ok"].value.isna().all()
    failures = pd.read_csv(tmp_path / "failures.csv").set_index("method")["message"]
    assert failures["declines"] == "only for portraits"
    assert failures["raises"].startswith("RuntimeError: no luck today (plugin_faulty.py:")
    assert "NaN" in failures["not-a-number"]
    assert "failed: tiny/one: raises" in capsys.readouterr().err
    assert "0/1" in (tmp_path / "tables" / "mean_tiny.md").read_text()


def test_a_failed_cell_is_tried_again(tmp_path, counted):
    run(tmp_path, methods=["average", "raises"], datasets="tiny/one")
    counted.clear()
    assert run(tmp_path, methods=["average", "raises"], datasets="tiny/one") == 1
    assert counted == ["raises"]


def test_scenes_that_cannot_be_read(tmp_path, capsys):
    assert run(tmp_path, datasets="tiny-broken", methods=["average"]) == 1
    table = scores(tmp_path).groupby("scene")["status"].first()
    assert table.to_dict() == {"gone": "skipped", "uneven": "failed"}
    assert "on the moon" in capsys.readouterr().err
    assert "source 2 is 5x4" in (tmp_path / "failures.csv").read_text()


def test_interrupt_keeps_what_is_finished(tmp_path, monkeypatch, capsys, counted):
    real = cell.fuse

    def stop(method, *rest):
        if method.name == "source-b":
            raise KeyboardInterrupt
        return real(method, *rest)

    monkeypatch.setattr(cell, "fuse", stop)
    assert run(tmp_path) == 130
    assert "continue with: " in capsys.readouterr().err
    assert set(scores(tmp_path).method) == {"average", "source-a"}
    monkeypatch.setattr(cell, "fuse", real)
    counted.clear()
    assert run(tmp_path) == 0
    assert counted == ["source-b", "average", "source-a", "source-b"]


def test_a_method_cannot_change_the_sources_of_the_next(tmp_path):
    run(tmp_path / "a", methods=["average"], datasets="tiny/one")
    run(tmp_path / "b", methods=["changes-sources", "average"], datasets="tiny/one")
    alone = scores(tmp_path / "a").set_index("metric").value
    after = scores(tmp_path / "b").query("method == 'average'").set_index("metric").value
    assert alone.equals(after)


def test_one_store_serves_several_runs(tmp_path, counted):
    shared = ["--store", str(tmp_path / "shared")]
    run(tmp_path / "a", *shared)
    counted.clear()
    run(tmp_path / "b", *shared)
    assert counted == []
    assert scores(tmp_path / "a").equals(scores(tmp_path / "b"))


def test_report_writes_the_tables_again(tmp_path, capsys):
    run(tmp_path)
    before = (tmp_path / "scores.csv").read_bytes()
    (tmp_path / "scores.csv").unlink()
    capsys.readouterr()
    assert main(["report", "tables", "--out", str(tmp_path)]) == 0
    assert str(tmp_path / "scores.csv") in capsys.readouterr().out
    assert (tmp_path / "scores.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--methods", "lpp"], 2, "unknown method 'lpp'"),
        (["--datasets", "papper"], 2, "unknown dataset 'papper'"),
        (["--datasets", "tiny/three"], 2, "unknown scene of tiny 'three'"),
        (["--datasets", "tiny:x"], 2, "takes no argument"),
        (["--datasets", "folder"], 2, "needs an argument"),
        (["--metrics", "mii"], 2, "unknown metric 'mii'"),
        (["--threads", "0"], 2, "--threads"),
        (["--plugin", "nowhere.py"], 2, "nowhere.py: no such file"),
        (["--methods", ","], 3, "no method selected"),
        (["--device", "tpu"], 4, "unknown"),
        (["--device", "cuda:99"], 4, "not available"),
    ],
)
def test_bad_arguments(tmp_path, capsys, options, code, says):
    assert main(["run", "--out", str(tmp_path), *options]) == code
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ")
    assert says in error
    assert "\n" not in error
