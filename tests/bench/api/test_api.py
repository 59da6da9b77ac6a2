"""The public functions: in scripts without a main guard, in notebooks, and as the docs say."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import bench
from bench.api import dry_run, score_folder, score_folders
from bench.checks.methods import pair
from bench.cli.main import main
from bench.core.errors import EnvironmentFault, ImageError, UnknownName, UsageError
from bench.core.image_io import read_image, write_image
from bench.engine.options import RunOptions
from methods import fuse
from metrics import METRICS, Scorer
from tests import TESTS

pytestmark = pytest.mark.slow

FEW = {"repeats": 0, "threads": 1}


@pytest.fixture
def folder(tmp_path) -> Path:
    for letter, image in zip("AB", pair(40, 44), strict=True):
        write_image(tmp_path / "in" / f"one_{letter}.png", image)
    return tmp_path


def python(text: str, where: Path, *, script: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a script file, or its lines one after the other as a notebook does: without a file."""
    environment = {"PYTHONPATH": str(TESTS.parent), "PATH": "/usr/bin:/bin", "MFIF_OFFLINE": "1"}
    (where / "script.py").write_text(text)
    command = [sys.executable, "script.py"] if script else [sys.executable, "-"]
    return subprocess.run(
        command,
        cwd=where,
        env=environment,
        input=None if script else text,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


SCRIPT = """
import bench
results = bench.run("average,lp", "folder:in", "mi", "out", repeats=0, threads=1, OPTIONS)
print(len(results.scores), sorted(set(results.scores.status)), len(results.failures))
"""


@pytest.mark.parametrize("options", ["", "jobs=2", "isolation='cell'", "isolation='none'"])
def test_a_script_needs_no_main_guard(folder, options):
    done = python(SCRIPT.replace("OPTIONS", options), folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "2 ['ok'] 0\n", done.stderr
    assert (folder / "out" / "scores.csv").is_file()


def test_a_script_needs_no_main_guard_for_dask(folder):
    pytest.importorskip("distributed")
    done = python(SCRIPT.replace("OPTIONS", "backend='dask', workers=1"), folder)
    assert done.stdout == "2 ['ok'] 0\n", done.stderr


def test_a_notebook_has_no_file(folder):
    done = python(SCRIPT.replace("OPTIONS", ""), folder, script=False)
    assert done.stdout == "2 ['ok'] 0\n", done.stderr


OWN = """
import bench
from methods import method

@method("mine", title="Mine", kind="transform", family="spatial", paper="an example")
def mine(sources):
    return sources.max(axis=0)

try:
    results = bench.run("mine", "folder:in", "mi", "out", repeats=0, threads=1, OPTIONS)
    print(results.scores.status.tolist())
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize("script", [True, False])
def test_a_method_of_the_script_itself(folder, script):
    done = python(OWN.replace("OPTIONS", ""), folder, script=script)
    assert done.stdout == (
        "UsageError: method 'mine' is registered in this script or notebook, which worker "
        'processes do not import: put it in a file of its own and pass plugins=["FILE.py"], or '
        'pass isolation="none"\n'
    ), done.stderr
    assert not (folder / "out").exists()
    done = python(OWN.replace("OPTIONS", "isolation='none'"), folder, script=script)
    assert done.stdout == "['ok']\n", done.stderr


def test_a_method_of_an_imported_module(folder):
    (folder / "mine.py").write_text(OWN[: OWN.index("try:")].replace("import bench\n", ""))
    text = "import bench, mine\n" + OWN[OWN.index("try:") :].replace("OPTIONS", "")
    done = python(text, folder)
    assert done.stdout.startswith(
        "UsageError: method 'mine' is registered in the module mine, which worker processes do"
    ), done.stderr


def test_a_method_of_a_file_beside_the_script(folder):
    (folder / "mine.py").write_text(OWN[: OWN.index("try:")].replace("import bench\n", ""))
    text = """
import bench
for _ in range(2):  # as a notebook runs a line again
    results = bench.run("mine", "folder:in", "mi", "out", plugins=["mine.py"], repeats=0)
    print(results.scores.status.tolist())
open("mine.py", "a").write("# changed")
try:
    bench.run("mine", "folder:in", "mi", "out", plugins=["mine.py"], repeats=0)
except bench.errors.UsageError as error:
    print(error)
"""
    done = python("import bench.errors\n" + text, folder)
    assert done.stdout == (
        "['ok']\n['ok']\nplug-in mine.py: changed since it was loaded; restart Python\n"
    ), done.stderr


def test_import_is_quick_and_lazy():
    code = "import sys, bench; print('numpy' in sys.modules, bench.__version__)"
    took = []
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        took.append(time.perf_counter() - start)
        bare = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        took[-1] -= time.perf_counter() - bare
    assert done.stdout == f"False {bench.__version__}\n"
    assert min(took) < 0.1


def test_what_is_public():
    assert set(bench.__all__) <= set(dir(bench))
    for name in bench.__all__:
        assert getattr(bench, name) is not None
    assert callable(bench.run)
    with pytest.raises(AttributeError, match="no attribute 'fly'"):
        bench.fly  # noqa: B018


def test_run_gives_what_the_command_gives(folder, capsys):
    where = f"folder:{folder / 'in'}"
    results = bench.run(["average", "LP"], where, "Qabf", folder / "api", isolation="none", **FEW)
    command = ["run", "--methods", "average", "lp", "--datasets", where, "--metrics", "qabf"]
    command += ["--repeats", "0", "--threads", "1", "--isolation", "none"]
    assert main([*command, "--out", str(folder / "cli")]) == 0
    for name in ("scores.csv", "timing.csv"):
        assert (folder / "api" / name).read_text() == (folder / "cli" / name).read_text()
    assert results.scores.method.tolist() == ["average", "lp"]
    assert bench.load_results(folder / "cli").scores.equals(results.scores)
    assert results.timing.empty
    assert results.failures.empty


def test_dry_run_writes_nothing(folder, capsys):
    where = f"folder:{folder / 'in'}"
    lines = list(dry_run("average,lp", where, "mi", folder / "out").lines())
    assert lines[0] == "folder/one: 0 stored, 2 to fuse (average lp)"
    assert not (folder / "out").exists()
    command = ["run", "--methods", "average,lp", "--datasets", where, "--metrics", "mi"]
    assert main([*command, "--out", str(folder / "out"), "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"jobs": 0}, "--jobs 0: must be a whole number of at least 1"),
        ({"jobs": "2"}, "--jobs 2: must be a whole number"),
        ({"repeats": -1}, "--repeats -1: must be a whole number of at least 0"),
        ({"threads": 0}, "--threads 0"),
        ({"precision": "fp8"}, "--precision 'fp8' must be one of auto, fp32, bf16"),
        ({"isolation": "some"}, "--isolation 'some' must be one of scene, cell, none"),
        ({"rerun": "maybe"}, "--rerun 'maybe'"),
        ({"jobs": 2, "isolation": "none"}, "need processes"),
        ({"memory": "8G", "isolation": "none"}, "need processes"),
        ({"workers": 2}, "are for --backend dask"),
        ({"backend": "dask", "isolation": "none"}, "--backend dask needs processes"),
        ({"timeout": "soon"}, "--timeout 'soon' is not a time"),
        ({"memory": "much"}, "much"),
        ({"shard": (3, 2)}, "--shard '3/2'"),
        ({"plugins": "mine.py"}, "plugins must be a list of files"),
        ({"theads": 2}, "unknown option 'theads'; did you mean 'threads'"),
    ],
)
def test_options_are_refused_before_anything_is_done(tmp_path, options, says):
    with pytest.raises(UsageError) as error:
        bench.run("average", "paper/clock", "mi", tmp_path / "out", **options)
    assert says in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--jobs", "0"],
        ["--repeats", "-1"],
        ["--jobs", "2", "--isolation", "none"],
        ["--workers", "2"],
        ["--timeout", "soon"],
        ["--shard", "3/2"],
    ],
)
def test_the_command_refuses_the_same(tmp_path, capsys, options):
    given = {"jobs": int, "repeats": int, "workers": int}
    names = [text.removeprefix("--") for text in options[::2]]
    values = {n: given.get(n, str)(v) for n, v in zip(names, options[1::2], strict=True)}
    with pytest.raises(UsageError) as error:
        RunOptions.of(values)
    assert main(["run", *options, "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == f"error: {error.value}\n"


@pytest.mark.parametrize("wrong", [3, None, [1.5], METRICS["mi"]])
def test_names_are_text(tmp_path, sources, wrong):
    for names in (
        {"methods": wrong},
        {"methods": "average", "datasets": wrong},
        {"methods": "average", "metrics": wrong},
    ):
        with pytest.raises(UsageError, match="a name must be text, got "):
            bench.run(**names, out=tmp_path / "out")
    with pytest.raises(UsageError, match="a name must be text, got "):
        bench.fuse(wrong, sources)


def test_units_of_time_and_memory():
    assert [RunOptions(timeout=t).seconds for t in (90, "90s", "1.5m", "2h")] == [90, 90, 90, 7200]
    assert RunOptions(memory="2K").memory_bytes == RunOptions(memory=2048).memory_bytes == 2048
    assert RunOptions(shard=(2, 3)).part == RunOptions(shard="2/3").part == (2, 3)


def test_offline_holds_for_the_call_only(tmp_path, monkeypatch):
    import os

    monkeypatch.delenv("MFIF_OFFLINE", raising=False)
    monkeypatch.delenv("MFIF_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    results = bench.run(
        "average", "liu2020/g_01", "mi", tmp_path, isolation="none", offline=True, **FEW
    )
    assert "MFIF_OFFLINE" not in os.environ
    assert results.failures.status.tolist() == ["skipped"]


def test_an_unavailable_device_is_an_error(tmp_path, sources):
    for call in (
        lambda: bench.run("fcn", "paper/clock", "mi", tmp_path / "out", device="cuda:99"),
        lambda: bench.fuse("fcn", sources, device="tpu"),
    ):
        with pytest.raises(EnvironmentFault, match=r"device|cuda"):
            call()
    assert not (tmp_path / "out").exists()


def test_fuse_arrays_and_paths(folder, sources):
    paths = [folder / "in" / f"one_{letter}.png" for letter in "AB"]
    arrays = [read_image(path) for path in paths]
    expected = fuse("lp", arrays, parameters={"levels": 2})
    assert np.array_equal(bench.fuse("lp", paths, levels=2), expected)
    assert np.array_equal(bench.fuse("LP@levels=2", [paths[0], arrays[1]]), expected)
    assert bench.fuse("average", [a.astype(np.uint16) * 257 for a in arrays]).dtype == np.uint16
    assert bench.fuse("average", [a / 255 for a in arrays]).dtype == np.uint8
    with pytest.raises(UsageError, match="no parameter 'level'"):
        bench.fuse("lp", paths, level=2)
    with pytest.raises(UnknownName, match="did you mean 'average'"):
        bench.fuse("avarage", paths)
    with pytest.raises(ImageError, match="image 2 is 55x48, but"):
        bench.fuse("lp", [sources[0], sources[1][:, 1:]])
    with pytest.raises(UsageError, match="a list of images"):
        bench.fuse("lp", str(paths[0]))
    with pytest.raises(UsageError, match="precision 'fp8' must be one of"):
        bench.fuse("fcn", paths, precision="fp8")


def test_score_arrays_and_paths(folder, sources):
    paths = [folder / "in" / f"one_{letter}.png" for letter in "AB"]
    arrays = [read_image(path) for path in paths]
    fused = np.maximum(*arrays)
    scorer = Scorer(arrays, arrays[0])
    assert bench.score(paths, fused, metrics=["EN", "Q^{AB/F}"]) == {
        name: scorer.score(fused, name) for name in ("ie", "qabf")
    }
    assert set(bench.score(arrays, fused)) == {"ie", "mi", "qabf", "q", "qw", "qe"}
    assert {"psnr", "ssim"} <= set(bench.score(arrays, fused, reference=paths[0]))
    every = bench.score(arrays, fused, metrics="all")
    assert set(every) == {m.name for m in METRICS if not scorer_obstacle(m, arrays)}
    with pytest.raises(UsageError, match="needs a reference"):
        bench.score(arrays, fused, metrics="psnr")
    with pytest.raises(UsageError, match="one source image given"):
        bench.score(paths[:1], fused)
    with pytest.raises(ImageError, match="the fused image is 43x40, but"):
        bench.score(arrays, fused[:, 1:])
    with pytest.raises(ImageError, match=r"source 2: .* is not uint8"):
        bench.score([arrays[0], arrays[1].astype(int)], fused)


def scorer_obstacle(metric, arrays) -> str:
    return metric.obstacle(len(arrays), arrays[0].shape, False)


def test_a_failing_metric_is_raised_or_told(sources, own_registries):
    import dataclasses

    METRICS.add(dataclasses.replace(METRICS["ie"], name="bad", label="bad", fn=lambda fused: None))
    with pytest.raises(TypeError):
        bench.score(sources, sources[0], metrics="bad")
    told = {}
    values = bench.score(sources, sources[0], metrics="bad,mi", on_error=told.__setitem__)
    assert set(values) == {"mi"}
    assert set(told) == {"bad"}


def test_score_folder_is_a_data_frame(folder):
    write_image(folder / "mine" / "one.png", read_image(folder / "in" / "one_A.png"))
    table = score_folder(folder / "in", folder / "mine", metrics="mi")
    assert table.columns.tolist() == [
        "dataset", "scene", "method", "metric", "value", "status", "message",
    ]  # fmt: skip
    expected = Scorer(pair(40, 44)).score(pair(40, 44)[0], "mi")
    assert json.loads(table.to_json(orient="values", double_precision=15))[0][:4] == [
        "folder", "one", "mine", "mi",
    ]  # fmt: skip
    assert table.value.tolist() == [expected]


def test_images_of_folders_are_methods_of_run_and_score_folders(folder, tmp_path):
    """From Python as on the command line, with the same means."""
    write_image(folder / "mine" / "ONE_fusion.png", read_image(folder / "in" / "one_A.png"))
    found = score_folders([folder / "in"], f"ours={folder / 'mine'}", metrics="mi", available=True)
    assert found.wide().columns.tolist() == ["dataset", "scene", "method", "mi"]
    options = {"repeats": 0, "isolation": "none"}
    results = bench.run(
        f"images:ours={folder / 'mine'}", f"folder:{folder / 'in'}", "mi", tmp_path / "o", **options
    )
    ok = results.scores[results.scores.status == "ok"]
    assert ok.value.tolist() == found.scores.value.tolist()
    assert ok.method.tolist() == ["ours"]
    assert "| ours " in found.means


def test_errors_are_there_without_an_import_of_their_own(tmp_path):
    done = python("import bench\nprint(bench.errors.UsageError.__name__)\n", tmp_path)
    assert done.stdout == "UsageError\n"
