"""Time measured so that it can be compared: pinned threads, warm runs, interleaved repeats."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping

import numpy as np

#: Seconds of repeats that one cell is given at the most, beside its first.
BUDGET_S = 1.5


def interleaved(
    jobs: Mapping[str, Callable[[], float | None]],
    first_seconds: Mapping[str, float],
    *,
    repeats: int,
) -> dict[str, list[float]]:
    """Time each job up to `repeats` times, in rounds, so that drift hits all alike.

    Parameters
    ----------
    jobs : mapping of str to callable
        Each runs once, warm, and returns the seconds that took; None when it fails, after
        which it is left out.
    first_seconds : mapping of str to float
        How long the first took, which decides how many repeats fit `BUDGET_S`; at least one
        is made.
    repeats : int
        Rounds.

    Returns
    -------
    dict of str to list of float
        Seconds of each repeat, of the jobs that never failed.
    """
    rounds = {
        name: max(1, min(repeats, int(BUDGET_S / max(first_seconds[name], 1e-9)))) for name in jobs
    }
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(repeats):
        for name in [name for name in seconds if turn < rounds[name]]:
            taken = jobs[name]()
            if taken is None:
                del seconds[name]
            else:
                seconds[name].append(taken)
    return seconds


def summary(seconds: list[float]) -> dict[str, float]:
    """Median, interquartile range and minimum of some timings, in seconds."""
    low, high = np.percentile(seconds, [25, 75])
    return {
        "median_s": statistics.median(seconds),
        "iqr_s": float(high - low),
        "min_s": min(seconds),
    }
