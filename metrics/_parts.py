"""Gray images, and the parts (histograms, gradients, …) that several metrics need of them."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.core.pixels import as_image, to_gray255

P = ParamSpec("P")
R = TypeVar("R")

# Parts are a few MiB each and live as long as a fused image, so they cannot be written into
# reused buffers. glibc returns freed memory to the system and gets it again page by page; once a
# block of this size was freed (it is never touched), glibc keeps up to twice as much. See
# mallopt(3), M_MMAP_THRESHOLD. At 512x512 a metric by itself takes 1.3 to 2.3 times as long
# without (qe 54 instead of 37 ms and 6900 page faults instead of none); all metrics in a row
# take the same time, since their own large blocks have this effect too. With another C library
# this does nothing.
np.empty(31 << 20, np.uint8)


class GrayImage:
    """The input of a metric: an image as 8-bit luminance, with the parts computed of it.

    Parameters
    ----------
    image : ndarray
        What `bench.core.pixels.as_image` accepts; brought to whole levels 0..255 by the rule of
        `bench.core.pixels.to_gray255` (colour becomes luminance first, 16-bit and floating-point
        images are scaled and rounded half up).

    Attributes
    ----------
    levels : ndarray
        ``uint8`` (H, W), read-only.
    """

    def __init__(self, image: NDArray[np.generic]) -> None:
        image = as_image(image)
        gray = image if image.dtype == np.uint8 and image.ndim == 2 else to_gray255(image)
        self.levels: NDArray[np.uint8] = np.array(gray, np.uint8, order="C")
        self.levels.flags.writeable = False
        self._kept: dict[Any, Any] = {}

    @classmethod
    def of(cls, image: NDArray[np.generic] | GrayImage) -> GrayImage:
        """`image` itself if it is a `GrayImage`, else a new one made from it."""
        return image if isinstance(image, cls) else cls(np.asarray(image))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.levels.shape
        return height, width

    @property
    def gray(self) -> NDArray[np.float64]:
        """The levels as float64, read-only."""
        return _gray(self)


Plane = GrayImage  #: Former name, which plug-ins may import.


def shared(
    fn: Callable[Concatenate[GrayImage, P], R],
) -> Callable[Concatenate[GrayImage, P], R]:
    """Make ``fn(image, *args, **kwargs)`` keep its result with `image`, as long as that lives.

    Arguments must be hashable; gray images are, by identity. A part of a fused image and a source
    takes the fused image first, so that it is freed with the fused image. Arrays are made
    read-only. Two threads may both compute a part; both get the same one.
    """

    @functools.wraps(fn)
    def part(image: GrayImage, *args: P.args, **kwargs: P.kwargs) -> R:
        key = (part, *map(_name, args), *map(_name, sorted(kwargs.items())))
        try:
            return image._kept[key]
        except KeyError:
            value = fn(image, *args, **kwargs)
            _freeze(value)
            return image._kept.setdefault(key, value)

    return part


def _name(argument: Any) -> Any:
    """The key of an argument; a gray image is referred to weakly, to avoid reference cycles.

    With a cycle, some 100 MiB of parts would live until the next garbage collection.
    """
    if isinstance(argument, tuple):
        return tuple(map(_name, argument))
    return weakref.ref(argument) if isinstance(argument, GrayImage) else argument


def _freeze(value: object) -> None:
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, tuple):
        for item in value:
            _freeze(item)


def strips(height: int, rows: int = 32) -> Iterator[slice]:
    """Slices of up to `rows` rows that cover a height.

    Work on a strip stays in the cache and in memory that the process already has; intermediate
    results of the whole image would cost several times their arithmetic in page faults.
    """
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


@shared
def _gray(image: GrayImage) -> NDArray[np.float64]:
    return image.levels.astype(np.float64)


def rescaled(image: GrayImage) -> GrayImage:
    """The image stretched to the full range 0..255, rounded half up; a constant one as it is."""
    low, high = int(image.levels.min()), int(image.levels.max())
    # Not kept if it is the image itself: a reference cycle would delay its garbage collection.
    return image if low == high or (low, high) == (0, 255) else _stretched(image, low, high)


@shared
def _stretched(image: GrayImage, low: int, high: int) -> GrayImage:
    stretched = 255 * (np.arange(256) - low) / (high - low)
    table = np.clip(np.floor(stretched + 0.5), 0, 255).astype(np.uint8)
    return GrayImage(table[image.levels])


@shared
def histogram(image: GrayImage) -> NDArray[np.float64]:
    """Share of each of the 256 levels."""
    return np.bincount(image.levels.ravel(), minlength=256) / image.levels.size


@shared
def joint_histogram(image: GrayImage, other: GrayImage) -> NDArray[np.float64]:
    """Share of each pair of levels, (256, 256), the level of `image` along the rows."""
    index = image.levels.astype(np.uint16)
    index <<= 8
    index |= other.levels
    counts = np.bincount(index.ravel(), minlength=65536)
    return counts.reshape(256, 256) / image.levels.size


def dot(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Sum of the products of two arrays of one shape.

    BLAS adds up in an order that depends on the number of threads, so its last digits differ.
    """
    return float(np.einsum("i,i->", one.ravel(), other.ravel()))


def entropy_bits(share: NDArray[np.float64]) -> float:
    """Shannon entropy in bits of a distribution of any shape, with 0 log 0 = 0."""
    present = share[share > 0]
    return max(0.0, -dot(present, np.log2(present)))


@shared
def entropy(image: GrayImage) -> float:
    """Entropy in bits of the levels."""
    return entropy_bits(histogram(image))


@shared
def mutual_information(image: GrayImage, other: GrayImage) -> float:
    """Mutual information in bits of the levels of two images."""
    joint = entropy_bits(joint_histogram(image, other))
    return max(0.0, entropy(image) + entropy(other) - joint)
