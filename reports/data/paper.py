"""The numbers that the paper prints in its Tables 1-4, and the order of its rows.

K. Xu, Z. Qin, G. Wang, H. Zhang, K. Huang, S. Ye, "Multi-focus image fusion using fully
convolutional two-stream network for visual sensors", KSII Transactions on Internet and
Information Systems 12 (5), 2018. DOI 10.3837/tiis.2018.05.019
"""

from __future__ import annotations

import functools
from pathlib import Path

import pandas as pd

#: Scene of the ``paper`` dataset -> number of its table.
TABLES = {"clock": 1, "pepsi": 2, "camera": 3, "color": 4}

#: Rows of the tables, in the paper's order.
ROWS = ("dwt", "lp", "sp", "rp", "psf", "cp", "gf", "srcnn", "cnn", "fcn")

#: Column of the paper -> name of the metric.
COLUMNS = {"IE": "ie", "MI": "mi", "QABF": "qabf", "Q": "q", "QW": "qw", "QE": "qe"}


@functools.cache
def published() -> pd.DataFrame:
    """The paper's scores, tidy.

    Returns
    -------
    DataFrame
        Columns ``scene``, ``method``, ``metric``, ``paper``.

    Examples
    --------
    >>> from reports.data.paper import published
    >>> row = published().query("scene == 'clock' and method == 'fcn' and metric == 'mi'")
    >>> float(row.paper.iloc[0])
    1.1574
    """
    wide = pd.read_csv(Path(__file__).with_name("paper_tables.csv")).rename(columns=COLUMNS)
    tidy = wide.melt(["pair", "method"], list(COLUMNS.values()), "metric", "paper")
    return tidy.rename(columns={"pair": "scene"})
