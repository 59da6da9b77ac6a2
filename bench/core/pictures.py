"""Images other than TIFF: those of 8 bit through Pillow, the deeper PGM and PPM here."""

from __future__ import annotations

import io
import re
import threading
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.core.deep_png import decode_deep_png, is_deep_png
from bench.core.errors import ImageError
from bench.core.photo import check_size, upright
from bench.core.remarks import remark

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

#: What Pillow may decode. Its other plug-ins start programs (EPS) or reduce deep samples to 8 bit.
#: That of JPEG opens MPO files too.
FORMATS = ("PNG", "JPEG", "BMP", "DIB", "PPM", "WEBP", "GIF")

#: What errors tell the user to use, the formats of other modules too.
SUPPORTED = "TIFF, PNG, JPEG, BMP, WebP, GIF, PGM, PPM, HEIF and raw photos"

EXIF_ORIENTATION = 0x0112

#: Header of a binary or plain PGM or PPM: kind, width, height, largest value, one white space.
NETPBM = re.compile(rb"P([2356])" + rb"(?:\s+|\s*#[^\r\n]*[\r\n])+(\d+)" * 3 + rb"\s")

# Pillow refuses large images by a global of its module.
_limit = threading.Lock()


def decode_picture(data: bytes, name: str) -> NDArray[Any]:
    """The image in the bytes of a PNG, JPEG, BMP, PGM, PPM, WebP or GIF file.

    Parameters
    ----------
    data : bytes
        Content of the file.
    name : str
        Its name in errors and remarks.

    Returns
    -------
    ndarray
        ``uint8`` or ``uint16`` (H, W[, channels]); EXIF rotation is applied.

    Raises
    ------
    ImageError
        Damaged, animated, of more than 250 million pixels, or of an unknown format.
    """
    from PIL import Image, UnidentifiedImageError

    if data.startswith(b"RIFF") and 8 + int.from_bytes(data[4:8], "little") > len(data):
        raise ImageError(f"{name}: damaged or truncated image (WebP without its end)")
    try:
        # Pillow warns of damage that it repairs, or for which it raises an error later.
        with warnings.catch_warnings(action="ignore"), _open(data) as picture:
            _check(picture, name)
            deep = _decode_deep(data, picture, name)
            return _decode_8bit(picture, name) if deep is None else deep
    except UnidentifiedImageError:
        raise ImageError(
            f"{name}: not an image, or of a format that is not supported ({SUPPORTED} are)"
        ) from None
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name}: too many pixels to be a photo ({error})") from None
    except (OSError, SyntaxError, ValueError, EOFError, OverflowError, MemoryError) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"{name}: damaged or truncated image ({text})") from None


def _open(data: bytes) -> Picture:
    from PIL import Image

    with _limit:
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            return Image.open(io.BytesIO(data), formats=FORMATS)
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _check(picture: Picture, name: str) -> None:
    width, height = picture.size
    check_size(width, height, name)
    frames = int(getattr(picture, "n_frames", 1))
    # The further frames of an MPO file are previews, or the other eye of a stereo camera.
    if frames > 1 and picture.format != "MPO":
        raise ImageError(f"{name}: is an animation of {frames} frames, not one image")


def _decode_8bit(picture: Picture, name: str) -> NDArray[Any]:
    from PIL import ImageOps

    picture.load()
    # Both copy the image even if there is nothing to do.
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode == "P":
        remark(f"{name}: has a palette")
    elif picture.mode == "CMYK":
        remark(f"{name}: CMYK became RGB without its colour profile")
    _say_alpha(picture, name)
    if picture.mode == "F":
        return np.asarray(picture)
    mode = "L" if picture.mode in {"1", "L", "LA"} else "RGB"
    return np.asarray(picture if picture.mode == mode else picture.convert(mode))


def _say_alpha(picture: Picture, name: str) -> None:
    if picture.mode in {"LA", "RGBA", "PA"}:
        opaque = picture.getchannel("A").getextrema()[0] == 255
    else:
        opaque = "transparency" not in picture.info
    if not opaque:
        remark(f"{name}: its alpha channel is not opaque (dropped)")


def _decode_deep(data: bytes, picture: Picture, name: str) -> NDArray[Any] | None:
    """The pixels if they are deeper than 8 bit, which Pillow would reduce or rescale."""
    if is_deep_png(data):
        return _decode_deep_png(data, picture, name)
    header = NETPBM.match(data)
    if picture.format == "PPM" and header is not None and int(header[4]) > 255:
        return _decode_netpbm(data, header, name)
    return None


def _decode_deep_png(data: bytes, picture: Picture, name: str) -> NDArray[Any]:
    try:
        image = decode_deep_png(data)
    except ImageError as error:
        raise ImageError(f"{name}: damaged or truncated image ({error})") from None
    channels = image.shape[2] if image.ndim == 3 else 1
    transparent = "transparency" in picture.info
    if channels in {2, 4}:
        transparent = bool(image[..., -1].min() < np.iinfo(image.dtype).max)
        image = image[..., 0] if channels == 2 else image[..., :3]
    if transparent:
        remark(f"{name}: its alpha channel is not opaque (dropped)")
    turn = picture.getexif().get(EXIF_ORIENTATION, 1)
    return np.ascontiguousarray(upright(image, turn))


def _decode_netpbm(data: bytes, header: re.Match[bytes], name: str) -> NDArray[Any]:
    """Samples of 16 bit; the largest value, which the file states, becomes 65535."""
    kind, width, height, white = (int(number) for number in header.groups())
    channels = 3 if kind in {3, 6} else 1
    count = width * height * channels
    body = memoryview(data)[header.end() :]
    if white > 65535:
        raise ImageError(f"{name}: damaged image (largest value {white} is above 65535)")
    if kind in {5, 6}:
        values = np.frombuffer(body[: 2 * count], ">u2").astype(np.uint16)
    else:
        values = np.array(bytes(body).split()[:count], np.uint16)
    if values.size < count:
        raise ImageError(f"{name}: damaged or truncated image (pixels are missing)")
    if values.max(initial=0) > white:
        raise ImageError(f"{name}: damaged image (a value is above the largest, {white})")
    if white < 65535:
        scaled = (values.astype(np.uint64) * 65535 + white // 2) // white
        values = scaled.astype(np.uint16)
    return values.reshape((height, width, channels) if channels == 3 else (height, width))
