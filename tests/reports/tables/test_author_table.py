"""Tables as an author asks for them: rows, columns, decimals, titles, citations, comparisons."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from bench.cli.main import main
from bench.core.errors import NothingSelected, UnknownName, UsageError
from reports.data.references import citation_key, cited
from reports.data.selected import selected
from reports.data.versus import versus
from reports.tables.author_table import TableStyle, author_table, write_author_tables
from tests.reports.runs import a_run

SCORES = {
    "lp": {"mi": 0.91111, "qcv": 6.0, "psnr": 39.0},
    "mine": {"mi": 1.00004, "qcv": 5.0, "psnr": float("inf")},
    "fcn": {"mi": 1.00001, "qcv": 4.0, "psnr": 41.0},
    "liu2020:gff": {"mi": 0.8, "qcv": 7.0, "psnr": 38.0},
    "source-a": {"mi": 1.3, "qcv": 9.0, "psnr": 30.0},
}
SCENES = ("s0", "s1", "s2", "s3", "s4", "s5")


@pytest.fixture
def run(tmp_path):
    scores = {
        m: {s: {n: v + k for n, v in values.items()} for k, s in enumerate(SCENES)}
        for m, values in SCORES.items()
    }
    return a_run(tmp_path, scores, dict.fromkeys(SCENES, "a_b"))


def test_rows_and_columns_keep_the_order_in_which_they_are_named(run):
    part = selected(run, ["mine", "f*", "lp"], ["PSNR", "mi"])
    assert [m.name for m in part.manifest.methods] == ["mine", "fcn", "lp"]
    assert list(part.manifest.metric) == ["psnr", "mi"]
    assert set(part.scores.method) == {"mine", "fcn", "lp"}
    headers, rows, _ = author_table(part, "a_b", TableStyle())
    assert headers[:3] == ["Method", "PSNR ↑", "MI ↑"]
    assert [row[0].text for row in rows] == ["mine", "fcn", "lp"]
    assert selected(run).manifest.methods == run.manifest.methods


def test_what_the_run_does_not_have_is_refused(run):
    with pytest.raises(UnknownName, match="method of this run 'minn'"):
        selected(run, ["minn"])
    with pytest.raises(UnknownName, match="metric of this run 'qabf'"):
        selected(run, [], ["qabf"])
    with pytest.raises(UsageError, match="--decimals 9"):
        TableStyle(decimals=9)


def test_the_best_is_the_best_as_printed(run):
    def bests(decimals):
        _, rows, _ = author_table(run, "a_b", TableStyle(decimals=decimals))
        return {row[0].text for row in rows if row[1].best}

    assert bests(3) == {"mine", "fcn"}
    assert bests(5) == {"mine"}


def test_style(run):
    style = TableStyle(decimals=2, titles=True, std=True, caption="50 % of it", transpose=True)
    methods = [dataclasses.replace(m, title=f"Title of {m.name}") for m in run.manifest.methods]
    named = dataclasses.replace(run, manifest=dataclasses.replace(run.manifest, methods=methods))
    headers, rows, text = author_table(named, "a_b", style)
    assert headers[:3] == ["Metric", "Title of lp", "Title of mine"]
    assert rows[0][0].text == "MI ↑"
    assert rows[0][1].text == f"{np.mean([0.91111 + k for k in range(6)]):.2f} ± 1.87"
    assert text == "50 % of it"


def test_files_with_symbols_citations_and_a_bibliography(run, tmp_path):
    style = TableStyle(bib=True, against="mine")
    names = {path.name for path in write_author_tables(run, tmp_path / "t", style)}
    assert names == {f"a_b{end}" for end in (".tex", ".md", ".csv", ".bib")} | {
        f"a_b_against{end}" for end in (".tex", ".md", ".csv")
    }
    text = (tmp_path / "t" / "a_b.tex").read_text()
    assert r"$Q_{MI}$ $\uparrow$" in text
    assert r"$Q_{CV}$ $\downarrow$" in text
    keys = set(re.findall(r"\\cite\{(.+?)\}", text))
    assert keys == {"lp", "mine", "fcn", "liu2020:gff"}
    bib = (tmp_path / "t" / "a_b.bib").read_text()
    assert keys == set(re.findall(r"^@\w+\{(.+?),$", bib, re.MULTILINE))
    assert "10.1109/TIP.2013.2244222" in bib
    assert "source-a" in text


def test_a_bibliography_is_valid_bibtex(run):
    odd = dataclasses.replace(run.manifest.methods[0], title="50 % & more_", paper="A & B, 2020")
    manifest = dataclasses.replace(run.manifest, methods=[odd])
    assert r"{50 \% \& more\_}" in cited(manifest)
    assert r"howpublished = {A \& B, 2020}" in cited(manifest)
    assert citation_key("a b@c=1,d") == "a-b-c-1-d"


def jpeg_run(tmp_path):
    """A run with two rows of one title, of which one is through JPEG too."""
    rows = {name: {s: {"mi": 1.0} for s in SCENES} for name in ("gf", "gf@radius=3", "gf+jpeg")}
    run = a_run(tmp_path, rows, dict.fromkeys(SCENES, "a_b"))
    methods = [dataclasses.replace(m, title="Guided filtering") for m in run.manifest.methods]
    cells = [
        dataclasses.replace(cell, compression="jpeg60") if cell.method == "gf+jpeg" else cell
        for cell in run.manifest.cells
    ]
    manifest = dataclasses.replace(run.manifest, methods=methods, cells=cells)
    return dataclasses.replace(run, manifest=manifest)


@pytest.mark.parametrize("transpose", [False, True])
def test_titles_tell_methods_apart_and_jpeg_is_marked(tmp_path, transpose):
    style = TableStyle(titles=True, transpose=transpose, bib=True)
    headers, rows, text = author_table(jpeg_run(tmp_path), "a_b", style)
    shown = headers[1:] if transpose else [row[0].text for row in rows]
    assert shown == [
        "Guided filtering (gf)",
        "Guided filtering (gf@radius=3)",
        "Guided filtering (gf+jpeg) †",
    ]
    assert f"second of a {'row' if transpose else 'column'};" in text


def test_jpeg_images_compete_among_themselves(tmp_path):
    _, rows, _ = author_table(jpeg_run(tmp_path), "a_b", TableStyle())
    assert [row[0].text for row in rows if row[1].best] == ["gf", "gf@radius=3", "gf+jpeg †"]


def test_a_turned_table_cites(tmp_path):
    run = jpeg_run(tmp_path)
    write_author_tables(run, tmp_path / "t", TableStyle(bib=True, transpose=True))
    text = (tmp_path / "t" / "a_b.tex").read_text()
    assert re.findall(r"\\cite\{(.+?)\}", text) == ["gf", "gf-radius-3", "gf"]
    bib = (tmp_path / "t" / "a_b.bib").read_text()
    assert re.findall(r"^@\w+\{(.+?),$", bib, re.MULTILINE) == ["gf", "gf-radius-3"]
    assert "Source" not in (tmp_path / "t" / "a_b.md").read_text()
    assert list(pd.read_csv(tmp_path / "t" / "a_b.csv")["Metric"]) == ["MI ↑", "Time (s) ↓"]


def test_each_amount_of_a_perturbation_has_its_files(tmp_path):
    names = [f"a_b+shift={amount}" for amount in ("0.25", "0.5", "1")]
    scores = {"lp": {scene: {"mi": 1.0} for scene in SCENES[:3]}}
    run = a_run(tmp_path, scores, dict(zip(SCENES, names, strict=False)))
    written = write_author_tables(run, tmp_path / "t", TableStyle(bib=True))
    ends = (".tex", ".md", ".csv", ".bib")
    assert [path.name for path in written] == [f"{name}{end}" for name in names for end in ends]


def test_metrics_without_a_value_are_refused(run):
    none = dataclasses.replace(run, scores=run.scores.iloc[:0])
    with pytest.raises(NothingSelected, match=r"no method of the run has a value of MI, .* on a_b"):
        author_table(none, "a_b", TableStyle())


def test_decimals_are_of_scores_alone(run):
    timing = run.timing.assign(median_s=0.0123)
    headers, rows, _ = author_table(
        dataclasses.replace(run, timing=timing), "a_b", TableStyle(decimals=1)
    )
    assert headers[-1] == "Time (s) ↓"
    assert rows[0][-1].text == "0.0123"


def test_wins_ties_and_losses(run):
    table = versus(run, "mine").set_index(["metric", "method"])
    row = table.loc["mi", "lp"]
    assert (row.wins, row.ties, row.losses, row.effect) == (6, 0, 0, 1)
    assert table.loc[("qcv", "fcn"), "losses"] == 6
    assert table.loc[("qcv", "fcn"), "effect"] == -1
    assert table.loc[("psnr", "fcn"), "wins"] == 6  # infinite
    # Six scenes, all won: p is 2/64, and Holm multiplies the least of four by 4.
    assert row.p == pytest.approx(4 * 2 / 64)
    with pytest.raises(UnknownName):
        versus(run, "other")
    with pytest.raises(NothingSelected, match="together with mine"):
        versus(selected(run, ["mine"]), "mine")


def test_ties_count_half_to_either_side(tmp_path):
    scores = {
        m: {f"s{k}": {"mi": 1.0 + (k == 0) * (m == "lp")} for k in range(4)} for m in ("lp", "fcn")
    }
    row = versus(a_run(tmp_path, scores), "fcn").iloc[0]
    assert (row.wins, row.ties, row.losses) == (0, 3, 1)
    assert row.effect == -1


def test_the_command(run, tmp_path, capsys):
    given = [
        "--methods",
        "mine",
        "lp",
        "--metrics",
        "mi",
        "--decimals",
        "1",
        "--out",
        str(tmp_path),
    ]
    assert main(["report", "tables", *given]) == 0
    assert str(tmp_path / "paper" / "a_b.tex") in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "paper" / "a_b.csv")
    assert list(table["Method"]) == ["mine", "lp"]
    assert main(["report", "leaderboard", *given[:-2], "--out", str(tmp_path)]) == 2
    assert "--decimals" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_a_paper_with_it_compiles(run, tmp_path):
    write_author_tables(run, tmp_path, TableStyle(bib=True, against="mine", std=True))
    (tmp_path / "x.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs,graphicx}\\begin{document}\n"
        "\\input{a_b}\\input{a_b_against}\\bibliographystyle{plain}\\bibliography{a_b}\n"
        "\\end{document}"
    )
    for command in (
        ["pdflatex", "-halt-on-error", "x.tex"],
        ["bibtex", "x"],
        ["pdflatex", "x.tex"],
    ):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
