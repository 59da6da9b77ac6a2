"""Tables and leaderboards from a run whose scores are known."""

from __future__ import annotations

import dataclasses
import io
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from bench.core.errors import DataUnavailable, UnknownName
from reports.data import paper
from reports.data.leaderboard import make_leaderboard
from reports.data.results import load_results
from reports.tables.formats import Cell, escape_latex, to_latex, to_markdown
from reports.tables.leaderboard import write_leaderboard
from reports.tables.paper_comparison import against_paper, comparison, headline
from reports.tables.run_tables import write_tables
from reports.tables.table import mean_table, scene_table
from tests.reports.runs import FAMILY, a_run

METHODS = ("fcn", "lp", "mine", "source-a")


def variants(results, **variant_of):
    """The results with other metrics as variants of each other."""
    metrics = [
        dataclasses.replace(m, variant_of=variant_of.get(m.name, m.variant_of))
        for m in results.manifest.metrics
    ]
    manifest = dataclasses.replace(results.manifest, metrics=metrics)
    return dataclasses.replace(results, manifest=manifest)


@pytest.fixture
def clock(tmp_path):
    values = {
        "mine": {"mi": 1.0, "qcv": 5.0, "psnr": 40.0},
        "fcn": {"mi": 1.1, "qcv": 4.0, "psnr": 41.0},
        "lp": {"mi": 0.9, "qcv": 6.0, "psnr": 39.0},
        "source-a": {"mi": 1.3, "qcv": 9.0, "psnr": 30.0},
    }
    return a_run(tmp_path, {m: {"clock": v} for m, v in values.items()})


def test_rows_in_the_papers_order_then_ours(clock):
    assert list(scene_table(clock, "clock").values.index) == ["lp", "fcn", "mine", "source-a"]


def test_best_is_marked_in_its_direction_and_baselines_apart(clock, tmp_path):
    write_tables(clock, tmp_path)
    lines = (tmp_path / "tables" / "table1.md").read_text().splitlines()
    rows = {line.split("|")[1].strip(): line for line in lines if line.startswith("|")}
    assert rows["fcn"].count("**") == 8  # three metrics, and the time that all share
    assert "**" not in rows["source-a"]
    assert rows["lp"].count("**") == 2
    assert "MI ↑" in rows["Method"]
    assert "QCV ↓" in rows["Method"]
    assert lines[0].startswith("**Table 1.** Clock, 4x3 (real). A note.")


def test_csv_round_trip_keeps_every_digit(clock, tmp_path):
    write_tables(clock, tmp_path)
    table = pd.read_csv(tmp_path / "tables" / "table1.csv").set_index("method")
    assert table.loc["fcn", "mi"] == 1.1
    assert table.loc["fcn", "Time (s)"] == 0.5
    timing = pd.read_csv(tmp_path / "timing.csv")
    assert set(timing.median_s) == {0.5}
    assert set(timing.iqr_s) == {0.375}


def test_comparison_with_the_paper(clock):
    table = against_paper(clock, "clock").set_index(["method", "metric"])
    assert set(table.index) == {("fcn", "mi"), ("lp", "mi")}
    assert table.loc[("fcn", "mi"), "paper"] == 1.1574
    assert table.loc[("fcn", "mi"), "difference"] == pytest.approx(1.1 - 1.1574)


def test_comparison_in_sum(clock, tmp_path):
    row = comparison(clock).set_index("metric").loc["mi"]
    assert row["methods"] == 2
    assert row["mean"] == pytest.approx((1.1 - 1.1574 + 0.9 - 1.0266) / 2)
    assert row["largest"] == pytest.approx(0.9 - 1.0266)
    assert row["first_paper"] == row["first_ours"] == "fcn"
    write_tables(clock, tmp_path)
    assert "| 1 (real)" in (tmp_path / "tables" / "vs_paper.md").read_text()


