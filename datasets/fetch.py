"""Where a catalogued file is, and how it gets there.

A file is looked for under ``$MFIF_DATA/<collection>/<path>``, which is never written to, then
in the user's cache, and is else downloaded into the cache. Sizes are checked whenever a file
is looked for, SHA-256 on its first use in a process. A file appears in the cache only when it
is whole and verified, so an interrupted download goes on with the files that are missing.

Without a network the first attempt of a process takes a few seconds at most, the others
nothing. ``MFIF_OFFLINE=1`` forbids the attempt.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import lazy_loader as lazy

from bench.core.errors import DataUnavailable, EnvironmentFault
from datasets.catalog import Collection, Entry, collection

pooch = lazy.load("pooch")
requests = lazy.load("requests")

#: Seconds to connect, and between two pieces of an answer.
TIMEOUT = (5.0, 20.0)
#: Bytes a second below which a download is given up.
SLOWEST = 4 << 10
#: Seconds that the question whether the network is there may take.
PROBE = 4.0
#: How often a file is asked for, and the seconds after the first failure (then doubled).
ATTEMPTS = 3
PAUSE = 0.5
#: Files downloaded at the same time.
JOBS = 8

_verified: set[tuple[Path, int]] = set()


def local_path(name: str, path: str, *, offline: bool = False) -> Path:
    """A verified file of a collection, downloaded if need be.

    Parameters
    ----------
    name, path : str
        Collection, and the file's path within it.
    offline : bool
        Forbid the download, as ``MFIF_OFFLINE=1`` does.

    Returns
    -------
    path
        In ``MFIF_DATA`` or in the cache.

    Raises
    ------
    UnknownName
        There is no such collection, or no such file in it.
    DataUnavailable
        The file is not on disk and cannot be downloaded.
    EnvironmentFault
        The file in ``MFIF_DATA`` is not what the catalogue says.
    """
    found = find(name, path)
    if found is None:
        failures = fetch([(name, path)], offline=offline, progress=False)
        found = find(name, path)
    if found is None:
        reason = failures.get((name, path), f"its download vanished from {cache_folder()}")
        raise DataUnavailable(unavailable(name, path, reason))
    return found


def unavailable(name: str, path: str, reason: str) -> str:
    """Say that a file is not to be had, why, and what helps."""
    return (
        f"{name}/{path} is not on disk, and {reason}; set MFIF_DATA to a folder that holds "
        f"{name}/, or run `python -m bench data fetch {name}` with a network"
    )


def find(name: str, path: str, *, verify: bool = True) -> Path | None:
    """Where a file is on this machine, or None; the network is left alone.

    Parameters
    ----------
    name, path : str
        Collection, and the file's path within it.
    verify : bool
        Check the SHA-256 too, not the size alone.

    Raises
    ------
    EnvironmentFault
        ``MFIF_DATA`` has the file, but with other contents. (One in the cache would simply be
        downloaded again.)
    """
    entry = collection(name).entry(path)
    for folder in folders():
        file = folder / name / path
        if not file.is_file():
            continue
        wrong = damage(file, entry, verify=verify)
        if not wrong:
            return file
        if folder != cache_folder():
            raise EnvironmentFault(f"{file}: {wrong}; replace it, or take it out of MFIF_DATA")
    return None


def available(name: str, paths: Iterable[str]) -> bool:
    """Whether all of these files are on this machine, by name and size; see `find`."""
    return all(find(name, path, verify=False) for path in paths)


def fetch(
    files: Iterable[tuple[str, str]],
    *,
    jobs: int = JOBS,
    offline: bool = False,
    progress: bool = True,
) -> dict[tuple[str, str], str]:
    """Download those of some files that are not on this machine.

    Parameters
    ----------
    files : iterable of (str, str)
        Collection and path of each.
    jobs : int
        How many at the same time.
    offline : bool
        Forbid the network.
    progress : bool
        Show a bar on stderr, if that is a terminal.

    Returns
    -------
    dict
        For each file that could not be had or is damaged, the reason; empty when all are
        there.
    """
    todo: dict[tuple[str, str], Entry] = {}
    failures: dict[tuple[str, str], str] = {}
    for name, path in dict.fromkeys(files):
        try:
            if find(name, path) is None:
                todo[name, path] = collection(name).entry(path)
        except EnvironmentFault as error:
            failures[name, path] = str(error)
    if not todo:
        return failures
    hosts = {name: collection(name) for name, _ in todo}
    closed = {name: blocked(host.url, offline=offline) for name, host in hosts.items()}
    line = _Line()
    with (
        _bar(sum(entry.bytes for entry in todo.values()), progress) as advance,
        ThreadPoolExecutor(jobs) as pool,
    ):
        running = {}
        for (name, path), entry in todo.items():
            if closed[name]:
                failures[name, path] = closed[name]
                continue
            future = pool.submit(_download, hosts[name], entry, line)
            running[future] = (name, path)
        try:
            for future in as_completed(running):
                if reason := future.result():
                    failures[running[future]] = reason
                advance(todo[running[future]].bytes)
        except BaseException:
            line.cut = "the download was interrupted"
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return failures


def damage(file: Path, entry: Entry, *, verify: bool = True) -> str:
    """What is wrong with a file, or nothing; SHA-256 is taken once per process and version."""
    state = file.stat()
    if state.st_size != entry.bytes:
        return f"{state.st_size} bytes where the catalogue has {entry.bytes}"
    known = (file, state.st_mtime_ns)
    if not verify or known in _verified:
        return ""
    with file.open("rb") as stream:
        came = hashlib.file_digest(stream, "sha256").hexdigest()
    if came != entry.sha256:
        return f"SHA-256 {came[:12]}... where the catalogue has {entry.sha256[:12]}..."
    _verified.add(known)
    return ""


def state(source: Collection, entry: Entry, *, verify: bool = True) -> str:
    """``ok``, ``missing``, or what is wrong with a file, wherever it lies first."""
    for folder in folders():
        file = folder / source.name / entry.path
        if file.is_file():
            wrong = damage(file, entry, verify=verify)
            return f"{file}: {wrong}" if wrong else "ok"
    return "missing"


def cache_folder() -> Path:
    """The user's cache of this project, where downloads go."""
    return Path(pooch.os_cache("mfif-bench"))


