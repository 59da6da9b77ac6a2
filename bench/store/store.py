"""Results on disk: small checksummed JSON records and the fused images they speak of.

``records/ab/<key>.json`` holds one record, ``images/ab/<hash>.png`` one fused image named by
its pixels. Files are written whole or not at all, and a record that is damaged is as good as
absent: its cell is computed again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import EnvironmentFault, ImageError
from bench.core.files import write_bytes
from bench.core.fingerprint import canonical, digest
from bench.core.image_io import encode_png, read_image

#: Raised when the layout of records changes, so that an old store is not misread.
FORMAT = 1

#: What a run leaves in its output folder for the reports.
MANIFEST = "run.json"


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
        self._named: set[str] = set()

    def _record_path(self, key: str) -> Path:
        return self.root / "records" / key[:2] / f"{key}.json"

    def _image_path(self, pixels: str) -> Path:
        return self.root / "images" / pixels[:2] / f"{pixels}.png"

    def get(self, key: str) -> dict[str, Any] | None:
        """The record of `key`, or None when there is none that can be believed."""
        try:
            envelope = json.loads(self._record_path(key).read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(envelope, dict) or envelope.get("format") != FORMAT:
            return None
        body = envelope.get("body")
        if envelope.get("key") != key or envelope.get("sha256") != digest(body):
            return None
        return body if isinstance(body, dict) else None

    def put(self, key: str, body: dict[str, Any]) -> None:
        """Write the record of `key`, replacing an older one.

        Raises
        ------
        EnvironmentFault
            The folder cannot be written to.
        """
        envelope = {"format": FORMAT, "key": key, "sha256": digest(body), "body": body}
        self._write(self._record_path(key), canonical(envelope).encode())

    def put_once(self, body: dict[str, Any]) -> str:
        """Write a record that many others name; returns its key, the hash of its content."""
        key = digest(body)
        if key not in self._named:
            if self.get(key) != body:
                self.put(key, body)
            self._named.add(key)
        return key

    def put_image(self, image: NDArray[Any]) -> str:
        """Write a fused image; returns the hash of its pixels, by which it is found again."""
        pixels = pixel_hash(image)
        self.put_png(pixels, encode_png(image))
        return pixels

    def put_png(self, pixels: str, png: bytes) -> None:
        """Write a fused image that is encoded already, under the hash of its pixels."""
        self._write(self._image_path(pixels), png)

    def image_path(self, pixels: str) -> Path | None:
        """File of a stored image, or None."""
        path = self._image_path(pixels)
        return path if path.is_file() else None

    def get_image(self, pixels: str) -> NDArray[Any] | None:
        """A stored image, or None when it is absent or not what its name says."""
        path = self.image_path(pixels)
        if path is None:
            return None
        try:
            image = read_image(path)
        except ImageError:
            return None
        return image if pixel_hash(image) == pixels else None

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only process that writes to the store within the block.

        The system gives the lock up when its holder ends, however that ends.

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
            raise EnvironmentFault(f"{path}: cannot be written ({error.strerror})") from error
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
            with contextlib.suppress(OSError):  # a full disk: the name of the holder is a courtesy
                file.truncate(0)
                file.write(f"process {os.getpid()} on {platform.node()}")
                file.flush()
            yield

    def keys(self) -> Iterator[str]:
        """Keys of all records, sorted."""
        yield from sorted(path.stem for path in self.root.glob("records/??/*.json"))

    def _write(self, path: Path, data: bytes) -> None:
        try:
            write_bytes(path, data)
        except OSError as error:
            raise EnvironmentFault(f"{path}: cannot be written ({error.strerror})") from error


def pixel_hash(image: NDArray[Any]) -> str:
    """SHA-256 over shape, type and pixels."""
    head = f"{image.shape} {image.dtype} ".encode()
    return hashlib.sha256(head + np.ascontiguousarray(image).tobytes()).hexdigest()
