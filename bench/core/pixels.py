"""Arithmetic on pixels: the colour rule, and the scales that methods and metrics see.

Methods see float32 in [0, 1]; metrics see float64 luminance, whole numbers in 0..255. The
luminance weights are those of the field's MATLAB code to the last digit, because a
published score can only be reproduced to the last digit with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ImageError

cv2 = lazy.load("cv2")

#: First row of the inverse of the NTSC matrix: MATLAB's rgb2gray. The weights of six digits
#: that other codes use move four pixels in 21.6 million by one level; OpenCV's, 0.06 %.
LUMINANCE_WEIGHTS = (0.298936021293776, 0.587043074451121, 0.114020904255103)


#: Rows of an image that are taken at a time where their neighbours do not matter. Even, because a
#: pyramid has a coarser row below every second one.
ROWS = 64


def as_image(image: NDArray[Any]) -> NDArray[Any]:
    """Check an array and bring it to (H, W) or (H, W, 3) of uint8, uint16 or float32.

    Parameters
    ----------
    image : array_like
        (H, W), (H, W, 1), (H, W, 3) or (H, W, 4, alpha is dropped); ``uint8``, ``uint16``,
        ``bool`` or floating-point in [0, 1].

    Returns
    -------
    ndarray
        The same pixels; floats as ``float32``, ``bool`` as 0 and 255.

    Raises
    ------
    ImageError
        Any other shape or type, an empty array, NaN, infinity, or floats outside [0, 1].
    """
    image = np.asarray(image)
    if image.ndim == 3 and image.shape[2] in {1, 2}:
        image = image[..., 0]
    elif image.ndim == 3 and image.shape[2] == 4:
        image = image[..., :3]
    if image.ndim not in {2, 3} or (image.ndim == 3 and image.shape[2] != 3):
        raise ImageError(f"shape {image.shape} is not (H, W) or (H, W, 3)")
    if image.size == 0:
        raise ImageError(f"the image has no pixels (shape {image.shape})")
    if image.dtype == np.bool_:
        return image.astype(np.uint8) * np.uint8(255)
    if image.dtype in (np.uint8, np.uint16):
        return image
    if not np.issubdtype(image.dtype, np.floating):
        raise ImageError(f"type {image.dtype} is not uint8, uint16 or floating-point in [0, 1]")
    if not np.isfinite(image).all():
        raise ImageError("the image holds NaN or infinity")
    if image.min() < 0 or image.max() > 1:
        raise ImageError(
            f"floating-point values must lie in [0, 1], got [{image.min():g}, {image.max():g}]"
        )
    return image.astype(np.float32)


def same_size(images: Sequence[NDArray[Any]], names: Sequence[str]) -> None:
    """Raise `ImageError` naming the first of `images` whose height or width differs.

    Parameters
    ----------
    images : sequence of ndarray
        (H, W) or (H, W, 3).
    names : sequence of str
        What each is called in the message.
    """
    for image, name in zip(images, names, strict=True):
        if image.shape[:2] != images[0].shape[:2]:
            height, width = image.shape[:2]
            h0, w0 = images[0].shape[:2]
            raise ImageError(
                f"{name} is {width}x{height}, but {names[0]} is {w0}x{h0}: "
                "the images of one scene must be registered and of one size"
            )


def luminance(image: NDArray[Any]) -> NDArray[Any]:
    """Weighted sum of the channels with `LUMINANCE_WEIGHTS`; a gray image is returned as it is.

    Parameters
    ----------
    image : ndarray
        Floating-point, (..., 3) RGB on any scale.

    Returns
    -------
    ndarray
        The same scale and type, without the last axis.
    """
    red, green, blue = (image[..., c] for c in range(3))
    wr, wg, wb = (image.dtype.type(w) for w in LUMINANCE_WEIGHTS)
    total = wr * red
    total += wg * green
    total += wb * blue
    return total


def to_unit(image: NDArray[Any]) -> NDArray[np.float32]:
    """Any accepted image as float32 in [0, 1] (see `as_image`)."""
    image = as_image(image)
    if image.dtype == np.float32:
        return image
    unit = image.astype(np.float32)
    unit /= np.float32(np.iinfo(image.dtype).max)
    return unit


def to_gray255(image: NDArray[Any]) -> NDArray[np.float64]:
    """Any accepted image as the metrics see it: float64 luminance, whole numbers in 0..255.

    Colour is weighted with `LUMINANCE_WEIGHTS` first and rounded half up afterwards, as the
    field's MATLAB code does. Sixteen-bit and floating-point images are scaled to 0..255 and
    rounded too, since the metrics are defined on 8-bit levels.

    Parameters
    ----------
    image : ndarray
        See `as_image`.

    Returns
    -------
    ndarray
        float64 (H, W).
    """
    image = as_image(image)
    scale = {"uint8": 1.0, "uint16": 255 / 65535, "float32": 255.0}[image.dtype.name]
    gray = np.empty(image.shape[:2])
    for rows in strips(len(image)):
        levels = image[rows].astype(np.float64) * scale
        np.floor((luminance(levels) if levels.ndim == 3 else levels) + 0.5, out=gray[rows])
    return gray


def strips(height: int) -> Iterator[slice]:
    """Slices of `ROWS` rows that cover a height: what is made of them stays small."""
    for top in range(0, height, ROWS):
        yield slice(top, min(top + ROWS, height))


def quantise(image: NDArray[Any], dtype: np.dtype | type = np.uint8) -> NDArray[Any]:
    """Float in [0, 1] to whole levels: clip, scale, round half up.

    Parameters
    ----------
    image : ndarray
        Floating-point. Float64 is rounded in float64, since float32 would decide near ties.
    dtype : {uint8, uint16}
        The levels wanted.
    """
    top = np.iinfo(dtype).max
    wide = np.float64 if top > 255 or image.dtype == np.float64 else np.float32
    levels = np.empty(image.shape, dtype)
    for rows in strips(len(image)):
        scaled = np.clip(image[rows], 0, 1).astype(wide) * top
        levels[rows] = np.floor(scaled + 0.5)
    return levels
