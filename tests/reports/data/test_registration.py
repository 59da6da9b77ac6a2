"""What the alignment methods leave: the tables, and the points marked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from datasets import load_scenes
from datasets.point_pairs import PointPairs
from reports.alignment import main
from reports.data import registration


def test_what_is_left_is_measured_against_the_known_motion():
    (scene,) = load_scenes("synthetic-lens+shift=8/coins")
    left = registration.residuals(scene).set_index("method")
    assert left.loc["none", "mean_px"] == pytest.approx(8)
    assert left.loc["ecc", "worst_px"] < 0.2
    assert left.loc["features", "mean_px"] < 0.6


def test_a_fit_to_the_points_leaves_nothing_of_a_motion_of_its_kind():
    first = np.array([[0, 0], [10, 0], [0, 10], [10, 10], [4.0, 7]])
    turned = first @ np.array([[1.01, 0.02], [-0.02, 1.01]]) + (3, -2)
    sheared = first @ np.array([[1.01, 0.02], [0.03, 0.98]]) + (3, -2)
    for second, similarity in ((turned, True), (sheared, False)):
        points = PointPairs("misaligned/V-1_pair0", first, second, np.eye(3))
        assert registration._fitted(points, "affine") < 1e-9
        assert (registration._fitted(points, "similarity") < 1e-9) == similarity


def test_both_tables_are_printed(capsys, monkeypatch):
    monkeypatch.setattr("reports.alignment.marked_pairs", list)
    assert main(["--sets", "synthetic-lens/coins", "--motions", "+shift=1"]) == 0
    text = capsys.readouterr().out
    assert "none |" in text
    assert "ecc |" in text
    assert "No pair of misaligned is on disk" in text


def test_an_unknown_set_is_one_line(capsys):
    assert main(["--sets", "synthetic-lense"]) == 2
    assert "did you mean 'synthetic-lens'" in capsys.readouterr().err


@pytest.mark.slow
def test_marked_points_are_nearer_once_aligned():
    """Nearly as near as a similarity comes that is fitted to the very points."""
    pairs = registration.marked_pairs()
    if not pairs:
        pytest.skip("misaligned is not on disk")
    found = pd.DataFrame([registration.point_distances(*pair) for pair in pairs])
    middle = found.median()
    assert middle["ecc"] < 0.7 * middle["none"]
    assert middle["ecc"] < 1.4 * middle["similarity fitted"]
    assert (found["ecc"] < found["none"]).all()
