"""The sources of a fusion: images as they were read, converted to float32 piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ImageError
from bench.core.pixels import as_image, luminance, same_size, strips, to_gray255

Array = NDArray[Any]


@final
@dataclass(frozen=True)
class Planes:
    """Gray images of one size, of which one is converted when it is asked for.

    What a method with ``streams=True`` gets: it has the length, the shape and the items of an
    array (N, H, W), but takes no memory. Every access converts again.

    Attributes
    ----------
    shape : (int, int, int)
        Number, height and width.
    plane : callable
        Gives the image of a number, float32 (H, W) in [0, 1], not to be written to.
    held : ndarray or None
        All of them, float32 (N, H, W), if they are in memory already.

    Examples
    --------
    >>> import numpy as np
    >>> from methods import Sources
    >>> planes = Sources.of([np.full((2, 2, 3), level, np.uint8) for level in (0, 255)]).channel(0)
    >>> len(planes), planes.shape, [float(plane.max()) for plane in planes]
    (2, (2, 2, 2), [0.0, 1.0])
    """

    shape: tuple[int, int, int]
    plane: Callable[[int], Array]
    held: Array | None = None

    def __len__(self) -> int:
        """Number of images."""
        return self.shape[0]

    def __getitem__(self, number: int) -> Array:
        """One image."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self.plane(number)

    def __iter__(self) -> Iterator[Array]:
        """The images one after the other."""
        return map(self.plane, range(len(self)))

    def array(self) -> Array:
        """All images at once, float32 (N, H, W)."""
        if self.held is not None:
            return self.held
        stack = np.empty(self.shape, np.float32)
        for out, plane in zip(stack, self, strict=True):
            out[...] = plane
        return stack


@dataclass(frozen=True)
class Sources:
    """Registered images of one scene, of which methods get float32 in [0, 1].

    They are converted channel by channel or in strips, and for methods that take one source at a
    time one by one, since a stack of floats takes four times the memory of the images.

    Attributes
    ----------
    images : sequence of ndarray
        ``uint8``, ``uint16`` or ``float32``, (H, W) or (H, W, 3).
    """

    images: Sequence[Array] | Array

    @classmethod
    def of(cls, sources: Sequence[Array]) -> Sources:
        """Sources from checked images; raises `ImageError` as in `methods.fuse`."""
        if len(sources) < 2:
            raise ImageError(f"{len(sources)} source image; fusion needs at least two")
        images = [as_image(source) for source in sources]
        same_size(images, [f"source {k + 1}" for k in range(len(images))])
        given = cls(images)
        return given if given.colour or len(images) > 2 else cls(given.stack())

    @property
    def colour(self) -> bool:
        """Whether an image has colour; gray ones then count as RGB with equal channels."""
        return any(image.ndim == 3 for image in self.images)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number, height and width."""
        height, width = self.images[0].shape[:2]
        return len(self.images), height, width

    def ordered(self) -> Sources:
        """The same images in an order that depends on their pixels alone.

        Sums of floats depend on the order of their terms. In this order a method that is symmetric
        in its sources gives the same image to the last bit, in whatever order they came.
        """
        return Sources(sorted(self.images, key=cmp_to_key(_compared)))

    def stack(self, rows: slice = slice(None)) -> Array:
        """All images, or some rows of them, float32 (N, H, W) or (N, H, W, 3)."""
        if isinstance(self.images, np.ndarray):
            return self.images[:, rows]
        parts = [image[rows] for image in self.images]
        shape = (len(parts), *parts[0].shape[:2], *([3] if self.colour else []))
        stack = np.empty(shape, np.float32)
        for unit, part in zip(stack, parts, strict=True):
            _convert(part if part.ndim == unit.ndim else part[..., None], unit)
        return stack

    def channel(self, c: int, rows: slice = slice(None)) -> Planes:
        """Channel `c` of all images, or some rows of it; gray images have but one."""
        count, height, width = self.shape
        shape = (count, len(range(height)[rows]), width)

        def plane(number: int) -> Array:
            image = self.images[number][rows]
            return _unit(image[..., c] if image.ndim == 3 else image)

        gray = isinstance(self.images, np.ndarray) and not self.colour
        return Planes(shape, plane, self.stack(rows) if gray else None)

    def luminance(self, rounded: bool = False) -> Planes:
        """Luminance of all images.

        With `rounded` that of colour images is rounded half up to whole 8-bit levels, unless an
        image has 16 bits.
        """
        if not self.colour:
            return self.channel(0)
        whole = rounded and all(image.dtype != np.uint16 for image in self.images)
        gray = _rounded_luminance if whole else _luminance
        return Planes(self.shape, lambda number: gray(self.images[number]))


def _compared(one: Array, other: Array) -> int:
    """-1, 0 or 1: how the bytes of two images compare, strip by strip."""
    for rows in strips(len(one)):
        first, second = one[rows].tobytes(), other[rows].tobytes()
        if first != second:
            return -1 if first < second else 1
    return 0


def _rounded_luminance(image: Array) -> Array:
    gray = np.empty(image.shape[:2], np.float32)
    np.divide(to_gray255(image), 255, out=gray, casting="same_kind")
    return gray


def _luminance(image: Array) -> Array:
    gray = np.empty(image.shape[:2], np.float32)
    for rows in strips(len(image)):
        part = image[rows]
        unit = np.empty((*part.shape[:2], 3), np.float32)
        _convert(part if part.ndim == 3 else part[..., None], unit)
        gray[rows] = luminance(unit)
    return gray


def _unit(image: Array) -> Array:
    """The image itself if it is float32, else a converted copy."""
    if image.dtype == np.float32:
        return image
    unit = np.empty(image.shape, np.float32)
    _convert(image, unit)
    return unit


def _convert(image: Array, unit: Array) -> None:
    unit[...] = image
    if image.dtype != np.float32:
        unit /= np.float32(np.iinfo(image.dtype).max)
