"""Devices and threads: which are available, how many are used, when they have finished."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from bench.core.errors import EnvironmentFault

_DEVICE = re.compile(r"cpu|cuda(:(?P<index>[0-9]+))?")


def available_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def pinned_threads(threads: int) -> Iterator[None]:
    """Limit every numeric library to `threads` threads within the block."""
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
    """Limit torch to `threads` threads, if anything has imported it.

    A lazy module is none that was imported: to ask it would import it, which takes seconds.
    """
    torch = sys.modules.get("torch")
    if type(torch) is ModuleType and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


def check_device(device: str, *, here: bool = True) -> None:
    """Raise unless `device` is available; nothing falls back to the CPU silently.

    Parameters
    ----------
    device : str
        ``cpu``, ``cuda`` or ``cuda:N``.
    here : bool
        False where other machines compute: then only its name is checked.

    Raises
    ------
    EnvironmentFault
        No device has this name, or this machine does not have the device.

    Examples
    --------
    >>> from bench.core.devices import check_device
    >>> check_device("cpu")
    """
    match = _DEVICE.fullmatch(device)
    if match is None:
        raise EnvironmentFault(f"device {device!r} is unknown; allowed: cpu, cuda, cuda:N")
    if device == "cpu" or not here:
        return
    try:
        import torch
    except ImportError as error:
        raise EnvironmentFault(f"device {device!r} is not available: {error}") from error
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(match["index"] or 0) >= count:
        raise EnvironmentFault(
            f"device {device!r} is not available: torch sees {count} CUDA devices"
        )


def synchronise(device: str) -> None:
    """Wait until `device` has finished all work that was queued on it."""
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
