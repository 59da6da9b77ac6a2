"""The best of a column, and means with infinite scores, mean the same everywhere."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest

from reports.data.best import best_of
from reports.data.leaderboard import make_leaderboard
from reports.data.means import IDENTICAL_DB, cap_of, for_means
from reports.data.run_comparison import compare_runs
from reports.data.statistics import rank_methods
from reports.html.board import make_views
from reports.html.page import render
from reports.html.scene_scores import scene_scores
from reports.tables.latex import mean_latex
from reports.tables.leaderboard import write_leaderboard
from reports.tables.run_comparison import comparison_json
from reports.tables.run_tables import write_tables
from reports.tables.table import mean_table
from tests.reports.runs import a_run


def test_equal_as_printed_is_equally_good():
    column = pd.Series({"a": 1.00004, "b": 1.00001, "c": 0.99994, "d": 0.5})
    assert best_of(column, higher_is_better=True, baselines=()) == {"a": 1, "b": 1, "c": 2}
    assert best_of(column, higher_is_better=False, baselines=()) == {"d": 1, "c": 2}


def test_baselines_and_means_over_fewer_scenes_do_not_compete():
    column = pd.Series({"average": 9.0, "few": 8.0, "a": 7.0, "b": np.nan})
    counts = pd.Series({"average": 5, "few": 2, "a": 3, "b": 0})
    found = best_of(column, higher_is_better=True, baselines={"average"}, counts=counts)
    assert found == {"a": 1}
    alone = best_of(column[["average"]], higher_is_better=True, baselines={"average"})
    assert alone == {}


def test_infinity_is_the_best_of_a_scene():
    column = pd.Series({"a": 40.0, "b": math.inf})
    assert best_of(column, higher_is_better=True, baselines=()) == {"b": 1, "a": 2}


# Ranks by wins: `lp` is best on most scenes, `mine` has the best mean, `source-a` beats both.
VALUES = {"lp": [1.0, 1.0, 1.0, 0.0], "mine": [0.9, 0.9, 0.9, 3.0], "source-a": [5.0] * 4}


@pytest.fixture
def run(tmp_path):
    scores = {
        method: {f"s{k}": {"mi": value, "qcv": -value} for k, value in enumerate(values)}
        for method, values in VALUES.items()
    }
    return a_run(tmp_path, scores, {f"s{k}": "d" for k in range(4)})


def bold(text, method):
    line = next(line for line in text.splitlines() if line.startswith(f"| {method} "))
    return line.count("**") // 2


def test_every_report_marks_the_same_methods(run, tmp_path):
    write_tables(run, tmp_path)
    text = (tmp_path / "tables" / "mean_d.md").read_text()
    marks = {method: bold(text, method) for method in VALUES}
    assert marks == {"lp": 1, "mine": 3, "source-a": 0}  # of the time, all have the same
    tex = mean_latex(run, "d")
    assert {m: re.search(rf"^{m} .*$", tex, re.M)[0].count("textbf") for m in VALUES} == marks
    write_leaderboard(run, tmp_path)
    means = (tmp_path / "leaderboard.md").read_text().split("## Mean scores")[1].split("##")[0]
    assert {method: bold(means, method) for method in VALUES} == {"lp": 0, "mine": 2, "source-a": 0}


def test_the_page_marks_what_it_shows_and_no_baseline(run):
    (view,) = make_views(run)
    marks = {row["method"]: row["cells"][0].marks for row in view.rows}
    assert {m: kinds["mean"] for m, kinds in marks.items()}["mine"] == "best"
    assert marks["lp"]["mean"] != "best"
    assert marks["lp"]["rank"] == marks["lp"]["interval"] == "best"
    assert set(marks["source-a"].values()) == {""}
    assert {kinds["wins"] for kinds in marks.values()} == {""}  # the baseline wins all scenes


def test_the_best_image_of_a_scene_is_no_baseline(tmp_path):
    scores = {"lp": {"clock": {"mi": 1.0, "psnr": math.inf}}, "source-a": {"clock": {"mi": 5.0}}}
    results = a_run(tmp_path, scores, image=np.zeros((8, 8), np.uint8))
    (scene,) = (found := scene_scores(results))["scenes"]
    names = [method["name"] for method in found["methods"]]
    best = dict(zip((m["name"] for m in found["metrics"]), scene["best"], strict=True))
    assert {metric: [names[k] for k in where] for metric, where in best.items()} == {
        "mi": ["lp"],
        "qcv": [],
        "psnr": ["lp"],
    }
    psnr = scene["values"][list(best).index("psnr")]
    assert dict(zip(names, psnr, strict=True)) == {"lp": "inf", "source-a": None}


def test_others_are_tested_against_the_best_that_is_no_baseline():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, (12, 3))
    values = pd.DataFrame(noise + np.array([9, 2, 1]), columns=["source-a", "a", "b"])
    table = rank_methods(values, higher_is_better=True, baselines={"source-a"}).table
    assert table.index[0] == "source-a"
    assert table.loc["a", "p"] == 1
    assert table.loc["a", "tied"]
    assert not table.loc["b", "tied"]


PSNR = {"lp": [math.inf, 41.0], "mine": [50.0, 60.0], "fcn": [120.0, 41.0]}


@pytest.fixture
def identical(tmp_path):
    scores = {
        method: {f"s{k}": {"psnr": value} for k, value in enumerate(values)}
        for method, values in PSNR.items()
    }
    return a_run(tmp_path, scores, {"s0": "d", "s1": "d"})


def test_one_number_stands_for_identical_images():
    assert IDENTICAL_DB == cap_of("psnr") == 99
    assert cap_of("mi") == math.inf


def test_every_mean_counts_identical_images_as_the_same(identical, tmp_path):
    assert mean_table(identical, "d").values["psnr"].to_dict() == {"fcn": 70, "lp": 70, "mine": 55}
    ranking = make_leaderboard(identical).rankings["psnr"]
    assert ranking.table["mean"].to_dict() == {"lp": 70, "mine": 55, "fcn": 70}
    (view,) = make_views(identical)
    cells = {row["method"]: row["cells"][0].texts["mean"] for row in view.rows}
    assert cells == {"lp": "70.0000", "mine": "55.0000", "fcn": "70.0000"}
    found = compare_runs(identical, identical).scores.set_index("method")
    assert found["before"].to_dict() == {"lp": 70, "mine": 55, "fcn": 70}
    assert found["difference"].tolist() == [0, 0, 0]
    assert '"before": 70.0' in comparison_json(compare_runs(identical, identical))


def test_ranks_are_of_the_scores_themselves(identical):
    wins = make_leaderboard(identical).rankings["psnr"].table["wins"]
    assert wins.to_dict() == {"lp": 1, "mine": 1, "fcn": 0}


def test_tables_say_so_where_it_applies(identical, tmp_path):
    write_tables(identical, tmp_path)
    assert "count as 99 dB in means of PSNR" in (tmp_path / "tables" / "mean_d.md").read_text()
    write_leaderboard(identical, tmp_path)
    assert "count as 99 dB in means of PSNR" in (tmp_path / "leaderboard.md").read_text()
    assert "count as 99 dB in means of PSNR" in render(identical)


def test_and_say_nothing_where_it_does_not(run, tmp_path):
    write_tables(run, tmp_path)
    assert "99 dB" not in (tmp_path / "tables" / "mean_d.md").read_text()
    assert "99 dB" not in render(run)


def test_single_scores_stay_infinite(identical, tmp_path):
    write_tables(identical, tmp_path)
    scores = pd.read_csv(tmp_path / "scores.csv", dtype=str)
    assert scores.query("method == 'lp' and scene == 's0'")["value"].tolist() == ["inf"]
    assert '"value": "inf"' in (tmp_path / "run.json").read_text()
    assert for_means(identical.scores)["value"].max() == 99


def test_scenes_are_numbers_in_csv(identical, tmp_path):
    write_tables(identical, tmp_path)
    table = pd.read_csv(tmp_path / "tables" / "mean_d.csv")
    assert table.columns.tolist()[:3] == ["method", "scenes_finished", "scenes"]
    assert table["scenes_finished"].tolist() == table["scenes"].tolist() == [2, 2, 2]
    assert " 2/2 |" in (tmp_path / "tables" / "mean_d.md").read_text()
