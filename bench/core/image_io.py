"""Image files: read as they are, written as lossless PNG."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ImageError
from bench.core.files import write_bytes
from bench.core.pixels import as_image

cv2 = lazy.load("cv2")


#: What `read_image` accepts, by file ending.
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})

#: How TIFF files begin.
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_image(path: Path | str) -> NDArray[Any]:
    """Read an image file as it is: gray or RGB, 8 or 16 bit.

    EXIF rotation is applied, palettes and CMYK become RGB, an alpha channel is dropped.

    Parameters
    ----------
    path : path-like
        A file that Pillow or OpenCV can decode.

    Returns
    -------
    ndarray
        ``uint8`` or ``uint16``, shape (H, W) or (H, W, 3), RGB order. A floating-point file
        must lie in [0, 1] and comes back as ``float32``.

    Raises
    ------
    ImageError
        The file is missing, empty, truncated, of an unknown format, holds NaN or infinity,
        or is not a gray or RGB picture.

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
    path = Path(path)
    try:
        if not path.is_file():
            raise ImageError(f"{path}: no such image file")
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror})") from error
    return decode_image(data, str(path))


def page_count(path: Path | str) -> int:
    """How many pictures a TIFF file holds.

    Raises
    ------
    ImageError
        The file is missing, damaged or no image.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as picture:
            return int(getattr(picture, "n_frames", 1))
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ImageError(f"{path}: damaged or truncated image ({error})") from None


def read_pages(path: Path | str) -> list[NDArray[Any]]:
    """All pictures of a TIFF file of 8-bit pages, as `read_image` gives one."""
    from PIL import Image, ImageSequence

    with warnings.catch_warnings(action="ignore"), Image.open(path) as picture:
        return [as_image(np.asarray(page)) for page in ImageSequence.Iterator(picture)]


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
    image = _decode(name, data)
    try:
        return as_image(image)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from None


def _decode(path: str, data: bytes) -> NDArray[Any]:
    """Decode through Pillow, which notices truncation; through OpenCV what is deeper than 8 bit."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        # Pillow warns of damage that it repairs, or for which it raises an error later.
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as picture:
            deep = _is_deep(picture)
            picture.load()
            if not deep:
                # Both copy the image even if there is nothing to do.
                ImageOps.exif_transpose(picture, in_place=True)
                mode = "L" if picture.mode in {"1", "L", "LA"} else "RGB"
                return np.asarray(picture if picture.mode == mode else picture.convert(mode))
    except UnidentifiedImageError:
        if not data.startswith(TIFF):  # OpenCV reads a few layouts of TIFF that Pillow does not
            raise ImageError(
                f"{path}: not an image, or of a format that is not supported"
            ) from None
    except Image.DecompressionBombError as error:
        raise ImageError(f"{path}: too many pixels to be a photo ({error})") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ImageError(f"{path}: damaged or truncated image ({error})") from None
    return _decode_deep(path, data)


def _is_deep(picture: object) -> bool:
    """Whether Pillow would reduce more than 8 bit per channel to 8."""
    mode = str(getattr(picture, "mode", ""))
    if mode.startswith("I") or mode == "F":
        return True
    raw = [str(tile[3]) for tile in getattr(picture, "tile", [])]
    return any(";16" in text or "16B" in text or "16L" in text for text in raw)


def _decode_deep(path: str, data: bytes) -> NDArray[Any]:
    flags = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise ImageError(f"{path}: damaged image ({error})") from None
    if image is None:
        raise ImageError(f"{path}: not an image, or of a format that is not supported")
    if image.ndim == 3:
        image = image[..., ::-1]
    return np.ascontiguousarray(image)


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
