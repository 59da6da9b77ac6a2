"""Statistics against textbook values, an independent computation, and what must hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from bench.core.errors import UsageError
from reports.data import statistics as stats
from reports.data.agreement import agreement
from reports.data.statistics import critical_difference, rank_methods

# Critical values q at 5 % of Nemenyi's test, as tabulated in Demsar 2006, table 5(a).
NEMENYI_Q = {
    2: 1.960,
    3: 2.343,
    4: 2.569,
    5: 2.728,
    6: 2.850,
    7: 2.949,
    8: 3.031,
    9: 3.102,
    10: 3.164,
}


@pytest.mark.parametrize("methods", NEMENYI_Q)
def test_critical_difference_is_the_tabulated_one(methods):
    expected = NEMENYI_Q[methods] * np.sqrt(methods * (methods + 1) / (6 * 30))
    assert critical_difference(methods, 30) == pytest.approx(expected, abs=1e-3)


@pytest.fixture
def scores():
    rng = np.random.default_rng(3)
    base = rng.normal(size=(25, 1))
    shift = np.array([0.0, 0.02, 1.5, 1.5])
    return pd.DataFrame(base + shift + 0.1 * rng.normal(size=(25, 4)), columns=list("abcd"))


def test_ranks_and_ties(scores):
    ranking = rank_methods(scores, higher_is_better=True)
    assert set(ranking.table.index[:2]) == {"c", "d"}
    assert ranking.table.loc[["c", "d"], "tied"].all()
    assert not ranking.table.loc[["a", "b"], "tied"].any()
    assert ranking.friedman_p == pytest.approx(
        scipy.stats.friedmanchisquare(*scores.to_numpy().T).pvalue
    )
    assert (ranking.table.rank_low <= ranking.table["rank"]).all()
    assert (ranking.table.rank_high >= ranking.table["rank"]).all()
    assert ranking.table["rank"].sum() == pytest.approx(10)


def test_direction_turns_the_order(scores):
    up = rank_methods(scores, higher_is_better=True).table["rank"]
    down = rank_methods(scores, higher_is_better=False).table["rank"]
    assert np.allclose((up + down).to_numpy(), 5)


def test_equal_scores_share_rank_and_win():
    table = rank_methods(
        pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0]}), higher_is_better=True
    ).table
    assert table["rank"].tolist() == [1.5, 1.5]
    assert table["wins"].tolist() == [2, 2]
    assert table["tied"].all()


def test_rounding_makes_no_ranks():
    """Two scores that are equal in exact arithmetic share rank and win whatever their last bits."""
    a = np.array([0.3, 1.5, 250.0, 0.7])
    other = a * (1 + np.array([2e-16, -4e-14, 1e-13, 0]))
    scores = pd.DataFrame({"a": a, "b": other, "c": a - 1e-6})
    for higher, ranks in ((True, [1.5, 1.5, 3]), (False, [2.5, 2.5, 1])):
        table = rank_methods(scores, higher_is_better=higher).table.loc[["a", "b", "c"]]
        assert table["rank"].tolist() == ranks
        assert table.loc["a", "wins"] == table.loc["b", "wins"] == (4 if higher else 0)
    assert rank_methods(scores[["a", "b"]], higher_is_better=True).table["p"].tolist() == [1, 1]
    reference = pd.DataFrame({"a": a, "b": a, "c": a + 1})
    assert agreement(scores[["a", "b", "c"]], reference).spearman.tolist() == pytest.approx(
        [-1] * 4
    )


@pytest.mark.parametrize(("scenes", "conclusive"), [(5, False), (6, True)])
def test_conclusive_is_whether_the_clearest_result_is_significant(scenes, conclusive):
    clear = pd.DataFrame({"a": np.arange(scenes) + 10.0, "b": np.arange(scenes) * 1.1})
    ranking = rank_methods(clear, higher_is_better=True)
    assert ranking.conclusive is conclusive
    assert bool(ranking.table.loc["b", "tied"]) is not conclusive


def test_only_scenes_that_all_finished_count(scores):
    scores.iloc[:5, 0] = np.nan
    assert rank_methods(scores, higher_is_better=True).scenes == 20


def test_holm_by_hand(scores):
    ranking = rank_methods(scores, higher_is_better=True)
    best = ranking.table.index[0]
    raw = {
        name: scipy.stats.wilcoxon(scores[name] - scores[best], zero_method="zsplit").pvalue
        for name in scores
        if name != best
    }
    running, expected = 0.0, {}
    for step, name in enumerate(sorted(raw, key=raw.get)):
        running = max(running, min(1.0, (3 - step) * raw[name]))
        expected[name] = running
    assert ranking.table["p"].drop(best).to_dict() == pytest.approx(expected)


@pytest.mark.parametrize("table", [{"a": [1.0]}, {"a": [np.nan], "b": [1.0]}, {}])
def test_nothing_to_rank(table):
    with pytest.raises(UsageError, match="needs two methods"):
        rank_methods(pd.DataFrame(table), higher_is_better=True)


def test_one_scene_has_ranks_but_no_test():
    ranking = rank_methods(
        pd.DataFrame({"a": [1.0], "b": [2.0], "c": [3.0]}), higher_is_better=True
    )
    assert np.isnan(ranking.friedman_p)
    assert np.isnan(ranking.critical_difference)
    assert ranking.table["tied"].all()


@pytest.mark.parametrize("at_once", [1 << 20, 500, 1])
def test_intervals_are_those_of_resampled_scenes(scores, monkeypatch, at_once):
    monkeypatch.setattr(stats, "_DRAWS", at_once)
    table = rank_methods(scores, higher_is_better=True, seed=5).table
    ranks = (-scores).rank(axis=1).to_numpy()
    picks = np.random.default_rng(5).integers(0, len(ranks), (stats.RESAMPLES, len(ranks)))
    low, high = np.percentile(ranks[picks].mean(axis=1), [2.5, 97.5], axis=0)
    assert table.loc[scores.columns, "rank_low"].tolist() == low.tolist()
    assert table.loc[scores.columns, "rank_high"].tolist() == high.tolist()
