"""The HTML report as a text: everything of the run is in it, nothing of it can run or call out."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import io
import itertools
import json
import re

import numpy as np
import pytest
from PIL import Image

from bench.cli.main import main
from bench.core.image_io import read_image
from bench.store.manifest import MANIFEST
from datasets import load_scenes
from methods import fuse
from reports.data.focus import UNDECIDED, boundary_box, decision_map, gray, nearest_source
from reports.data.results import load_results
from reports.html.board import make_views
from reports.html.charts import Point, cliques, scatter
from reports.html.images import CROP, STEPS, make_gallery
from reports.html.page import render, write_html
from tests.reports.runs import a_run

pytestmark = pytest.mark.slow

HOSTILE = "<script>alert(1)</script>"
MESSAGE = "RuntimeError: </script><img src=x onerror=alert(2)> & so on"


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A small run of two scenes that need no data; one method's name and failure are hostile."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MFIF_OFFLINE", "1")
        chosen = ["--methods", "lp", "gf", "dwt", "average", "source-a", "--repeats", "1"]
        scenes = ["--datasets", "paper/camera", "paper/color", "--threads", "1"]
        metrics = ["--metrics", "mi", "qabf", "psnr"]
        assert main(["run", *chosen, *scenes, *metrics, "--out", str(folder)]) == 0
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["methods"].append({"name": "gone", "title": "Fails", "family": "spatial"})
    for entry in [*manifest["methods"], *manifest["cells"]]:
        for key in ("name", "method"):
            if entry.get(key) == "dwt":
                entry[key] = HOSTILE
    for scene in ("camera", "color"):
        head = {"dataset": "paper", "scene": scene, "method": "gone"}
        manifest["cells"].append(head | {"status": "failed", "message": MESSAGE, "scores": {}})
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="session")
def page(finished):
    return render(load_results(finished))


class Parts(html.parser.HTMLParser):
    """Tags with their attributes, and the text of scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.scripts = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.scripts[-1] += data


def scenes_of(page):
    parts = Parts(page)
    kinds = [attributes.get("type") for tag, attributes in parts.tags if tag == "script"]
    pairs = zip(kinds, parts.scripts, strict=True)
    return [json.loads(text) for kind, text in pairs if kind == "application/json"]


def test_hostile_names_are_text(page):
    parts = Parts(page)
    kinds = [attributes.get("type") for tag, attributes in parts.tags if tag == "script"]
    assert kinds == ["application/json", "application/json", None]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert not any("onerror" in attributes for _, attributes in parts.tags)
    names = {image["name"] for scene in scenes_of(page) for image in scene["images"]}
    assert HOSTILE in names


def test_nothing_is_asked_of_a_network(page):
    parts = Parts(page)
    for tag, attributes in parts.tags:
        for key in ("src", "href", "data", "srcset"):
            if key in attributes:
                assert attributes[key].startswith(("#", "data:")), (tag, attributes)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style


def test_only_our_script_may_run(page):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    script = Parts(page).scripts[-1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy.replace("&#39;", "'")
    assert "default-src 'none'" in policy.replace("&#39;", "'")


def test_every_image_of_every_scene(page):
    camera, color = scenes_of(page)
    names = ["Source A", "Source B", "Reference", "average", HOSTILE, "gf", "lp", "source-a"]
    assert sorted(i["name"] for i in camera["images"]) == sorted(names)
    assert [i["kind"] for i in camera["images"][:3]] == ["source", "source", "reference"]
    assert camera["missing"] == ""
    for image in [*camera["images"], *color["images"]]:
        assert image["thumb"].startswith("data:image/webp;base64,")
        assert (image["kind"] == "fused") == bool(image["map"]) == ("scores" in image)
    assert size(color["images"][0]["thumb"]) == (600, 400)
    assert size(color["images"][0]["crop"]) == (CROP, CROP)


def size(address):
    return Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).size


def test_failures_say_why_once(page):
    section = page[page.index('id="failures"') : page.index('id="provenance"')]
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(2)&gt; &amp; so on" in section
    assert section.count("alert(2)") == 1
    assert "paper/camera, paper/color" in section


def test_one_reason_is_told_once(tmp_path):
    values = {"mi": 1.0, "qcv": 1.0, "psnr": 1.0}
    scores = {m: {"s1": values, "s2": values} for m in ("lp", "mine")}
    results = a_run(tmp_path, scores, failed={("lp", "s1"), ("lp", "s2"), ("mine", "s1")})
    results.failures["message"] = ["d/s1_LP.bmp is gone", "d/s2_LP.bmp is gone", "no luck"]
    page = render(results)
    section = page[page.index('id="failures"') : page.index('id="provenance"')]
    assert "d/s1_LP.bmp is gone — and 1 like it" in section
    assert section.count("</td></tr>") == 2


