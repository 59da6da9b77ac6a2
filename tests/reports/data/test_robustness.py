"""Curves of runs with perturbed sets: what counts, the losses and the means over severities."""

from __future__ import annotations

import pytest

from reports.data.robustness import (
    MOST_SHOWN,
    axes_of,
    make_robustness,
    points,
    ranked,
    shown,
)
from tests.reports.robust_runs import LOSSES, METRICS, robust_run


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return robust_run(tmp_path_factory.mktemp("run"))


def loss(found, perturbation, method, metric="psnr"):
    mine = found.curves.query("perturbation == @perturbation and method == @method")
    return mine[mine["metric"] == metric]["loss"].tolist()


def test_each_single_perturbation_is_an_axis_from_mild_to_severe(results):
    axes = axes_of(results.manifest)
    assert [(axis.name, axis.labels, axis.severities) for axis in axes] == [
        ("noise", ["0", "5", "10"], [0, 5, 10]),
        ("exposure", ["0", "0.5"], [0, 0.5]),
        ("exposure<0", ["0", "-0.5"], [0, 0.5]),
        ("jpeg", ["none", "90", "50"], [0, 10, 50]),
    ]


def test_losses_are_positive_where_it_gets_worse_whatever_the_direction(results):
    found = make_robustness(results)
    for metric in ("psnr", "qcv"):
        assert loss(found, "noise", "fcn", metric) == pytest.approx([0, 4, 6])
        assert loss(found, "noise", "lp", metric) == pytest.approx([0, 2, 3])
        assert loss(found, "exposure<0", "fcn", metric) == pytest.approx([0, 2])


def test_the_mean_over_severities_is_the_area_over_its_width(results):
    found = make_robustness(results)
    losses = found.summary("set", "psnr", "loss")
    # Trapezoids of 4, 6 at 5, 10, and of 3, 7 at 10, 50; one point is its own mean.
    assert losses.loc["fcn"].to_dict() == pytest.approx(
        {"noise": 5, "exposure": 1, "exposure<0": 2, "jpeg": 5}
    )
    clean, scores = (found.summary("set", "psnr", value) for value in ("clean", "score"))
    assert (clean.loc["fcn"] == 39.5).all()
    assert (clean - losses).loc["lp"].tolist() == pytest.approx(scores.loc["lp"].tolist())


def test_a_run_without_a_set_as_it_is_has_no_curve(tmp_path):
    assert make_robustness(robust_run(tmp_path / "a", {"": 0})) is None
    assert make_robustness(robust_run(tmp_path / "b", {"+noise=5": 1, "+noise=9": 2})) is None
    assert make_robustness(robust_run(tmp_path / "c", {"": 0, "+noise=0": 0})) is None
    assert make_robustness(robust_run(tmp_path / "d", {"": 0, "+shift=1+noise=5": 3})) is None


def test_a_method_is_compared_on_the_scenes_that_it_finished_everywhere(tmp_path):
    failed = {("+noise=10", "two", "fcn"), *(("", scene, "lp") for scene in ("one", "two"))}
    results = robust_run(tmp_path, failed=failed)
    found = make_robustness(results)
    mine = found.curves.query("perturbation == 'noise' and metric == 'psnr'")
    assert mine.groupby("method")["scenes"].first().to_dict() == {"average": 2, "fcn": 1}
    assert mine[mine["method"] == "fcn"]["score"].tolist() == [40, 36, 34]
    assert loss(found, "noise", "lp") == []


def test_the_reference_comes_first_and_the_best_methods_too(results):
    found = make_robustness(results)
    assert found.metrics("set", results.manifest) == ["psnr", "qcv"]
    assert ranked(found, "set", "psnr", results.manifest) == ["fcn", "lp", "average"]
    assert ranked(found, "set", "qcv", results.manifest) == ["fcn", "lp", "average"]


def test_a_picture_shows_few_methods(tmp_path):
    methods = {f"m{k:02}": (30.0 + k, 1.0) for k in range(20)} | {"average": (50.0, 1.0)}
    results = robust_run(tmp_path, methods=methods)
    names = shown(make_robustness(results), "set", "psnr", results.manifest)
    assert len(names) == MOST_SHOWN
    assert names[:2] == ["m19", "m18"]
    assert names[-1] == "average"


def test_the_lead_is_over_the_median_at_each_severity(results):
    found = make_robustness(results)
    (noise, *_), psnr = found.axes, METRICS[1]
    lead = points(found, noise, psnr, ["fcn", "lp"], "lead")
    assert lead["fcn"].tolist() == pytest.approx([1, 0, -0.5])
    assert lead["lp"].tolist() == pytest.approx([-1, 0, 0.5])
    lower = points(found, noise, METRICS[0], ["fcn", "lp"], "lead")
    assert lower["fcn"].tolist() == pytest.approx([1, 0, -0.5])
    assert points(found, noise, psnr, ["fcn"], "loss")["fcn"].tolist() == pytest.approx(
        [0, LOSSES["+noise=5"], LOSSES["+noise=10"]]
    )
