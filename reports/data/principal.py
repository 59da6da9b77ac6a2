"""Which metrics of a run its printed tables show: all of a few, else the principal ones."""

from __future__ import annotations

from collections.abc import Iterable

from bench.engine.selection import PRINCIPAL_METRICS
from metrics import METRICS

#: Most columns of scores that a page holds.
MOST = 16


def principal(names: Iterable[str]) -> list[str]:
    """The metrics that a printed table has columns for; the CSV files have all.

    Parameters
    ----------
    names : iterable of str
        Names of the metrics of a table.

    Returns
    -------
    list of str
        All of at most 16 metrics; of more, the principal ones in their order and then those of
        plug-ins; all again if there is none of these.

    Examples
    --------
    >>> from reports.data.principal import principal
    >>> principal(["mi", "lmi"])
    ['mi', 'lmi']
    >>> from metrics import METRICS
    >>> len(principal(METRICS.names())) < len(METRICS)
    True
    """
    names = list(names)
    if len(names) <= MOST:
        return names
    first = [name for name in PRINCIPAL_METRICS if name in names]
    return first + [name for name in names if name not in METRICS] or names
