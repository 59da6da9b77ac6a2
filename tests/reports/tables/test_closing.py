"""What a finished run prints last."""

from __future__ import annotations

from pathlib import Path

from reports.tables.closing import MOST_ROWS, closing
from tests.reports.runs import a_run

VALUES = {"mi": 1.0, "qcv": 5.0, "psnr": 40.0}


def test_the_first_table_and_what_to_do_next(tmp_path):
    results = a_run(tmp_path, {m: {"pepsi": VALUES} for m in ("lp", "mine")})
    text = closing(results, Path("my results"))
    assert text.startswith("Pepsi\n\n| Method")
    assert "| lp " in text
    assert "python -m bench report html --out 'my results'" in text


def test_means_where_the_run_has_no_table_of_the_paper(tmp_path):
    scores = {m: {"a": VALUES, "b": VALUES} for m in ("lp", "mine")}
    text = closing(a_run(tmp_path, scores, {"a": "d", "b": "d"}), Path("out"))
    assert text.startswith("Means over d\n")
    assert "2/2" in text


def test_a_long_table_or_none_is_left_to_its_file(tmp_path):
    many = a_run(tmp_path / "a", {f"m{k}": {"pepsi": VALUES} for k in range(MOST_ROWS + 1)})
    assert closing(many, Path("out")).startswith("next: ")
    none = a_run(tmp_path / "b", {"lp": {"pepsi": VALUES}}, failed={("lp", "pepsi")})
    assert closing(none, Path("out")).startswith("next: ")
