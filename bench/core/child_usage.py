"""What the programs took that a method has started: CPU time and memory of their processes.

A method that starts a program adds what it took; whoever measures the method collects it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class ChildUsage:
    """What programs took within a block.

    Attributes
    ----------
    cpu_s : float
        Seconds of the processor, in user and system mode, of all their processes.
    peak_bytes : int
        Largest resident memory of the processes of one program.
    """

    cpu_s: float = 0.0
    peak_bytes: int = 0


_collected: ContextVar[ChildUsage | None] = ContextVar("collected usage of children", default=None)


@contextlib.contextmanager
def collect() -> Iterator[ChildUsage]:
    """What every program takes that is started within the block, in this thread.

    Examples
    --------
    >>> from bench.core.child_usage import add, collect
    >>> with collect() as children:
    ...     add(cpu_s=0.5, peak_bytes=1000)
    ...     add(cpu_s=0.25, peak_bytes=800)
    >>> children
    ChildUsage(cpu_s=0.75, peak_bytes=1000)
    """
    usage = ChildUsage()
    token = _collected.set(usage)
    try:
        yield usage
    finally:
        _collected.reset(token)


def add(cpu_s: float, peak_bytes: int) -> None:
    """Add what one program took to the innermost `collect`; nothing happens without one."""
    usage = _collected.get()
    if usage is not None:
        usage.cpu_s += cpu_s
        usage.peak_bytes = max(usage.peak_bytes, peak_bytes)