def data_folder() -> Path | None:
    """The folder that ``MFIF_DATA`` names, or None.

    Raises
    ------
    EnvironmentFault
        It names a folder that does not exist.
    """
    given = os.environ.get("MFIF_DATA", "").strip()
    if not given:
        return None
    folder = Path(given).expanduser()
    if not folder.is_dir():
        raise EnvironmentFault(f"MFIF_DATA={given}: no such folder")
    return folder


def folders() -> Iterator[Path]:
    """Where files are looked for, in this order."""
    if given := data_folder():
        yield given
    yield cache_folder()


def blocked(url: str, *, offline: bool = False) -> str:
    """Why nothing can be downloaded from `url`, or nothing if it answers."""
    if offline or os.environ.get("MFIF_OFFLINE", "").strip() not in ("", "0"):
        return "the network is forbidden" if offline else "MFIF_OFFLINE forbids the network"
    return _unreachable(url)


@cache
def _unreachable(url: str) -> str:
    """Ask once; in a thread, because looking up a name knows no time limit."""
    answer: list[str] = []

    def ask() -> None:
        try:
            requests.head(url, timeout=PROBE)
            answer.append("")
        except requests.RequestException as error:
            answer.append(f"{url} cannot be reached ({_reason(error)})")

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE + 1)
    return answer[0] if answer else f"{url} gave no answer within {PROBE + 1:g} s"


class _Line:
    """What the downloads of one call share: whether the network has gone."""

    def __init__(self) -> None:
        self.cut = ""
        self.in_a_row = 0

    def heard(self, answered: bool, reason: str) -> None:
        """Give up on all files after as many silent ones as are under way together."""
        self.in_a_row = 0 if answered else self.in_a_row + 1
        if self.in_a_row >= JOBS:
            self.cut = reason


def _download(source: Collection, entry: Entry, line: _Line) -> str:
    """Put one verified file into the cache, or say why not."""
    address = source.address(entry.path)
    target = cache_folder() / source.name / entry.path
    pooch.get_logger().setLevel("WARNING")
    reason = ""
    for attempt in range(ATTEMPTS):
        if line.cut:
            return line.cut
        try:
            pooch.retrieve(
                address,
                known_hash=f"sha256:{entry.sha256}",
                fname=target.name,
                path=target.parent,
                downloader=_Stream(entry.bytes),
            )
        except requests.RequestException as error:
            reason = f"{address} failed ({_reason(error)})"
            line.heard(error.response is not None, reason)
            if error.response is not None and error.response.status_code in (401, 403, 404, 410):
                return reason
        except ValueError:
            reason = f"{address} has other contents than the catalogue says"
            line.heard(True, reason)
        except OSError as error:
            line.cut = f"{target.parent} cannot be written ({error.strerror or error})"
            return line.cut
        else:
            line.heard(True, "")
            return ""
        if attempt + 1 < ATTEMPTS:
            time.sleep(PAUSE * 2**attempt)
    return reason


class _Stream:
    """Downloads what a catalogue entry says for pooch: not a byte more, and not for ever.

    Parameters
    ----------
    size : int
        Bytes of the file.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(self, address: str, target: str, _pooch: object) -> None:
        end = time.monotonic() + TIMEOUT[1] + self.size / SLOWEST
        with (
            requests.get(address, stream=True, timeout=TIMEOUT) as answer,
            Path(target).open("wb") as file,
        ):
            answer.raise_for_status()
            for piece in self._pieces(answer):
                if file.tell() + len(piece) > self.size:
                    raise ValueError("longer than the catalogue says")
                if time.monotonic() > end:
                    raise requests.Timeout(f"slower than {SLOWEST >> 10} KiB a second")
                file.write(piece)
            if file.tell() < self.size:
                raise requests.ConnectionError(f"broke off after {file.tell()} bytes")

    @staticmethod
    def _pieces(answer: Any) -> Iterator[bytes]:
        """The body as it arrives; an answer that drips must not keep us waiting for a block."""
        from urllib3.exceptions import HTTPError

        read = getattr(answer.raw, "read1", answer.raw.read)
        try:
            while piece := read(1 << 16, decode_content=True):
                yield piece
        except HTTPError as error:
            raise requests.ConnectionError(error) from error


def _reason(error: Exception) -> str:
    """The innermost cause in a few words."""
    cause: object = error
    while args := getattr(cause, "args", ()):
        inner = getattr(args[0], "reason", None) or args[-1]
        if not isinstance(inner, Exception):
            break
        cause = inner
    return f"{type(error).__name__}: {str(cause).rsplit('>: ', 1)[-1].rsplit('): ', 1)[-1]}"


@contextmanager
def _bar(total: int, show: bool) -> Iterator[Callable[[int], None]]:
    """A bar of bytes on stderr; gives the function that advances it."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("downloading"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not (show and console.is_terminal)) as bar:
        task = bar.add_task("", total=total)
        yield lambda count: bar.advance(task, count)
