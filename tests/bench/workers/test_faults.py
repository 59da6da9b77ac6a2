"""Faults on purpose: kills at random instants, full and read-only disks, two runs at once.

``MFIF_FAULTS=N`` kills N whole runs instead of a few; the default fits into a minute.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.checks.methods import pair
from bench.cli.main import main
from bench.core.plugins import load_plugin
from bench.store import repair
from bench.store.store import Store
from bench.workers.process import Limits, Setup
from bench.workers.subprocess_worker import SubprocessWorker
from bench.workers.worker import LocalWorker
from datasets import SceneImages
from tests import TESTS

pytestmark = pytest.mark.slow

HERE = TESTS / "support"
PLUGINS = [str(HERE / "plugin_faulty.py"), str(HERE / "plugin_deadly.py")]
RUNS_KILLED = int(os.environ.get("MFIF_FAULTS", "12"))
WRITERS_KILLED = 200
WORKERS_KILLED = 30

METHODS = ["average", "source-a", "source-b", "sobel"]
RUN = ["--methods", *METHODS, "--datasets", "tiny", "--metrics", "mi", "qabf"]
RUN += ["--threads", "1", "--repeats", "2", "--plugin", *PLUGINS]


@pytest.fixture
def survived(record_property: Callable[[str, object], None]) -> Callable[[str, int], None]:
    """Told of each kind of fault and how many there were; conftest.py adds them up at the end."""
    return lambda what, count: record_property("faults", (what, count))


@pytest.fixture(autouse=True)
def registries(own_registries: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MFIF_TEST_FOLDER", str(tmp_path))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The scores of a run that nothing happens to."""
    out = tmp_path_factory.mktemp("undisturbed")
    bench("run", *RUN, "--out", str(out))
    return (out / "scores.csv").read_bytes()


