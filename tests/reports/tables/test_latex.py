"""LaTeX tables: what is marked, what stands beside it, and that a paper with them compiles."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from reports.tables.formats import Cell, to_latex
from reports.tables.latex import mean_latex, paper_latex, write_latex
from reports.tables.run_tables import write_tables
from tests.reports.runs import a_run

CLOCK = {
    "mine": {"mi": 1.0, "qcv": 5.0, "psnr": float("inf")},
    "fcn": {"mi": 1.1, "qcv": 4.0, "psnr": 41.0},
    "lp": {"mi": 0.9, "qcv": 6.0, "psnr": 39.0},
    "source-a": {"mi": 1.3, "qcv": 9.0, "psnr": 30.0},
}


@pytest.fixture
def clock(tmp_path):
    return a_run(tmp_path, {m: {"clock": v} for m, v in CLOCK.items()})


@pytest.fixture
def means(tmp_path):
    scores = {
        m: {f"s{k}": {n: v + k for n, v in values.items()} for k in range(3)}
        for m, values in CLOCK.items()
    }
    datasets = {f"s{k}": "a_b" for k in range(3)}
    return a_run(tmp_path, scores, datasets, failed={("fcn", "s2")})


def row(text, method):
    (line,) = re.findall(rf"^{method} & (.*) \\\\$", text, re.MULTILINE)
    return line.split(" & ")


def test_the_papers_number_beside_ours(clock):
    text = paper_latex(clock, "clock")
    assert r"\multicolumn{2}{c}{MI $\uparrow$}" in text
    assert r"\cmidrule(lr){2-3}" in text
    assert row(text, "fcn")[:2] == [r"\textbf{1.1000}", r"\textbf{1.1574}"]
    assert row(text, "lp")[:2] == ["0.9000", r"\underline{1.0266}"]
    assert row(text, "mine")[:3] == [r"\underline{1.0000}", "--", r"\underline{5.0000}"]
    assert row(text, "source-a")[0] == "1.3000"  # a baseline does not compete
    assert "4/4 methods" in text


def test_mean_and_deviation_and_coverage(means):
    text = mean_latex(means, "a_b")
    assert row(text, "mine")[:2] == ["3/3", r"\textbf{2.0000 $\pm$ 1.000}"]
    assert row(text, "lp")[1] == r"\underline{1.9000 $\pm$ 1.000}"
    assert row(text, "fcn")[:2] == ["2/3", r"1.6000 $\pm$ 0.707"]
    assert row(text, "mine")[3] == r"\textbf{99.0000 $\pm$ 0.000}"
    assert "Identical images count as 99 dB in means of PSNR." in text
    assert r"over a\_b" in text


def test_tables_are_written_with_the_others(clock, tmp_path):
    names = {path.name for path in write_tables(clock, tmp_path / "out")}
    assert {"table1.csv", "table1.md", "table1.tex"} <= names


def test_groups_span_their_columns():
    text = to_latex(["a", "b", "c"], [[Cell("1")] * 3], groups=[("", 1), ("x & y", 2)], fit=True)
    lines = text.splitlines()
    assert r" & \multicolumn{2}{c}{x \& y} \\" in lines
    assert r"\end{tabular}}" in lines


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_a_paper_with_them_compiles(clock, means, tmp_path):
    written = [*write_latex(clock, tmp_path / "a"), *write_latex(means, tmp_path / "b")]
    assert len(written) == 2
    inputs = "\n".join(rf"\input{{{path.relative_to(tmp_path)}}}" for path in written)
    (tmp_path / "x.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\usepackage{graphicx}\\begin{document}\n"
        f"{inputs}\n\\end{{document}}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "x.tex"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "Overfull" not in done.stdout
