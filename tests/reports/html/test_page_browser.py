"""The page in a browser: columns and rows are chosen, linked to, and saved as files."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reports.data.results import load_results
from reports.html.page import write_html
from tests.reports.html.test_html import finished  # noqa: F401 - a fixture
from tests.reports.html.test_html_browser import (  # noqa: F401 - fixtures
    DESK,
    PHONE,
    address,
    chromium,
    column,
    opened,
)
from tests.reports.robust_runs import robust_run
from tests.reports.runs import a_run

pytestmark = pytest.mark.slow

#: Three scenes; lp is best on MI as printed, though fcn is behind by what is not printed.
SCORES = {
    "lp": [(1.00001, 5.0, 40.0), (1.2, 5.0, 41.0), (1.1, 5.0, 42.0)],
    "fcn": [(1.0, 3.0, 44.0), (1.1, 3.0, 43.0), (1.0, 3.0, 45.0)],
    "mine": [(0.9, 4.0, 39.0), (0.8, 4.0, 38.0), (0.7, 4.0, 37.0)],
    "average": [(9.0, 1.0, 50.0), (9.0, 1.0, 50.0), (9.0, 1.0, 50.0)],
}


@pytest.fixture(scope="module")
def page_of_scores(tmp_path_factory):
    """A page whose scores are known, with images, of two datasets."""
    folder = tmp_path_factory.mktemp("known")
    scores = {
        method: {
            f"s{k}": dict(zip(("mi", "qcv", "psnr"), values, strict=True))
            for k, values in enumerate(rows)
        }
        for method, rows in SCORES.items()
    }
    image = np.random.default_rng(0).integers(0, 256, (48, 64)).astype(np.uint8)
    results = a_run(folder, scores, {"s0": "d", "s1": "d", "s2": "e_f"}, image=image)
    write_html(results, folder / "report.html")
    return (folder / "report.html").as_uri()


def heads(page, table=".view:visible .board"):
    shown = "heads => heads.filter(h => !h.hidden).map(h => h.dataset.column)"
    return page.locator(f"{table} thead th").evaluate_all(shown)


def pick(page, *methods):
    for method in methods:
        page.check(f".view:visible tr[data-method='{method}'] .pick")


def saved(page, kind, section="#leaderboard"):
    with page.expect_download() as download:
        page.click(f"{section} [data-save={kind}]")
    path = Path(download.value.path())
    return download.value.suggested_filename, path.read_bytes()


def test_columns_are_hidden_and_pinned(opened, page_of_scores):  # noqa: F811
    page = opened(page_of_scores)
    assert heads(page)[-4:] == [".overall", "mi", "qcv", "psnr"]
    page.click("#columns summary")
    page.uncheck("#columns input[value='.title']")
    page.uncheck("#columns input[value=mi]")
    page.click("[data-pin=psnr]")
    assert heads(page)[:2] == [".name", "psnr"]
    assert not {".title", "mi"} & set(heads(page))
    assert page.get_attribute("[data-pin=psnr]", "aria-pressed") == "true"
    page.keyboard.press("Escape")
    assert page.locator("#columns .panel").is_hidden()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert column(page, "psnr")[0] == "50.0000"
    page.locator(".view:visible [data-column=psnr] button").click()
    assert column(page, ".name") == ["average", "fcn", "lp", "mine"]
    page.locator(".view:visible .wide").first.evaluate("box => box.scrollLeft = 300")
    left = page.locator(".view:visible td.stuck").first.bounding_box()["x"]
    assert left < page.locator(".view:visible .wide").first.bounding_box()["x"] + 200


def test_rows_are_picked_pinned_and_shown_alone(opened, page_of_scores):  # noqa: F811
    page = opened(page_of_scores)
    assert page.locator("#pick-only").is_disabled()
    pick(page, "mine", "average")
    assert page.inner_text("#picked") == "2 picked"
    page.click("#pick-pin")
    assert set(column(page, ".name")[:2]) == {"mine", "average"}
    page.click(".view:visible [data-column=mi] button")
    assert column(page, ".name") == ["average", "mine", "lp", "fcn"]
    page.click("#pick-only")
    assert column(page, ".name") == ["average", "mine"]
    assert column(page, ".name", "#scene-table") == ["average", "mine"]
    page.click("#pick-pin")
    page.fill("#search", "min")
    assert column(page, ".name") == ["mine"]
    page.fill("#search", "")
    page.click("#pick-images")
    assert page.locator("#stage figcaption button").all_inner_texts() == ["mine", "average"]
    page.click("#pick-clear")
    assert len(column(page, ".name")) == 4


def test_a_link_shows_the_same(opened, page_of_scores):  # noqa: F811
    page = opened(page_of_scores)
    page.locator("#leaderboard [data-state=view]").select_option(label="d")
    page.select_option("#show", "rank")
    page.click(".view:visible [data-column=qcv] button")
    page.click("#columns summary")
    page.uncheck("#columns input[value='.family']")
    page.click("[data-pin=qcv]")
    pick(page, "lp", "fcn")
    page.click("#pick-only")
    page.locator("#by label").nth(1).click()
    page.select_option("#by-one-metric", "psnr")
    page.check("#mode input[value=compare]", force=True)
    page.select_option("#scene", label="S1")
    page.select_option("#right", label="mine")
    page.wait_for_function("() => location.hash.includes('right=mine')")
    link = page.url
    other = opened(link)
    for one in (page, other):
        assert heads(one)[:2] == [".name", "qcv"]
        assert ".family" not in heads(one)
        assert column(one, ".name") == ["fcn", "lp"]
        assert column(one, "qcv") == ["★ 2.00", "4.00"]
        assert one.input_value("#show") == "rank"
        assert heads(one, "#scene-table") == [".name", "d/s0", "d/s1"]
        assert one.locator(".tag").all_inner_texts()[1] == "mine"
        assert "d/s1" in one.inner_text("#about")
    other.wait_for_timeout(300)
    assert other.url == link
    other.evaluate("location.hash = 'data=e_f&sort=psnr,ascending'")
    other.wait_for_function("() => document.querySelector('#show').value === 'mean'")
    assert column(other, ".scenes") == ["1/1"] * 4
    assert column(other, ".name") == ["mine", "lp", "fcn", "average"]


def test_a_part_of_the_page_keeps_what_is_shown(opened, page_of_scores):  # noqa: F811
    page = opened(page_of_scores + "#data=d&only=lp")
    page.click("nav a[href='#scenes']")
    page.wait_for_function("() => location.hash.includes('at=scenes')")
    assert column(page, ".name") == ["lp"]
    other = opened(page.url)
    assert other.locator("#scenes").bounding_box()["y"] < 200
    assert column(other, ".name") == ["lp"]
    plain = opened(page_of_scores + "#speed")
    assert len(column(plain, ".name")) == 4


def test_a_link_with_names_that_the_page_has_not(opened, page_of_scores):  # noqa: F811
    page = opened(
        page_of_scores + "#data=x&sort=y,up&columns=z&beside=a&only=q&by=w&of=x&on=c&look=v"
    )
    assert heads(page) == [".name"]
    assert column(page, ".name") == []
    page.click("#pick-clear")
    assert len(column(page, ".name")) == 4


def test_csv_is_what_is_shown(opened, page_of_scores):  # noqa: F811
    page = opened(page_of_scores + "#data=d&columns=.year,mi,psnr&sort=mi,descending&beside=psnr")
    name, data = saved(page, "csv")
    assert name == "d-mean.csv"
    rows = list(csv.reader(io.StringIO(data.decode())))
    assert rows == [
        ["Method", "PSNR § ↑", "Year", "MI § ↑"],
        ["average", "50.0000", "", "9.0000"],
        ["lp", "40.5000", "", "1.1000"],
        ["fcn", "43.5000", "", "1.0500"],
        ["mine", "38.5000", "", "0.8500"],
    ]


def test_latex_compiles_and_marks_the_best(opened, finished, tmp_path):  # noqa: F811
    write_html(load_results(finished), tmp_path / "report.html")
    page = opened((tmp_path / "report.html").as_uri())
    _, data = saved(page, "latex")
    text = data.decode()
    assert "% needs \\usepackage{booktabs}" in text
    assert re.search(r"\$Q_\{MI\}\$ (\\S\{\} )?\$\\uparrow\$", text)

    assert text.count("\\textbf{") >= 3
    assert "$<$script$>$alert(1)$<$/script$>$" in text
    if shutil.which("pdflatex"):
        before = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n"
        (tmp_path / "t.tex").write_text(f"{before}{text}\\end{{document}}")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
        assert (
            subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
        )


def test_png_of_the_table_and_of_a_chart(opened, page_of_scores):  # noqa: F811
    page = opened(page_of_scores)
    name, data = saved(page, "png")
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    assert name == "all-mean.png"
    assert picture.width > 600
    assert len(picture.getcolors(1 << 20)) > 20  # text, lines and the best
    name, data = saved(page, "png", "#speed")
    assert Image.open(io.BytesIO(data)).size == (1520, 880)
    _, data = saved(page, "svg", "#speed")
    text = data.decode()
    assert "class=" not in text
    assert 'fill="rgb(' in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_scene_by_scene(opened, page_of_scores):  # noqa: F811
    page = opened(page_of_scores)
    table = "#scene-table"
    assert column(page, "mi", table)[:3] == ["9.0000", "★ 1.0000", "★ 1.0000"]  # as printed
    assert column(page, ".name", table) == ["average", "lp", "fcn", "mine"]
    page.select_option("#by-one-scene", "e_f/s2")
    assert column(page, "mi", table)[1] == "★ 1.1000"
    assert column(page, ".time", table) == ["0.500"] * 4
    page.locator("#by label").nth(1).click()
    page.select_option("#by-one-metric", "qcv")
    assert heads(page, table) == [".name", "d/s0", "d/s1", "e_f/s2"]
    assert column(page, "d/s0", table) == ["1.0000", "★ 3.0000", "4.0000", "5.0000"]
    page.locator(f"{table} th[data-column='d/s0'] button").press("Enter")
    assert column(page, ".name", table) == ["lp", "mine", "fcn", "average"]
    _, data = saved(page, "csv", "#by-scene")
    assert data.decode().splitlines()[0] == "Method,S0,S1,S2"


def test_baselines_are_never_starred(opened, page_of_scores):  # noqa: F811
    page = opened(page_of_scores)
    for show in ("mean", "rank", "wins"):
        page.select_option("#show", show)
        row = page.locator(".view:visible tr[data-method=average]")
        assert "★" not in row.inner_text()
    assert "★" in page.locator(".view:visible tr[data-method=fcn]").inner_text()
    page.select_option("#metric", "psnr")
    assert not [
        t
        for t in page.locator("#stage figcaption").all_inner_texts()
        if "average" in t and "★" in t
    ]


def test_before_after_opens_on_the_best(opened, page_of_scores, finished, tmp_path):  # noqa: F811
    page = opened(page_of_scores + "#look=compare")
    assert page.locator(".tag").all_inner_texts()[1] == "fcn"  # best overall
    page.select_option("#metric", "qcv")
    assert page.locator(".tag").all_inner_texts()[1] == "fcn"
    write_html(load_results(finished), tmp_path / "report.html")
    page = opened((tmp_path / "report.html").as_uri() + "#look=compare")
    left, right = page.locator(".tag").all_inner_texts()
    assert left == "Source A"
    ranks = dict(zip(column(page, ".name"), column(page, ".overall"), strict=True))
    assert ranks[right] == ranks[column(page, ".name")[0]]
    page.select_option("#right", label="average")
    page.click("#next")
    assert page.locator(".tag").all_inner_texts() == ["Source A", "average"]


def test_titles_years_and_links(opened, finished, tmp_path):  # noqa: F811
    write_html(load_results(finished), tmp_path / "report.html")
    page = opened((tmp_path / "report.html").as_uri())
    row = page.locator(".view tr[data-method=gf]")
    assert row.locator(".title").inner_text().startswith("Guided filter")
    assert row.locator("a").inner_text() == "2013"
    assert row.locator("a").get_attribute("href") == "https://doi.org/10.1109/TIP.2013.2244222"


def test_a_phone_shows_the_method_and_a_metric(opened, page_of_scores):  # noqa: F811
    page = opened(page_of_scores, **PHONE)
    assert not page.locator("#search").is_visible()
    assert heads(page)[:3] == [".name", ".overall", "mi"]
    box = page.locator(".view:visible tbody tr td[data-mean]").first.bounding_box()
    assert box["x"] + box["width"] <= 360
    hint = page.locator(".view:visible .hint")
    if hint.is_visible():
        assert re.match(r"Swipe sideways for \d more column", hint.inner_text())
    page.click("#leaderboard .fold > summary")
    page.click("#columns summary")
    page.check("#columns input[value='.title']")
    page.check("#columns input[value='.family']")
    assert "Swipe sideways for" in hint.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator(".view:visible .wide").first.evaluate("box => box.scrollLeft = 9999")
    page.wait_for_function("() => document.querySelector('.view .hint').hidden")


def test_keys_alone_choose_sort_and_pin(opened, page_of_scores):  # noqa: F811
    page = opened(page_of_scores)
    page.focus("#columns summary")
    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == ".title"
    page.keyboard.press("Space")
    assert ".title" not in heads(page)
    page.keyboard.press("Escape")
    page.focus(".view:not([hidden]) tr[data-method=mine] .pick")
    page.keyboard.press("Space")
    page.focus("#pick-pin")
    page.keyboard.press("Enter")
    assert column(page, ".name")[0] == "mine"


def test_many_metrics_show_the_principal_ones(opened, tmp_path):  # noqa: F811
    from bench.store.manifest import MetricEntry
    from metrics import METRICS

    names = METRICS.names()[:20]
    metrics = [MetricEntry(n, METRICS[n].label, METRICS[n].higher_is_better) for n in names]
    scores = {m: {"s": dict.fromkeys(names, k + 1.0)} for k, m in enumerate(("lp", "fcn"))}
    write_html(a_run(tmp_path, scores, metrics=metrics), tmp_path / "report.html")
    page = opened((tmp_path / "report.html").as_uri())
    shown = [name for name in heads(page) if not name.startswith(".")]
    assert 0 < len(shown) < 20
    page.click("#columns summary")
    page.click("[data-columns=all]")
    assert len([name for name in heads(page) if not name.startswith(".")]) == 20
    page.click("[data-columns=principal]")
    assert [name for name in heads(page) if not name.startswith(".")] == shown
    assert json.loads(page.inner_text("#scores"))["methods"][0]["name"] == "lp"


def test_the_shown_robustness_chart_is_saved(opened, tmp_path):  # noqa: F811
    write_html(robust_run(tmp_path), tmp_path / "report.html")
    page = opened((tmp_path / "report.html").as_uri() + "#curves=loss")
    shown = page.locator(".robust:visible [data-what]:visible svg")
    name, data = saved(page, "svg", "#robustness")
    assert name == "robustness.svg"
    titles = re.findall(r"<title>(.*?)</title>", data.decode())
    assert titles == shown.locator("title").all_text_contents()
    assert "fcn: 0, 4, 6" in titles
