"""Raw photos, developed by LibRaw through rawpy, the extra ``raw``; never their preview."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ImageError

#: How the names of raw photos end.
RAW_SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("3fr", "arw", "cr2", "cr3", "crw", "dcr", "dng", "erf", "iiq", "kdc", "mef", "mos"),
        *("mrw", "nef", "nrw", "orf", "pef", "raf", "rw2", "rwl", "sr2", "srf", "srw", "x3f"),
    )
)

#: Exponent and slope of the sRGB tone curve.
SRGB = (2.4, 12.92)

#: What LibRaw's default callback prints of damage, behind the name of the file.
END_OF_FILE, CORRUPTED = "unexpected end of file", "data corrupted at"

_guard = threading.Lock()


def decode_raw(data: bytes, name: str) -> NDArray[np.uint16]:
    """Develop a raw photo with settings that do not depend on what it shows.

    The camera's white balance, LibRaw's default demosaicing, sRGB primaries and tone curve. The
    photo is not brightened, and white is the camera's saturation level, so that the frames of a
    stack keep their exposure to each other.

    Parameters
    ----------
    data : bytes
        Content of the file.
    name : str
        Its name in errors.

    Returns
    -------
    ndarray
        uint16 (H, W, 3), RGB, upright.

    Raises
    ------
    ImageError
        rawpy is not installed, or the file is damaged or of a camera that LibRaw does not know.
    """
    try:
        import rawpy
    except ImportError:
        raise ImageError(
            f"{name}: a raw photo ({PurePath(name).suffix.lower() or 'no ending'}), which the "
            "extra raw reads: pip install mfif-bench[raw]; or develop it to a 16-bit TIFF"
        ) from None
    try:
        with _messages() as said, rawpy.imread(io.BytesIO(data)) as photo:
            image: NDArray[Any] = photo.postprocess(
                use_camera_wb=True,
                output_bps=16,
                no_auto_bright=True,
                adjust_maximum_thr=0.0,
                gamma=SRGB,
            )
    except rawpy.LibRawError as error:
        cause = error.args[0] if error.args else error
        text = cause.decode(errors="replace") if isinstance(cause, bytes) else str(cause)
        raise ImageError(f"{name}: the raw photo cannot be developed ({text})") from None
    if said:  # LibRaw fills in what is missing and only prints that
        raise ImageError(f"{name}: damaged or truncated raw photo ({said[0]})")
    return image


@contextlib.contextmanager
def _messages() -> Iterator[list[str]]:
    """LibRaw's lines of damage on file descriptor 2 within the block, kept from the user.

    Other threads may write there meanwhile (a progress bar): their text follows at the end.
    """
    lines: list[str] = []
    with _guard, tempfile.TemporaryFile() as file:
        before = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield lines
        finally:
            os.dup2(before, 2)
            os.close(before)
            file.seek(0)
            for line in file.read().splitlines(keepends=True):
                text = line.decode(errors="replace").strip()
                if text.lower().endswith(END_OF_FILE) or CORRUPTED in text.lower():
                    lines.append(text)
                else:
                    os.write(2, line)
