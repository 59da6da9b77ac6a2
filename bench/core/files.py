"""Files written whole or not at all, and names that every file system takes."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from pathlib import Path

#: Most bytes of a name from `safe_name`; file systems allow 255, and endings need some.
NAME_BYTES = 180


def safe_name(text: str) -> str:
    """`text` as the name of a file or folder: word characters and ``. @ = , + -`` are kept.

    A name that is changed or cut gets a piece of its hash, so that different texts give different
    names.
    """
    clean = re.sub(r"[^\w.@=,+-]+", "_", text).lstrip(".")
    clean = clean.encode()[:NAME_BYTES].decode(errors="ignore")
    if clean == text and text:
        return text
    return f"{clean}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def write_bytes(path: Path | str, data: bytes, *, durable: bool = True) -> None:
    """Replace `path` atomically: a reader sees the old file or the whole new one.

    Parameters
    ----------
    path : path-like
        Its folder is created if it is missing.
    data : bytes
        The new content.
    durable : bool
        Wait until it is on the disk, so that it survives a power failure; slower.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        error.filename = str(path)  # not the temporary file's, which says nothing
        raise
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
