"""Photos of phones in HEIF containers: HEIC through pillow-heif, the extra ``heif``; AVIF."""

from __future__ import annotations

import io
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ImageError
from bench.core.remarks import remark

#: How the names of such photos end.
HEIF_SUFFIXES = frozenset({".heic", ".heif", ".hif", ".avif"})


def is_heif(data: bytes) -> bool:
    """Whether the bytes begin as a HEIC, HEIF or AVIF file does."""
    return data[4:8] == b"ftyp" and data[8:12] in _BRANDS


#: Brands of still images in the ISO base media format; the last is that of AVIF.
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"mif2", b"avif")


def decode_heif(data: bytes, name: str) -> NDArray[Any]:
    """The primary image of a HEIC, HEIF or AVIF file, upright.

    Parameters
    ----------
    data : bytes
        Content of the file.
    name : str
        Its name in errors.

    Returns
    -------
    ndarray
        RGB (H, W, 3) or gray (H, W): ``uint8``; ``uint16`` of files with 10 or 12 bits, whose
        levels are shifted to the top of the 16 bits.

    Raises
    ------
    ImageError
        The file is damaged, or HEIC and pillow-heif is not installed.
    """
    return _avif(data, name) if b"avif" in data[8:32] else _heic(data, name)


def _heic(data: bytes, name: str) -> NDArray[Any]:
    try:
        import pillow_heif
    except ImportError:
        ending = PurePath(name).suffix.lower() or "no ending"
        raise ImageError(
            f"{name}: a photo in HEIF ({ending}), which the extra heif reads: "
            "pip install mfif-bench[heif]; or export it as PNG or TIFF"
        ) from None
    try:
        file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
        image = np.array(file)  # turned by libheif as the file says
    except (ValueError, OSError, RuntimeError, EOFError, SyntaxError) as error:
        raise ImageError(f"{name}: damaged or truncated image ({_line(error)})") from None
    if len(file) > 1:
        remark(f"{name}: {len(file)} images in it, the primary one is read")
    return _without_alpha(image, name)


def _avif(data: bytes, name: str) -> NDArray[Any]:
    import imagecodecs
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data), formats=["AVIF"]) as picture:
            if (frames := getattr(picture, "n_frames", 1)) > 1:
                raise ImageError(f"{name}: {frames} frames in one file; expected one")
            deep = np.asarray(imagecodecs.avif_decode(data))
            if deep.dtype == np.uint8:  # Pillow turns the picture as the file says
                upright = ImageOps.exif_transpose(picture)
                return _without_alpha(np.array(upright), name)
            turn = picture.getexif().get(0x0112, 1)
    except (ValueError, OSError, RuntimeError, SyntaxError) as error:
        raise ImageError(f"{name}: damaged or truncated image ({_line(error)})") from None
    if turn != 1:
        raise ImageError(f"{name}: a turned AVIF of more than 8 bits; export it as PNG or TIFF")
    bits = _avif_bits(data)
    if bits is None or deep.max() >= 1 << bits:
        raise ImageError(f"{name}: an AVIF that does not say its number of bits")
    return _without_alpha(deep << np.uint16(16 - bits), name)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _avif_bits(data: bytes) -> int | None:
    """Ten or twelve, as the box ``av1C`` of a deep AVIF says; None without such a box."""
    start = data.find(b"av1C")
    if start < 0 or len(data) < start + 7:
        return None
    return 12 if data[start + 6] & 0b0010_0000 else 10


def _without_alpha(image: NDArray[Any], name: str) -> NDArray[Any]:
    """The colours or gray values of an image; says so when its alpha is not opaque."""
    if image.ndim == 2 or image.shape[2] == 3:
        return image
    if image.shape[2] in (2, 4):
        # Ten bits in sixteen: the largest alpha is white, but not all ones.
        if image[..., -1].min() < image[..., -1].max() or not image[..., -1].any():
            remark(f"{name}: its alpha channel is not opaque and was dropped")
        image = image[..., :-1]
    return image[..., 0] if image.shape[2] == 1 else image
