"""The HTML report in a real browser: it sorts, filters, zooms and compares, and calls nobody."""

from __future__ import annotations

import json
import math
import re
import shutil

import numpy as np
import pytest

from reports.data.results import load_results
from reports.html.page import write_html
from tests.reports.html.test_html import HOSTILE, finished  # noqa: F401 - a fixture
from tests.reports.robust_runs import robust_run
from tests.reports.runs import a_run

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("needs chromium", allow_module_level=True)

pytestmark = pytest.mark.slow

DESK = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(finished, tmp_path_factory):  # noqa: F811
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_html(load_results(finished), path)
    return path.as_uri()


@pytest.fixture
def opened(chromium, address):
    """Opens the page; at the end of the test nothing must have been said, or asked of anyone."""
    said, asked, contexts = [], [], []

    def open_page(at=address, **options):
        context = chromium.new_context(**(options or DESK))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(at)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("data:", "file:"))] == []


def column(page, name, table=".view:visible .board"):
    """The texts of a column in the rows that are shown."""
    texts = """(table, name) => {
        const head = table.querySelector(`th[data-column="${name}"]`);
        const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
        const said = /^(best|not told apart.*):\\n/, sign = /^([★=])\\s*/;
        const text = (cell) => cell.innerText.replace(said, "").replace(sign, "$1 ").trim();
        return rows.map((row) => text(row.cells[head.cellIndex]));
    }"""
    return page.locator(table).first.evaluate(f"table => ({texts})(table, {json.dumps(name)})")


def test_hostile_name_is_shown_not_run(opened):
    page = opened()
    assert HOSTILE in column(page, ".name")
    captions = page.locator("#stage figcaption button").all_inner_texts()
    assert HOSTILE in captions
    assert page.locator("script").count() == 4


def test_sorting_by_a_metric_and_back(opened):
    page = opened()
    button = page.locator(".view [data-column=mi] button")
    button.click()
    values = [float(re.sub("[^0-9.]", "", text)) for text in column(page, "mi") if text != "–"]
    assert len(values) == 5
    assert values == sorted(values, reverse=True)
    assert column(page, ".name")[-1] == "gone"  # a method without a score stays last
    button.press("Enter")
    assert page.locator(".view th[aria-sort=ascending]").inner_text().startswith("MI")
    assert column(page, ".name")[-1] == "gone"


def test_show_ranks_instead_of_scores(opened):
    page = opened()
    before = column(page, "mi")
    page.select_option("#show", "rank")
    assert column(page, "mi") != before
    assert page.locator(".s-mean").first.is_hidden()
    page.select_option("#show", "spread")
    assert sum(" ± " in text for text in column(page, "mi")) == 5
    page.select_option("#show", "interval")
    assert sum("[" in text for text in column(page, "mi")) == 5
    page.locator(".view [data-column=mi] button").click()
    ranks = [float(re.search(r"([\d.]+) \[", text)[1]) for text in column(page, "mi")[:5]]
    assert ranks == sorted(ranks)


def test_search_and_families_filter(opened):
    page = opened()
    assert page.locator("#count").inner_text() == "6 methods"
    page.fill("#search", "SCRIPT")
    assert column(page, ".name") == [HOSTILE]
    assert page.locator("#count").inner_text() == "1 of 6 methods"
    page.fill("#search", "")
    page.uncheck("#families input[value=control]")
    assert not {"average", "source-a"} & set(column(page, ".name"))


def in_step(page):
    """The transform that all images on the stage share, up to a tenth of a pixel."""
    script = """images => images.map(image => {
        const m = new DOMMatrix(getComputedStyle(image).transform);
        return [m.a, m.d, m.e, m.f];
    })"""
    first, *others = page.locator("#stage img").evaluate_all(script)
    for other in others:
        assert other == pytest.approx(first, abs=0.1)
    return first


def test_zoom_and_pan_stay_in_step(opened):
    page = opened()
    assert len(page.locator("#stage img").all()) == 8
    page.click("#zoom-in")
    zoomed = in_step(page)
    assert zoomed[:2] == [1.5, 1.5]
    page.locator("#stage").focus()
    page.keyboard.press("ArrowRight")
    panned = in_step(page)
    assert panned[2] < zoomed[2]
    box = page.locator(".pane").nth(2).bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 120)
    page.mouse.up()
    dragged = in_step(page)
    assert dragged[2:] == pytest.approx([panned[2] + 40, panned[3] + 20], abs=0.1)
    page.keyboard.press("0")
    assert in_step(page) == [1, 1, 0, 0]


def test_control_and_wheel_zoom_about_the_pointer(opened):
    page = opened()
    page.locator("#stage").scroll_into_view_if_needed()
    page.locator(".pane").first.hover()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    page.wait_for_function("document.querySelector('#zoom').textContent !== '100 %'")
    scale, _, x, _ = in_step(page)
    width = page.locator(".pane").first.bounding_box()["width"]
    assert x == pytest.approx((1 - scale) * width / 2, abs=3)  # a mouse is at a whole pixel


def test_before_after_slider_moves(opened):
    page = opened()
    page.locator("#mode label").nth(1).click()
    page.select_option("#left", label="Source B")
    page.select_option("#right", label="lp")
    assert page.locator(".tag").all_inner_texts() == ["Source B", "lp"]
    clip = "getComputedStyle(document.querySelector('.cut')).clipPath"
    assert page.evaluate(clip) == "inset(0px 0px 0px 50%)"
    page.locator("#cut").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(clip) == "inset(0px 0px 0px 50.5%)"
    page.locator(".handle").scroll_into_view_if_needed()
    pane, handle = page.locator(".pane").bounding_box(), page.locator(".handle").bounding_box()
    page.mouse.move(handle["x"] + 18, pane["y"] + 60)
    page.mouse.down()
    page.mouse.move(pane["x"] + pane["width"] / 4, pane["y"] + 60)
    page.mouse.up()
    assert float(page.input_value("#cut")) == pytest.approx(25, abs=1)


