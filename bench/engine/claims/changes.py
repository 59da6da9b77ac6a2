"""What may have been done to the images before a printed number was computed of them.

A change has one name, one place in the order in which changes are applied, and a cost; two of
one kind are never combined.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.core.jpeg import through_jpeg
from bench.core.pixels import LUMINANCE_WEIGHTS, luminance, quantise
from bench.engine.claims.view import Image, ImageSet

#: Qualities of JPEG files that libraries and collections of fused images use.
JPEG_QUALITIES = (75, 90, 95)

#: Widths of the border that codes leave out, pixels.
BORDERS = (4, 8, 10, 16, 20)

#: The side to which networks resize their images, pixels.
NETWORK_SIDE = 256

#: Studio swing of YCbCr (ITU-R BT.601), as MATLAB's rgb2ycbcr: offset, and weights of levels.
STUDIO_OFFSET = 16.0
STUDIO_WEIGHTS = (65.481 / 255, 128.553 / 255, 24.966 / 255)

#: Makes up for what arithmetic may take from a sum that is a whole number, or a half.
TIE = 1e-9

BT601 = (0.299, 0.587, 0.114)
#: As scikit-image's rgb2gray has them.
BT709 = (0.2125, 0.7154, 0.0721)

#: Rules for gray of which codes in floating point do not round the result.
UNROUNDED = {"MATLAB's weights": LUMINANCE_WEIGHTS, "BT.601": BT601, "BT.709": BT709}

#: Rules for gray, besides OpenCV's, that are combined with other changes.
COMBINED_RULES = (
    "gray by BT.709 (scikit-image)",
    "gray as mean of the channels",
    "Y of YCbCr, 16 to 235 (rgb2ycbcr)",
)

#: Pillow's ``convert("L")``: weights of 2^16, rounded half up.
PILLOW_WEIGHTS = (19595, 38470, 7471)


@dataclass(frozen=True)
class Change:
    """Something that is done to the images.

    Attributes
    ----------
    text : str
        What output calls it.
    kind : str
        ``size``, ``order``, ``channels``, ``jpeg``, ``border`` or ``gray``; applied in this order.
    apply : callable
        Gives the changed images: a list of one, or of one for each channel.
    cost : float
        What it counts when explanations are ranked.
    only_fused : bool
        Whether the sources and the reference stay as they are.
    unrounded : bool
        Whether the changed images are gray in floating point, 0..255, not of whole levels.
    alone : bool
        Whether it is not combined with others, since it is rare or nearly equals another change.
    """

    text: str
    kind: str
    apply: Callable[[ImageSet], list[ImageSet]]
    cost: float = 1.5
    only_fused: bool = False
    unrounded: bool = False
    alone: bool = False


#: Kinds, in the order in which changes are applied.
KINDS = ("size", "order", "channels", "jpeg", "border", "gray")


def is_colour(image: Image) -> bool:
    """Whether the channels of an image differ."""
    return image.ndim == 3 and not (image == image[..., :1]).all()


def size_changes(images: ImageSet) -> list[Change]:
    """What brings a fused image to the size of its sources, or the sources to its."""
    height, width = images.fused.shape[:2]
    tall, wide = images.sources[0].shape[:2]
    found = []
    for name, how in (("bilinear", cv2.INTER_LINEAR), ("bicubic", cv2.INTER_CUBIC)):
        found += [
            _each(f"fused image resized ({name})", "size", _resized(wide, tall, how), fused=True),
            _each(f"sources resized ({name})", "size", _resized(width, height, how), fused=False),
        ]
    if height <= tall and width <= wide:
        top, left = (tall - height) // 2, (wide - width) // 2
        for name, y, x in (("at the top left", 0, 0), ("in the middle", top, left)):
            cut = _cut(slice(y, y + height), slice(x, x + width))
            found.append(_each(f"sources cropped {name}", "size", cut, fused=False))
    return [replace(change, cost=1.0) for change in found]


def single_changes(images: ImageSet) -> list[Change]:
    """The changes that make a difference to these images, the likeliest first."""
    found = []
    if any(map(is_colour, images.all)):
        found += _gray_changes()
        if is_colour(images.fused):
            found += _channel_changes()
    if len(images.sources) > 1:
        found.append(Change("sources in the other order", "order", _reversed, 1.0))
    if images.fused.dtype == np.uint8:
        found += _jpeg_changes(colour=is_colour(images.fused))
    side = min(length for image in images.all for length in image.shape[:2])
    for border in BORDERS:
        if side > 4 * border:
            inner = slice(border, -border)
            found.append(
                _each(f"border of {border} pixels left out", "border", _cut(inner, inner), cost=2.0)
            )
    small = _resized(NETWORK_SIDE, NETWORK_SIDE, cv2.INTER_LINEAR)
    text = f"all images resized to {NETWORK_SIDE}x{NETWORK_SIDE} (bilinear)"
    return [*found, _each(text, "border", small, cost=2.5)]


def _gray_changes() -> list[Change]:
    rules: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
        "gray by BT.601, rounded": _rounded(BT601),
        "gray by BT.601, decimals cut off": lambda x: np.floor(x @ np.array(BT601) + TIE),
        "gray by Pillow's convert('L')": lambda x: np.floor((x @ PILLOW_WEIGHTS + 2**15) / 2**16),
        "gray by BT.709 (scikit-image)": _rounded(BT709),
        "gray as mean of the channels": _rounded((1 / 3, 1 / 3, 1 / 3)),
        "Y of YCbCr, 16 to 235 (rgb2ycbcr)": _rounded(STUDIO_WEIGHTS, STUDIO_OFFSET),
        "largest channel (V of HSV)": lambda x: x.max(2),
        "decimals of MATLAB's gray cut off": lambda x: np.floor(luminance(x) + TIE),
        "red channel": lambda x: x[..., 0],
        "green channel": lambda x: x[..., 1],
        "blue channel": lambda x: x[..., 2],
    }
    found = [
        replace(_each(text, "gray", _gray(rule)), alone=text not in COMBINED_RULES)
        for text, rule in rules.items()
    ]
    found.insert(0, _each("gray by OpenCV's cvtColor", "gray", _opencv))
    for name, weights in UNROUNDED.items():
        one = _each(f"gray by {name}, not rounded", "gray", _floating(weights))
        found.append(replace(one, unrounded=True, alone=True))
    return [*found, Change("each channel by itself, scores averaged", "gray", _channels)]


def _channel_changes() -> list[Change]:
    def swap(image: Image) -> Image:
        return image[..., ::-1] if image.ndim == 3 else image

    return [
        _each("fused image with red and blue swapped", "channels", swap, fused=True),
        _each("all images with red and blue swapped", "channels", swap),
        _each("sources with red and blue swapped", "channels", swap, fused=False),
    ]


def _jpeg_changes(*, colour: bool) -> list[Change]:
    found = []
    for quality in JPEG_QUALITIES:
        for sampling in ("4:2:0", "4:4:4") if colour else ("",):
            text = f"fused image as JPEG of quality {quality} {sampling}".rstrip()
            found.append(_each(text, "jpeg", _jpeg(quality, sampling or "4:4:4"), fused=True))
    return found


def _each(
    text: str,
    kind: str,
    fn: Callable[[Image], Image],
    cost: float = 1.5,
    *,
    fused: bool | None = None,
) -> Change:
    """A change of all images; of the fused one only, or of the others only, if `fused` is given."""

    def apply(images: ImageSet) -> list[ImageSet]:
        others = fused is not True
        return [
            ImageSet(
                tuple(map(fn, images.sources)) if others else images.sources,
                fn(images.fused) if fused is not False else images.fused,
                fn(images.reference)
                if others and images.reference is not None
                else images.reference,
            )
        ]

    return Change(text, kind, apply, cost, only_fused=fused is True)


def _gray(
    rule: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> Callable[[Image], Image]:
    def gray(image: Image) -> Image:
        if image.ndim == 2:
            return image
        return np.clip(rule(_levels(image)), 0, 255).astype(np.uint8)

    return gray


def _levels(image: Image) -> NDArray[np.float64]:
    """An image on the scale 0..255."""
    scale = {"uint8": 1.0, "uint16": 255 / 65535, "float32": 255.0}[image.dtype.name]
    return image.astype(np.float64) * scale


def _floating(weights: tuple[float, float, float]) -> Callable[[Image], Image]:
    def gray(image: Image) -> Image:
        levels = _levels(image)
        return levels @ np.array(weights) if image.ndim == 3 else levels

    return gray


def _opencv(image: Image) -> Image:
    """OpenCV's gray: the weights of BT.601 in whole numbers, which differ in the last digits."""
    if image.ndim == 2:
        return image
    return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)