def test_headline_needs_every_rival(tmp_path, monkeypatch):
    rows = {name: {"clock": {"mi": 0.5}} for name in paper.ROWS}
    rows["fcn"]["clock"]["mi"] = 0.6
    monkeypatch.setitem(FAMILY, "fcn", "learned")
    for name in rows:
        monkeypatch.setitem(FAMILY, name, "learned")
    results = a_run(tmp_path, rows)
    assert headline(results).loc["fcn", ["table 1", "all", "cells"]].tolist() == [1, 1, 1]
    del rows["rp"]
    assert headline(a_run(tmp_path, rows)).loc["fcn", "cells"] == 0


def test_the_papers_tables_are_whole():
    table = paper.published()
    assert len(table) == 4 * 10 * 6
    assert table.paper.notna().all()
    assert set(table.method) == set(paper.ROWS)
    assert set(table.scene) == set(paper.TABLES)


def test_coverage_is_shown_and_nothing_imputed(tmp_path):
    values = {"mi": 1.0, "qcv": 2.0, "psnr": 30.0}
    scores = {m: {"s1": values, "s2": values} for m in ("lp", "mine")}
    results = a_run(tmp_path, scores, {"s1": "d", "s2": "d"}, failed={("mine", "s2")})
    table = mean_table(results, "d")
    assert table.coverage() == ["2/2", "1/2"]
    assert results.failures["message"].tolist() == ["why"]
    missing = results.scores.query("method == 'mine' and scene == 's2'")
    assert missing["value"].isna().all()
    assert set(missing["status"]) == {"failed"}


def test_a_mean_over_fewer_scenes_says_so_and_is_not_best(tmp_path):
    whole, part = {"mi": 1.0, "qcv": 2.0, "psnr": 30.0}, {"mi": 1.0, "qcv": 2.0}
    scores = {
        "lp": {"s1": whole, "s2": whole},
        "mine": {"s1": {**whole, "psnr": 50.0}, "s2": part},
    }
    write_tables(a_run(tmp_path, scores, {"s1": "d", "s2": "d"}), tmp_path)
    text = (tmp_path / "tables" / "mean_d.md").read_text()
    assert "50.0000 (1/2)" in text
    assert "**30.0000**" in text


def test_tables_of_an_earlier_run_are_removed(clock, tmp_path):
    stale = [tmp_path / "tables" / n for n in ("table2.md", "mean_old.csv", "table2_vs_paper.csv")]
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text("old")
    (tmp_path / "tables" / "notes.txt").write_text("mine")
    write_tables(clock, tmp_path)
    assert not any(path.exists() for path in stale)
    assert (tmp_path / "tables" / "notes.txt").exists()


def test_leaderboard_says_who_is_incomplete(tmp_path):
    values = {"mi": 1.0, "qcv": 2.0, "psnr": 30.0}
    scores = {m: {f"s{k}": dict(values, mi=k + n) for k in range(3)} for n, m in enumerate(METHODS)}
    failed = {("mine", "s1"), ("fcn", "s0"), ("fcn", "s1"), ("fcn", "s2")}
    results = a_run(tmp_path, scores, {f"s{k}": "d" for k in range(3)}, failed=failed)
    board = make_leaderboard(results)
    assert board.incomplete == {"mine": "finished 2 of 3 scenes", "fcn": "finished 0 of 3 scenes"}
    write_leaderboard(results, tmp_path)
    text = (tmp_path / "leaderboard.md").read_text()
    assert "- fcn: finished 0 of 3 scenes" in text


def test_a_method_of_few_scenes_does_not_take_them_from_the_others(tmp_path):
    values = {"mi": 1.0, "qcv": 2.0, "psnr": 30.0}
    scores = {m: {f"s{k}": dict(values, mi=k + n) for k in range(5)} for n, m in enumerate(METHODS)}
    failed = {("mine", f"s{k}") for k in (0, 1, 2)} | {("fcn", f"s{k}") for k in (3, 4)}
    results = a_run(tmp_path, scores, {f"s{k}": "d" for k in range(5)}, failed=failed)
    board = make_leaderboard(results)
    assert board.rankings["mi"].scenes == 3
    assert set(board.rankings["mi"].table.index) == {"lp", "fcn", "source-a"}
    assert board.incomplete == {"mine": "finished 2 of 5 scenes", "fcn": "finished 3 of 5 scenes"}