def test_every_way_to_look(opened):
    page = opened()
    page.check("#mode input[value=difference]", force=True)
    assert page.locator(".minus").count() == 7
    page.check("#mode input[value=map]", force=True)
    assert page.locator("#stage img").count() == 5
    assert "Source B" in page.locator("#map-legend").inner_text()
    page.check("#mode input[value=crop]", force=True)
    assert page.locator(".spot").count() == 1
    page.wait_for_function(
        "[...document.querySelectorAll('#stage img')].every(i => i.naturalWidth)"
    )


def test_scenes_and_order(opened):
    page = opened()
    page.select_option("#metric", "psnr")
    page.select_option("#order", "best")
    page.click("#next")
    assert "paper/color" in page.locator("#about").inner_text()
    texts = page.locator("#stage .score").all_inner_texts()
    values = [float(text.removeprefix("★ ")) for text in texts]
    assert values == sorted(values, reverse=True)
    assert texts[0].startswith("★")
    page.fill("#methods", "gf lp")
    assert page.locator("#stage figure").count() == 3 + 2


def test_an_infinite_score_is_shown_and_first(opened, tmp_path):
    psnr = {"lp": 40.0, "fcn": math.inf, "mine": 41.0, "average": math.inf}
    scores = {method: {"clock": {"psnr": value}} for method, value in psnr.items()}
    results = a_run(tmp_path, scores, image=np.zeros((64, 64), np.uint8))
    write_html(results, tmp_path / "report.html")
    page = opened((tmp_path / "report.html").as_uri())
    page.select_option("#metric", "psnr")
    page.select_option("#order", "best")
    texts = page.locator("#stage .score").all_inner_texts()
    assert texts == ["★ inf", "inf", "41.0000", "40.0000"]  # the other one is a baseline


def test_full_size_files_are_shown_on_demand(opened, finished, tmp_path):  # noqa: F811
    path = tmp_path / "a b#c.html"
    write_html(load_results(finished), path, assets=True)
    page = opened(path.as_uri())
    page.check("#full")
    page.wait_for_function(
        "[...document.querySelectorAll('#stage img')].every(i => i.naturalWidth)"
    )
    assert "a%20b%23c_files/" in page.locator("#stage img").first.get_attribute("src")


def test_a_page_of_several_datasets_without_images(opened, tmp_path):
    values = {"mi": 1.0, "qcv": 2.0, "psnr": 30.0}
    scores = {m: dict.fromkeys(("s1", "s2", "s3"), values) for m in ("lp", "fcn", "mine")}
    results = a_run(tmp_path, scores, {"s1": "d", "s2": "e", "s3": "e"})
    write_html(results, tmp_path / "report.html")
    page = opened((tmp_path / "report.html").as_uri())
    assert column(page, ".scenes") == ["3/3"] * 3
    page.locator("[data-state=view]").first.select_option(label="e")
    assert column(page, ".scenes") == ["2/2"] * 3
    assert page.locator("#speed [data-state=view]").input_value() == "d1"
    page.locator("#ranks [data-state=view]").select_option(label="d")
    assert column(page, ".scenes") == ["1/1"] * 3
    assert "needs two scenes" in page.locator("#critical-chart").inner_text()


def test_charts_follow_the_metric(opened):
    page = opened()
    assert page.locator("#speed-chart svg .mark").count() == 5
    first = page.locator("#rank-chart").inner_html()
    page.select_option("#rank-metric", "psnr")
    assert page.locator("#rank-chart").inner_html() != first
    assert page.locator("#critical-chart .leader").count() == 5


def test_a_phone_scrolls_down_only(opened):
    page = opened(**PHONE)
    for mode in ("images", "compare", "difference", "map", "crop"):
        page.check(f"#mode input[value={mode}]", force=True)
        assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_light_and_dark(opened):
    page = opened(**DESK, color_scheme="dark")
    colour = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(colour)
    page.click("#theme")
    assert page.evaluate(colour) != dark
    assert page.locator("#theme").inner_text() == "Dark"


def test_all_controls_are_named_and_reached_by_keys(opened):
    page = opened()
    named = "e.labels?.length || e.ariaLabel || e.textContent.trim()"
    nameless = page.locator("button, input, select").evaluate_all(
        f"all => all.filter(e => !({named})).map(e => e.id)"
    )
    assert nameless == []
    reached = set()
    for _ in range(160):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    expected = {"theme", "show", "search", "link", "scene", "zoom-in", "stage", "speed-metric"}
    assert expected <= reached


def test_robustness_shows_the_chosen_metric_and_curves(opened, tmp_path):
    path = tmp_path / "report.html"
    write_html(robust_run(tmp_path / "run"), path)
    for options in (DESK, PHONE):
        page = opened(path.as_uri(), **options)
        for metric, what in (("QCV ↓", "lead"), ("PSNR ↑", "loss")):
            page.select_option("#robust-metric", label=metric)
            page.select_option("#robust-what", value=what)
            charts = page.locator(".robust .chartbox:visible")
            assert charts.count() == 1
            assert charts.get_attribute("aria-label").startswith(metric)
            assert charts.get_attribute("data-what") == what
            assert page.locator(".robust table:visible tbody tr").count() == 3
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= options["viewport"]["width"]
