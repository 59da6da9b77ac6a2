"""A worker process runs other people's code: it answers requests until it ends or is killed.

Worker processes are forked from a server process that has imported the heavy libraries once
(multiprocessing's ``forkserver``), so that one starts in a few hundredths of a second. What a
worker process prints goes through a pipe, and the last lines are kept.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from bench.core.devices import pinned_threads
from bench.core.errors import BenchError, EnvironmentFault
from bench.core.fingerprint import function_fingerprint
from bench.core.plugins import load_plugin
from bench.core.precision import Precision
from bench.workers import memory
from bench.workers.main_module import main_not_imported
from bench.workers.reason import reason_of
from bench.workers.worker import LocalWorker
from methods import METHODS

#: Bytes and lines of a process's output that are kept.
TAIL_BYTES, TAIL_LINES = 16384, 40
#: Seconds between two measurements of a process's memory, where that is limited.
MEMORY_CHECK_S = 0.02
#: How often the start of a process is tried: the server may have been killed.
STARTS = 3
#: Seconds to wait for the end of a killed process; one that hangs in the kernel is left behind.
KILL_S = 10.0
#: prctl(2): be killed when the parent dies.
PR_SET_PDEATHSIG = 1

_CONTEXT = multiprocessing.get_context("forkserver")


@dataclass(frozen=True)
class Limits:
    """The limits of one request.

    Attributes
    ----------
    seconds : float
        Time limit.
    memory : int or None
        Bytes of resident memory; None: no limit.
    source : str
        What sets that limit, for the message.
    """

    seconds: float = 600.0
    memory: int | None = None
    source: str = "--memory"


@dataclass(frozen=True)
class Setup:
    """The settings of a worker process.

    Attributes
    ----------
    device : str
        Where learned methods compute.
    threads : int
        Threads of every library.
    plugins : sequence of Path
        The user's files to load.
    environment : dict
        Environment variables.
    precision : {'auto', 'fp32', 'bf16'}
        Number format of learned methods.
    code : mapping of str to str
        Fingerprint of the code of methods, by name; one that differs in the process is refused.
    programs : mapping of str to str
        Version of the programs of methods, by name, likewise.
    """

    device: str = "cpu"
    threads: int = 1
    plugins: Sequence[Path] = ()
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    precision: Precision = "auto"
    code: Mapping[str, str] = field(default_factory=dict)
    programs: Mapping[str, str] = field(default_factory=dict)


class WorkerFailure(Exception):
    """A request was not answered.

    Attributes
    ----------
    status : {'timeout', 'crashed', 'oom', 'failed'}
        How it ended.
    message : str
        One line.
    output : str
        The last lines that the process printed.
    died, killed : bool
        Whether the process ended by itself, and whether another process killed it.
    """

    def __init__(
        self, status: str, message: str, output: str, died: bool = False, killed: bool = False
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.output = status, message, output
        self.died, self.killed = died, killed


def preload(modules: Sequence[str] = ()) -> None:
    """Import `modules`, beside the usual ones, in the server that forks the worker processes.

    The server starts with the first worker process; afterwards this has no effect.
    """
    _CONTEXT.set_forkserver_preload(["bench.workers.preload", *modules])


class WorkerProcess:
    """A running worker process.

    Parameters
    ----------
    setup : Setup
        Settings of the process.

    Raises
    ------
    EnvironmentFault
        No process can be started.
    """

    def __init__(self, setup: Setup) -> None:
        for attempt in range(STARTS):
            try:
                self._start()
                break
            except (EOFError, OSError) as error:
                if attempt + 1 == STARTS:
                    raise EnvironmentFault(f"no process can be started ({error})") from error
                self._tail = b""
        with contextlib.suppress(OSError):  # it has died already: the first request reports that
            self._pipe.send(setup)

    def _start(self) -> None:
        self._pipe, other_end = _CONTEXT.Pipe()
        self._output, sink = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(target=_serve, args=(other_end, sink))
        try:
            with main_not_imported():
                self._process.start()
        except BaseException:
            self._pipe.close()
            self._output.close()
            raise
        finally:
            other_end.close()
            sink.close()
        os.set_blocking(self._output.fileno(), False)

    def ask(self, request: str, arguments: Sequence[Any], limits: Limits) -> Any:
        """What the `LocalWorker` method `request` returns in the process.

        Raises
        ------
        WorkerFailure
            The process died or was killed over a limit, or the request failed.
        """
        self._drain()
        self._tail = b""
        deadline = time.monotonic() + limits.seconds
        try:
            self._pipe.send((request, arguments))
            self._await(deadline, limits)
            answered, answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise self._death() from error
        if not answered:
            raise WorkerFailure("failed", answer, self._last_lines())
        return answer

    def _await(self, deadline: float, limits: Limits) -> None:
        """Return when the process has answered or ended."""
        sources: list[Any] = [self._pipe, self._output, self._process.sentinel]
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._stopped("timeout", f"did not finish within {limits.seconds:g} s")
            ready = wait(sources, min(left, MEMORY_CHECK_S) if limits.memory else left)
            if self._output in ready and not self._drain():
                sources.remove(self._output)
            if self._pipe in ready or self._process.sentinel in ready:
                return
            if limits.memory and (size := memory.resident_with_children(self.pid)) > limits.memory:
                held, allowed = map(memory.format_size, (size, limits.memory))
                raise self._stopped("oom", f"held {held} where {limits.source} allows {allowed}")

    def _stopped(self, status: str, message: str) -> WorkerFailure:
        self.kill()
        lines = self._last_lines()
        return WorkerFailure(status, _with_last_line(message, lines), lines)

    def _death(self) -> WorkerFailure:
        """Why the process has ended."""
        self._process.join(5)
        code = self._process.exitcode
        self.kill()
        lines = self._last_lines()
        killed = code == -signal.SIGKILL
        if code is None or code >= 0:
            message = f"ended the process (exit code {code})"
        elif killed:
            message = "killed by SIGKILL, as the system does when memory runs out"
        else:
            message = f"killed by {signal.Signals(-code).name}"
        place = _place(lines)
        message = message + place if place else _with_last_line(message, lines)
        return WorkerFailure(
            "oom" if killed else "crashed", message, lines, died=True, killed=killed
        )

    @property
    def pid(self) -> int:
        """Process id."""
        return int(self._process.pid or 0)

    def signal(self) -> None:
        """Kill the process, and whatever it started, without waiting; any thread may call this."""
        for end in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if self.pid > 0:  # 0 would be our own group
                    end(self.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End the process and whatever it started; one that cannot be ended is left behind."""
        started = memory.descendants(self.pid)
        self.signal()
        self._process.join(KILL_S)
        _end(started)
        self._drain()

    def close(self) -> None:
        """End the process and close its pipes."""
        self.kill()
        self._pipe.close()
        self._output.close()
        with contextlib.suppress(ValueError):  # it could not be ended
            self._process.close()

    def _drain(self) -> bool:
        """Read what was printed and keep the end of it; False when nothing more can come."""
        for _ in range(256):  # a limit, since the process may print for ever
            try:
                piece = os.read(self._output.fileno(), 1 << 16)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not piece:
                return False
            self._tail = (self._tail + piece)[-TAIL_BYTES:]
        return True

    def _last_lines(self) -> str:
        """The last lines of the output, without control characters and lists of modules."""
        lines = self._tail.decode(errors="replace").splitlines()
        lines = [line for line in lines if not line.startswith("Extension modules: ")]
        shown = ("".join(c for c in line if c.isprintable() or c == "\t") for line in lines)
        return "\n".join(line[:500] for line in list(shown)[-TAIL_LINES:])


