"""The part of the page on robustness."""

from __future__ import annotations

import re

from reports.html.page import render
from reports.html.robustness import robustness_parts
from tests.reports.robust_runs import robust_run


def test_a_part_for_each_metric_with_three_charts_and_the_table(tmp_path):
    psnr, qcv = robustness_parts(robust_run(tmp_path))
    assert (psnr.label, qcv.label) == ("PSNR ↑", "QCV ↓")
    assert list(psnr.charts) == ["score", "loss", "lead"]
    names = ["noise", "exposure", "exposure<0", "jpeg"]
    assert psnr.header == ["Method", "none", *names, "mean of all"]
    assert [row[0].text for row in psnr.rows] == ["fcn", "lp", "average"]
    titles = re.findall(r"<title>(.*?)</title>", psnr.charts["loss"])
    assert "fcn: 0, 4, 6" in titles
    assert len(titles) == 4 * 3
    assert len(re.findall("<title>", psnr.charts["lead"])) == 4 * 2


def test_it_is_on_the_page_of_runs_with_perturbed_sets_only(tmp_path):
    page = render(robust_run(tmp_path / "a"))
    assert 'href="#robustness"' in page
    assert page.count('<div class="robust"') == 2
    page = render(robust_run(tmp_path / "b", {"": 0}))
    assert 'href="#robustness"' not in page
    assert 'id="robustness"' not in page


def test_names_are_escaped(tmp_path):
    methods = {"<b>&": (30.0, 1.0), "lp": (29.0, 1.0)}
    (psnr, _) = robustness_parts(robust_run(tmp_path, methods=methods))
    assert "<b>" not in psnr.charts["score"]
    assert "&lt;b&gt;&amp;: " in psnr.charts["score"]
