"""Figures: every scene and table has its own, with what the paper's have in the paper's order."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from bench.images import read_image
from bench.store import Store
from reports.results import load_results
from reports.sources import Sources
from tests.test_html import HOSTILE, finished  # noqa: F401 - a fixture

pytest.importorskip("matplotlib", reason="needs matplotlib")
from reports.figures import bars, contact_sheet, letter, radar, scene_images, write_figures

MANIFEST = {
    "methods": [{"name": n, "family": "spatial"} for n in ("a", "b", "$x_{", "few")],
    "metrics": [
        {"name": n, "label": n.upper(), "higher_is_better": up}
        for n, up in (("mi", True), ("qcv", False), ("ssim", True))
    ],
}
SCORES = pd.DataFrame(
    {"mi": [1.0, 2.0, 3.0, 9.0], "qcv": [10.0, 30.0, 20.0, 1.0], "ssim": [0.9, np.nan, 0.95, 1.0]},
    index=["a", "b", "$x_{", "few"],
)


@pytest.fixture(scope="module")
def written(finished, tmp_path_factory):  # noqa: F811
    folder = tmp_path_factory.mktemp("figures")
    return write_figures(load_results(finished), Store(finished / "store"), folder)


def test_a_figure_for_each_scene_and_table(written):
    stems = {"scene_paper_camera", "scene_paper_color"}
    stems |= {f"{kind}_table{k}" for kind in ("bar", "radar") for k in (3, 4)}
    assert {path.name for path in written} == {f"{s}.{k}" for s in stems for k in ("png", "pdf")}


def test_png_is_as_wide_as_a_page_and_not_empty(written):
    for path in written:
        if path.suffix == ".png":
            image = read_image(path)
            assert image.shape[1] == 1440
            assert image.std() > 10


def test_pdf_is_vector_with_embedded_fonts(written):
    for path in written:
        if path.suffix == ".pdf":
            data = path.read_bytes()
            assert data.startswith(b"%PDF")
            assert re.search(rb"/FontFile2", data)
            assert b"CreationDate" not in data
            images = data.count(b"/Subtype /Image")
            assert images == (7 if path.name.startswith("scene") else 0)


def test_sheet_has_sources_first_then_the_papers_order(finished):  # noqa: F811
    results = load_results(finished)
    entry = results.manifest["scenes"][0]
    store, sources = Store(finished / "store"), Sources(results.manifest)
    images = scene_images(results, store, sources, entry)
    names = [name for name, _ in images]
    assert names[:4] == ["Source A", "Source B", "lp", "gf"]
    assert HOSTILE in names[4:]
    figure = contact_sheet(images, "Camera")
    captions = [axes.texts[0].get_text() for axes in figure.axes]
    assert captions[:3] == ["(a) Source A", "(b) Source B", "(c) lp"]
    first = np.asarray(figure.axes[0].images[0].get_array())
    assert np.array_equal(first, images[0][1])


def test_letters():
    assert [letter(k) for k in (0, 25, 26, 27, 52)] == ["a", "z", "aa", "ab", "ba"]


def test_best_bar_is_dark_in_its_direction_and_who_stands_aside_is_not():
    figure = bars(SCORES, MANIFEST, "t", {"few"})
    colours = [[patch.get_facecolor() for patch in axes.patches] for axes in figure.axes]
    for row, best in zip(colours, (2, 0, 2), strict=True):
        assert [colour != row[3] for colour in row].index(True) == best
        assert sum(colour != row[3] for colour in row) == 1


def test_bars_that_do_not_start_at_zero_say_so():
    figure = bars(SCORES, MANIFEST, "t")
    for axes in figure.axes:
        dashed = axes.spines["left"].get_linestyle() != "-"
        assert dashed == (axes.get_xlim()[0] > 0)
    assert figure.axes[2].get_xlim()[0] > 0


def test_radar_turns_lower_is_better_over_and_drops_the_incomplete():
    figure = radar(SCORES, MANIFEST, "t", {"few"})
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    assert set(lines) == {"a", "$x_{"}
    assert lines["a"] == pytest.approx([0, 1, 0, 0])
    assert lines["$x_{"] == pytest.approx([1, 0, 1, 1])
