"""A folder of photos in three parts: to train on, to validate on, and held out.

Training and evaluation must agree on the photos of each part, so both call this module.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from bench.core.errors import DataUnavailable

Part = Literal["train", "val", "held-out"]

#: File name extensions of photos.
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"})

#: For each part the last digits of its photos' positions, in the order of the names.
_DIGITS: dict[Part, range] = {"train": range(8), "val": range(8, 9), "held-out": range(9, 10)}


def photo_folder(given: Path | None = None) -> Path:
    """The given folder, or ``bsds500`` under ``MFIF_DATA``.

    Raises
    ------
    DataUnavailable
        There is no such folder.
    """
    if given is None:
        root = os.environ.get("MFIF_DATA")
        if not root:
            raise DataUnavailable("no folder of photos: name one, or set MFIF_DATA")
        given = Path(root) / "bsds500"
    if not given.is_dir():
        raise DataUnavailable(f"{given}: no such folder of photos")
    return given


def list_photos(folder: Path, part: Part) -> list[Path]:
    """Photos of one part of a folder, sorted by name.

    A BSDS500 tree has its own division: ``train`` is its train images, ``val`` the first half
    of its val images, and ``held-out`` the second half. Of any other folder of photos the
    first eight of ten are ``train``, then one ``val`` and one ``held-out``.

    Raises
    ------
    DataUnavailable
        The folder has no photo for this part.
    """
    for base in (folder / "BSDS500/data/images", folder / "images", folder):
        if (base / "train").is_dir() and (base / "val").is_dir():
            found = _photos(base / ("train" if part == "train" else "val"))
            half = len(found) // 2
            if part != "train":
                found = found[:half] if part == "val" else found[half:]
            break
    else:
        every = _photos(folder) if folder.is_dir() else []
        found = [file for k, file in enumerate(every) if k % 10 in _DIGITS[part]]
    if not found:
        raise DataUnavailable(f"{folder}: no photos for {part!r}; expected BSDS500 or a folder")
    return found


def _photos(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
