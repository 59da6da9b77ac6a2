"""The files of a program: its sources written without loss, its fused image read and checked."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core import remarks
from bench.core.errors import ContractViolation, ImageError
from bench.core.image_io import read_image
from bench.core.pixels import as_image, luminance, to_unit

cv2 = lazy.load("cv2")
tifffile = lazy.load("tifffile")

Array = NDArray[Any]

#: How far floating-point values may lie beyond [0, 1]: transforms ring, other scales are far away.
RINGING = 0.5
#: Levels by which the channels of a gray fused image may differ, of 255.
GRAY_LEVELS = 2.0


def depth_of(stack: Array, bits: int, name: str) -> int:
    """Bits in which sources are written: 8 if that loses nothing, or is all that a program takes.

    Parameters
    ----------
    stack : ndarray
        float32 (N, H, W) or (N, H, W, 3) in [0, 1].
    bits : {8, 16}
        The largest depth that the program takes.
    name : str
        What the program is called.
    """
    if all(_has_levels(source, 255) for source in stack):
        return 8
    if bits == 8:
        remarks.remark(f"its sources were rounded to 8 bits, the largest depth that {name} takes")
    return bits


def _has_levels(source: Array, most: int) -> bool:
    """Whether every pixel is a whole number of levels."""
    return bool(np.array_equal(np.rint(source * most) / np.float32(most), source))


def encode_sources(stack: Array, *, bits: int, gray: bool, suffix: str) -> dict[str, bytes]:
    """Sources as files without loss, by names that sort in their order: ``01.png``, ``02.png``, ….

    Parameters
    ----------
    stack : ndarray
        float32 (N, H, W) or (N, H, W, 3) in [0, 1].
    bits : {8, 16}
        Depth of the files.
    gray : bool
        Whether gray sources become gray files; else RGB with equal channels.
    suffix : {'.png', '.tif'}
        The format.
    """
    digits = max(2, len(str(len(stack))))
    files = {}
    for number, source in enumerate(stack, 1):
        most, dtype = (255, np.uint8) if bits == 8 else (65535, np.uint16)
        image = np.rint(np.clip(source, 0, 1) * most).astype(dtype)
        if image.ndim == 3:
            image = image[..., ::-1]
        elif not gray:
            image = np.repeat(image[..., None], 3, axis=2)
        written, data = cv2.imencode(suffix, np.ascontiguousarray(image))
        if not written:
            raise ImageError(f"a source of shape {source.shape} cannot be written as {suffix}")
        files[f"{number:0{digits}}{suffix}"] = bytes(data)
    return files


def read_fused(file: Path, shape: tuple[int, ...], *, bits: int, name: str) -> Array:
    """The image that a program wrote, as float32 in [0, 1].

    Parameters
    ----------
    file : Path
        Where it should be.
    shape : tuple of int
        (H, W) or (H, W, 3), as its sources are.
    bits : {8, 16}
        Depth of its sources.
    name : str
        What the program is called in messages.

    Raises
    ------
    ContractViolation
        There is no image, or one of another size, of fewer channels or of a smaller depth, or one
        of 16 bits that holds levels of 8.
    """
    if not file.is_file():
        raise ContractViolation(f"{name} ended without an error but wrote no {file.name}")
    try:
        with remarks.collect() as made:
            image = _read(file)
    except ImageError as error:
        reason = str(error).replace(str(file), file.name)
        raise ContractViolation(f"{name} wrote no image that can be read: {reason}") from None
    for each in made:
        remarks.remark(each.replace(str(file), file.name))
    (height, width), (had_height, had_width) = image.shape[:2], shape[:2]
    if (height, width) != (had_height, had_width):
        raise ContractViolation(
            f"{name} wrote an image of {width}x{height} pixels, its sources have "
            f"{had_width}x{had_height}"
        )
    if bits == 16 and image.dtype == np.uint8:
        raise ContractViolation(f"{name} wrote 8 bits, its sources have 16")
    if bits == 8 and image.dtype == np.uint16 and 0 < int(image.max()) <= 255:
        raise ContractViolation(
            f"{name} wrote 16 bits with values up to {image.max()}, its sources have 8; white of "
            "16 bits is 65535"
        )
    return _with_channels(to_unit(image), len(shape) == 3, name)


def _read(file: Path) -> Array:
    """The image in a file; floating-point values that ring beyond [0, 1] are clipped."""
    floating = _floating(file) if file.suffix in (".tif", ".tiff") else None
    return read_image(file) if floating is None else as_image(np.clip(floating, 0, 1))


def _floating(file: Path) -> Array | None:
    """The values of a floating-point TIFF file that are hardly beyond [0, 1]; None of others."""
    faults = (tifffile.TiffFileError, ValueError, OSError, KeyError)
    with contextlib.suppress(*faults), tifffile.TiffFile(file) as tif:
        if len(tif.pages) == 1 and tif.pages.first.dtype in (np.float32, np.float64):
            values: Array = tif.pages.first.asarray()
            if values.min() >= -RINGING and values.max() <= 1 + RINGING:
                return values
    return None


def _with_channels(image: Array, colour: bool, name: str) -> Array:
    """The image with the channels of its sources."""
    if colour and image.ndim == 2:
        raise ContractViolation(f"{name} wrote a gray image, its sources have colour")
    if colour or image.ndim == 2:
        return image
    if 255 * float(np.ptp(image, axis=2).max()) > GRAY_LEVELS:
        raise ContractViolation(f"{name} wrote colour, its sources are gray")
    equal = np.array_equal(image, np.repeat(image[..., :1], 3, axis=2))
    return image[..., 0] if equal else luminance(image)
