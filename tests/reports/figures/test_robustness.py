"""Curves of robustness as figures."""

from __future__ import annotations

import pytest

from reports.figures.drawing import style
from reports.figures.robustness import robustness_figures
from tests.reports.robust_runs import robust_run

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    with style():
        return dict(robustness_figures(robust_run(tmp_path_factory.mktemp("run"))))


def test_the_reference_has_three_figures_the_others_one(figures):
    assert list(figures) == [
        "robustness_score_set_psnr",
        "robustness_loss_set_psnr",
        "robustness_lead_set_psnr",
        "robustness_score_set_qcv",
    ]


def test_a_panel_is_a_perturbation_and_a_line_a_method(figures):
    figure = figures["robustness_loss_set_psnr"]
    panels = [axes for axes in figure.axes if axes.lines]
    assert [axes.get_title() for axes in panels] == ["noise", "exposure", "exposure<0", "jpeg"]
    lines = {line.get_label(): line.get_xydata() for line in panels[0].lines}
    assert lines["fcn"].ravel().tolist() == pytest.approx([0, 0, 5, 4, 10, 6])
    assert [text.get_text() for text in panels[3].get_xticklabels()] == ["none", "90", "50"]
    styles = {(ln.get_color(), ln.get_linestyle(), ln.get_marker()) for ln in panels[0].lines}
    assert len(styles) == len(lines)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["fcn", "lp", "average"]


def test_the_lead_is_without_baselines(figures):
    first = figures["robustness_lead_set_psnr"].axes[0]
    assert [line.get_label() for line in first.lines] == ["fcn", "lp"]


def test_without_perturbed_sets_there_is_none(tmp_path):
    assert list(robustness_figures(robust_run(tmp_path, {"": 0}))) == []
