"""Run a command in a private folder, within limits, and end all that it has started.

The work is done by a process of its own (`methods.programs._supervisor`), since this one may be
killed at any time, over the limits of the run or by the user.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core import child_usage
from bench.core.errors import EnvironmentFault, ProgramFault

SUPERVISOR = Path(__file__).with_name("_supervisor.py")

#: Environment variable by which the processes of one run are found if the supervisor was killed.
MARK = "MFIF_PROGRAM_RUN"
#: Folder of the sources within that of the program.
SOURCES = "sources"
#: Environment variables that set the number of threads of numeric libraries.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
#: A program is stopped when it has left less than this of the disk free, or half of what there was.
FREE_BYTES = 1 << 30
#: Seconds that the supervisor may take to end all processes and to remove the folder.
CLOSE_S = 30.0


@dataclass(frozen=True)
class Folder:
    """A private folder in which one program runs.

    Attributes
    ----------
    path : Path
        Where it is; nobody else may read it, and it is removed in the end.
    supervisor : subprocess.Popen
        The process that owns it.
    """

    path: Path
    supervisor: subprocess.Popen[bytes]

    def await_start(self) -> None:
        """Return when the folder is there, which takes a while after the supervisor's start.

        Raises
        ------
        EnvironmentFault
            It cannot be made.
        """
        said = self.supervisor.stdout.readline() if self.supervisor.stdout else b""
        if said != b"ready\n":
            raise EnvironmentFault(f"{self.path}: a program's folder cannot be made")
        (self.path / "tmp").mkdir()

    def run(self, name: str, command: Sequence[str], disk_bytes: int) -> None:
        """Run `command` in the folder to its end, and kill what it leaves running.

        Parameters
        ----------
        name : str
            What the program is called in messages.
        command : sequence of str
            The file of the program, and its arguments.
        disk_bytes : int
            What it may write, in one file and in all files of the folder.

        Raises
        ------
        ProgramFault
            It cannot be started, did not end with exit code 0, or wrote too much.
        MemoryError
            It was killed, as the system does when memory runs out.
        """
        free = min(FREE_BYTES, shutil.disk_usage(self.path).free // 2)
        job = {"command": list(command), "disk_bytes": disk_bytes, "free_bytes": free}
        report = self._ask(json.dumps(job))
        if report is None:
            raise ProgramFault(f"{name} ended the process that supervised it")
        if "error" in report:
            raise ProgramFault(f"{name} cannot be started: {report['error']}")
        child_usage.add(report["cpu_s"], report["peak_bytes"])
        reason = _reason(report, disk_bytes)
        if report["ended"] == -signal.SIGKILL and not report["stopped"]:
            raise MemoryError(f"{name} {reason}")
        if reason:
            raise ProgramFault(f"{name} {reason}")

    def _ask(self, job: str) -> dict[str, Any] | None:
        """The supervisor's report; None if it has ended without one."""
        pipes = self.supervisor
        try:
            if pipes.stdin is not None and pipes.stdout is not None:
                pipes.stdin.write(f"{job}\n".encode())
                pipes.stdin.flush()
                report: dict[str, Any] = json.loads(pipes.stdout.readline())
                return report
        except (BrokenPipeError, json.JSONDecodeError):
            pass
        return None


@contextlib.contextmanager
def private_folder(
    threads: int, environment: Mapping[str, str | None], output: str = ""
) -> Iterator[Folder]:
    """A folder for one program; with the block end the folder and all that runs in it.

    It is there after `Folder.await_start`; until then there is time to prepare files.

    Parameters
    ----------
    threads : int
        Threads that the program should use, as far as environment variables set them.
    environment : mapping of str to str or None
        Further environment variables; None removes one.
    output : str
        Name of the file that the program will write.
    """
    token = secrets.token_hex(8)
    path = _temporary() / f"mfif-program-{token}"
    given = {**os.environ, **dict.fromkeys(THREADS, str(threads)), **environment}
    given |= {MARK: token, "TMPDIR": str(path / "tmp")}
    given |= {"MFIF_FOLDER": str(path / SOURCES), "MFIF_OUTPUT": str(path / output)}
    supervisor = subprocess.Popen(
        [sys.executable, "-I", "-S", str(SUPERVISOR), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={key: value for key, value in given.items() if value is not None},
        start_new_session=True,
    )
    try:
        yield Folder(path, supervisor)
    finally:
        _close(supervisor, path, token)


def _temporary() -> Path:
    """The folder of temporary files; a worker may have another ``TMPDIR`` than at its start."""
    given = os.environ.get("TMPDIR", "")
    return Path(given if given and Path(given).is_dir() else tempfile.gettempdir()).absolute()


def _close(supervisor: subprocess.Popen[bytes], path: Path, token: str) -> None:
    """Tell the supervisor to end everything; do it here if it cannot."""
    for pipe in (supervisor.stdin, supervisor.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        supervisor.wait(CLOSE_S)
    if supervisor.returncode != 0:
        supervisor.kill()
        supervisor.wait()
        for pid in _marked(token):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(path, ignore_errors=True)


def _marked(token: str) -> Iterator[int]:
    """Ids of the processes whose environment names the run."""
    mark = f"{MARK}={token}".encode()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark in entry.read_bytes().split(b"\0"):
                yield int(entry.parent.name)


def _reason(report: Mapping[str, Any], disk_bytes: int) -> str:
    """How the program failed, as the end of a sentence; empty if it did not."""
    allowed, code = f"{disk_bytes / 2**20:.0f} MB", report["ended"]
    if report["stopped"] == "wrote":
        return f"wrote more than {allowed} into its folder and was killed"
    if report["stopped"] == "forked":
        return "started far too many processes and was killed"
    if report["stopped"] == "filled":
        return "filled the disk and was killed"
    if code == -signal.SIGXFSZ:
        return f"was killed when it wrote a file of more than {allowed}"
    said = _last_line(report["stderr"]) or _last_line(report["stdout"])
    last = f"; it printed last: {said}" if said else " and printed nothing"
    if code == -signal.SIGKILL:
        return "was killed by SIGKILL, as the system does when memory runs out" + last
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}{last}"
    return f"ended with exit code {code}{last}" if code else ""


def _last_line(text: str) -> str:
    """The last line that says something, without control characters."""
    lines = ["".join(c if c.isprintable() else " " for c in s).strip() for s in text.splitlines()]
    return next((line[-300:] for line in reversed(lines) if line), "")
