"""A part of a run: what its scenes are named by, and what is left of all its tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.core.errors import UnknownName
from reports.data.selected import selected
from tests.reports.runs import a_run

VALUES = {"mi": 1.0, "qcv": 2.0, "psnr": 30.0}
DATASETS = {"c_01": "liu2020", "c_02": "liu2020", "m_g_01": "liu2020", "camera": "paper"}


@pytest.fixture
def run(tmp_path):
    scores = {method: dict.fromkeys(DATASETS, VALUES) for method in ("lp", "fcn")}
    return a_run(tmp_path, scores, DATASETS, failed={("lp", "camera"), ("fcn", "c_02")})


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], ["c_01", "c_02", "camera", "m_g_01"]),
        (["lytro"], ["c_01", "c_02"]),
        (["Lytro/c_*2", "PAPER"], ["c_02", "camera"]),
        (["liu*/m_*"], ["m_g_01"]),
        (["paper/camera", "lytro/c_01"], ["camera", "c_01"]),
    ],
)
def test_scenes_by_dataset_subset_name_and_glob(run, texts, expected):
    part = selected(run, scenes=texts)
    assert [entry.scene for entry in part.manifest.scenes] == expected
    assert {cell.scene for cell in part.manifest.cells} == set(expected)
    for table in (part.scores, part.timing):
        assert set(table["scene"]) <= set(expected)
    assert set(part.scores["scene"]) == set(expected)
    assert set(part.failures["scene"]) == {"c_02", "camera"} & set(expected)


def test_a_run_without_times_or_failures(tmp_path):
    run = a_run(tmp_path, {"lp": dict.fromkeys(DATASETS, VALUES)}, DATASETS)
    part = selected(replace(run, timing=run.timing[:0]), scenes=["paper"])
    assert list(part.scores["scene"].unique()) == ["camera"]
    assert part.timing.empty
    assert list(part.timing.columns) == list(run.timing.columns)


def test_a_scene_that_the_run_does_not_have_is_refused(run):
    with pytest.raises(UnknownName, match="scene of this run 'lytro/c_09'; known: liu2020, paper"):
        selected(run, scenes=["lytro/c_09"])
