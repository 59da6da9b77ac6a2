"""Other people's code at its worst costs its own cell and nothing else."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from bench.checks.methods import pair
from bench.cli.main import main
from bench.core.plugins import load_plugin
from bench.store.manifest import load_manifest
from bench.store.store import Store
from bench.workers.process import Limits, Setup, WorkerFailure, WorkerProcess
from bench.workers.subprocess_worker import SubprocessWorker
from datasets import SceneImages, load_scenes
from tests import TESTS

HERE = TESTS / "support"
PLUGINS = [HERE / "plugin_faulty.py", HERE / "plugin_deadly.py"]

#: Method -> status, and what the message says.
DEADLY = {
    "segfaults": ("crashed", "killed by SIGSEGV at File"),
    "aborts": ("crashed", "killed by SIGABRT at File"),
    "leaves": ("crashed", "ended the process (exit code 0)"),
    "quits": ("failed", "SystemExit: no reason (plugin_deadly.py:"),
    "eats-memory": ("oom", "where --memory allows 900 MB"),
    "dies": ("oom", "killed by SIGKILL"),
    "not-a-number": ("invalid", "NaN"),
    "wrong-shape": ("invalid", "shape"),
    "raises": ("failed", "RuntimeError: no luck today"),
    "exhausts": ("oom", "out of memory"),
}
FINE = ["average", "chatters", "dies-once", "source-a"]
LIMITS = ["--timeout", "60", "--memory", "900M"]


@pytest.fixture(autouse=True)
def plugins(own_registries, monkeypatch, tmp_path):
    monkeypatch.setenv("MFIF_TEST_FOLDER", str(tmp_path))
    for plugin in PLUGINS:
        load_plugin(plugin)


def run(out: Path, methods: list[str], *options: str, datasets: str = "tiny/one") -> int:
    chosen = ["--methods", *methods, "--datasets", datasets, "--out", str(out)]
    return main(["run", *chosen, "--metrics", "mi", "--threads", "1", "--repeats", "1", *options])


def cells(out: Path) -> dict[str, dict]:
    return {cell.method: dataclasses.asdict(cell) for cell in load_manifest(out).cells}


@pytest.mark.slow
@pytest.mark.parametrize("isolation", ["scene", "cell"])
def test_every_fault_is_a_record_and_the_rest_completes(tmp_path, isolation):
    order = [FINE[0], *DEADLY, *FINE[1:]]
    assert run(tmp_path, order, *LIMITS, "--isolation", isolation) == 1
    found = cells(tmp_path)
    assert list(found) == order
    for name in order:
        status, text = DEADLY.get(name, ("ok", ""))
        assert found[name]["status"] == status, found[name]
        assert text in found[name]["message"]
        assert "\n" not in found[name]["message"]
    scores = pd.read_csv(tmp_path / "scores.csv").set_index("method")
    assert set(scores.index[scores.value.notna()]) == set(FINE)
    assert set(pd.read_csv(tmp_path / "timing.csv").method) == set(FINE)
    assert sum(f.stat().st_size for f in tmp_path.rglob("*") if f.is_file()) < 1 << 20


@pytest.mark.slow
def test_a_hang_ends_at_the_limit(tmp_path):
    assert run(tmp_path, ["hangs", "average"], "--timeout", "3") == 1
    found = cells(tmp_path)
    assert found["average"]["status"] == "ok"
    assert found["hangs"]["status"] == "timeout"
    said = "did not finish within 3 s; it printed last: entering the loop"
    assert found["hangs"]["message"] == said


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "3"])
def test_reading_a_scene_goes_wrong_by_itself(tmp_path, jobs):
    limits = ["--timeout", "10", "--memory", "500M", "--jobs", jobs]
    assert run(tmp_path, ["average", "source-a"], *limits, datasets="treacherous") == 1
    manifest = load_manifest(tmp_path)
    said = {scene.scene: (scene.status, scene.message) for scene in manifest.scenes}
    due = {
        "hangs": ("timeout", "did not finish within 10 s; it printed last: reading for ever"),
        "segfaults": ("crashed", "killed by SIGSEGV at File"),
        "leaves": ("crashed", "ended the process (exit code 0)"),
        "eats": ("oom", "where --memory allows 500 MB"),
        "no-images": ("failed", "no-images: read() gave str, not SceneImages"),
        "fine": ("ok", ""),
    }
    assert list(said) == list(due)
    for name, (status, text) in due.items():
        assert said[name][0] == status, said[name]
        assert text in said[name][1]
    status = {(c.scene, c.method): c.status for c in manifest.cells}
    assert {s for (scene, _), s in status.items() if scene == "fine"} == {"ok"}
    assert len(status) == 12


@pytest.mark.slow
def test_a_dry_run_reads_in_workers_too(tmp_path, capsys):
    assert (
        run(
            tmp_path,
            ["average"],
            "--dry-run",
            "--timeout",
            "4",
            "--memory",
            "500M",
            datasets="treacherous",
        )
        == 0
    )
    said = capsys.readouterr().out
    assert "treacherous/segfaults: killed by SIGSEGV" in said
    assert "treacherous/fine: 0 stored, 1 to fuse (average)" in said


def test_the_last_lines_are_kept(tmp_path):
    run(tmp_path, ["aborts"])
    record = Store(tmp_path / "store").get(cells(tmp_path)["aborts"]["key"])
    assert record["output"].splitlines()[0] == "about to abort"
    assert "plugin_deadly.py" in record["output"]


@pytest.mark.slow
def test_what_a_method_started_ends_with_it(tmp_path):
    assert run(tmp_path, ["leaves-a-child"], "--timeout", "2") == 1
    started = int((tmp_path / "pid").read_text())
    for _ in range(100):
        state = Path(f"/proc/{started}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("a process was left behind")


@pytest.mark.slow
def test_a_cell_does_not_pay_for_the_one_before(tmp_path):
    assert run(tmp_path, ["poisons", "naps", "average"], "--repeats", "0") == 0
    assert {cell["status"] for cell in cells(tmp_path).values()} == {"ok"}


@pytest.mark.slow
def test_peak_memory_is_that_of_the_cell(tmp_path):
    run(tmp_path, ["average", "eats-memory", "source-a"], "--memory", "900M")
    found = cells(tmp_path)
    assert 10 << 20 < found["average"]["peak_bytes"] < 400 << 20
    assert found["source-a"]["peak_bytes"] < 400 << 20
    timing = pd.read_csv(tmp_path / "timing.csv").set_index("method")
    assert timing.peak_mb["average"] == found["average"]["peak_bytes"] / 2**20


def test_contended_timings_are_marked_and_taken_again(tmp_path):
    tables = tmp_path / "tables" / "mean_tiny.csv"
    assert run(tmp_path, ["average"], "--jobs", "2", datasets="tiny") == 0
    assert set(pd.read_csv(tmp_path / "timing.csv").contended) == {True}
    assert pd.read_csv(tables)["Time (s)"].isna().all()
    scores = (tmp_path / "scores.csv").read_bytes()
    assert run(tmp_path, ["average"], datasets="tiny") == 0
    assert set(pd.read_csv(tmp_path / "timing.csv").contended) == {False}
    assert pd.read_csv(tables)["Time (s)"].notna().all()
    assert (tmp_path / "scores.csv").read_bytes() == scores


def test_jobs_give_the_scores_of_one(tmp_path):
    for jobs in ("1", "2"):
        run(tmp_path / jobs, ["average", "raises", "source-a"], "--jobs", jobs, datasets="tiny")
    one, two = ((tmp_path / jobs / "scores.csv").read_bytes() for jobs in ("1", "2"))
    assert one == two


def test_an_interrupt_ends_the_workers(tmp_path):
    """Ctrl-C in a terminal goes to the whole group; here only the parent is told."""
    command = [sys.executable, "-m", "bench", "run", "--plugin", *map(str, PLUGINS)]
    command += ["--methods", "average", "hangs", "--datasets", "tiny", "--metrics", "mi"]
    command += ["--out", str(tmp_path), "--jobs", "2"]
    started = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    store = Store(tmp_path / "store")
    deadline = time.monotonic() + 60
    while len(list(store.keys())) < 6 and time.monotonic() < deadline:
        time.sleep(0.05)
    started.send_signal(2)
    try:
        _, said = started.communicate(timeout=120)
    finally:
        started.kill()
    assert started.returncode == 130, said
    assert "continue with: " in said
    assert "Traceback" not in said
    assert {cell.method for cell in load_manifest(tmp_path).cells} == {"average"}


class TestWorkerProcess:
    """The process itself."""

    @pytest.fixture
    def setup(self):
        plugins = tuple(PLUGINS)
        return Setup(plugins=plugins)

    def test_answers(self, setup):
        process = WorkerProcess(setup)
        process.ask("open", (SceneImages(tuple(pair(16, 16))),), Limits())
        result = process.ask("fuse", ("average", {}), Limits())
        assert result.record.status == "ok"
        assert result.png.startswith(b"\x89PNG")
        process.close()

    def test_that_is_gone(self, setup):
        process = WorkerProcess(setup)
        process.ask("fuse", ("average", {}), Limits())
        os.kill(process.pid, 9)
        with pytest.raises(WorkerFailure) as failure:
            process.ask("fuse", ("average", {}), Limits())
        assert failure.value.killed
        process.close()

    def test_a_plugin_that_cannot_be_loaded(self, tmp_path):
        broken = tmp_path / "broken.py"
        broken.write_text("1 / 0")
        process = WorkerProcess(Setup(plugins=[broken]))
        with pytest.raises(WorkerFailure, match="ZeroDivisionError"):
            process.ask("fuse", ("average", {}), Limits())
        process.close()

    @pytest.mark.slow
    def test_ends_with_its_parent(self, setup, tmp_path):
        code = (
            "import os, sys, pickle\n"
            "from bench.workers.process import WorkerProcess\n"
            "if __name__ == '__main__':\n"
            f"    process = WorkerProcess(pickle.load(open({str(tmp_path / 'setup')!r}, 'rb')))\n"
            "    print(process.pid, flush=True)\n"
            "    os.kill(os.getpid(), 9)\n"
        )
        import pickle

        (tmp_path / "setup").write_bytes(pickle.dumps(setup))
        (tmp_path / "script.py").write_text(code)
        done = subprocess.run(
            [sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True
        )
        pid = int(done.stdout)
        deadline = time.monotonic() + 20
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not Path(f"/proc/{pid}").exists()


def test_a_worker_that_was_abandoned_reads_no_more():
    worker = SubprocessWorker(Setup(), Limits())
    try:
        worker.abandon()
        with pytest.raises(KeyboardInterrupt):
            worker.open(load_scenes("paper/camera")[0])
    finally:
        worker.close()


def test_one_process_reads_scene_after_scene_until_it_has_fused():
    worker = SubprocessWorker(Setup(), Limits())
    scenes = [SceneImages(tuple(pair(16, 16, seed=k))) for k in range(3)]
    try:
        pids = []
        for scene in scenes[:2]:
            assert worker.open(scene).fingerprint == scene.fingerprint()
            pids.append(worker._process.pid)
        assert worker.fuse("average", {}).record.status == "ok"
        worker.open(scenes[2])
        pids.append(worker._process.pid)
        assert pids[0] == pids[1] != pids[2]
    finally:
        worker.close()


def test_a_process_that_hangs_in_the_kernel_is_left_behind(monkeypatch):
    """`kill` used to wait without limit."""
    process = WorkerProcess(Setup())
    real = process._process.join
    waited = []
    monkeypatch.setattr(process._process, "join", lambda limit=None: waited.append(limit))
    process.kill()
    assert waited
    assert None not in waited
    monkeypatch.setattr(process._process, "join", real)
    process.close()
