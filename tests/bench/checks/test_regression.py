"""The regression says the right thing of every kind of change, and exits right."""

from __future__ import annotations

import dataclasses
import json
import xml.etree.ElementTree as ElementTree

import pandas as pd
import pytest

from bench.checks.regression import (
    SCALE,
    TOLERANCE,
    TOLERANCE_LEARNED,
    make_baseline,
    read_baseline,
)
from bench.cli.main import main
from bench.store.manifest import MANIFEST
from tests import ROOT
from tests.reports.runs import a_run

SCORES = {
    "lp": {"clock": {"mi": 0.9, "qcv": 6.0, "psnr": 39.0}},
    "fcn": {"clock": {"mi": 1.1, "qcv": 4.0, "psnr": 41.0}},
}


@pytest.fixture
def folder(tmp_path):
    """A run and the baseline made of it."""
    results = a_run(tmp_path, SCORES)
    make_baseline(results.scores, results.manifest).to_csv(tmp_path / "base.csv", index=False)
    return tmp_path


def regress(folder, *options):
    given = ["--baseline", str(folder / "base.csv"), "--out", str(folder)]
    return main(["regress", *given, *options])


def change(folder, edit):
    path = folder / MANIFEST
    manifest = json.loads(path.read_text())
    edit(manifest)
    path.write_text(json.dumps(manifest))


def set_score(method, metric, value):
    def edit(manifest):
        for cell in manifest["cells"]:
            if cell["method"] == method:
                cell["scores"][metric] |= {"value": value}
                if value is None:
                    cell["scores"][metric]["status"] = "invalid"

    return edit


def test_the_committed_baseline_holds_learned_methods_as_tightly_as_others():
    table = read_baseline(ROOT / "reports" / "baselines" / "paper.csv")
    assert "fcn" in set(table.method)
    assert (table.tolerance <= TOLERANCE * table.metric.map(SCALE).fillna(1.0)).all()


def test_nothing_moved(folder, capsys):
    assert regress(folder) == 0
    assert "6 scores compared, none moved" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("edit", "code", "says"),
    [
        (set_score("lp", "mi", 0.9 - 2 * TOLERANCE), 1, "worse"),
        (set_score("lp", "mi", 0.9 + 2 * TOLERANCE), 0, "better"),
        (set_score("lp", "mi", 0.9 + TOLERANCE / 2), 0, "none moved"),
        (set_score("lp", "qcv", 6.1), 1, "worse"),
        (set_score("lp", "qcv", 5.9), 0, "better"),
        (set_score("fcn", "mi", 1.1 - TOLERANCE_LEARNED / 2), 0, "none moved"),
        (set_score("fcn", "mi", 1.1 - TOLERANCE_LEARNED * 2), 1, "worse"),
        (set_score("lp", "psnr", 39.04), 0, "none moved"),
        (set_score("lp", "mi", None), 1, "invalid"),
        (set_score("lp", "mi", float("nan")), 1, "invalid"),
        (lambda m: m["metrics"][0].update(version=2), 1, "version"),
        (lambda m: m["cells"].pop(), 1, "missing"),
    ],
)
def test_changes(folder, capsys, edit, code, says):
    change(folder, edit)
    assert regress(folder) == code
    assert says in capsys.readouterr().out


def test_learned_methods_are_held_to_more_where_the_format_is_fixed(tmp_path, capsys):
    results = a_run(tmp_path, SCORES)
    manifest = dataclasses.replace(results.manifest, precision_asked="fp32")
    make_baseline(results.scores, manifest).to_csv(tmp_path / "base.csv", index=False)
    change(tmp_path, set_score("fcn", "mi", 1.1 - TOLERANCE_LEARNED / 2))
    assert regress(tmp_path) == 1
    assert "worse" in capsys.readouterr().out


def test_a_new_method_is_no_regression(folder, capsys):
    base = pd.read_csv(folder / "base.csv")
    base[base.method != "fcn"].to_csv(folder / "base.csv", index=False)
    assert regress(folder) == 0
    assert "new" in capsys.readouterr().out


def test_update_writes_the_run(folder, capsys):
    change(folder, set_score("lp", "mi", 0.5))
    assert regress(folder, "--update") == 0
    assert "worse" in capsys.readouterr().out
    assert regress(folder) == 0
    (folder / "base.csv").unlink()
    assert regress(folder, "--update") == 0
    assert read_baseline(folder / "base.csv").value.tolist()[0] == 0.5


def test_update_refuses_a_failed_run(folder, capsys):
    change(folder, set_score("lp", "mi", None))
    assert regress(folder, "--update") == 2
    assert "needs every score" in capsys.readouterr().err


