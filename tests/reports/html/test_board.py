"""Each family of methods has a colour and a shape on the page."""

from __future__ import annotations

import re
from importlib import resources
from typing import get_args

import pytest

from methods._base import Family
from reports.html.board import FAMILIES, group_of
from reports.html.charts import SHAPES

STYLE = (resources.files("reports.html") / "templates" / "report.css").read_text("utf-8")


@pytest.mark.parametrize("family", [*get_args(Family), "published", "images", "of a plug-in"])
def test_a_family_has_a_colour_in_both_themes_and_a_shape(family):
    group = group_of(family)
    colours = re.findall(rf"--f{group}: (#[0-9a-f]{{6}});", STYLE)
    assert len(set(colours)) == 2
    assert f".f{group} {{ --c: var(--f{group}); }}" in STYLE
    assert (group in SHAPES) == (family != "control")


def test_no_two_families_share_them():
    assert set(get_args(Family)) <= set(FAMILIES)
    for theme in (STYLE.split('data-theme="dark"')[0], STYLE.split('data-theme="dark"')[1]):
        colours = re.findall(r"--f\d+: (#[0-9a-f]{6});", theme)
        assert len(set(colours)) == len(colours) == len(FAMILIES) + 1
    assert len(set(SHAPES.values())) == len(SHAPES)
