"""Timing: warm, in rounds, as often for every method; a failure is reported."""

from __future__ import annotations

import pandas as pd
import pytest

from bench.cli.main import main
from bench.core.plugins import load_plugin
from bench.engine import timing
from bench.engine.timing import interleaved
from bench.store.keys import timing_key
from bench.store.manifest import load_manifest
from bench.store.records import FusionRecord, TimingRecord
from bench.store.store import Store
from bench.workers.worker import Seconds

pytestmark = pytest.mark.slow

PLUGIN = """
import time
from methods import method

CALLS = []

@method("slow-at-first", title="Slow at first", kind="transform", family="control", paper="a test")
def slow_at_first(sources):
    CALLS.append(1)
    if len(CALLS) == 1:
        time.sleep(1.6)  # what loading a network takes
    return sources.mean(axis=0)

@method("fails-later", title="Fails later", kind="transform", family="control", paper="a test")
def fails_later(sources):
    CALLS.append(1)
    if len(CALLS) > 6:  # three channels in each fusion
        raise RuntimeError("tired")
    return sources.mean(axis=0)
"""


@pytest.fixture
def plugin(own_registries, tmp_path):
    file = tmp_path / "timed_plugin.py"
    file.write_text(PLUGIN)
    load_plugin(file)
    return file


def run(out, *methods, **options):
    command = ["run", "--methods", *methods, "--datasets", "synthetic-lens/coffee"]
    return main([*command, "--metrics", "ie", "--threads", "1", "--out", str(out)])


def test_every_method_is_timed_equally_often_whatever_its_first_call_took(plugin, tmp_path):
    assert run(tmp_path / "out", "average", "slow-at-first") == 0
    table = pd.read_csv(tmp_path / "out" / "timing.csv").set_index("method")
    assert table.repeats.to_dict() == {"average": 5, "slow-at-first": 5}
    assert table.first_s["slow-at-first"] > 1.5
    assert table.median_s["slow-at-first"] < 0.5


def test_a_timing_that_fails_is_a_record(plugin, tmp_path):
    run(tmp_path / "out", "fails-later")
    store = Store(tmp_path / "out" / "store")
    (cell,) = load_manifest(tmp_path / "out").cells
    record = TimingRecord.from_body(store.get(cell.timing))
    assert (record.status, record.message[:19]) == ("failed", "RuntimeError: tired")
    failures = pd.read_csv(tmp_path / "out" / "failures.csv")
    assert "RuntimeError: tired" in failures.message.iloc[0]


def test_first_call_and_memory_of_another_machine_are_not_this_ones(tmp_path):
    out = tmp_path / "out"
    run(out, "average")
    (cell,) = load_manifest(out).cells
    store = Store(out / "store")
    record = FusionRecord.from_body(store.get(cell.key))
    record.machine = "f" * 64
    store.put(cell.key, record.to_body())
    timed = store.get(cell.timing)
    key = timing_key(cell.key, timed["machine"])
    assert key == cell.timing
    store.put(key, {**timed, "contended": True})  # so that it is timed again
    run(out, "average")
    record = TimingRecord.from_body(Store(out / "store").get(key))
    assert (record.first_s, record.peak_bytes) == (None, None)
    row = pd.read_csv(out / "timing.csv").iloc[0]
    assert pd.isna(row.first_s)
    assert pd.isna(row.peak_mb)


def test_rounds_take_turns():
    turns = []

    def job(name):
        turns.append(name)
        return Seconds(0.01)

    found = interleaved({"a": lambda: job("a"), "b": lambda: job("b")}, repeats=3)
    assert turns == ["a", "b"] * 3
    assert {name: len(samples.seconds) for name, samples in found.items()} == {"a": 3, "b": 3}


def test_what_would_take_too_long_is_repeated_less_often(monkeypatch):
    monkeypatch.setattr(timing, "BUDGET_S", 1.0)
    found = interleaved({"slow": lambda: Seconds(0.4), "fast": lambda: Seconds(0.1)}, repeats=5)
    assert {name: len(samples.seconds) for name, samples in found.items()} == {"slow": 2, "fast": 5}


def test_one_that_fails_keeps_what_it_had():
    left = [Seconds(0.1), Seconds(0.0, "timeout", "too long")]
    found = interleaved({"it": lambda: left.pop(0)}, repeats=5)
    assert (found["it"].seconds, found["it"].status) == ([0.1], "timeout")


def test_more_repeats_are_taken_when_more_are_asked_for(tmp_path):
    for repeats in ("1", "3"):
        command = ["run", "--methods", "average", "--datasets", "synthetic-lens/coffee"]
        command += ["--metrics", "ie", "--repeats", repeats, "--out", str(tmp_path)]
        assert main(command) == 0
        assert pd.read_csv(tmp_path / "timing.csv").repeats.tolist() == [int(repeats)]


def test_a_warm_up_has_a_limit_of_its_own(own_registries, tmp_path):
    file = tmp_path / "slow_plugin.py"
    file.write_text(SLOW)
    load_plugin(file)
    command = ["run", "--methods", "slow", "--datasets", "tiny-gray", "--metrics", "ie"]
    command += ["--timeout", "2s", "--repeats", "1", "--out", str(tmp_path / "out")]
    assert main([*command[:-3], "0", *command[-2:]]) == 0
    assert main(command) == 0


SLOW = """
import time
import numpy as np
from datasets import Scene, SceneImages, dataset
from methods import method

@method("slow", title="Slow", kind="transform", family="control", paper="a test")
def slow(sources):
    time.sleep(1.2)
    return sources.mean(axis=0)

@dataset("tiny-gray", title="A pair", citation="none", licence="none")
def tiny_gray():
    return [Scene("tiny-gray", "one", read, "synthetic")]

def read():
    return SceneImages((np.zeros((16, 16), np.uint8), np.ones((16, 16), np.uint8)))
"""
