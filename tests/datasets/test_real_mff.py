from __future__ import annotations

import zipfile

import numpy as np
import pytest

from bench.core.errors import BenchError, DataUnavailable, UnknownName
from datasets import real_mff
from datasets.fetch import available
from datasets.real_mff import METHODS, METRICS, PAIRS, metric_of, published_scores, read_sheet
from methods import METHODS as OURS
from metrics import METRICS as OUR_METRICS

SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    "{}</sheetData></worksheet>"
)


def a_sheet(path, *rows, sheets=1):
    """A spreadsheet whose rows are given as XML of their cells."""
    body = "".join(f"<row>{row}</row>" for row in rows)
    with zipfile.ZipFile(path, "w") as archive:
        for k in range(sheets):
            archive.writestr(f"xl/worksheets/sheet{k + 1}.xml", SHEET.format(body))
    return path


def numbers(*values):
    return "".join(f"<c><v>{value}</v></c>" for value in values)


needs_scores = pytest.mark.skipif(
    not available(real_mff.COLLECTION, [metric.file for metric in METRICS]),
    reason="the published scores of Real-MFF are not on this machine",
)


def test_a_sheet_is_read_exactly(tmp_path):
    file = a_sheet(tmp_path / "a.xlsx", numbers(1, 2.5), numbers("-1e-3", 44.332290071540044))
    assert read_sheet(file).tolist() == [[1, 2.5], [-0.001, 44.332290071540044]]


@pytest.mark.parametrize(
    ("rows", "sheets", "message"),
    [
        ([numbers(1)], 2, "2 sheets, expected 1"),
        ([numbers(1, 2), numbers(1)], 1, "not a spreadsheet of numbers"),
        (['<c r="A1" t="s"><v>0</v></c>'], 1, "cell A1 is not a number"),
        (["<c/>"], 1, "not a spreadsheet of numbers"),
    ],
)
def test_other_sheets_are_refused(tmp_path, rows, sheets, message):
    with pytest.raises(DataUnavailable, match=message):
        read_sheet(a_sheet(tmp_path / "a.xlsx", *rows, sheets=sheets))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"metric,value\n"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(DataUnavailable, match=r"a\.xlsx: not a spreadsheet of numbers"):
        read_sheet(tmp_path / "a.xlsx")


def test_a_sheet_of_another_size_is_refused(tmp_path, monkeypatch):
    file = a_sheet(tmp_path / "a.xlsx", numbers(1, 2, 3))
    monkeypatch.setattr(real_mff, "local_path", lambda *_: file)
    with pytest.raises(DataUnavailable, match="1 x 3 values, expected 30 methods x 710 pairs"):
        published_scores(METRICS[0])


def test_every_name_of_ours_exists_and_has_the_same_direction_and_kind():
    for metric in METRICS:
        if metric.ours:
            assert OUR_METRICS[metric.ours].higher_is_better == metric.higher_is_better
    for method in METHODS:
        if method.ours:
            assert OURS[method.ours].kind == method.kind
    assert len({method.name for method in METHODS}) == 30


def test_definitions_that_are_said_to_be_equal_are_tested_against_values_of_the_matlab_code():
    golden = {metric.ours: OUR_METRICS[metric.ours].golden for metric in METRICS if metric.ours}
    assert {name for name, columns in golden.items() if not columns} == set()


def test_unknown_metrics_are_refused():
    with pytest.raises(UnknownName, match="metric of the published scores 'q'"):
        metric_of("q")


@needs_scores
@pytest.mark.slow
def test_sheets_are_those_of_the_paper():
    psnr = published_scores(metric_of("psnr"))
    assert psnr.shape == (PAIRS, 30)
    assert psnr.index[0], psnr.index[-1] == ("001", "710")
    means = psnr.mean().round(2)
    assert means.sort_values(ascending=False).index[:2].tolist() == ["LP", "IFCNN"]
    assert means[["LP", "IFCNN", "GFF", "CNN", "DSIFT"]].tolist() == [
        41.70,
        41.59,
        40.74,
        40.46,
        39.96,
    ]


@needs_scores
@pytest.mark.slow
def test_every_sheet_can_be_read_and_equal_images_have_equal_scores():
    tables = {metric.name: published_scores(metric) for metric in METRICS}
    assert all(np.isfinite(table).all(axis=None) for table in tables.values())
    same = {name: table["QUADTREE"] == table["IMF"] for name, table in tables.items()}
    assert {int(equal.sum()) for equal in same.values()} == {27}


def test_missing_sheets_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("MFIF_DATA", str(tmp_path))
    monkeypatch.setenv("MFIF_OFFLINE", "1")
    monkeypatch.setattr("datasets.fetch.cache_folder", lambda: tmp_path / "cache")
    with pytest.raises(BenchError, match=r"real-mff-scores/FR-IQA-results/GT_psnr.xlsx is not"):
        published_scores(metric_of("psnr"))
