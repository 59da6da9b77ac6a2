"""Means over scenes: identical images have an infinite PSNR, which no mean can hold.

A fused image that equals the reference counts as `IDENTICAL_DB` in means and standard deviations,
as does whatever is closer than that. Single scores stay as they are (``inf``), and ranks and
tests are of those.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

#: PSNR of identical images in means, in dB.
IDENTICAL_DB = 99.0

#: Metrics that are infinite for identical images, and what they count as at most.
CAPS = {
    "psnr": IDENTICAL_DB,
    "psnr_tang": IDENTICAL_DB + 20 * math.log10(255),  # its peak is 255 times the range
}

#: Note below tables whose means hold such a score.
CAP_NOTE = f"Identical images count as {IDENTICAL_DB:g} dB in means of PSNR."


def cap_of(metric: str) -> float:
    """The largest value that a score of `metric` has in a mean."""
    return CAPS.get(metric, math.inf)


def for_means(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores as means take them: ``value`` is at most `cap_of` the ``metric``.

    Examples
    --------
    >>> import pandas as pd
    >>> from reports.data.means import for_means
    >>> scores = pd.DataFrame({"metric": ["psnr", "psnr"], "value": [float("inf"), 41.0]})
    >>> float(for_means(scores)["value"].mean())
    70.0
    """
    caps = scores["metric"].map(CAPS).fillna(math.inf)
    return scores.assign(value=scores["value"].clip(upper=caps))


def has_capped(scores: pd.DataFrame, metrics: Iterable[str]) -> bool:
    """Whether a mean over any of the metrics holds a score that was capped."""
    mine = scores[scores["metric"].isin(list(metrics))]
    return bool((mine["value"] > mine["metric"].map(CAPS).fillna(math.inf)).any())
