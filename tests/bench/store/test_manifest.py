"""The manifest comes back as it was written, and what is not whole is refused with a reason."""

from __future__ import annotations

import json
import math

import pytest

from bench.core.errors import DataUnavailable
from bench.store.manifest import (
    MANIFEST,
    CellEntry,
    Score,
    load_manifest,
    save_manifest,
)
from tests.reports.runs import a_manifest


@pytest.fixture
def manifest():
    score = {"mi": Score("ok", 1.5), "psnr": Score("ok", math.inf), "qcv": Score("invalid")}
    cell = CellEntry("d", "s", "lp", "ok", pixels="00", peak_bytes=7, scores=score)
    return a_manifest(["lp", "average"], [("d", "s")], [cell])


def test_round_trip(manifest, tmp_path):
    save_manifest(manifest, tmp_path)
    assert load_manifest(tmp_path) == manifest


def test_the_file_is_json_without_extensions(manifest, tmp_path):
    def refuse(constant):
        raise AssertionError(constant)

    text = save_manifest(manifest, tmp_path).read_text()
    scores = json.loads(text, parse_constant=refuse)["cells"][0]["scores"]
    assert scores["psnr"]["value"] == "inf"


def test_direction_label_and_baselines_are_looked_up_in_one_place(manifest):
    assert [metric.header for metric in manifest.metrics] == ["MI ↑", "QCV ↓", "PSNR ↑"]
    assert [metric.sign for metric in manifest.metrics] == [1, -1, 1]
    assert manifest.baselines == {"average"}
    assert manifest.datasets == ["d"]
    assert "cells" not in manifest.facts()


def replace(**values):
    return lambda found: found.update(values)


def in_cell(**values):
    return lambda found: found["cells"][0].update(values)


def without(name):
    return lambda found: found.pop(name)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (replace(format=1), "not a manifest of format 2 (got 1); run it again"),
        (without("format"), "format 2 (got None)"),
        (without("threads"), "run.threads is missing"),
        (replace(threads="two"), "run.threads is 'two', not int"),
        (replace(threads=True), "run.threads is True, not int"),
        (replace(cells={}), "run.cells"),
        (replace(cells=[1]), "run.cells is int, not an object"),
        (in_cell(method="gone"), "a cell is of method 'gone', which the run does not have"),
        (in_cell(scene="gone"), "a cell is of scene d/gone, which is not in the run"),
        (in_cell(scores={"new": {"status": "ok"}}), "a cell has scores of ['new']"),
        (in_cell(scores={"mi": {"value": 1.0}}), "run.cells.scores.status is missing"),
        (in_cell(scores={"mi": {"status": "ok", "value": "1"}}), "value is '1'"),
    ],
)
def test_what_is_not_a_manifest(manifest, tmp_path, edit, reason):
    path = save_manifest(manifest, tmp_path)
    found = json.loads(path.read_text())
    edit(found)
    path.write_text(json.dumps(found))
    with pytest.raises(DataUnavailable) as caught:
        load_manifest(tmp_path)
    assert reason in str(caught.value)
    assert str(tmp_path / MANIFEST) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000])
def test_a_file_that_holds_no_object(tmp_path, text):
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(DataUnavailable, match=r"run\.json"):
        load_manifest(tmp_path)
