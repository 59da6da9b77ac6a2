"""Runs one program in a folder of its own, and ends both, whatever happens to the benchmark.

It is started as a script by `methods.programs._run`, imports nothing but the standard library, and
is told what to do through its standard input. When that closes, because the work is done or the
benchmark was killed, it ends every process that the program has left and removes the folder.
It does without pathlib and typing, since importing those would take longer than all the rest.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: prctl(2): be the parent of all descendants whose own parent has ended, daemons too.
PR_SET_CHILD_SUBREAPER = 36
#: Seconds between two looks at the folder, the free space and the memory.
WATCH_S = 0.05
#: Seconds within which killed processes must have ended.
KILL_S = 10.0
#: Bytes of each of the program's two outputs that are kept.
TAIL_BYTES = 8192
#: Files in the folder at most: looking at more would take longer than `WATCH_S`.
MOST_FILES = 100_000
#: Processes at most, which no pool of workers needs but a program that forks for ever has soon.
MOST_PROCESSES = 1000


def main() -> None:
    """Make the folder, run the program that standard input names, report how it ended."""
    folder = sys.argv[1]
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.mkdir(folder, 0o700)
    try:
        _say("ready")
        if line := _line():
            report = _run(json.loads(line), folder)
            if report is not None:
                _say(json.dumps(report))
                _line()  # until the benchmark has read the image
    finally:
        _end_all()
        os.chdir("/")
        _remove(folder)


def _say(text: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(1, f"{text}\n".encode())


def _line() -> bytes:
    """The next line of standard input; empty when that is closed."""
    data = b""
    while not data.endswith(b"\n") and (piece := os.read(0, 1 << 16)):
        data += piece
    return data


def _run(job: dict[str, Any], folder: str) -> dict[str, Any] | None:
    """Run the program; None if the benchmark went away meanwhile."""
    allowed = job["disk_bytes"] + _size(folder)
    _limit(resource.RLIMIT_FSIZE, job["disk_bytes"])
    _limit(resource.RLIMIT_CORE, 0)
    wake = _wake_on_children()
    os.chdir(folder)
    try:
        pid, out, err = _start(job["command"])
    except OSError as error:
        return {"error": error.strerror}
    tails, closed = {out: b"", err: b""}, set[int]()
    ended, stopped, peak, looked = None, "", 0, 0.0
    while ended is None and not stopped:
        ready, _, _ = select.select([0, wake, *(tails.keys() - closed)], [], [], WATCH_S)
        if 0 in ready:
            return None
        closed |= _drain(tails, ready)
        with contextlib.suppress(BlockingIOError):
            os.read(wake, 4096)
        ended = _reap().get(pid)
        if ended is None and time.monotonic() - looked >= WATCH_S:
            living = list(_descendants(os.getpid()))
            peak = max(peak, sum(map(_resident, living)))
            stopped = _over(folder, allowed, job["free_bytes"])
            stopped = "forked" if len(living) > MOST_PROCESSES else stopped
            looked = time.monotonic()
    _end_all(pid)
    _drain(tails, list(tails))
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "ended": ended,
        "stopped": stopped,
        "stdout": tails[out].decode(errors="replace"),
        "stderr": tails[err].decode(errors="replace"),
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_bytes": max(peak, usage.ru_maxrss << (0 if sys.platform == "darwin" else 10)),
    }


def _start(command: list[str]) -> tuple[int, int, int]:
    """Start a program in a group of its own: its id, and what its two outputs can be read from."""
    (out, out_end), (err, err_end) = os.pipe(), os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    ends = (nothing, out_end, err_end)
    pid = os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, end, number) for number, end in enumerate(ends)],
        setpgroup=0,
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT],  # which Python ignores
    )
    for end in ends:
        os.close(end)
    return pid, out, err


def _limit(what: int, most: int) -> None:
    """Limit a resource for the program, unless it is limited further already."""
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def _wake_on_children() -> int:
    """A pipe that can be read when a child has ended."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return read


def _drain(tails: dict[int, bytes], ready: list[int]) -> set[int]:
    """Keep the end of what was printed; returns those pipes that the program has closed."""
    closed = set()
    for pipe in [each for each in tails if each in ready]:
        os.set_blocking(pipe, False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(64):  # a limit, since a program may print for ever
                piece = os.read(pipe, 1 << 16)
                tails[pipe] = (tails[pipe] + piece)[-TAIL_BYTES:]
                if not piece:
                    closed.add(pipe)
                    break
    return closed


def _over(folder: str, most: float, least_free: int) -> str:
    """Which limit of the disk is exceeded; empty if none is."""
    if _size(folder) > most:
        return "wrote"
    space = os.statvfs(folder)
    return "filled" if space.f_bavail * space.f_frsize < least_free else ""


def _size(folder: str) -> float:
    """Bytes on the disk of all files below `folder`; infinite if there are too many of them."""
    size, count = 0, 0
    for where, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(where, name)).st_blocks * 512
        count += len(files)
        if count > MOST_FILES:
            return float("inf")
    return size


def _reap() -> dict[int, int]:
    """Exit codes by process id of the children that have ended; negative: killed by a signal."""
    ended = {}
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended[found[0]] = os.waitstatus_to_exitcode(found[1])
    return ended


def _end_all(group: int | None = None) -> None:
    """Kill every descendant, and wait until they have ended.

    All that are in the program's `group` are killed at once, also those that fork meanwhile. Where
    the system has no /proc, only those are found.
    """
    deadline = time.monotonic() + KILL_S
    if group is not None:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)
    while (living := list(_descendants(os.getpid()))) and time.monotonic() < deadline:
        for pid in living:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        _reap()
        time.sleep(0.002)
    _reap()


def _descendants(pid: int) -> Iterator[int]:
    """Ids of all processes below `pid`; none where the system has no /proc."""
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with (
                contextlib.suppress(OSError),
                open(f"/proc/{pid}/task/{thread}/children", "rb") as file,
            ):
                for child in map(int, file.read().split()):
                    yield child
                    yield from _descendants(child)


def _resident(pid: int) -> int:
    """Bytes that a process holds; 0 if it has ended."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _remove(folder: str) -> None:
    """Remove a folder with all that is in it, also where the program took rights away."""
    for where, folders, _ in os.walk(folder):
        for name in folders:
            path = os.path.join(where, name)
            if not os.path.islink(path):
                with contextlib.suppress(OSError):
                    os.chmod(path, 0o700)
    for where, folders, files in os.walk(folder, topdown=False):
        for name in [*folders, *files]:
            path = os.path.join(where, name)
            with contextlib.suppress(OSError):
                os.rmdir(path) if name in folders and not os.path.islink(path) else os.unlink(path)
    with contextlib.suppress(OSError):
        os.rmdir(folder)


if __name__ == "__main__":
    main()
