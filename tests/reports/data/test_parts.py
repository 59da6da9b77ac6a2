"""Parts of a run: a dataset, or a subset, which captions call by the name that papers use."""

from __future__ import annotations

import pytest

from bench.core.errors import UnknownName
from reports.data.leaderboard import make_leaderboard
from reports.data.parts import caption, scores_of
from reports.html.board import make_views
from reports.tables.leaderboard import write_leaderboard
from reports.tables.run_tables import write_tables
from tests.reports.runs import a_run


def run_of(folder, *scenes):
    """A run of three methods on scenes of liu2020."""
    scores = {
        method: {scene: {"mi": 1.0 + k + len(scenes)} for scene in scenes}
        for k, method in enumerate(("fcn", "lp", "mine"))
    }
    return a_run(folder, scores, dict.fromkeys(scenes, "liu2020"))


@pytest.mark.parametrize(
    ("scenes", "name"),
    [
        ([f"c_{k:02}" for k in range(1, 21)], "Lytro, 20 pairs"),
        (["c_01", "c_02"], "Lytro, 2 of its 20 pairs"),
        (["c_01", "g_01"], "liu2020"),
    ],
)
def test_every_report_says_the_subset(tmp_path, scenes, name):
    results = run_of(tmp_path, *scenes)
    write_tables(results, tmp_path)
    for ending, before in ((".md", "**Means over "), (".tex", "deviation over ")):
        assert before + name in (tmp_path / f"tables/mean_liu2020{ending}").read_text("utf-8")
    write_leaderboard(results, tmp_path / "board")
    assert f"# Leaderboard of {name}\n" in (tmp_path / "board/leaderboard.md").read_text("utf-8")
    assert [view.label for view in make_views(results)] == [name]


def test_a_leaderboard_of_a_subset(tmp_path):
    results = run_of(tmp_path, "c_01", "c_02", "g_01")
    assert len(scores_of(results, "")) == len(scores_of(results, "LIU2020")) == 9
    assert set(scores_of(results, "Lytro")["scene"]) == {"c_01", "c_02"}
    assert make_leaderboard(results, "gray").rankings["mi"].scenes == 1
    assert caption(results.manifest, "lytro") == "Lytro, 2 of its 20 pairs"
    with pytest.raises(UnknownName, match="dataset of this run 'mffw'"):
        scores_of(results, "mffw")
