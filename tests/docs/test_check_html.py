"""The check of built pages finds links that lead nowhere, and what a page loads from elsewhere."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "check_html.py"


@pytest.fixture(scope="module")
def faults():
    spec = importlib.util.spec_from_file_location("check_html", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.faults


def test_faults_are_named_with_their_page(faults, tmp_path):
    (tmp_path / "a.html").write_text(
        '<h1 id="top"></h1><a href="b.html#part">1</a><a href="b.html#none">2</a>'
        '<a href="c.html">3</a><a href="#top">4</a><a href="https://example.org">5</a>'
        '<script src="https://example.org/x.js"></script><img src="data:image/png;base64,">'
    )
    (tmp_path / "b.html").write_text('<p id="part"></p>')
    assert faults(tmp_path) == [
        "a.html: b.html#none: the page has no such part",
        "a.html: c.html does not exist",
        "a.html: loads https://example.org/x.js",
    ]
