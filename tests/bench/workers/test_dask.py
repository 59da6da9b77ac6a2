"""Workers of dask.distributed give what a local run gives, also when one is killed."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.checks.methods import pair
from bench.cli.main import main
from bench.core.errors import EnvironmentFault
from bench.store.store import Store
from bench.workers import dask_worker as backends
from bench.workers.process import Limits, Setup
from bench.workers.subprocess_worker import SubprocessWorker
from datasets import SceneImages
from tests import TESTS

pytestmark = pytest.mark.slow

HERE = TESTS / "support"
PLUGINS = [str(HERE / "plugin_faulty.py"), str(HERE / "plugin_deadly.py")]
RUN = ["run", "--methods", "average", "raises", "segfaults", "naps", "source-a"]
RUN += ["--datasets", "tiny", "--metrics", "mi", "qabf", "--threads", "1", "--repeats", "0"]
RUN += ["--plugin", *PLUGINS]
DASK = ["--backend", "dask"]

needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="needs dask.distributed"
)


def bench(out: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench", *RUN, "--out", str(out), *options]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The scores of a local run."""
    out = tmp_path_factory.mktemp("local")
    process = bench(out)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1, said
    return (out / "scores.csv").read_bytes()


@pytest.mark.slow
@needs_dask
def test_workers_give_the_scores_of_a_local_run(tmp_path, local):
    process = bench(tmp_path, *DASK, "--workers", "2")
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1, said
    # Either scene may end first, and a reason that both share is told once.
    assert "segfaults: killed by SIGSEGV" in said
    assert (tmp_path / "scores.csv").read_bytes() == local


def descendants(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    below = [int(line) for line in found.stdout.split()]
    return [*below, *(deeper for child in below for deeper in descendants(child))]


@pytest.mark.slow
@needs_dask
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_a_lost_worker_costs_its_running_cell_once(tmp_path, local):
    process = bench(tmp_path, *DASK, "--workers", "2")
    store = Store(tmp_path / "store")
    workers: list[int] = []
    while not workers and process.poll() is None:
        time.sleep(0.02)
        if list(store.keys()):
            workers = [pid for pid in descendants(process.pid) if is_worker(pid)]
    assert workers, "the run ended before a worker was seen at work"
    os.kill(workers[0], signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1, said
    assert (tmp_path / "scores.csv").read_bytes() == local


def is_worker(pid: int) -> bool:
    """A process whose own children include a server of children, and that is not the command."""
    try:
        own = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    below = [Path(f"/proc/{child}/cmdline") for child in descendants(pid)]
    return b"spawn_main" in own and any(
        b"forkserver" in path.read_bytes() for path in below if path.exists()
    )


@contextlib.contextmanager
def cluster(*resources: dict[str, float]) -> Iterator[str]:
    """A scheduler's address, and a worker for each set of resources."""
    import dask
    from distributed import Nanny, Scheduler, SpecCluster

    here = {"host": "127.0.0.1"}
    anywhere = {**here, "port": 0, "dashboard_address": "127.0.0.1:0"}
    scheduler = {"cls": Scheduler, "options": anywhere}
    workers = {
        k: {"cls": Nanny, "options": {**here, "nthreads": 1, "name": str(k), "resources": having}}
        for k, having in enumerate(resources)
    }
    with (
        dask.config.set(backends.SETTINGS),
        SpecCluster(scheduler=scheduler, workers=workers) as started,
    ):
        yield started.scheduler_address


@pytest.mark.slow
@needs_dask
def test_work_for_a_gpu_goes_to_workers_that_have_one():
    """To be told from luck: of three workers only the second has one."""
    images = SceneImages(tuple(pair(16, 16)))
    with cluster({}, {"GPU": 1}, {}) as address, backends.connect(address, 0, gpu=True) as found:
        assert found.slots == 1
        info = found.client.scheduler_info(n_workers=-1)["workers"]
        (expected,) = (where for where, worker in info.items() if worker["name"] == "1")
        for _ in range(8):  # the same scene again and again, which must not hang either
            setup, reader = Setup(device="cuda"), SubprocessWorker(Setup(), Limits(60))
            worker = found.worker(reader, setup, Limits(60), False)
            worker.open(images)
            worker.fuse("average", {})  # fails where torch sees no GPU; the place is what counts
            assert worker._where == expected
            worker.close()
            reader.close()


@needs_dask
def test_no_worker_with_a_gpu(tmp_path, capsys):
    with cluster({}) as address:
        command = ["run", "--methods", "average", "--out", str(tmp_path), *DASK]
        assert main([*command, "--scheduler", address, "--device", "cuda"]) == 4
    assert "--resources GPU=1" in capsys.readouterr().err


@needs_dask
def test_a_scheduler_that_is_not_there(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("bench.workers.dask_worker.PATIENCE", 0.5)
    command = ["run", "--methods", "average", "--out", str(tmp_path), *DASK]
    assert main([*command, "--scheduler", "tcp://127.0.0.1:9"]) == 4
    assert "error: scheduler tcp://127.0.0.1:9: " in capsys.readouterr().err


@pytest.mark.skipif(importlib.util.find_spec("distributed") is not None, reason="dask is here")
def test_without_dask(tmp_path, capsys):
    assert main(["run", "--methods", "average", "--out", str(tmp_path), *DASK]) == 4
    assert "mfif-bench[dask]" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["--scheduler", "tcp://x:1"],
        ["--workers", "2"],
        [*DASK, "--workers", "0"],
        [*DASK, "--isolation", "none"],
    ],
)
def test_bad_options(tmp_path, capsys, options):
    assert main(["run", "--methods", "average", "--out", str(tmp_path), *options]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@needs_dask
def test_helpers_of_plugins_travel_with_them(tmp_path):
    """Also those of one name, which two plug-ins of one name import when they are called."""
    for name, gain in (("one", 1.0), ("half", 0.5)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "gain.py").write_text(f"GAIN = {gain}\n")
        (tmp_path / name / "my.py").write_text(
            "from methods import method\n"
            f"@method({name!r}, title='t', kind='transform', family='spatial', paper='x')\n"
            "def fn(sources):\n    from gain import GAIN\n    return GAIN * sources.max(0)\n"
        )
    plugins = [str(tmp_path / name / "my.py") for name in ("one", "half")]
    command = [sys.executable, "-m", "bench", "run", "--plugin", *plugins, "--methods", "one"]
    command += ["half", "--datasets", "paper/camera", "--metrics", "ie", "--repeats", "0"]
    rows = []
    for backend in ([], [*DASK, "--workers", "1"]):
        out = tmp_path / f"out{len(backend)}"
        subprocess.run([*command, *backend, "--out", str(out)], check=True, timeout=120)
        rows.append((out / "scores.csv").read_text())
    assert rows[0] == rows[1]
    assert rows[0].count(",ok") == 2


def test_an_interrupt_on_a_dask_worker_does_not_end_it(monkeypatch):
    """`KeyboardInterrupt` would make dask restart the worker, and lose others' work on it."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(backends, "_answer", interrupted)
    with pytest.raises(EnvironmentFault, match="interrupted"):
        backends._work("token", None, (), None, "fuse")
