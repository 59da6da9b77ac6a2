"""Memory: what a cell held where it was ended, and what is free."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from dataclasses import replace

import pytest

from bench.cli.main import main
from bench.core.plugins import load_plugin
from bench.store.manifest import load_manifest
from bench.workers import memory
from tests import TESTS

HERE = TESTS / "support"


@pytest.fixture
def hungry(own_registries, monkeypatch, tmp_path):
    monkeypatch.setenv("MFIF_TEST_FOLDER", str(tmp_path))
    load_plugin(HERE / "plugin_hungry.py")


@pytest.mark.slow
def test_a_cell_over_the_limit_says_what_it_held(hungry, tmp_path):
    command = ["run", "--methods", "hungry", "average", "--datasets", "large/one"]
    command += ["--metrics", "ie", "--repeats", "0", "--threads", "1", "--memory", "900M"]
    assert main([*command, "--out", str(tmp_path)]) == 1
    found = {cell.method: cell for cell in load_manifest(tmp_path).cells}
    assert found["average"].status == "ok"
    assert found["hungry"].status == "oom"
    said = re.fullmatch(r"held (\S+) (MB|GB) where --memory allows 900 MB", found["hungry"].message)
    assert said, found["hungry"].message
    assert said[2] == "GB" or float(said[1]) >= 900  # rounded


def test_what_is_free_is_known_and_sensible():
    free = memory.available()
    assert free is None or 0 <= free < 1 << 50


@pytest.mark.parametrize("kind", [0, 1], ids=["new", "old"])
def test_the_tightest_group_around_this_process_counts(tmp_path, monkeypatch, kind):
    """A batch system limits a job's group, and not the machine's."""
    groups = replace(memory.HIERARCHIES[kind], folder=tmp_path)
    monkeypatch.setattr(memory, "HIERARCHIES", (groups,))
    monkeypatch.setattr(memory, "MEMBERSHIP", tmp_path / "membership")
    own = tmp_path / "job 7: x" / "step"
    own.mkdir(parents=True)
    lines = ["9:name=systemd:/elsewhere", f"4:{groups.controller}:/job 7: x/step"]
    (tmp_path / "membership").write_text("\n".join(lines) + "\n")
    for folder, limit in ((tmp_path, "max"), (own.parent, "9000"), (own, "max")):
        (folder / groups.limit).write_text(limit + "\n")
        (folder / groups.usage).write_text("5000\n")
        (folder / "memory.stat").write_text(f"anon 7\n{groups.cache} 1000\n")
    assert memory.available() == 5000
    (own / groups.limit).write_text("4500\n")
    assert memory.available() == 500
    (own / groups.limit).write_text("3000\n")
    assert memory.available() == 0


def test_processes_below_one_are_found_and_counted():
    command = ["sh", "-c", "sleep 600 & sleep 600 & wait"]
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            deadline = time.monotonic() + 60
            while len(found := memory.descendants(process.pid)) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
            assert len(found) == 2
            assert all(map(memory.is_running, found))
            held = memory.resident(process.pid)
            assert memory.resident_with_children(process.pid) > held > 0
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    assert memory.descendants(process.pid) == []
    assert not memory.is_running(process.pid)
