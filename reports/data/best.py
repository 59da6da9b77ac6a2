"""Which values of a column are the best: one meaning in every table, page and figure.

The best is the best value *as printed*, among the methods that compete. Baselines do not, nor
does a mean over fewer scenes than another method's.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

#: Digits behind the point of scores, as the paper prints them.
DIGITS = 4


def competing(
    values: pd.Series, baselines: Collection[str], counts: pd.Series | None = None
) -> pd.Series:
    """The values that compete: not of a baseline, and means over the most scenes."""
    rivals = values.drop(index=list(baselines), errors="ignore").astype(float).dropna()
    if counts is not None and len(rivals):
        seen = counts.reindex(rivals.index)
        rivals = rivals[seen == seen.max()]
    return rivals


def best_of(
    values: pd.Series,
    *,
    higher_is_better: bool,
    baselines: Collection[str],
    counts: pd.Series | None = None,
    digits: int = DIGITS,
) -> dict[str, int]:
    """The best and the second of a column.

    Parameters
    ----------
    values : Series
        Indexed by method; NaN where there is none.
    higher_is_better : bool
        Direction of the column.
    baselines : collection of str
        Methods that do not compete.
    counts : Series, optional
        Over how many scenes each value is a mean; only those over the most compete.
    digits : int
        Printed behind the point.

    Returns
    -------
    dict of str to int
        1 for each method with the best printed value, 2 for each with the second best.

    Examples
    --------
    >>> import pandas as pd
    >>> from reports.data.best import best_of
    >>> column = pd.Series({"average": 9.0, "lp": 1.00001, "gf": 1.0, "dwt": 0.5})
    >>> best_of(column, higher_is_better=True, baselines={"average"})
    {'lp': 1, 'gf': 1, 'dwt': 2}
    """
    printed = competing(values, baselines, counts).round(digits)
    order = np.sort(printed.unique())
    ahead = (order[::-1] if higher_is_better else order)[:2].tolist()
    return {str(n): ahead.index(v) + 1 for n, v in printed.items() if v in ahead}
