"""What is too large is refused with the size that would fit, from a measurement."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from bench.checks.methods import pair
from bench.cli.main import main
from bench.core.plugins import load_plugin
from bench.workers import memory
from bench.workers import need as need_module
from bench.workers.need import Need, Needs, line, window
from bench.workers.process import Limits, Setup
from datasets import SceneImages
from tests import TESTS

HERE = TESTS / "support"
LIMIT = 900 << 20


@pytest.fixture
def hungry(own_registries, monkeypatch, tmp_path):
    monkeypatch.setenv("MFIF_TEST_FOLDER", str(tmp_path))
    load_plugin(HERE / "plugin_hungry.py")


def test_an_oom_names_the_size_that_would_fit_and_it_does(hungry, tmp_path):
    command = ["run", "--methods", "hungry", "average", "--datasets", "large", "--metrics", "ie"]
    command += ["--repeats", "0", "--threads", "1", "--memory", "900M", "--out", str(tmp_path)]
    assert main(command) == 1
    cells = json.loads((tmp_path / "run.json").read_text())["cells"]
    status = {(cell["scene"], cell["method"]): cell["status"] for cell in cells}
    assert status == {
        ("one", "hungry"): "oom",
        ("one", "average"): "ok",
        ("two", "hungry"): "oom",
        ("two", "average"): "ok",
    }
    said = {cell["scene"]: cell["message"] for cell in cells if cell["method"] == "hungry"}
    sentence = (
        r"hungry needs about (\S+) GB at 3000x2000; 900 MB are enough up to about (\d+)x(\d+)"
    )
    found = re.match(sentence, said["one"])
    assert found, said
    assert 2.3 < float(found[1]) < 3.0  # 400 B and the framework's share for each of 6 Mpixel
    width, height = int(found[2]), int(found[3])
    assert abs(width / height - 1.5) < 0.1
    assert 400 * width * height < LIMIT < 700 * width * height
    assert said["two"].startswith("not tried: hungry needs about")
    tries = [int(size) for size in (tmp_path / "tries").read_text().split()]
    assert tries.count(6_000_000) == 1
    assert max(size for size in tries if size < 6_000_000) == 1_500_000


def test_only_what_is_as_large_as_something_that_ran_out_is_refused(monkeypatch):
    """Work in tiles takes less than the line through small parts says."""
    monkeypatch.setattr(need_module, "measure", lambda *args: Need(0, 1000))
    needs, limits = Needs(), Limits(memory=1 << 30)

    def setup(side: int) -> Setup:
        return Setup(SceneImages((np.zeros((side, side), np.uint8),) * 2))

    assert needs.refusal("tiled", "work", setup(3000), limits) == ""
    said = needs.explained("oom", "tiled", "work", setup(2000), limits, lambda *args: None)
    assert said.startswith("tiled needs about")
    assert needs.refusal("tiled", "work", setup(2000), limits).startswith("not tried: tiled")
    assert needs.refusal("tiled", "work", setup(1900), limits) == ""


def test_a_line_through_two_measurements():
    assert line([(1e6, 3e8), (4e6, 9e8)]) == Need(1e8, 200)
    assert line([(1e6, 3e8)]) is None
    assert line([(1e6, 3e8), (4e6, 3e8)]) is None


def test_the_size_said_needs_no_more_than_the_limit():
    need = Need(3e8, 123.4)
    for limit in (1 << 29, 1 << 32, 1 << 34):
        assert need.at(need.largest((4000, 6000), limit)) <= limit
    assert need.largest((4000, 6000), 1 << 28) == (0, 0)
    assert "for no image" in need.sentence("it", (4000, 6000), 1 << 28)


def test_a_window_is_a_share_of_the_image():
    image = pair(40, 60)[0]
    assert window(image, 1 / 4).shape == (20, 30)
    assert (window(image, 1) == image).all()


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
