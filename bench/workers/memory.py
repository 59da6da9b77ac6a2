"""Memory: what a process holds and held at most, what is free, and sizes as text."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bench.core.errors import UsageError


@dataclass(frozen=True)
class Hierarchy:
    """One of Linux's two kinds of control groups: where it is, and its files' names."""

    folder: Path
    controller: str
    limit: str
    usage: str
    cache: str


#: The new kind and the old. A group's limit holds for all groups within it.
HIERARCHIES = (
    Hierarchy(Path("/sys/fs/cgroup"), "", "memory.max", "memory.current", "inactive_file"),
    Hierarchy(
        Path("/sys/fs/cgroup/memory"),
        "memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
)

#: Which groups this process is in.
MEMBERSHIP = Path("/proc/self/cgroup")

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


@dataclass
class Peak:
    """The largest resident size of this process within a block, in bytes; 0 until it ends."""

    bytes: int = 0


@contextlib.contextmanager
def peak() -> Iterator[Peak]:
    """Measure the largest resident size within the block.

    Where the system lets a process reset its high-water mark (Linux), it is that of the
    block; elsewhere that of the process so far.
    """
    measured = Peak()
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    try:
        yield measured
    finally:
        measured.bytes = _status("VmHWM") or _maxrss()


def resident(pid: int) -> int:
    """Bytes that the process `pid` holds now; 0 if it has ended or the system does not tell."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def resident_with_children(pid: int) -> int:
    """Bytes that the process `pid` and all that it started hold; shared pages count for each."""
    return sum(map(resident, (pid, *descendants(pid))))


def descendants(pid: int) -> list[int]:
    """Ids of all processes below `pid`; none where the system does not tell."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                for child in (thread / "children").read_text().split():
                    found += [int(child), *descendants(int(child))]
    return found


def is_running(pid: int) -> bool:
    """Whether the process `pid` has not ended; False where the system does not tell."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state not in ("Z", "X")


def most(pid: int) -> int:
    """Bytes that the process `pid` held at the most; 0 where the system does not tell."""
    return _status("VmHWM", str(pid))


def available() -> int | None:
    """Bytes that are free on this machine and in its control groups; None: unknown.

    Containers, batch systems and service managers limit memory by control groups.
    """
    left = []
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        left += [int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")]
    for hierarchy in HIERARCHIES:
        for group in _groups(hierarchy):
            with contextlib.suppress(OSError, ValueError):  # no such group, or no limit
                left.append(_left(hierarchy, group))
    return max(0, min(left)) if left else None


def _groups(hierarchy: Hierarchy) -> list[Path]:
    """The group of this process and those around it; only the outermost if unknown."""
    groups = [hierarchy.folder]
    with contextlib.suppress(OSError, ValueError):
        for line in MEMBERSHIP.read_text().splitlines():
            _, controllers, name = line.split(":", 2)
            if hierarchy.controller in controllers.split(","):
                own = PurePosixPath(name).relative_to("/")
                groups += [hierarchy.folder / part for part in (own, *own.parents)]
    return groups


def _left(hierarchy: Hierarchy, group: Path) -> int:
    """Bytes that a group may still take; cached files do not count, since the system frees them."""
    allowed = int((group / hierarchy.limit).read_text())
    used = int((group / hierarchy.usage).read_text())
    facts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    return allowed - used + int(facts.get(hierarchy.cache, 0))


def _status(name: str, pid: str = "self") -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) << 10
    return 0


def _maxrss() -> int:
    import resource
    import sys

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest << 10


def parse_size(text: str) -> int:
    """Bytes of a size such as ``8G``, ``500M`` or ``1000000``.

    Raises
    ------
    UsageError
        The text is not a size.

    Examples
    --------
    >>> from bench.workers.memory import parse_size
    >>> parse_size("8G") == 8 * 2**30
    True
    """
    number, unit = text.strip().upper().removesuffix("B").removesuffix("I"), ""
    if number[-1:] in UNITS:
        number, unit = number[:-1], number[-1:]
    try:
        size = int(float(number) * UNITS[unit])
    except (ValueError, OverflowError):
        size = 0
    if size <= 0:
        raise UsageError(f"{text!r} is not a size; write 8G, 500M or a number of bytes")
    return size


def format_size(size: float) -> str:
    """Bytes as text: ``1.4 GB`` as a multiple of 2**30, ``512 MB`` of 2**20."""
    return f"{size / 2**30:.1f} GB" if size >= 2**30 else f"{size / 2**20:.0f} MB"