def bench(*arguments: str, code: int = 0, **options: object) -> str:
    """A command in a process of its own; its stderr."""
    command = [sys.executable, "-m", "bench", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def faults(*arguments: str) -> int:
    """Run faults.py; the number of its kills."""
    command = [sys.executable, str(HERE / "faults.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


def leftovers(out: Path) -> list[Path]:
    return [file for file in out.rglob(".*") if file.is_file()]


def test_writers_killed_at_any_instant(tmp_path, survived):
    kills = faults("store", str(tmp_path), str(WRITERS_KILLED), "1")
    assert kills == WRITERS_KILLED
    survived("writers killed", kills)
    report = repair.examine(Store(tmp_path / "store"))
    # A kill within a write tears the line that is being written; no other line suffers.
    assert len(report.damaged) <= kills // 40
    assert report.lost_images == 0
    assert repair.examine(Store(tmp_path / "store")).damaged == []
    assert leftovers(tmp_path) == []


def test_runs_killed_at_any_instant(tmp_path, undisturbed, survived):
    arguments = [*RUN, "--out", str(tmp_path / "out")]
    kills = faults("runs", str(tmp_path), str(RUNS_KILLED), "2", *arguments)
    assert kills > 0
    survived("runs killed", kills)
    bench("run", *arguments)
    assert (tmp_path / "out" / "scores.csv").read_bytes() == undisturbed
    report = repair.examine(Store(tmp_path / "out" / "store"))
    assert (report.damaged, report.lost_images) == ([], 0)


def test_workers_killed_at_any_instant(survived):
    load_plugin(PLUGINS[1])
    images = SceneImages(tuple(pair(96, 96)))
    here = LocalWorker("cpu", 1)
    here.open(images)
    expected = here.fuse("sobel", {}).record.pixels
    worker = SubprocessWorker(Setup(), Limits(seconds=60))
    worker.open(images)
    stop, rng, kills = threading.Event(), random.Random(3), 0

    def kill() -> None:
        nonlocal kills
        while kills < WORKERS_KILLED and not stop.wait(rng.uniform(0.02, 0.6)):
            process = worker._process
            if process is not None and process.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
                    kills += 1

    killer = threading.Thread(target=kill)
    killer.start()
    statuses = []
    try:
        while killer.is_alive():
            result = worker.fuse("sobel", {})
            statuses.append(result.record.status)
            if result.record.status == "ok":
                assert result.record.pixels == expected
                assert result.png
                score = worker.score("mi", expected, lambda: np.zeros((96, 96), np.uint8))
                assert score.record.status in {"ok", "oom"}
            else:
                assert result.record.status == "oom"
    finally:
        stop.set()
        killer.join()
        worker.close()
    assert statuses.count("ok") > 3  # on a busy machine few fusions end between two kills
    survived("workers killed", kills)


def test_the_server_of_the_workers_killed(tmp_path, survived):
    from multiprocessing import forkserver

    images = SceneImages(tuple(pair(16, 16)))
    worker = SubprocessWorker(Setup(), Limits(seconds=60))
    worker.open(images)
    for _ in range(2):
        assert worker.fuse("average", {}).record.status == "ok"
        os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
    assert worker.fuse("average", {}).record.status == "ok"
    worker.close()
    survived("servers killed", 2)


@pytest.mark.parametrize("limit", [300, 1500, 3000, 6000])
def test_files_that_cannot_grow(tmp_path, undisturbed, limit, survived):
    """A write stops in the middle, as on a full disk, after so many bytes."""

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    arguments = ["run", *RUN, "--out", str(tmp_path)]
    said = bench(*arguments, code=4, preexec_fn=small)
    assert "error: " in said
    assert "too large" in said
    assert leftovers(tmp_path) == []
    bench(*arguments)
    assert (tmp_path / "scores.csv").read_bytes() == undisturbed
    survived("full files", 1)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB; remount it to change that."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


def test_a_full_disk(disk, undisturbed, survived):
    arguments = ["run", *RUN, "--out", str(disk / "out")]
    for filled in (252, 244, 236, 220):
        (disk / "filler").write_bytes(bytes(filled << 10))
        said = bench(*arguments, code=4)
        assert "No space left" in said
        (disk / "filler").unlink()
        survived("full disks", 1)
    remount(disk, "size=20m")
    bench(*arguments)
    assert (disk / "out" / "scores.csv").read_bytes() == undisturbed
    assert leftovers(disk) == []


def test_a_read_only_disk(disk, survived):
    remount(disk, "ro")
    for place in (disk / "new", disk):
        said = bench("run", *RUN, "--out", str(place), code=2 if place != disk else 4)
        assert "ead-only" in said
    survived("read-only disks", 2)


def test_two_runs_on_one_store(tmp_path, survived):
    first = ["run", *RUN, "--methods", "average", "hangs", "--out", str(tmp_path / "a")]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", *first], stderr=subprocess.DEVNULL, text=True
    )
    lock = tmp_path / "a" / "store" / "lock"
    while process.poll() is None and not (lock.exists() and lock.read_text()):
        time.sleep(0.05)
    second = ["run", *RUN, "--out", str(tmp_path / "b"), "--store", str(lock.parent)]
    said = bench(*second, code=4)
    assert f"in use by process {process.pid} on " in said
    process.kill()
    process.wait()
    bench(*second)
    survived("runs on one store", 1)


class TestDoctor:
    """Whatever is damaged is found and removed; the next run heals the rest."""

    def test_repairs(self, tmp_path, capsys, undisturbed, survived):
        bench("run", *RUN, "--out", str(tmp_path))
        store = tmp_path / "store"
        log = next(store.glob("records-*.jsonl"))
        lines = log.read_bytes().splitlines(keepends=True)
        lines[0] = lines[0][:-20] + b"\n"
        lines[1] = b"{}\n"
        log.write_bytes(b"".join(lines))
        (store / "images" / "ab").mkdir(parents=True)
        (store / "images" / "ab" / ("ab" * 32 + ".png")).write_bytes(b"no image")
        (store / f".{log.name}.x1y2z3").write_text("half")
        capsys.readouterr()
        command = ["doctor", "--store", str(store)]
        assert main([*command, "--dry-run"]) == 1
        lines = [line for line in capsys.readouterr().out.splitlines() if "program" not in line]
        assert sum(line.count("found: ") for line in lines) == 4
        assert main(command) == 1
        out = capsys.readouterr().out
        assert out.count("removed: ") == 4
        assert "removed 3 damaged records and images and 1 leftovers" in out
        assert main(command) == 0
        bench("run", *RUN, "--out", str(tmp_path))
        assert (tmp_path / "scores.csv").read_bytes() == undisturbed
        survived("damaged files", 4)

    def test_names_a_package_of_somebody_else(self, tmp_path):
        (tmp_path / "datasets").mkdir()
        (tmp_path / "datasets" / "__init__.py").write_text("load_dataset = None\n")
        code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        code += "from bench.cli.main import main; sys.exit(main(['doctor']))"
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 4, done.stderr
        assert f"`import datasets` finds {tmp_path}" in done.stdout