def test_junit_and_summary(folder):
    change(folder, set_score("lp", "mi", 0.5))
    assert regress(folder, "--junit", str(folder / "j.xml"), "--summary", str(folder / "s.md")) == 1
    suite = ElementTree.parse(folder / "j.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("6", "1")
    assert [case.get("name") for case in suite if len(case)] == ["paper/clock/lp/mi"]
    summary = (folder / "s.md").read_text()
    assert summary.startswith("### Scores against base.csv\n\n6 scores compared, 1 worse\n\n|")
    assert "| paper/clock/lp/mi |" in " ".join(summary.split())
    assert "-0.400000 | higher is better |" in " ".join(summary.split())
    assert set(map(len, summary.splitlines()[4:])) == {len(summary.splitlines()[4])}


def test_why_a_score_is_gone_is_said(folder, capsys):
    def fail(manifest):
        cell = manifest["cells"][0]
        cell.pop("pixels", None)
        cell |= {"status": "failed", "message": "out | of luck", "scores": {}}

    change(folder, fail)
    assert regress(folder, "--junit", str(folder / "j.xml")) == 1
    assert "failed: out \\| of luck" in capsys.readouterr().out
    messages = [e.get("message") for e in ElementTree.parse(folder / "j.xml").iter("failure")]
    assert len(messages) == 3
    assert "out | of luck" in messages[0]


def test_another_version_says_which(folder, capsys):
    change(folder, lambda m: m["metrics"][0].update(version=2))
    assert regress(folder) == 1
    assert "version 1 -> 2" in capsys.readouterr().out


def test_a_new_method_that_fails_is_a_case_of_its_own(folder):
    base = pd.read_csv(folder / "base.csv")
    base[base.method != "fcn"].to_csv(folder / "base.csv", index=False)
    change(folder, set_score("fcn", "mi", None))
    assert regress(folder, "--junit", str(folder / "j.xml")) == 1
    suite = ElementTree.parse(folder / "j.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("4", "1")
    assert len(suite) == 4
    assert [case.get("name") for case in suite if len(case)] == ["paper/clock/fcn/mi"]


@pytest.mark.parametrize("text", [None, "", "a,b\n1,2\n"])
def test_bad_baseline(folder, capsys, text):
    (folder / "base.csv").unlink()
    if text is not None:
        (folder / "base.csv").write_text(text)
    assert regress(folder) == 2
    assert "base.csv: " in capsys.readouterr().err


def stored(path, times):
    entries = [{"name": name, "stats": {"min": value}} for name, value in times.items()]
    path.write_text(json.dumps({"benchmarks": entries}))
    return str(path)


def test_a_slower_machine_is_no_regression(tmp_path, capsys):
    old = stored(tmp_path / "old.json", {"test_calibration": 1.0, "lp": 2.0, "gf": 4.0})
    new = stored(tmp_path / "new.json", {"test_calibration": 3.0, "lp": 6.1, "new": 1.0})
    assert main(["regress", "--timing", old, new]) == 0
    assert "lp" in capsys.readouterr().out


def test_a_slower_method_is_one(tmp_path, capsys):
    old = stored(tmp_path / "old.json", {"test_calibration": 3.0, "lp": 6.0, "gf": 4.0})
    new = stored(tmp_path / "new.json", {"test_calibration": 1.0, "lp": 4.0, "gf": 1.3})
    assert main(["regress", "--timing", old, new]) == 1
    told = capsys.readouterr()
    assert "lp takes 2.00 times as long" in told.err
    assert "gf" not in told.err


@pytest.mark.parametrize(
    "text", ["", "[]", '{"benchmarks": [{"name": "lp"}]}', '{"benchmarks": []}']
)
def test_bad_timing_file(tmp_path, capsys, text):
    (tmp_path / "x.json").write_text(text)
    assert main(["regress", "--timing", str(tmp_path / "x.json"), str(tmp_path / "x.json")]) == 2
    assert "x.json: " in capsys.readouterr().err


def test_either_scores_or_timing(capsys):
    assert main(["regress"]) == 2
    assert "either --baseline or --timing" in capsys.readouterr().err


def test_junit_is_well_formed_whatever_a_message_holds(folder):
    def fail(manifest):
        message = "ended \x1b[31mred\x00\x0b & <so> \ufffe on\ud800"
        manifest["cells"][0] |= {"status": "failed", "message": message, "pixels": "", "scores": {}}

    change(folder, fail)
    assert regress(folder, "--junit", str(folder / "j.xml")) == 1
    messages = [e.get("message") for e in ElementTree.parse(folder / "j.xml").iter("failure")]
    assert "failed: ended [31mred & <so>  on" in messages[0]


@pytest.mark.parametrize("update", [[], ["--update"]])
def test_a_bad_baseline_is_said_before_anything_runs(tmp_path, capsys, monkeypatch, update):
    def run_fixed_suite(scratch):
        raise AssertionError("it ran")

    monkeypatch.setattr("bench.checks.fixed_suite.run_fixed_suite", run_fixed_suite)
    base = tmp_path / "base.csv"
    if update:
        base.write_text("a,b\n1,2\n")
    assert main(["regress", "--baseline", str(base), *update]) == 2
    assert f"--baseline {base}: " in capsys.readouterr().err
