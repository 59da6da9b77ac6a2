"""Our scores on Real-MFF beside the published ones, on a made-up run and made-up sheets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bench.cli.main import main
from bench.core.errors import NothingSelected
from datasets import real_mff
from reports.data.published_comparison import beside_published, summary
from reports.write import write_report
from tests.reports.runs import a_run


@pytest.fixture(autouse=True)
def sheets(monkeypatch):
    """Published: the place of the method, plus a hundredth of the pair's number."""

    def sheet(metric):
        pairs = real_mff.scene_names(real_mff.PAIRS)
        places = np.arange(len(real_mff.METHODS))
        values = places + np.arange(1, len(pairs) + 1)[:, None] / 100
        index = pd.Index(pairs, name="scene")
        return pd.DataFrame(values, index, [method.name for method in real_mff.METHODS])

    monkeypatch.setattr(real_mff, "published_scores", sheet)


def a_real_mff_run(folder, dataset="real-mff"):
    scores = {
        "lp": {"001": {"mi": 0.51, "psnr": 40.0}, "710": {"mi": 7.1}},
        "gf": {"001": {"mi": 4.01, "psnr": 41.0}, "710": {"mi": 11.1}},
        "average": {"001": {"mi": 1.0}},
    }
    return a_run(folder, scores, dict.fromkeys(("001", "710"), dataset))


def test_every_score_stands_beside_the_published_one(tmp_path):
    table = beside_published(a_real_mff_run(tmp_path)).set_index(["metric", "method", "scene"])
    assert len(table) == 6  # no published row is called average
    assert table.loc[("mi", "lp", "001")].to_list() == pytest.approx([0.51, 0.01, 0.5])
    assert table.loc[("mi", "gf", "710")].to_list() == pytest.approx([11.1, 11.1, 0])
    means = summary(table.reset_index()).set_index(["metric", "method"])
    assert means.loc[("mi", "lp"), "largest"] == pytest.approx(0.5)
    assert means.loc[("mi", "lp"), "pairs"] == 2


def test_another_name_of_the_data_set_can_be_given(tmp_path):
    run = a_real_mff_run(tmp_path, dataset="folder")
    assert len(beside_published(run, "folder")) == 6
    with pytest.raises(
        NothingSelected, match="no scores on the data set 'real-mff'; it has folder"
    ):
        beside_published(run)


def test_a_run_of_other_methods_is_refused(tmp_path):
    run = a_run(tmp_path, {"mine": {"001": {"mi": 1.0}}}, {"001": "real-mff"})
    with pytest.raises(NothingSelected, match="no method, metric and pair"):
        beside_published(run)


def test_scenes_of_other_names_are_no_pairs(tmp_path):
    run = a_run(tmp_path, {"lp": {"clock": {"mi": 1.0}}}, {"clock": "real-mff"})
    with pytest.raises(NothingSelected, match="scenes 001 to 710"):
        beside_published(run)


def test_the_command_writes_both_files(tmp_path, capsys):
    a_real_mff_run(tmp_path)
    assert main(["report", "published-scores", "--out", str(tmp_path)]) == 0
    folder = tmp_path / "published-scores"
    assert capsys.readouterr().out.split() == [
        str(folder / "images.csv"),
        str(folder / "published-scores.md"),
    ]
    assert len(pd.read_csv(folder / "images.csv")) == 6
    assert "| MI       | lp       |       2 |" in (folder / "published-scores.md").read_text()


def test_the_report_goes_where_it_is_asked_to(tmp_path):
    run = a_real_mff_run(tmp_path)
    written = write_report("published-scores", run, tmp_path, to=tmp_path / "there")
    assert {path.parent for path in written} == {tmp_path / "there"}
