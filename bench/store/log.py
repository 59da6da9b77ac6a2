"""A file of JSON lines that only grows: one checksummed record a line, the last of a key counts.

A line is written by one system call and used only if its checksum is right, so a process that
dies while it writes loses its own record and no other.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.core.files import write_bytes
from bench.core.fingerprint import canonical

_KEY, _SHA, _BODY = b'{"key":"', b'","sha256":"', b'","body":'
_DIGEST = 64

#: Bytes read at a time; longer than any line.
BLOCK = 1 << 26

#: Seconds between two syncs to the disk: a power failure loses at most so much work.
SYNC_S = 1.0


class RecordLog:
    """Records by key in one file.

    Parameters
    ----------
    path : Path
        Created, with its folder, when the first record is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._guard = threading.Lock()
        self._places: dict[str, tuple[int, int]] = {}
        self._read_to = 0
        self._file: int | None = None
        self._writer: int | None = None
        self._torn = False
        self._synced = time.monotonic()

    def __del__(self) -> None:
        self._close()

    def _close(self) -> None:
        for file in (self._file, self._writer):
            if file is not None:
                os.close(file)
        self._file = self._writer = None

    def __len__(self) -> int:
        self._catch_up()
        return len(self._places)

    def keys(self) -> list[str]:
        """Keys of all records, sorted."""
        self._catch_up()
        return sorted(self._places)

    def get(self, key: str) -> Any:
        """The record of `key`; None if it is missing or corrupted."""
        self._catch_up()  # another process may have replaced it
        place = self._places.get(key)
        if place is None or self._file is None:
            return None
        return parsed(os.pread(self._file, place[1], place[0]), key)

    def put(self, key: str, body: Any) -> None:
        """Append the record of `key`, which replaces an older one.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        text = canonical(body).encode()
        line = b"".join(
            (_KEY, key.encode(), _SHA, _checksum(key, text).encode(), _BODY, text, b"}\n")
        )
        with self._guard:
            self._append(line)
        self._catch_up()

    def _append(self, line: bytes) -> None:
        if self._writer is not None and not _is_at(self._writer, self.path):
            os.close(self._writer)  # the file was replaced or removed
            self._writer = None
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            self._torn = not _ends_with_newline(self._writer)
        if self._torn:
            line = b"\n" + line
        self._torn = True  # until the whole line is there
        written = os.write(self._writer, line)
        while written < len(line):
            written += os.write(self._writer, line[written:])
        self._torn = False
        if time.monotonic() - self._synced > SYNC_S:
            os.fsync(self._writer)
            self._synced = time.monotonic()

    def _catch_up(self) -> None:
        """Read what this process or another has appended since the last call."""
        with self._guard:
            if self._file is None:
                with contextlib.suppress(OSError):
                    self._file = os.open(self.path, os.O_RDONLY)
            if self._file is None or self._replaced():
                return
            while data := os.pread(self._file, BLOCK, self._read_to):
                whole = data.rfind(b"\n") + 1
                if whole == 0:
                    return  # the last line is not finished
                self._index(data[:whole])

    def _index(self, data: bytes) -> None:
        """Note the places of the lines that were read."""
        for line in data.splitlines(keepends=True):
            if text_of(line) is not None:  # a torn line must not hide an older one
                self._places[key_of(line)] = self._read_to, len(line)
            self._read_to += len(line)

    def _replaced(self) -> bool:
        """Start over if the file was replaced; True if no file is open."""
        if self._file is None:
            return True
        try:
            now = self.path.stat()
        except OSError:
            return False
        here = os.fstat(self._file)
        if (now.st_ino, now.st_dev) == (here.st_ino, here.st_dev) and now.st_size >= self._read_to:
            return False
        self._close()
        self._file = os.open(self.path, os.O_RDONLY)
        self._places, self._read_to = {}, 0
        return False

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Number and bytes of every line of the file."""
        if self.path.is_file():
            yield from enumerate(self.path.read_bytes().splitlines(keepends=True), start=1)

    def rewrite(self, lines: list[bytes]) -> None:
        """Replace the file by `lines`, whole or not at all."""
        write_bytes(self.path, b"".join(lines))
        self._torn = False
        self._catch_up()


def parsed(line: bytes, key: str = "") -> Any:
    """The body of a line, or None unless it is whole (and of `key`, if given)."""
    text = text_of(line)
    if text is None or (key and key_of(line) != key):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def text_of(line: bytes) -> bytes | None:
    """The body of a line as it is written; None unless its checksum is right."""
    name, mark, rest = line.removeprefix(_KEY).partition(_SHA)
    start = _DIGEST + len(_BODY)
    text, end = rest[start:-2], rest[-2:]
    if not mark or end != b"}\n" or rest[_DIGEST:start] != _BODY or not line.startswith(_KEY):
        return None
    whole = _checksum(name.decode(errors="replace"), text).encode() == rest[:_DIGEST]
    return text if whole else None


def key_of(line: bytes) -> str:
    """The key that a line names."""
    return line.removeprefix(_KEY).partition(b'"')[0].decode(errors="replace")


def _is_at(file: int, path: Path) -> bool:
    """Whether the open file is still the one at `path`."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except OSError:
        return False


def _checksum(key: str, text: bytes) -> str:
    return hashlib.sha256(key.encode() + b"\n" + text).hexdigest()


def _ends_with_newline(file: int) -> bool:
    size = os.fstat(file).st_size
    return size == 0 or os.pread(file, 1, size - 1) == b"\n"
