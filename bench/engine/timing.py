"""Timing that allows a comparison: after a warm-up, in rounds, the same number for all methods."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from bench.workers.worker import Seconds

#: Seconds that the repeats of one cell may take; a slower cell is repeated less often, at least
#: once, and every table says how often.
BUDGET_S = 60.0


@dataclass
class Samples:
    """The timed repeats of one cell.

    Attributes
    ----------
    seconds, cpu : list of float
        Seconds of each repeat, and those of the processor.
    status, message : str
        ``ok``, or why there are no further ones.
    """

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    status: str = "ok"
    message: str = ""


def interleaved(jobs: Mapping[str, Callable[[], Seconds]], *, repeats: int) -> dict[str, Samples]:
    """Time each job `repeats` times, in rounds, so that a change of speed affects all jobs alike.

    Parameters
    ----------
    jobs : mapping of str to callable
        Each fuses once, warm, and returns the seconds that took; one that fails is not called
        again.
    repeats : int
        Rounds. A job whose repeats would take more than `BUDGET_S` takes part in fewer.

    Returns
    -------
    dict of str to Samples
        By job.
    """
    found = {name: Samples() for name in jobs}
    for turn in range(repeats):
        for name, job in jobs.items():
            samples = found[name]
            if samples.status != "ok" or turn >= rounds(samples.seconds, repeats):
                continue
            result = job()
            if result.status == "ok":
                samples.seconds.append(result.taken)
                samples.cpu.append(result.cpu)
            else:
                samples.status, samples.message = result.status, result.message
    return found


def rounds(seconds: list[float], repeats: int) -> int:
    """How many repeats fit `BUDGET_S`, by the first one; all of them before that is known."""
    return repeats if not seconds else max(1, min(repeats, int(BUDGET_S / max(seconds[0], 1e-9))))


def summary(seconds: list[float]) -> dict[str, float]:
    """Median, interquartile range and minimum of some timings, in seconds."""
    low, high = np.percentile(seconds, [25, 75])
    return {
        "median_s": statistics.median(seconds),
        "iqr_s": float(high - low),
        "min_s": min(seconds),
    }
