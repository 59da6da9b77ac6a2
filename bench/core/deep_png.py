"""PNG files of 16 bit, which Pillow reduces to 8: decoded by libpng once known to be sound.

libpng prints what it repairs on stderr, past Python, and gives pixels all the same. So the sums of
the file are checked first, and the chunks that libpng might complain of are left out.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ImageError

SIGNATURE = b"\x89PNG\r\n\x1a\n"

#: Channels of each colour type that may have 16 bit: gray, RGB, gray and alpha, RGB and alpha.
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}

#: First column and row, and steps, of the seven passes of an interlaced file (PNG, section 8.2).
PASSES = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)),
    (0, 1, 1, 2),
)


def is_deep_png(data: bytes) -> bool:
    """Whether the bytes of a file begin as a PNG file of 16 bit per channel does."""
    return data.startswith(SIGNATURE) and len(data) > 24 and data[24] == 16


def decode_deep_png(data: bytes) -> NDArray[np.uint16]:
    """The samples of a PNG file of 16 bit.

    Parameters
    ----------
    data : bytes
        Content of the file.

    Returns
    -------
    ndarray
        ``uint16`` (H, W) or (H, W, channels): 2 with gray and alpha, 3 RGB, 4 with alpha.

    Raises
    ------
    ImageError
        The file is damaged; the error does not name it.
    """
    import imagecodecs

    try:
        chunks = list(_chunks(data))
        header = chunks[0][1]
        pixels = b"".join(body for kind, body in chunks if kind == b"IDAT")
        size = _expected_size(header)
        stream = zlib.decompressobj()
        if len(stream.decompress(pixels, size + 1)) != size or not stream.eof:
            raise ImageError("the pixels do not fill the image")
        essential = _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")
        image: NDArray[Any] = imagecodecs.png_decode(SIGNATURE + essential)
    except (struct.error, zlib.error, IndexError, KeyError, RuntimeError, ValueError) as error:
        raise ImageError(" ".join(str(error).split())) from None
    return image


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each chunk, whose sum is right."""
    place = len(SIGNATURE)
    kind = b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, place)
        body = data[place + 8 : place + 8 + length]
        (stated,) = struct.unpack_from(">I", data, place + 8 + length)
        if zlib.crc32(body, zlib.crc32(kind)) != stated:
            raise ImageError(f"the checksum of its chunk {kind.decode('latin-1')!r} is wrong")
        yield kind, body
        place += 12 + length


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _expected_size(header: bytes) -> int:
    """Bytes of all rows before compression, one byte for the filter in front of each."""
    width, height, _, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    size = 0
    for left, top, across, down in PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            size += rows * (1 + 2 * CHANNELS[colour] * columns)
    return size
