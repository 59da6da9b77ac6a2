from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from reports.data.agreement import agreement, interval, mean_agreement


def test_agreement():
    reference = pd.DataFrame({"a": [1.0, 1.0, 1.0], "b": [2.0, 2.0, 2.0], "c": [3.0, 3.0, 3.0]})
    values = pd.DataFrame({"a": [0.1, 9.0, 1.0], "b": [0.2, 8.0, 1.0], "c": [0.9, 7.0, 1.0]})
    table = agreement(values, reference)
    assert table.spearman.tolist()[:2] == [1, -1]
    assert table.kendall.tolist()[:2] == [1, -1]
    assert table.iloc[2].isna().all()


def test_agreement_is_scipys_where_scores_tie_are_infinite_or_missing():
    rng = np.random.default_rng(1)
    values = pd.DataFrame(rng.integers(0, 6, (40, 9)).astype(float))
    reference = pd.DataFrame(rng.standard_normal((40, 9)).round(1))
    values.iloc[3, :5] = reference.iloc[5, 2] = np.nan
    values.iloc[9, 1] = np.inf
    table = agreement(values, reference)
    for scene in values.index:
        both = values.loc[scene].notna() & reference.loc[scene].notna()
        pair = values.loc[scene, both], reference.loc[scene, both]
        assert table.spearman[scene] == pytest.approx(scipy.stats.spearmanr(*pair)[0], abs=1e-12)
        assert table.kendall[scene] == pytest.approx(scipy.stats.kendalltau(*pair)[0], abs=1e-12)


def test_means_and_intervals_are_those_of_scenes():
    rng = np.random.default_rng(2)
    values = pd.DataFrame(rng.standard_normal((30, 7)))
    reference = pd.DataFrame(values + rng.standard_normal((30, 7)))
    table, found = agreement(values, reference), mean_agreement(values, reference, seed=4)
    assert (found.scenes, found.methods) == (30, 7)
    assert found.spearman == pytest.approx(table.spearman.mean())
    assert found.kendall == pytest.approx(table.kendall.mean())
    normal = 1.96 * table.spearman.std() / np.sqrt(30)
    assert found.spearman - found.spearman_low == pytest.approx(normal, rel=0.2)
    assert found.spearman_high - found.spearman == pytest.approx(normal, rel=0.2)
    assert mean_agreement(values, reference, seed=4) == found
    assert mean_agreement(values, reference, seed=5) != found


def test_scenes_without_an_order_do_not_count():
    reference = pd.DataFrame({"a": [1.0, 1.0], "b": [2.0, 2.0], "c": [3.0, 3.0], "d": [4.0, 4.0]})
    values = reference.copy()
    values.loc[1] = 0.0
    values.loc[0, "d"] = np.nan
    found = mean_agreement(values, reference)
    assert (found.spearman, found.scenes, found.methods) == (1.0, 1, 3)
    assert np.isnan([found.spearman_low, found.kendall_high]).all()


def test_no_scene_at_all():
    found = mean_agreement(pd.DataFrame({"a": [1.0]}), pd.DataFrame({"a": [1.0]}))
    assert (found.scenes, found.methods) == (0, 0)
    assert np.isnan(found.spearman)


def test_the_interval_of_a_constant_is_a_point():
    assert interval(np.ones((5, 2)), 0) == ([1.0, 1.0], [1.0, 1.0])