def _end(processes: Sequence[int]) -> None:
    """Wait until processes have ended whose parent was killed; kill them if they do not.

    Those that supervise a program end it first, and remove its folder.
    """
    deadline = time.monotonic() + KILL_S
    while living := [pid for pid in processes if memory.is_running(pid)]:
        if time.monotonic() > deadline:
            for pid in living:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.005)


def _with_last_line(message: str, lines: str) -> str:
    said = [line.strip() for line in lines.splitlines() if line.strip()]
    return f"{message}; it printed last: {said[-1][-200:]}" if said else message


def _place(lines: str) -> str:
    """Where the fault happened: the first line of faulthandler's traceback, the innermost."""
    for line in lines.splitlines():
        if line.lstrip().startswith("File "):
            return f" at {line.strip()}"
    return ""


def _serve(pipe: Connection, sink: Connection) -> None:
    """In the worker process: print into `sink`, answer requests from `pipe` until it is closed."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _die_with_parent()
    for descriptor in (1, 2):
        os.dup2(sink.fileno(), descriptor)
    sink.close()
    sys.stdout, sys.stderr = (
        os.fdopen(os.dup(descriptor), "w", buffering=1, errors="backslashreplace")
        for descriptor in (1, 2)
    )
    faulthandler.enable(file=2, all_threads=False)
    with contextlib.suppress(EOFError):
        _answer(pipe)


def _answer(pipe: Connection) -> None:
    setup: Setup = pipe.recv()
    os.environ.clear()
    os.environ.update(setup.environment)
    plugin_error = ""
    worker = LocalWorker(setup.device, setup.threads, setup.precision)
    with pinned_threads(setup.threads):
        try:
            for plugin in setup.plugins:
                load_plugin(plugin)
        except BenchError as error:
            plugin_error = str(error)
        while True:
            request, arguments = pipe.recv()
            try:
                if plugin_error:
                    raise EnvironmentFault(plugin_error)
                if request == "fuse":
                    _check_code(arguments[0], setup)
                reply = True, getattr(worker, request)(*arguments)
            except BaseException as error:
                reply = False, reason_of(error)
            pipe.send(reply)


def _check_code(method: str, setup: Setup) -> None:
    """Raise unless code and program of `method` here are those of which its results bear the key.

    A program that is missing here is the method's own matter: it declines the scene.
    """
    program, began = METHODS[method].program, setup.programs.get(method)
    if program is not None and began is not None and (here := program.version()) not in ("", began):
        raise EnvironmentFault(
            f"method {method!r}: its program here is {here}, that with which the run began is "
            f"{began or 'missing'}"
        )
    expected = setup.code.get(method)
    if expected is not None and function_fingerprint(METHODS[method].fn) != expected:
        raise EnvironmentFault(
            f"method {method!r}: its code here is not that with which the run began"
        )


def _die_with_parent() -> None:
    """Ask the system to kill this process when the server that forked it ends."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