def _rounded(
    weights: tuple[float, float, float], offset: float = 0.0
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    return lambda levels: np.floor(levels @ np.array(weights) + (offset + 0.5 + TIE))


def _channels(images: ImageSet) -> list[ImageSet]:
    def channel(image: Image, k: int) -> Image:
        return image[..., k] if image.ndim == 3 else image

    reference = images.reference
    return [
        ImageSet(
            tuple(channel(source, k) for source in images.sources),
            channel(images.fused, k),
            None if reference is None else channel(reference, k),
        )
        for k in range(3)
    ]


def _reversed(images: ImageSet) -> list[ImageSet]:
    return [replace(images, sources=images.sources[::-1])]


def _jpeg(quality: int, subsampling: str) -> Callable[[Image], Image]:
    return lambda image: through_jpeg(np.ascontiguousarray(image), quality, subsampling)


def _cut(rows: slice, columns: slice) -> Callable[[Image], Image]:
    return lambda image: image[rows, columns]


def _resized(width: int, height: int, how: int) -> Callable[[Image], Image]:
    def resize(image: Image) -> Image:
        resized = cv2.resize(np.ascontiguousarray(image), (width, height), interpolation=how)
        # Bicubic weights are negative in part: floats may leave their range.
        return quantise(resized, np.uint16) if resized.dtype.kind == "f" else resized

    return resize
