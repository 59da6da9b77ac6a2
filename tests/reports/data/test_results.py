"""Results are found again with their store, and times are those of one machine."""

from __future__ import annotations

import dataclasses
import shutil

import pandas as pd
import pytest

from bench.cli.main import main
from bench.core.errors import DataUnavailable
from bench.store.records import TimingRecord
from reports.data.results import load_results
from reports.tables.run_tables import write_tables
from tests.reports.runs import TIMING, a_run

SCORES = {"lp": {"s1": {"mi": 1.0}, "s2": {"mi": 2.0}}, "fcn": {"s1": {"mi": 3.0}}}


@pytest.fixture
def elsewhere(tmp_path):
    """A run whose store is not in its output folder."""
    a_run(tmp_path / "store-of", SCORES)
    out = tmp_path / "out"
    out.mkdir()
    shutil.copy(tmp_path / "store-of" / "run.json", out)
    return out, tmp_path / "store-of" / "store"


def test_the_store_that_the_run_used_is_found(elsewhere):
    out, store = elsewhere
    assert main(["report", "tables", "--out", str(out)]) == 0
    assert len(pd.read_csv(out / "timing.csv")) == 3
    assert load_results(out).store.root == store


def test_a_run_that_was_moved_with_its_store(tmp_path):
    a_run(tmp_path / "a", SCORES)
    (tmp_path / "a").rename(tmp_path / "b")
    results = load_results(tmp_path / "b")
    assert results.store.root == tmp_path / "b" / "store"
    assert len(results.timing) == 3


def test_the_store_of_another_run_is_refused(elsewhere, tmp_path, capsys):
    out, _ = elsewhere
    a_run(tmp_path / "other", {"mine": {"s9": {"mi": 1.0}}})
    other = tmp_path / "other" / "store"
    assert main(["report", "tables", "--out", str(out), "--store", str(other)]) == 4
    assert f"--store {other}: holds no record of this run" in capsys.readouterr().err
    assert not (out / "timing.csv").exists()


@pytest.mark.parametrize("given", [[], ["--store", "nowhere"]])
def test_a_missing_store_is_an_error_and_nothing_is_overwritten(elsewhere, capsys, given):
    out, store = elsewhere
    write_tables(load_results(out), out)
    before = (out / "timing.csv").read_text()
    shutil.rmtree(store)
    capsys.readouterr()
    assert main(["report", "tables", "--out", str(out), *given]) == 4
    error = capsys.readouterr().err
    assert "--store" in error
    assert (given or [str(store)])[-1] in error
    assert error.count("\n") == 1
    assert (out / "timing.csv").read_text() == before


def test_first_call_and_peak_are_those_of_this_machine_or_empty(tmp_path):
    here = dataclasses.replace(TIMING, peak_bytes=3 * 2**20)
    there = TimingRecord("a cell", "a machine", seconds=[1.0], contended=True)
    results = a_run(tmp_path, SCORES, timings={"lp": here, "fcn": there})
    rows = results.timing.groupby("method").first()
    assert rows.loc["lp", ["first_s", "peak_mb"]].tolist() == [2.0, 3.0]
    assert rows.loc["fcn", ["first_s", "peak_mb"]].isna().all()
    assert rows.loc["fcn", "contended"]


def test_only_methods_that_take_a_number_format_have_one(tmp_path):
    timing = a_run(tmp_path, SCORES).timing.groupby("method").first()
    assert timing["precision"].to_dict() == {"lp": "", "fcn": "fp32"}


def test_a_timing_that_failed_is_a_failure(tmp_path):
    late = TimingRecord("a cell", "a machine", "timeout", "took longer than 5 s")
    results = a_run(tmp_path, SCORES, timings={"fcn": late})
    assert set(results.timing["method"]) == {"lp"}
    (row,) = results.failures.to_dict("records")
    assert (row["method"], row["metric"]) == ("fcn", "time")
    assert (row["status"], row["message"]) == ("timeout", "took longer than 5 s")
    write_tables(results, tmp_path)
    assert "took longer than 5 s" in (tmp_path / "failures.csv").read_text()


@pytest.mark.parametrize("record", [{"seconds": [1.0]}, {"other": 1}])
def test_a_record_that_is_no_timing_is_none(tmp_path, record):
    results = a_run(tmp_path, SCORES)
    results.store.put("fcn-s1", record)
    results = load_results(tmp_path)
    assert set(results.timing["method"]) == {"lp"}
    assert not len(results.failures)


def test_a_table_says_how_often_it_was_timed(tmp_path):
    scores = {"lp": {"clock": {"mi": 1.0}}, "fcn": {"clock": {"mi": 2.0}}}
    write_tables(a_run(tmp_path, scores), tmp_path)
    same = (tmp_path / "tables" / "table1.md").read_text()
    assert "Time: median of 3 after a warm-up, a processor, 2 threads" in same
    once = {"fcn": dataclasses.replace(TIMING, seconds=[1.0])}
    write_tables(a_run(tmp_path, scores, timings=once), tmp_path)
    for name in ("table1.md", "table1.tex"):
        assert "median of 1 to 3 after a warm-up" in (tmp_path / "tables" / name).read_text()


def test_nothing_is_said_of_times_where_there_are_none(tmp_path):
    busy = {"lp": dataclasses.replace(TIMING, contended=True)}
    write_tables(a_run(tmp_path, {"lp": {"clock": {"mi": 1.0}}}, timings=busy), tmp_path)
    assert "Time:" not in (tmp_path / "tables" / "table1.md").read_text()


def test_an_unreadable_run_is_named(tmp_path):
    with pytest.raises(DataUnavailable, match=r"run\.json: no finished run"):
        load_results(tmp_path)
