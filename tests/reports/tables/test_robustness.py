"""The files on robustness that a run leaves."""

from __future__ import annotations

import pandas as pd
import pytest

from reports.tables.robustness import write_robustness
from reports.tables.run_tables import listed_pages, write_tables
from tests.reports.robust_runs import robust_run


@pytest.fixture
def results(tmp_path):
    return robust_run(tmp_path / "run")


def test_a_run_writes_them_with_its_tables(results, tmp_path):
    names = {path.name for path in write_tables(results, tmp_path / "out")}
    assert {
        "robustness.md",
        "robustness.csv",
        "robustness_areas.csv",
        "robustness_set_psnr.tex",
        "robustness_set_qcv.tex",
    } <= names


def test_a_run_names_the_page_and_not_each_perturbed_set(results, tmp_path):
    write_tables(results, tmp_path)
    names = [page.name for page in listed_pages(results, tmp_path / "tables")]
    assert names == ["mean_set+shift=1+noise=5.md", "mean_set.md", "robustness.md"]


def test_they_go_when_a_run_has_no_perturbed_set(results, tmp_path):
    folder = tmp_path / "tables"
    assert all(path.is_file() for path in write_robustness(results, folder))
    plain = robust_run(tmp_path / "plain", {"": 0})
    assert write_robustness(plain, folder) == []
    assert list(folder.iterdir()) == []


def test_the_page_has_scores_losses_and_what_was_done(results, tmp_path):
    write_robustness(results, tmp_path)
    page = (tmp_path / "robustness.md").read_text()
    (row,) = [
        line
        for line in page.partition("### PSNR ↑ on set")[2].partition("Loss at")[0].splitlines()
        if line.startswith("| fcn")
    ]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:3] == ["fcn", "**39.50**", "34.50 (5.00)"]
    assert "**35.00 (2.50)**" in page  # of lp
    assert "| none | noise 5 | noise 10 | exposure 0.5 | exposure<0 -0.5 | jpeg 90 | jpeg 50 |" in (
        " ".join(page.split())
    )
    assert "noise: Gaussian noise in all sources" in page
    assert page.index("### PSNR") < page.index("### QCV")
    assert "also reward a method for keeping the noise" in page


def test_the_csv_has_every_point(results, tmp_path):
    write_robustness(results, tmp_path)
    curves = pd.read_csv(tmp_path / "robustness.csv")
    assert len(curves) == (3 + 2 + 2 + 3) * 3 * 2
    at = curves.query("perturbation == 'jpeg' and amount == 50 and method == 'lp'")
    (row,) = at[at["metric"] == "psnr"][["severity", "score", "loss", "scenes"]].to_numpy().tolist()
    assert row == [50, 34.0, 3.5, 2]


def test_fewer_scenes_are_said_and_do_not_compete(tmp_path):
    results = robust_run(tmp_path / "run", failed={("+noise=5", "two", "fcn")})
    write_robustness(results, tmp_path)
    page = (tmp_path / "robustness.md").read_text()
    assert "| fcn (1 of 2 scenes) |" in page
    (best,) = {line.split("|")[1].strip() for line in page.splitlines() if "**" in line}
    assert best == "lp"


def test_latex_has_a_caption_and_a_label(results, tmp_path):
    write_robustness(results, tmp_path)
    text = (tmp_path / "robustness_set_psnr.tex").read_text()
    assert r"\label{tab:robustness_set_psnr}" in text
    assert r"\textbf{35.00 (2.50)}" in text
    assert r"exposure$<$0" in text
