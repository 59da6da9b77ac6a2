"""Photos written with what their camera said of them: EXIF and colour profile.

The orientation is applied when a photo is read, so what is written is upright and says so.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from bench.core.files import write_bytes
from bench.core.image_io import encode_png

#: Quality of JPEG and WebP.
QUALITY = 95
#: Description, make, model, software, time, artist and copyright: what has no tie to the file.
KEPT_TAGS = (270, 271, 272, 305, 306, 315, 33432)
ORIENTATION, EXIF_IFD, GPS_IFD, ICC = 274, 34665, 34853, 34675
#: Sizes of the picture, and the maker's notes, whose offsets are those of the old file.
DROPPED_OF_EXIF = (40962, 40963, 37500, 40965)


@dataclass(frozen=True)
class PhotoMetadata:
    """What a photo says beside its pixels.

    Attributes
    ----------
    exif : bytes
        An EXIF block without its ``Exif`` mark, upright; empty if there is none.
    icc : bytes
        The colour profile; empty if there is none.
    """

    exif: bytes = b""
    icc: bytes = b""


def read_metadata(path: Path | str) -> PhotoMetadata:
    """EXIF and colour profile of a photo; empty where Pillow cannot open it (raw photos)."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            given, icc = picture.getexif(), picture.info.get("icc_profile", b"")
            kept = {tag: given[tag] for tag in KEPT_TAGS if tag in given}
            parts = {ifd: dict(given.get_ifd(ifd)) for ifd in (EXIF_IFD, GPS_IFD)}
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return PhotoMetadata()
    for tag in DROPPED_OF_EXIF:
        parts[EXIF_IFD].pop(tag, None)
    found = {**kept, **{ifd: part for ifd, part in parts.items() if part}}
    exif = Image.Exif()
    for tag, value in (found | {ORIENTATION: 1} if found else {}).items():
        exif[tag] = value
    return PhotoMetadata(exif.tobytes().removeprefix(b"Exif\0\0") if found else b"", icc or b"")


def write_photo(
    path: Path | str, image: NDArray[Any], metadata: PhotoMetadata = PhotoMetadata()
) -> None:
    """Write a photo in the format that its ending says, whole or not at all.

    Parameters
    ----------
    path : path-like
        Ends in ``.tif``, ``.tiff``, ``.png``, ``.jpg``, ``.jpeg`` or ``.webp``.
    image : ndarray
        ``uint8`` or ``uint16``, (H, W) or (H, W, 3) RGB. JPEG and WebP hold 8 bits, of which
        these are the upper ones, rounded.
    metadata : PhotoMetadata
        What to write beside the pixels.

    Raises
    ------
    UsageError
        The ending is another.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from bench.core.image_io import read_image
    >>> from bench.core.photo_files import write_photo
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_photo(f"{folder}/a.tif", np.full((4, 6, 3), 40000, np.uint16))
    ...     int(read_image(f"{folder}/a.tif").max())
    40000
    """
    encode = check_ending(path)
    write_bytes(path, encode(image, metadata))


def check_ending(path: Path | str) -> Callable[[NDArray[Any], PhotoMetadata], bytes]:
    """The encoder of a file's ending; raises `UsageError` if photos are not written so."""
    ending = Path(path).suffix.lower()
    if ending not in ENCODERS:
        raise UsageError(f"{path}: photos are written as {', '.join(ENCODERS)}, not {ending!r}")
    return ENCODERS[ending]


def is_8bit(path: Path | str) -> bool:
    """Whether files of this ending hold 8 bits only."""
    return check_ending(path) in (_jpeg, _webp)


def _png(image: NDArray[Any], metadata: PhotoMetadata) -> bytes:
    data = encode_png(image)
    chunks = b""
    if metadata.icc:
        chunks += _chunk(b"iCCP", b"profile\0\0" + zlib.compress(metadata.icc))
    if metadata.exif:
        chunks += _chunk(b"eXIf", metadata.exif)
    head = 8 + 25  # signature and IHDR
    return data[:head] + chunks + data[head:]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _with_pillow(image: NDArray[Any], metadata: PhotoMetadata, **options: Any) -> bytes:
    from PIL import Image

    if image.dtype == np.uint16:
        image = ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if metadata.icc:
        options["icc_profile"] = metadata.icc
    if metadata.exif:
        options["exif"] = b"Exif\0\0" + metadata.exif
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, quality=QUALITY, **options)
    return buffer.getvalue()


def _jpeg(image: NDArray[Any], metadata: PhotoMetadata) -> bytes:
    return _with_pillow(image, metadata, format="JPEG", subsampling=0)


def _webp(image: NDArray[Any], metadata: PhotoMetadata) -> bytes:
    return _with_pillow(image, metadata, format="WEBP")


def _tiff(image: NDArray[Any], metadata: PhotoMetadata) -> bytes:
    import tifffile
    from PIL import Image

    exif = Image.Exif()
    exif.load(b"Exif\0\0" + metadata.exif if metadata.exif else b"")
    tags: list[tuple[Any, ...]] = [
        (tag, "s", 0, str(exif[tag]), True) for tag in KEPT_TAGS if tag in exif
    ]
    ifds = {tag: exif.get_ifd(tag) for tag in (EXIF_IFD, GPS_IFD)}
    # tifffile writes no tags of directories: the tags before them keep their places.
    tags += [(tag - 1, "I", 1, 0, True) for tag, part in ifds.items() if part]
    if metadata.icc:
        tags.append((ICC, "B", len(metadata.icc), metadata.icc, True))
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        image,
        byteorder="<",
        photometric="rgb" if image.ndim == 3 else "minisblack",
        compression="zlib",
        predictor=True,
        metadata=None,
        software=False,
        extratags=tags,
    )
    return _with_ifds(buffer, {tag: part for tag, part in ifds.items() if part})


def _with_ifds(buffer: io.BytesIO, ifds: dict[int, dict[int, Any]]) -> bytes:
    """The TIFF with further directories at its end, and their places in its tags."""
    import tifffile
    from PIL import TiffImagePlugin

    buffer.seek(0)
    with tifffile.TiffFile(buffer) as file:
        tags = file.pages.first.tags
        places = {tag: (tags[tag - 1].offset, tags[tag - 1].valueoffset) for tag in ifds}
    data = bytearray(buffer.getvalue())
    for tag, entries in ifds.items():
        data += b"\0" * (len(data) % 2)
        directory = TiffImagePlugin.ImageFileDirectory_v2()
        for key, value in entries.items():
            directory[key] = value
        place, place_of_value = places[tag]
        struct.pack_into("<H", data, place, tag)
        struct.pack_into("<I", data, place_of_value, len(data))
        data += directory.tobytes(len(data))
    return bytes(data)


#: How photos are written, by ending.
ENCODERS: dict[str, Callable[[NDArray[Any], PhotoMetadata], bytes]] = {
    ".tif": _tiff,
    ".tiff": _tiff,
    ".png": _png,
    ".jpg": _jpeg,
    ".jpeg": _jpeg,
    ".webp": _webp,
}
