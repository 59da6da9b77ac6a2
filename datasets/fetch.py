"""Find catalogued files, and download them.

A file is searched under ``$MFIF_DATA/<collection>/<path>``, which is never written to, then in
the user's cache, and otherwise downloaded into the cache. Sizes are checked at every search,
SHA-256 on the first use in a process. A file appears in the cache only when it is complete and
verified, so an interrupted download continues with the missing files.

Without a network the first attempt of a process takes a few seconds at most; later attempts
fail at once. ``MFIF_OFFLINE=1`` forbids downloads.
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

#: Seconds to connect, and between two parts of a response.
TIMEOUT = (5.0, 20.0)
#: Bytes per second below which a download is cancelled.
SLOWEST = 4 << 10
#: Seconds for the test whether the network is available.
PROBE = 4.0
#: Attempts per file, and the seconds of the first pause (then doubled).
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
        The file in ``MFIF_DATA`` differs from the catalogue.
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
    """The message that a file is not available, with the reason and the remedy."""
    return (
        f"{name}/{path} is not on disk, and {reason}; set MFIF_DATA to a folder that holds "
        f"{name}/, or run `python -m bench data fetch {name}` with a network"
    )


def find(name: str, path: str, *, verify: bool = True) -> Path | None:
    """Path of a file on this machine, or None; does not use the network.

    Parameters
    ----------
    name, path : str
        Collection, and the file's path within it.
    verify : bool
        Check the SHA-256 too, not the size alone.

    Raises
    ------
    EnvironmentFault
        ``MFIF_DATA`` has the file with other contents. (A damaged file in the cache is
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
    """Download the files that are not on this machine.

    Parameters
    ----------
    files : iterable of (str, str)
        Collection and path of each.
    jobs : int
        Number of downloads at the same time.
    offline : bool
        Forbid the network.
    progress : bool
        Show a bar on stderr, if that is a terminal.

    Returns
    -------
    dict
        The reason for each file that is not available or is damaged; empty when all are
        available.
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
    pooch.get_logger().setLevel("WARNING")  # also loads pooch before the threads use it
    network = _Network()
    with (
        _bar(sum(entry.bytes for entry in todo.values()), progress) as advance,
        ThreadPoolExecutor(jobs) as pool,
    ):
        running = {}
        for (name, path), entry in todo.items():
            if closed[name]:
                failures[name, path] = closed[name]
                continue
            future = pool.submit(_download, hosts[name], entry, network)
            running[future] = (name, path)
        try:
            for future in as_completed(running):
                if reason := future.result():
                    failures[running[future]] = reason
                advance(todo[running[future]].bytes)
        except BaseException:
            network.lost = "the download was interrupted"
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return failures


def damage(file: Path, entry: Entry, *, verify: bool = True) -> str:
    """How a file differs from the catalogue, or an empty text; hashed once per process."""
    state = file.stat()
    if state.st_size != entry.bytes:
        return f"{state.st_size} bytes, expected {entry.bytes}"
    known = (file, state.st_mtime_ns)
    if not verify or known in _verified:
        return ""
    with file.open("rb") as stream:
        came = hashlib.file_digest(stream, "sha256").hexdigest()
    if came != entry.sha256:
        return f"SHA-256 {came[:12]}..., expected {entry.sha256[:12]}..."
    _verified.add(known)
    return ""


def state(source: Collection, entry: Entry, *, verify: bool = True) -> str:
    """``ok``, ``missing``, or how the first copy of a file differs from the catalogue."""
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
    """The folders that are searched, in this order."""
    if given := data_folder():
        yield given
    yield cache_folder()


def blocked(url: str, *, offline: bool = False) -> str:
    """The reason why nothing can be downloaded from `url`, or an empty text if it answers."""
    if offline or os.environ.get("MFIF_OFFLINE", "").strip() not in ("", "0"):
        return "the network is forbidden" if offline else "MFIF_OFFLINE forbids the network"
    return _unreachable(url)


@cache
def _unreachable(url: str) -> str:
    """Test once; in a thread, because the look-up of a host name has no time limit."""
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


class _Network:
    """Shared by the downloads of one call: whether the network is lost."""

    def __init__(self) -> None:
        self.lost = ""
        self.in_a_row = 0

    def note(self, answered: bool, reason: str) -> None:
        """Cancel all downloads after `JOBS` failures in a row without a response."""
        self.in_a_row = 0 if answered else self.in_a_row + 1
        if self.in_a_row >= JOBS:
            self.lost = reason


def _download(source: Collection, entry: Entry, network: _Network) -> str:
    """Download one verified file into the cache; returns the reason of a failure."""
    address = source.address(entry.path)
    target = cache_folder() / source.name / entry.path
    reason = ""
    for attempt in range(ATTEMPTS):
        if network.lost:
            return network.lost
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
            network.note(error.response is not None, reason)
            if error.response is not None and error.response.status_code in (401, 403, 404, 410):
                return reason
        except ValueError:
            reason = f"{address} differs from the catalogue"
            network.note(True, reason)
        except OSError as error:
            network.lost = f"{target.parent} cannot be written ({error.strerror or error})"
            return network.lost
        else:
            network.note(True, "")
            return ""
        if attempt + 1 < ATTEMPTS:
            time.sleep(PAUSE * 2**attempt)
    return reason


class _Stream:
    """Downloader for pooch with a limit of size and of time.

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
        """The body in parts as they arrive, so that a slow response is noticed in time."""
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
    """A progress bar of bytes on stderr; yields the function that advances it."""
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
