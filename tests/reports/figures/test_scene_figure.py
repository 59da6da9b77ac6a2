"""A figure for a paper: which crop, which panels, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from bench.cli.main import main
from bench.core.errors import DataUnavailable, UnknownName, UsageError
from bench.core.image_io import read_image
from reports.data.crops import LEAST, disputed_box, parse_crop
from reports.data.results import load_results

pytest.importorskip("matplotlib", reason="needs matplotlib")
from reports.figures.scene_figure import FigureOptions, draw, write_scene_figure

pytestmark = pytest.mark.slow
SCENE = "synthetic-lens/coins"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    given = ["--datasets", SCENE, "--methods", "lp", "gf", "sobel", "source-a", "--metrics", "psnr"]
    options = ["--repeats", "0", "--isolation", "none", "--out", str(folder)]
    assert main(["run", *given, *options]) == 0
    return folder


def test_auto_crop_lies_where_fused_images_differ():
    image = np.full((300, 400), 100, np.uint8)
    other = image.copy()
    other[200:230, 300:330] = 140
    left, top, right, bottom = disputed_box([image, other, image])
    assert left <= 300
    assert right >= 330
    assert top <= 200
    assert bottom >= 230
    assert disputed_box([image[:20, :30]]) == (0, 0, 20, 20)
    assert right - left == max(LEAST, 60)


def test_a_glint_does_not_decide_the_crop():
    image = np.full((300, 400), 100, np.uint8)
    glint, wide = image.copy(), image.copy()
    glint[50, 50] = 255
    wide[200:230, 300:330] += 3
    left, top, _, _ = disputed_box([image, glint, wide])
    assert left > 100
    assert top > 100


@pytest.mark.parametrize("text", ["1,2,3", "a,b,c,d", "90,0,20,10", "0,0,0,5", "-1,0,5,5"])
def test_a_crop_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match="--crop"):
        parse_crop(text, 100, 100)


def test_the_command_writes_pdf_png_and_enlarged_crops(run, tmp_path, capsys):
    names = ["--methods", "gf", "lp", "sobel"]
    maps = ["--difference", "--index-map", "--columns", "3", "--width", "88mm"]
    box = ["--crop", "10,20,40,30", "--zoom", "2", "--to", str(tmp_path / "fig3.pdf")]
    assert main(["report", "figure", "--out", str(run), "--scene", SCENE, *names, *maps, *box]) == 0
    said = capsys.readouterr()
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ["fig3", "fig3.pdf", "fig3.png"]
    assert "crop 10,20,40,30" in said.err
    assert "difference to the reference" in said.err
    crops = sorted(path.stem for path in (tmp_path / "fig3").iterdir())
    assert crops == ["gf", "lp", "reference", "sobel", "source-1", "source-2"]
    fused = read_image(run / "fused" / "synthetic-lens" / "coins" / "gf.png")
    crop = read_image(tmp_path / "fig3" / "gf.png")
    assert np.array_equal(crop[::2, ::2], fused[20:50, 10:50])
    assert read_image(tmp_path / "fig3.png").shape[1] == pytest.approx(88 / 25.4 * 200, abs=2)
    assert b"/Font" in (tmp_path / "fig3.pdf").read_bytes()


def test_methods_keep_their_order_and_maps_begin_a_row(run, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "reports.figures.scene_figure.draw", lambda *given: drawn.append(draw(*given)) or drawn[-1]
    )
    results, said = load_results(run), []
    options = FigureOptions(SCENE, ("sobel", "lp"), difference=True, columns=4)
    write_scene_figure(results, options, tmp_path / "f", note=said.append)
    (figure,) = drawn
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert texts == ["(a) Source 1", "(b) Source 2", "(c) Reference", "(d) sobel", "(e) lp"]
    tops = {text.split()[0]: axes.get_position().y1 for axes in figure.axes
            for text in [t.get_text() for t in axes.texts]}  # fmt: skip
    assert tops["(a)"] == pytest.approx(1)
    assert tops["(d)"] < 0.7


def test_what_the_run_does_not_have_is_refused(run, tmp_path):
    results = load_results(run)
    for options, error in (
        (FigureOptions("synthetic-lens/coin", ("lp",)), UnknownName),
        (FigureOptions(SCENE, ("nsct",)), UnknownName),
    ):
        with pytest.raises(error):
            write_scene_figure(results, options, tmp_path / "f", note=print)
    for wrong in ({"methods": ()}, {"zoom": 0}, {"columns": 0}, {"width": 0.1}):
        with pytest.raises(UsageError):
            FigureOptions(**({"scene": SCENE, "methods": ("lp",)} | wrong))


def test_a_fused_image_that_is_gone_is_named(run, tmp_path):
    results = load_results(run)
    cell = next(cell for cell in results.manifest.cells if cell.method == "lp")
    object.__setattr__(cell, "pixels", "0" * 64)
    with pytest.raises(DataUnavailable, match=f"lp on {SCENE}"):
        write_scene_figure(results, FigureOptions(SCENE, ("lp",)), tmp_path / "f", note=print)


@pytest.mark.parametrize("text", ["wide", "3ft", "in"])
def test_a_width_that_is_no_length_is_refused(text, capsys):
    with pytest.raises(SystemExit):
        main(["report", "figure", "--width", text])
    assert "is no length" in capsys.readouterr().err
