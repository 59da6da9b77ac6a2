"""Figures: every scene and table has its own, with what the paper's have in the paper's order."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from bench.core.errors import DataUnavailable
from bench.core.image_io import read_image
from reports.data.results import load_results
from reports.data.sources import Sources
from reports.tables.table import scene_table
from tests.reports.html.test_html import HOSTILE, finished  # noqa: F401 - a fixture
from tests.reports.runs import a_run

pytest.importorskip("matplotlib", reason="needs matplotlib")
from matplotlib.colors import to_hex

from reports.figures.network_figures import (
    ABLATION,
    PANELS,
    curves_figure,
    features_figure,
    read_curves,
)
from reports.figures.run_figures import (
    BEST,
    bars,
    contact_sheet,
    letter,
    radar,
    scene_images,
    write_figures,
)

SCORES = {
    "lp": {"mi": 1.0, "qcv": 10.0, "psnr": 0.9},
    "fcn": {"mi": 2.0, "qcv": 30.0},
    "$x_{": {"mi": 3.0, "qcv": 20.0, "psnr": 0.95},
    "average": {"mi": 9.0, "qcv": 1.0, "psnr": 1.0},
}
ALL = ["mi", "qcv", "psnr"]


def table_of(folder, scores):
    return scene_table(a_run(folder, {m: {"clock": v} for m, v in scores.items()}), "clock")


@pytest.fixture
def table(tmp_path):
    return table_of(tmp_path, SCORES)


@pytest.fixture(scope="module")
def written(finished, tmp_path_factory):  # noqa: F811
    folder = tmp_path_factory.mktemp("figures")
    return write_figures(load_results(finished), folder)


@pytest.mark.slow
def test_a_figure_for_each_scene_and_table(written):
    stems = {"scene_paper_camera", "scene_paper_color", "fig2_feature_maps", "fig5_ablation"}
    stems |= {f"{kind}_table{k}" for kind in ("bar", "radar") for k in (3, 4)}
    assert {path.name for path in written} == {f"{s}.{k}" for s in stems for k in ("png", "pdf")}


@pytest.mark.slow
def test_png_is_as_wide_as_a_page_and_not_empty(written):
    for path in written:
        if path.suffix == ".png":
            image = read_image(path)
            assert image.shape[1] == 1440
            assert image.std() > 10


@pytest.mark.slow
def test_pdf_is_vector_with_embedded_fonts(written):
    for path in written:
        if path.suffix == ".pdf":
            data = path.read_bytes()
            assert data.startswith(b"%PDF")
            assert re.search(rb"/FontFile2", data)
            assert b"CreationDate" not in data
            images = data.count(b"/Subtype /Image")
            kind = path.name.partition("_")[0]
            assert images == {"scene": 7, "fig2": 18}.get(kind, 0)


def test_sheet_has_sources_first_then_the_papers_order(finished):  # noqa: F811
    results = load_results(finished)
    entry = results.manifest.scenes[0]
    images, missing = scene_images(results, Sources(results.manifest), entry)
    assert missing == ""
    names = [name for name, _ in images]
    assert names[:4] == ["Source A", "Source B", "lp", "gf"]
    assert names[4:] == [HOSTILE, "average", "source-a"]
    figure = contact_sheet(images, "Camera")
    captions = [axes.texts[0].get_text() for axes in figure.axes]
    assert captions[:3] == ["(a) Source A", "(b) Source B", "(c) lp"]
    first = np.asarray(figure.axes[0].images[0].get_array())
    assert np.array_equal(first, images[0][1])


def test_letters():
    assert [letter(k) for k in (0, 25, 26, 27, 52)] == ["a", "z", "aa", "ab", "ba"]


def colours(axes):
    return [to_hex(patch.get_facecolor()) for patch in axes.patches]


def test_best_bar_is_blue_in_its_direction_and_who_does_not_compete_is_hollow(table):
    figure = bars(table, ALL, "t")
    assert list(table.values.index) == ["lp", "fcn", "$x_{", "average"]
    for axes, best in zip(figure.axes, (2, 0, 2), strict=True):
        assert [k for k, colour in enumerate(colours(axes)) if colour == BEST] == [best]
        assert colours(axes)[3] == "#ffffff"


def test_what_is_best_as_printed_is_best_in_the_bars(tmp_path):
    scores = {"a": {"mi": 1.0}, "b": {"mi": 2.00001}, "c": {"mi": 2.0}}
    axes = bars(table_of(tmp_path, scores), ["mi"], "t").axes[0]
    assert [colour == BEST for colour in colours(axes)] == [False, True, True]


def test_an_infinite_score_is_the_best_bar(tmp_path):
    scores = {"a": {"psnr": 40.0}, "b": {"psnr": np.inf}, "c": {"psnr": 41.0}}
    axes = bars(table_of(tmp_path, scores), ["psnr"], "t").axes[0]
    assert [colour == BEST for colour in colours(axes)] == [False, True, False]
    assert [text.get_text() for text in axes.texts] == ["40.00", "inf", "41.00"]


def test_a_method_without_a_score_says_so_in_the_bars(table):
    texts = [text.get_text() for text in bars(table, ALL, "t").axes[2].texts]
    assert texts == ["0.900", "–", "0.950", "1.000"]


def test_bars_that_do_not_start_at_zero_say_so(table):
    figure = bars(table, ALL, "t")
    for axes in figure.axes:
        dashed = axes.spines["left"].get_linestyle() != "-"
        assert dashed == (axes.get_xlim()[0] > 0)
    assert figure.axes[2].get_xlim()[0] > 0


def test_radar_turns_lower_is_better_over_and_drops_the_incomplete(table):
    figure = radar(table, ALL, "t")
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    assert set(lines) == {"lp", "$x_{"}
    assert lines["lp"] == pytest.approx([0, 1, 0, 0])
    assert lines["$x_{"] == pytest.approx([1, 0, 1, 1])


def test_what_cannot_be_drawn_is_said(finished, tmp_path):  # noqa: F811
    results = load_results(finished)
    none = {"fingerprint": "0" * 64}
    manifest = dataclasses.replace(
        results.manifest,
        scenes=[dataclasses.replace(scene, **none) for scene in results.manifest.scenes],
        cells=[
            dataclasses.replace(cell, pixels="") if cell.scene == "color" else cell
            for cell in results.manifest.cells
        ],
    )
    scores = results.scores.assign(value=np.nan).where(
        results.scores["scene"] == "color", results.scores.query("metric != 'mi'")
    )
    results = dataclasses.replace(results, manifest=manifest, scores=scores.dropna(how="all"))
    notes = []
    folder = tmp_path / "figures"
    written = write_figures(results, folder, ablation=tmp_path, note=notes.append)
    assert {path.stem for path in written} == {"scene_paper_camera", "bar_table3"}
    said = "\n".join(notes)
    for expected in (
        "no fig2_feature_maps: the sources of no scene",
        "no fig5_ablation: ",
        "contact sheet of paper/camera is without its sources: the sources found here are not",
        "no contact sheet of paper/color: no fused image",
        "no radar chart of table3: it needs three metrics, there are 2",
        "no bar and radar charts of table4",
    ):
        assert expected in said
    assert len(notes) == 6


def test_committed_training_curves_fill_all_panels():
    rows, about = read_curves(ABLATION)
    assert {row["panel"] for row in rows} == set(PANELS)
    assert "3000 steps" in about
    figure = curves_figure(rows, about)
    for axes, (title, ours) in zip(figure.axes, PANELS.values(), strict=True):
        assert title in axes.get_title()
        labels = [line.get_label() for line in axes.lines]
        assert labels.count(f"{ours} (paper)") == 1
        assert all(len(line.get_xdata()) == 20 for line in axes.lines)


@pytest.mark.parametrize(
    "text", ["", "panel,variant,step,psnr\n", "panel,variant,step,psnr\nfilters,64,x,1\n"]
)
def test_broken_training_curves_are_refused(tmp_path, text):
    (tmp_path / "ablation.csv").write_text(text)
    with pytest.raises(DataUnavailable, match="no training curves"):
        read_curves(tmp_path)


def test_feature_maps_that_vary_most_come_first():
    rng = np.random.default_rng(0)
    pair = [rng.random((20, 30), dtype=np.float32) for _ in range(2)]
    stack = rng.random((6, 20, 30), dtype=np.float32) * np.arange(1, 7)[:, None, None]
    figure = features_figure(pair, dict.fromkeys("abc", stack), 3)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:4] == ["source A", "map 5", "map 4", "map 3"]
    assert np.array_equal(figure.axes[1].images[0].get_array(), stack[5])
