"""Our scores on the pairs of Real-MFF beside the published ones, image by image."""

from __future__ import annotations

import re

import pandas as pd

from bench.core.errors import NothingSelected
from datasets import real_mff
from reports.data.results import Results

#: The data set of the pairs, which a user fetches by hand.
DATASET = "real-mff"

#: A scene named after its pair: ``001``, ``001_A``.
_PAIR = re.compile(r"(\d{3})(?:\D.*)?")


def beside_published(results: Results, dataset: str = "") -> pd.DataFrame:
    """Scores of a run and the published ones of the same method, metric and pair.

    Parameters
    ----------
    results : Results
        A run of methods that have published scores (`datasets.real_mff.METHODS`), with metrics of
        the same definition.
    dataset : str
        The data set that holds the pairs, whose scenes are called ``001`` to ``710``;
        ``real-mff`` if empty.

    Returns
    -------
    DataFrame
        ``scene, method, metric, ours, published, difference``, one row a score.

    Raises
    ------
    NothingSelected
        The run has no such data set, or no method, metric and pair that both have.
    DataUnavailable
        The published scores are not on this machine and cannot be downloaded.
    """
    name = dataset or DATASET
    scores = results.scores
    mine = scores[(scores["dataset"] == name) & scores["value"].notna()]
    if not len(mine):
        has = ", ".join(results.manifest.datasets) or "none"
        raise NothingSelected(f"the run has no scores on the data set {name!r}; it has {has}")
    pairs = mine["scene"].map(_pair)
    mine = mine.assign(scene=pairs).dropna(subset="scene")
    mine = mine.rename(columns={"value": "ours"})[["scene", "method", "metric", "ours"]]
    joined = mine.merge(_published(set(mine["metric"])), on=["scene", "method", "metric"])
    if not len(joined):
        raise NothingSelected(
            f"{name}: no method, metric and pair that the published scores have: methods "
            f"{', '.join(m.ours for m in real_mff.METHODS if m.ours)}, metrics "
            f"{', '.join(m.ours for m in real_mff.METRICS if m.ours)}, scenes 001 to 710"
        )
    return joined.assign(difference=joined["ours"] - joined["published"])


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Means, mean and largest absolute difference by metric and method, and how many pairs.

    One row each: ``metric, method, pairs, ours, published, difference, largest``.

    Examples
    --------
    >>> import pandas as pd
    >>> from reports.data.published_comparison import summary
    >>> rows = {"metric": ["mi"], "method": ["lp"], "ours": [1.5], "published": [1.25]}
    >>> summary(pd.DataFrame(rows | {"difference": [0.25]}))[["pairs", "difference", "largest"]]
       pairs  difference  largest
    0      1        0.25     0.25
    """
    groups = table.groupby(["metric", "method"], sort=False)
    return pd.DataFrame(
        {
            "pairs": groups.size(),
            "ours": groups["ours"].mean(),
            "published": groups["published"].mean(),
            "difference": groups["difference"].mean(),
            "largest": groups["difference"].agg(lambda column: column.abs().max()),
        }
    ).reset_index()


def _pair(scene: str) -> str | None:
    found = _PAIR.fullmatch(scene)
    return found.group(1) if found else None


def _published(metrics: set[str]) -> pd.DataFrame:
    """The published scores under our names: ``scene, method, metric, published``."""
    ours = {method.name: method.ours for method in real_mff.METHODS if method.ours}
    columns = ["scene", "method", "metric", "published"]
    parts = [pd.DataFrame(columns=columns).astype({"published": float})]
    for metric in real_mff.METRICS:
        if metric.ours in metrics:
            table = real_mff.published_scores(metric)[[*ours]].rename(columns=ours)
            long = table.melt(ignore_index=False, var_name="method", value_name="published")
            parts.append(long.reset_index().assign(metric=metric.ours)[columns])
    return pd.concat(parts[1:] or parts, ignore_index=True)
