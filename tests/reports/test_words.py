"""What people read uses the words of the field, one for each thing."""

from __future__ import annotations

import html
import re

import pytest

from reports.html.page import render
from reports.tables.leaderboard import write_leaderboard
from reports.tables.run_tables import write_tables
from tests.reports.runs import a_run

#: "metric", "reference" and "baseline" are said instead.
OTHER_WORDS = re.compile(r"\b(ind(ex|exes|ices)|truth|controls?|null)\b", re.IGNORECASE)


@pytest.fixture
def run(tmp_path):
    scores = {
        method: {
            f"s{k}": {"mi": place + k, "qcv": k - place, "psnr": 30 + place + k / 3}
            for k in range(4)
        }
        for place, method in enumerate(("lp", "fcn", "mine", "average", "source-a"))
    }
    scores["lp"]["clock"] = scores["fcn"]["clock"] = {"mi": 1.0}
    return a_run(tmp_path, scores, {f"s{k}": "d" for k in range(4)})


def test_tables_and_leaderboard(run, tmp_path):
    written = [*write_tables(run, tmp_path), *write_leaderboard(run, tmp_path / "board")]
    texts = {path.name: path.read_text() for path in written if path.suffix in (".md", ".tex")}
    assert {"table1.md", "mean_d.tex", "vs_paper.md", "leaderboard.md"} <= texts.keys()
    assert {name: OTHER_WORDS.findall(text) for name, text in texts.items()} == {
        name: [] for name in texts
    }


def test_page(run):
    page = re.sub(
        r"<(script|style|template).*?</\1>|<details>.*?</details>", "", render(run), flags=re.S
    )
    visible = re.findall(r'(?:title|aria-label)="([^"]*)"|>([^<]+)<', page)
    said = [html.unescape(a or b) for a, b in visible]
    assert "Leaderboard" in said
    assert [text for text in said if OTHER_WORDS.search(text)] == []
