"""Time measured so that it can be compared: pinned threads, warm runs, interleaved repeats."""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from bench.errors import EnvironmentFault

#: Seconds of repeats that one cell is given at the most, beside its first.
BUDGET_S = 1.5


def available_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def pinned_threads(threads: int) -> Iterator[None]:
    """Hold every numeric library to `threads` threads within the block."""
    import cv2
    from threadpoolctl import threadpool_limits

    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        with threadpool_limits(limits=threads):
            yield
    finally:
        cv2.setNumThreads(before)


def pin_torch(threads: int) -> None:
    """Hold torch to `threads` threads, if anything has imported it."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


def check_device(device: str, *, here: bool = True) -> None:
    """Raise `EnvironmentFault` unless `device` is there: no silent fall-back to the processor.

    If it is not to be `here`, but on other machines, it only must be one that could be.
    """
    if device == "cpu":
        return
    kind, _, index = device.partition(":")
    if kind != "cuda" or (index and not index.isdigit()):
        raise EnvironmentFault(f"device {device!r} is unknown; allowed: cpu, cuda, cuda:N")
    if not here:
        return
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(index or 0) >= count:
        raise EnvironmentFault(
            f"device {device!r} is not available: torch sees {count} CUDA devices"
        )


def synchronise(device: str) -> None:
    """Wait until the device has done all that it was given."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)


def timed(fn: Callable[[], Any], device: str) -> tuple[Any, float]:
    """What `fn` returns and the seconds it took on `device`."""
    synchronise(device)
    start = time.perf_counter()
    result = fn()
    synchronise(device)
    return result, time.perf_counter() - start


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