def test_infinite_psnr_ranks_first_without_a_warning(tmp_path):
    scores = {
        m: {f"s{k}": {"mi": 1.0, "psnr": np.inf if m == "lp" else 30.0 + k} for k in range(4)}
        for m in ("lp", "mine")
    }
    board = make_leaderboard(a_run(tmp_path, scores, {f"s{k}": "d" for k in range(4)}))
    table = board.rankings["psnr"].table
    assert table["rank"].to_dict() == {"lp": 1, "mine": 2}
    assert table.loc["lp", ["mean", "std"]].tolist() == [99, 0]


def test_no_run(tmp_path):
    with pytest.raises(DataUnavailable, match=r"run\.json"):
        load_results(tmp_path)


@pytest.fixture
def many(tmp_path):
    rng = np.random.default_rng(0)
    scores = {}
    for k, method in enumerate(METHODS):
        noise = rng.normal(0, 0.01, (12, 3))
        scores[method] = {
            f"s{i:02}": {"mi": k + e[0], "qcv": 10 + k + e[1], "psnr": 40 - k + e[2]}
            for i, e in enumerate(noise)
        }
    return a_run(tmp_path, scores, {f"s{i:02}": "d" for i in range(12)})


def test_leaderboard_flags_what_baselines_win(many):
    board = make_leaderboard(many)
    assert list(board.untrusted) == ["mi"]
    assert board.untrusted["mi"] == "source-a outranks 3 of 3 methods"
    assert board.overall.index[0] == "fcn"
    assert board.overall.loc["fcn", "overall"] == 1
    assert board.agreement.loc["qcv", "spearman"] == pytest.approx(1)
    assert board.agreement.loc["mi", "spearman"] == pytest.approx(-1)


def test_leaderboard_files(many, tmp_path):
    names = {path.name for path in write_leaderboard(many, tmp_path / "board")}
    expected = {"leaderboard.md", "leaderboard.csv", "leaderboard.tex"}
    assert names == expected | {"agreement.csv", "agreement.tex"}
    text = (tmp_path / "board" / "leaderboard.md").read_text()
    assert "§ MI ↑: source-a outranks 3 of 3 methods" in text
    table = pd.read_csv(tmp_path / "board" / "leaderboard.csv")
    assert len(table) == 3 * 4
    assert table.rank_low.le(table["rank"]).all()


def test_mean_scores_leave_baselines_apart_and_say_over_how_many_scenes(many, tmp_path):
    def means(results):
        write_leaderboard(results, tmp_path / "board")
        text = (tmp_path / "board" / "leaderboard.md").read_text()
        lines = text.partition("## Mean scores")[2].partition("##")[0].strip().splitlines()
        return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]

    rows = {row[0]: row[1:] for row in means(many)[2:]}
    assert "**" not in rows["source-a"][0]  # best of MI by far, and fuses nothing
    assert rows["mine"][0].startswith("**")
    assert rows["lp"][0].startswith("<u>")
    some = {"a": {"mi": 1.0}, "b": {"mi": 2.0, "psnr": 40.0}}
    few = a_run(tmp_path / "few", dict.fromkeys(METHODS, some))
    assert means(few)[0][1:] == ["MI ↑", "PSNR ↑ (1 scene)"]


def test_leaderboard_of_an_unknown_dataset(clock):
    with pytest.raises(UnknownName, match="known: paper"):
        make_leaderboard(clock, "no such dataset")


@pytest.fixture
def mixed(tmp_path):
    """Two datasets: `far` has a reference, on which a method that others published has no image."""
    scores = {
        method: {
            **{f"n{i}": {"mi": k + i / 10, "qcv": 10 + k} for i in range(4)},
            **{f"f{i}": {"mi": 9.0, "qcv": 1 + k, "psnr": 40 - k} for i in range(4)},
        }
        for k, method in enumerate(("fcn", "lp", "mine", "source-a"))
    }
    scores["theirs"] = {f"n{i}": {"mi": 0.5, "qcv": 9.0} for i in range(4)}
    where = {f"n{i}": "near" for i in range(4)} | {f"f{i}": "far" for i in range(4)}
    return a_run(tmp_path, scores, where)