def test_a_run_of_several_datasets_has_a_view_of_each_and_of_all(tmp_path):
    rng = np.random.default_rng(0)
    scores = {
        m: {f"s{k}": {"mi": x, "qcv": x, "psnr": np.inf} for k, x in enumerate(rng.random(4))}
        for m in ("lp", "fcn", "mine")
    }
    results = a_run(tmp_path, scores, {"s0": "d", "s1": "d", "s2": "e", "s3": "e"})
    views = make_views(results)
    assert [view.label for view in views] == ["all datasets together", "d", "e"]
    assert [view.rows[0]["scenes"] for view in views] == [4, 2, 2]
    assert set(views[0].charts["mi"]) == {"ranks", "critical", "speed"}
    assert "speed" in views[0].charts["psnr"]  # identical images count as 99 dB there
    page = render(results)
    assert "No fused image of this run is in its store" in page


def test_tests_that_could_find_nothing_are_named(tmp_path):
    rng = np.random.default_rng(0)
    scores = {
        m: {f"s{k}": {"mi": x, "qcv": x, "psnr": x} for k, x in enumerate(rng.random(8))}
        for m in ("lp", "fcn", "mine")
    }
    datasets = {f"s{k}": "few" if k < 2 else "many" for k in range(8)}
    results = a_run(tmp_path, scores, datasets)
    whole, few, many = make_views(results)
    assert whole.notes == []
    assert len(few.notes) == 1
    assert "over 2 scenes no difference of 3 methods" in few.notes[0]
    assert "over 6 scenes no difference of 3 methods" in many.notes[0]
    assert [column["scenes"] for column in few.columns] == [2, 2, 2]
    assert few.notes[0] in render(results)


def test_one_method_is_shown_though_there_is_nothing_to_rank(tmp_path):
    results = a_run(tmp_path, {"lp": {"s": {"mi": 1.5, "qcv": 2.0, "psnr": 30.0}}})
    (view,) = make_views(results)
    assert view.rows[0]["cells"][0].texts["mean"] == "1.5000"
    assert view.charts == {}
    assert view.notes
    assert "1.5000" in render(results)


def test_provenance_and_command(page, finished):
    manifest = json.loads((finished / MANIFEST).read_text())
    section = page[page.index('id="provenance"') :]
    assert manifest["started"] in section
    assert manifest["scenes"][0]["fingerprint"][:12] in section
    assert all(name in section for name in manifest["machine"]["packages"])


def test_leaderboard_numbers_are_those_of_the_run(finished):
    results = load_results(finished)
    (view,) = make_views(results)
    rows = {row["method"]: row for row in view.rows}
    mine = results.scores.query("method == 'lp' and metric == 'mi'")["value"]
    assert rows["lp"]["cells"][0].texts["mean"] == f"{mine.mean():.4f}"
    assert rows["lp"]["finished"] == rows["lp"]["scenes"] == 2
    assert (rows["gone"]["finished"], rows["gone"]["overall"]) == (0, None)
    assert [row["cells"][0].marks["mean"] for row in view.rows].count("best") == 1


def test_sources_that_are_not_those_fused_are_not_shown(finished, tmp_path):
    manifest = json.loads((finished / MANIFEST).read_text())
    manifest["scenes"][0]["fingerprint"] = "0" * 64
    manifest["scenes"][1]["scene"] = "elsewhere"
    for cell in manifest["cells"]:
        cell["scene"] = cell["scene"].replace("color", "elsewhere")
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    gallery = make_gallery(load_results(tmp_path, finished / "store"))
    assert "not those that were fused" in gallery.scenes[0]["missing"]
    assert "not found" in gallery.scenes[1]["missing"]
    for scene in gallery.scenes:
        assert {image["kind"] for image in scene["images"]} == {"fused"}
        assert scene["crop"] is None


def test_assets_are_lossless_and_beside_the_page(finished, tmp_path):
    results = load_results(finished)
    page, folder = write_html(results, tmp_path / "report.html", assets=True)
    (scene, _) = scenes_of(page.read_text())
    fused = next(image for image in scene["images"] if image["name"] == "lp")
    cell = next(cell for cell in results.manifest.cells if cell.method == "lp")
    shown = read_image(tmp_path / fused["full"])
    assert np.array_equal(shown, results.store.get_image(cell.pixels))
    assert folder == tmp_path / "report_files"
    for image in scene["images"]:
        assert (tmp_path / image["full"]).resolve().is_relative_to(folder.resolve())


