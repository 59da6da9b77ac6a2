"""Image files: read as they are, written as lossless PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core import tiff
from bench.core.errors import ImageError
from bench.core.files import write_bytes
from bench.core.heif import HEIF_SUFFIXES, decode_heif, is_heif
from bench.core.pictures import decode_picture
from bench.core.pixels import as_image
from bench.core.raw import RAW_SUFFIXES, decode_raw

cv2 = lazy.load("cv2")


#: Endings of images that are read without an extra.
PLAIN_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}
)

#: Endings of files that are images. `read_image` goes by the content, not by the ending.
SUFFIXES = PLAIN_SUFFIXES | RAW_SUFFIXES | HEIF_SUFFIXES

#: How PGM and PPM files begin.
NETPBM = (b"P2", b"P3", b"P5", b"P6")

#: How PNG, JPEG, GIF, BMP, WebP, PPM and PGM files begin.
PLAIN_SIGNATURES = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"BM",
    b"RIFF",
    b"P2",
    b"P3",
    b"P5",
    b"P6",
)

#: How raw photos that are no plain TIFF files begin: Olympus, Panasonic, Fujifilm.
RAW_SIGNATURES = (b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW")

#: How a Canon CR3 begins, behind its first four bytes.
CR3 = b"ftypcrx "


def read_image(path: Path | str) -> NDArray[Any]:
    """Read a file that holds one image, as it is: gray or RGB, 8 or 16 bit or floating-point.

    EXIF rotation is applied, palettes and CMYK become RGB, an alpha channel is dropped; remarks
    say so (`bench.core.remarks`). Of a raw photo the sensor's picture is read, never the preview.

    Parameters
    ----------
    path : path-like
        PNG, JPEG, TIFF, BMP, WebP, PPM, PGM; with the extra ``raw`` a camera's raw photo, with
        the extra ``heif`` HEIC or AVIF. The content counts, not the ending.

    Returns
    -------
    ndarray
        ``uint8`` or ``uint16``, shape (H, W) or (H, W, 3), RGB order. A floating-point file
        must lie in [0, 1] and comes back as ``float32``. Integers of 32 bit come back as
        ``uint16`` if they fit, else as ``float32``, divided by 4,294,967,295.

    Raises
    ------
    ImageError
        The file is missing, empty, truncated, of an unknown format, holds NaN, infinity or
        negative numbers, several pages or frames, more than 250 megapixels, or is not a gray or
        RGB picture.

    Examples
    --------
    >>> import numpy as np, tempfile, pathlib
    >>> from bench.core.image_io import read_image, write_image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "a.png")
    ...     write_image(file, np.full((2, 3), 7, np.uint8))
    ...     read_image(file).shape
    (2, 3)
    """
    return decode_image(_content(Path(path)), str(path))


def read_pages(path: Path | str) -> list[NDArray[Any]]:
    """Read all pages of a TIFF file, such as a focus stack; one image of any other file.

    Parameters
    ----------
    path : path-like
        See `read_image`. Thumbnails and the levels of a pyramid are no pages.

    Returns
    -------
    list of ndarray
        The images in the file's order; see `read_image`.

    Raises
    ------
    ImageError
        As `read_image`; also a file with channels or with several axes (time and depth).

    Examples
    --------
    >>> import numpy as np, tempfile, pathlib, tifffile
    >>> from bench.core.image_io import page_count, read_pages
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "stack.tif")
    ...     tifffile.imwrite(file, np.zeros((5, 32, 48), np.uint8), photometric="minisblack")
    ...     page_count(file), [page.shape for page in read_pages(file)][:2]
    (5, [(32, 48), (32, 48)])
    """
    name, data = str(path), _content(Path(path))
    if not tiff.is_tiff(data) or _is_raw(data, name):
        return [decode_image(data, name)]
    return [_checked(page, name) for page in tiff.decode_pages(data, name)]


def page_count(path: Path | str) -> int:
    """The number of images in a file, without decoding them: 1 if it is not a TIFF file.

    Parameters
    ----------
    path : path-like
        See `read_pages`.

    Raises
    ------
    ImageError
        The file is missing, cannot be read, or is a damaged TIFF file.
    """
    path = Path(path)
    if not tiff.is_tiff(_content(path, 16)):
        return 1
    name, data = str(path), _content(path)
    return 1 if _is_raw(data, name) else tiff.count_pages(data, name)


def _content(path: Path, size: int = -1) -> bytes:
    """The bytes of a file, or the first `size` of them."""
    try:
        if path.is_dir():
            raise ImageError(f"{path}: a folder, not an image file")
        if not path.is_file():
            raise ImageError(f"{path}: no such image file")
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror})") from error


def decode_image(data: bytes, name: str) -> NDArray[Any]:
    """The image in the bytes of a file; see `read_image`.

    Parameters
    ----------
    data : bytes
        Content of the file.
    name : str
        Its name in errors.
    """
    if not data:
        raise ImageError(f"{name}: the file is empty")
    if _is_raw(data, name):
        image = decode_raw(data, name)
    elif _is_heif(data, name):
        image = decode_heif(data, name)
    elif tiff.is_tiff(data):
        count = tiff.count_pages(data, name)
        if count > 1:
            raise ImageError(
                f"{name}: holds {count} pages, not one image (a file of a whole stack is a scene)"
            )
        (image,) = tiff.decode_pages(data, name)
    else:
        image = decode_picture(data, name)
    return _checked(image, name)


def _is_raw(data: bytes, name: str) -> bool:
    if data.startswith(RAW_SIGNATURES) or data[4:12] == CR3:
        return True
    raw_ending = name.lower().endswith(tuple(RAW_SUFFIXES))
    if tiff.is_tiff(data):
        return raw_ending or tiff.is_raw(data, name)
    return raw_ending and not data.startswith(PLAIN_SIGNATURES)


def _is_heif(data: bytes, name: str) -> bool:
    plain = tiff.is_tiff(data) or data.startswith(PLAIN_SIGNATURES)
    return is_heif(data) or (not plain and name.lower().endswith(tuple(HEIF_SUFFIXES)))


def _checked(image: NDArray[Any], name: str) -> NDArray[Any]:
    try:
        return as_image(image)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from None


def write_image(path: Path | str, image: NDArray[Any]) -> None:
    """Write a lossless PNG, whole or not at all.

    Parameters
    ----------
    path : path-like
        Target; its folder is created if it is missing.
    image : ndarray
        ``uint8`` or ``uint16``, (H, W) or (H, W, 3) RGB.
    """
    write_bytes(path, encode_png(image))


def encode_png(image: NDArray[Any]) -> bytes:
    """The PNG file of a ``uint8`` or ``uint16`` image, (H, W) or (H, W, 3) RGB, as bytes."""
    bgr = image[..., ::-1] if image.ndim == 3 else image
    ok, buffer = cv2.imencode(".png", np.ascontiguousarray(bgr))
    if not ok:
        raise ImageError(f"cannot encode shape {image.shape}, type {image.dtype} as PNG")
    return bytes(buffer)