def test_a_metric_that_some_methods_lack_is_no_part_of_overall(mixed, tmp_path):
    board = make_leaderboard(mixed)
    assert board.aside == {"psnr": "ranks 4 of 5 methods"}
    assert board.overall["overall"].notna().all()
    assert board.overall.index[0] == "theirs"
    assert board.agreement.loc["qcv", "methods"] == 3  # neither source-a nor theirs
    write_leaderboard(mixed, tmp_path)
    assert "PSNR ↑ ‡ |" in (tmp_path / "leaderboard.md").read_text()


def test_a_variant_does_not_count_twice(many):
    alone = make_leaderboard(many).overall["overall"]
    board = make_leaderboard(variants(many, qcv="psnr"))
    assert board.aside == {"qcv": "counts already as psnr"}
    assert (board.overall["overall"] == board.overall["psnr"]).all()
    assert alone.index[0] == board.overall.index[0]
    board = make_leaderboard(
        variants(many, qcv="ssim", psnr="ssim")
    )  # both of a metric that is not there
    assert board.aside == {"psnr": "counts already as qcv"}
    assert board.overall["overall"].notna().all()


def test_a_variant_stands_in_for_a_metric_that_ranks_fewer(mixed):
    board = make_leaderboard(variants(mixed, qcv="psnr"))  # PSNR lacks a method
    assert board.aside == {"psnr": "ranks 4 of 5 methods"}
    assert (board.overall["overall"] == board.overall["qcv"]).all()


def test_a_leaderboard_of_one_dataset_says_so_and_leaves_nothing_of_another(mixed, tmp_path):
    write_leaderboard(mixed, tmp_path)
    assert (tmp_path / "agreement.csv").exists()
    write_leaderboard(mixed, tmp_path, "near")
    text = (tmp_path / "leaderboard.md").read_text()
    assert text.startswith("# Leaderboard of near")
    assert "only the scenes of near count" in text
    assert not (tmp_path / "agreement.csv").exists()
    assert not (tmp_path / "agreement.tex").exists()


@pytest.mark.parametrize(("scenes", "marked"), [(4, False), (12, True)])
def test_no_mark_where_no_test_could_tell(tmp_path, scenes, marked):
    """Two methods of which the one wins twice as often, and one that never does."""
    scores = {
        method: {f"s{i}": {"mi": place + ((i % 3 == 1) is last)} for i in range(scenes)}
        for method, place, last in (("fcn", 2.0, False), ("lp", 2.0, True), ("mine", 0.0, True))
    }
    write_leaderboard(a_run(tmp_path, scores, {f"s{i}": "d" for i in range(scenes)}), tmp_path)
    text = (tmp_path / "leaderboard.md").read_text()
    ranks = [line for line in text.split("## Mean")[0].splitlines() if line.startswith("|")]
    assert any(" =" in line for line in ranks) is marked
    assert ("No =: over 4 scenes" in text) is not marked
    assert "Within CD of best" in text


def test_latex_escapes_everything():
    hostile = r"a_b & 50% {\input{x}} #1 ~ ^ $ <script>"
    text = to_latex(["Method"], [[Cell(hostile)]])
    assert r"a\_b \& 50\% \{\textbackslash{}input\{x\}\}" in text
    assert escape_latex("±") == r"$\pm$"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles(many, tmp_path):
    write_leaderboard(many, tmp_path)
    body = (tmp_path / "leaderboard.tex").read_text() + (tmp_path / "agreement.tex").read_text()
    (tmp_path / "x.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs,graphicx}\\usepackage{textcomp}\\begin{document}\n"
        f"{body}\\end{{document}}"
    )
    subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "x.tex"],
        cwd=tmp_path,
        check=True,
    )


def test_markdown_does_not_break_on_a_pipe():
    text = to_markdown(["Method", "x"], [[Cell("a|b"), Cell("1", best=True)]])
    assert pd.read_csv(io.StringIO(text.splitlines()[2].replace("\\|", "")), sep="|").shape[1] == 4
    assert "**1**" in text
