"""Results on disk: small checksummed records, and the fused images they name.

``records-2.jsonl`` holds the records (`bench.store.log`), ``images/ab/<hash>.png`` a fused image
named by its pixels; an image whose file is smaller than a disk's block is a record. A record or
image that is damaged counts as absent: its cell is computed again.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import hashlib
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import EnvironmentFault, ImageError, UsageError
from bench.core.files import write_bytes
from bench.core.fingerprint import digest
from bench.core.image_io import decode_image, encode_png
from bench.store.log import RecordLog

#: File of the records; its number rises when their layout changes, so that none is misread.
RECORDS = "records-2.jsonl"

#: Bytes of a PNG below which it is stored as a record, since a file takes a whole block of a disk.
SMALL = 4096

_HASH = re.compile(r"[0-9a-f]{64}")


class Store:
    """Records and images under one folder.

    Parameters
    ----------
    root : path-like
        Created when the first record is written.

    Examples
    --------
    >>> import tempfile
    >>> from bench.store.store import Store
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(folder)
    ...     store.put("ab12", {"status": "ok"})
    ...     store.get("ab12")
    {'status': 'ok'}
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self.log = RecordLog(self.root / RECORDS)
        self._named: set[str] = set()

    def get(self, key: str) -> dict[str, Any] | None:
        """The record of `key`; None if it is missing or corrupted."""
        body = self.log.get(key)
        return body if isinstance(body, dict) else None

    def put(self, key: str, body: dict[str, Any]) -> None:
        """Write the record of `key`, replacing an older one.

        Raises
        ------
        EnvironmentFault
            The folder cannot be written to.
        """
        try:
            self.log.put(key, body)
        except OSError as error:
            raise _unwritable(self.log.path, error) from error

    def put_once(self, body: dict[str, Any]) -> str:
        """Write a record that other records refer to; returns its key, the hash of its content."""
        key = digest(body)
        if key not in self._named:
            if self.get(key) != body:
                self.put(key, body)
            self._named.add(key)
        return key

    def keys(self) -> Iterator[str]:
        """Keys of all records, sorted."""
        yield from (key for key in list(self.log.keys()) if not key.startswith(_PNG))

    def put_image(self, image: NDArray[Any]) -> str:
        """Write a fused image; returns the hash of its pixels, by which it is found again."""
        pixels = pixel_hash(image)
        self.put_png(pixels, encode_png(image))
        return pixels

    def put_png(self, pixels: str, png: bytes) -> None:
        """Write a fused image that is encoded already, under the hash of its pixels."""
        path = self._image_path(pixels)
        if len(png) < SMALL:
            self.put(_PNG + pixels, {"png": base64.b64encode(png).decode()})
            return
        try:
            write_bytes(path, png, durable=False)  # an incomplete file is noticed and written again
        except OSError as error:
            raise _unwritable(path, error) from error

    def png(self, pixels: str) -> bytes | None:
        """The PNG file of a stored image, as bytes; None if missing. Not verified."""
        if record := self.get(_PNG + pixels):
            with contextlib.suppress(binascii.Error, KeyError, TypeError):
                return base64.b64decode(record["png"])
        try:
            return self._image_path(pixels).read_bytes()
        except OSError:
            return None

    def has_image(self, pixels: str) -> bool:
        """Whether there is such an image; it may be damaged."""
        return self.get(_PNG + pixels) is not None or self._image_path(pixels).is_file()

    def get_image(self, pixels: str) -> NDArray[Any] | None:
        """A stored image; None if it is missing or corrupted."""
        data = self.png(pixels)
        if not data:
            return None
        try:
            image = decode_image(data, str(self._image_path(pixels)))
        except ImageError:
            return None
        return image if pixel_hash(image) == pixels else None

    def image_files(self) -> list[Path]:
        """The files of the images that are no records, sorted."""
        return sorted(self.root.glob("images/??/[!.]*"))

    def small_images(self) -> list[str]:
        """Hashes of the images that are records, sorted."""
        return [key.removeprefix(_PNG) for key in list(self.log.keys()) if key.startswith(_PNG)]

    def _image_path(self, pixels: str) -> Path:
        if not is_hash(pixels):
            raise UsageError(f"{self.root}: {pixels!r} is not the hash of an image")
        return self.root / "images" / pixels[:2] / f"{pixels}.png"

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only process that writes to the store within the block.

        The system releases the lock when the process that holds it ends, for whatever reason.

        Raises
        ------
        EnvironmentFault
            Another process holds it, or the folder cannot be written to.
        """
        path = self.root / "lock"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            file = path.open("a+")
        except OSError as error:
            raise _unwritable(path, error) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip() or "another process"
                raise EnvironmentFault(
                    f"{self.root}: in use by {holder}; wait for it, or give --store another folder"
                ) from None
            except OSError as error:
                raise EnvironmentFault(f"{path}: cannot be locked ({error.strerror})") from error
            with contextlib.suppress(OSError):  # a full disk: the lock works without the name
                file.truncate(0)
                file.write(f"process {os.getpid()} on {platform.node()}")
                file.flush()
            yield


#: What the key of an image among the records begins with.
_PNG = "png-"


def is_hash(text: str) -> bool:
    """Whether `text` is 64 hexadecimal digits, as the names of records and images are."""
    return _HASH.fullmatch(text) is not None


def _unwritable(path: Path, error: OSError) -> EnvironmentFault:
    return EnvironmentFault(f"{path}: cannot be written ({error.strerror})")


def pixel_hash(image: NDArray[Any]) -> str:
    """SHA-256 over shape, type and pixels."""
    head = f"{image.shape} {image.dtype} ".encode()
    return hashlib.sha256(head + np.ascontiguousarray(image).tobytes()).hexdigest()