def test_report_from_the_command_line(finished, tmp_path, capsys):
    target = tmp_path / "page.html"
    assert main(["report", "html", "--out", str(finished), "--to", str(target)]) == 0
    assert capsys.readouterr().out.strip() == str(target)
    assert target.read_text().startswith("<!doctype html>")


def test_decision_map_tells_sources_apart(sources):
    a, b = sources
    taken = np.concatenate([a[:, :20], b[:, 20:]], axis=1)
    found = decision_map([a, b], taken)
    differ = decision_map([a, b], a) != UNDECIDED
    assert (found[:, :16][differ[:, :16]] == 0).mean() > 0.99
    assert (found[:, 24:][differ[:, 24:]] == 1).mean() > 0.99
    assert (decision_map([a, a], a) == UNDECIDED).all()


def test_boundary_box_lies_on_the_boundary():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (200, 300)).astype(np.uint8)
    flat = np.full_like(noise, 128)
    left = np.concatenate([noise[:, :100], flat[:, 100:]], axis=1)
    right = np.concatenate([flat[:, :100], noise[:, 100:]], axis=1)
    x0, y0, x1, y1 = boundary_box([left, right], 60)
    assert (x1 - x0, y1 - y0) == (60, 60)
    assert 60 < (x0 + x1) / 2 < 140
    assert boundary_box([left, right], 9999)[2:] >= (200, 200)


def test_scatter_puts_the_better_up_and_escapes():
    points = [Point("a", 1, 0.1, 1.0), Point(HOSTILE, 2, 0.1, 2.0)]
    for higher in (True, False):
        chart = str(scatter(points, "score", higher_is_better=higher))
        assert "<script" not in chart
        heights = [float(y) for y in re.findall(r'y="([\d.]+)" text-anchor="start"', chart)]
        assert len(heights) == 2
        assert (heights[1] < heights[0]) == higher


def test_one_method_alone_has_a_chart():
    assert "<circle" in scatter([Point("a", 0, 1.0, 0.0)], "x", higher_is_better=True)


def test_cliques_are_the_longest_runs():
    assert cliques([1, 2, 3], 0.5) == []
    assert cliques([1, 2, 3], 5) == [(0, 2)]


def test_pictures_shrink_as_they_become_many():
    for few, many in itertools.pairwise(STEPS):
        assert few.images < many.images
        assert few.side > many.side
        assert few.quality > many.quality


def test_pictures_that_are_too_large_together_are_made_smaller(finished, monkeypatch):
    monkeypatch.setattr("reports.html.images.LIMIT", 100_000)
    gallery = make_gallery(load_results(finished))
    total = sum(len(i[k]) for s in gallery.scenes for i in s["images"] for k in ("thumb", "crop"))
    assert gallery.sizes.side < STEPS[0].side
    assert len(gallery.scenes) == 2
    assert total < 100_000 or gallery.sizes is STEPS[-1]


@pytest.fixture(scope="session")
def stack_page(tmp_path_factory):
    """The report of a stack of ten sources with reference and index map."""
    folder = tmp_path_factory.mktemp("stack")
    chosen = ["--methods", "sobel", "--datasets", "synthetic-stack/chelsea", "--metrics", "psnr"]
    assert main(["run", *chosen, "--repeats", "0", "--out", str(folder)]) == 0
    return render(load_results(folder))


def shown_levels(address):
    """Colours (H, W, 3) of a picture in a page."""
    data = base64.b64decode(address.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def test_maps_of_a_stack_are_depth_maps(stack_page):
    (scene,) = scenes_of(stack_page)
    (actual,) = load_scenes("synthetic-stack/chelsea")
    assert scene["sources"] == len(scene["colours"]) == len(actual.images.sources) == 10
    colours = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in scene["colours"]]
    brightness = [sum(colour) for colour in colours]
    assert brightness == sorted(brightness)
    mapped = {image["name"]: image["map"] for image in scene["images"] if image["map"]}
    assert sorted(mapped) == ["Reference", "sobel"]
    expected = np.array(colours)[actual.images.index_map]
    assert np.array_equal(shown_levels(mapped["Reference"]), expected)
    nearest = nearest_source([gray(s) for s in actual.images.sources], gray(fused_of(actual)))
    where = nearest != UNDECIDED
    assert where.mean() > 0.3
    assert np.array_equal(shown_levels(mapped["sobel"])[where], np.array(colours)[nearest[where]])


def fused_of(scene):
    return fuse("sobel", scene.images.sources)
