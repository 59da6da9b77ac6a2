"""The study on a small run with real images, and on scores alone."""

from __future__ import annotations

import numpy as np
import pytest

import bench
from bench.core.errors import DataUnavailable, NothingSelected, UsageError
from metrics.reference import psnr
from reports.data import which_metric
from reports.data.changed_references import CHANGES, rescored
from reports.data.evidence import REAL
from reports.data.results import load_results
from reports.data.which_metric import distances, lowest, make_study
from reports.write import write_report
from tests.reports.data.test_evidence import a_run_with_references
from tests.reports.runs import a_run
from tests.reports.test_words import OTHER_WORDS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("which_metric")]

METHODS = ["lp", "dwt", "gf", "dct-var", "quadtree", "average"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    bench.run(
        methods=METHODS,
        datasets=["synthetic-lens/coins", "synthetic-lens/chelsea"],
        metrics=["mi", "qw", "psnr", "ssim"],
        out=out,
        repeats=0,
    )
    return load_results(out)


def unavailable():
    raise DataUnavailable("the scores are not here")


@pytest.fixture
def alone(monkeypatch):
    """No published scores."""
    monkeypatch.setattr(which_metric, "published_evidence", unavailable)


def test_the_gray_rule_is_the_only_change_of_gray_pairs(run):
    table = rescored(run, "synthetic-lens", CHANGES[:1])["gray BT.709"]["psnr"]
    scores = run.scores[(run.scores["metric"] == "psnr") & (run.scores["method"] == "lp")]
    known = dict(zip(scores["scene"], scores["value"], strict=True))
    assert CHANGES[0].name == "gray BT.709"
    assert table.loc["synthetic-lens/coins", "lp"] == pytest.approx(known["coins"])
    assert table.loc["synthetic-lens/chelsea", "lp"] != pytest.approx(known["chelsea"], abs=1e-6)
    assert "average" not in table.columns


def test_scores_against_a_brighter_reference_are_those_of_that_image(run):
    change = next(each for each in CHANGES if each.name == "brighter")
    table = rescored(run, "synthetic-lens", [change])["brighter"]["psnr"]
    cell = next(c for c in run.manifest.cells if (c.scene, c.method) == ("coins", "gf"))
    from datasets import load_scenes

    (scene,) = load_scenes("synthetic-lens/coins")
    bright = np.clip(np.rint(1.02 * scene.images.reference), 0, 255).astype(np.uint8)
    expected = psnr(bright, run.store.get_image(cell.pixels))
    assert table.loc["synthetic-lens/coins", "gf"] == pytest.approx(expected, abs=1e-3)


def test_every_change_changes_scores_and_is_repeatable(run):
    first, again = rescored(run, "synthetic-lens"), rescored(run, "synthetic-lens")
    base = run.scores[run.scores["metric"] == "psnr"].pivot(
        index="scene", columns="method", values="value"
    )
    for change in CHANGES:
        table = first[change.name]["psnr"]
        assert table.equals(again[change.name]["psnr"])
        assert table.loc["synthetic-lens/chelsea", "lp"] != base.loc["chelsea", "lp"]


def test_the_study_without_published_scores_says_what_is_missing(run, alone):
    said = []
    study = make_study(run, said.append)
    assert study.missing == tuple(said) == (f"no comparison with {REAL}: the scores are not here",)
    assert [*study.evidence] == ["synthetic-lens"]
    changed = {f"synthetic-lens, {change.name}" for change in CHANGES}
    assert set(study.experiments["experiment"]) == {"synthetic-lens", *changed}
    assert len(distances(study)) == 0
    assert lowest(study)["count"].tolist() == [1, 1]
    assert make_study(run, said.append).agreement.equals(study.agreement)


@pytest.mark.usefixtures("alone")
def test_the_report_is_written_in_the_words_of_the_field(run, tmp_path):
    pytest.importorskip("matplotlib")
    written = write_report("which-metric", run, tmp_path, note=lambda _: None)
    names = [
        "which-metric.md",
        "agreement.csv",
        "experiments.csv",
        "agreement.png",
        "agreement.pdf",
    ]
    assert [path.name for path in written] == names
    text = written[0].read_text()
    assert "| QW" not in text
    assert "| Piella Qw" in text
    assert "Missing" in text
    assert OTHER_WORDS.findall(text) == []


def test_further_runs_are_further_evidence(run, alone, tmp_path):
    other = a_run_with_references(tmp_path, {"mine": ["s1", "s2"]})
    study = make_study(run, lambda _: None, others=[other])
    assert [*study.evidence] == ["synthetic-lens", "mine"]
    with pytest.raises(UsageError, match="two of the runs have the data set 'synthetic-lens'"):
        make_study(run, lambda _: None, others=[run])


def test_a_run_without_a_reference_is_refused(tmp_path):
    with pytest.raises(NothingSelected, match="no data set of the run has a reference"):
        make_study(a_run(tmp_path, {"lp": {"s": {"mi": 1.0}}}))


def test_images_that_are_gone_cost_the_experiments_only(tmp_path, alone):
    run = a_run_with_references(tmp_path, {"synthetic-lens": ["coins"]})
    study = make_study(run, lambda _: None)
    assert len(study.agreement)
    assert "no experiment with changed references" in study.missing[1]
