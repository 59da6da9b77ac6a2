"""What indexes compute of an image more than once: planes, and parts kept with them."""

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

# Parts are a few MiB each and live as long as a fused image, so buffers to reuse cannot hold
# them. glibc hands memory back as soon as it is free, and fetches it anew page by page; once a
# block of this size was freed (it is never touched), it keeps up to twice as much. See
# mallopt(3), M_MMAP_THRESHOLD. At 512x512 an index by itself takes 1.3 to 2.3 times as long
# without (qe 54 instead of 37 ms and 6900 page faults instead of none); all indexes in a row
# take the same, since their own large blocks teach glibc. Elsewhere this does nothing.
np.empty(31 << 20, np.uint8)


class Plane:
    """One image as the indexes see it: 8-bit luminance, and what was computed of it.

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
    def of(cls, image: NDArray[np.generic] | Plane) -> Plane:
        """`image` itself if it is a plane, else the plane of it."""
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


def shared(
    fn: Callable[Concatenate[Plane, P], R],
) -> Callable[Concatenate[Plane, P], R]:
    """Make ``fn(plane, *args, **kwargs)`` keep its result with `plane`, as long as the plane lives.

    Arguments must be hashable; planes are, by identity. A part of a fused image and a source
    takes the fused image first, so that it goes with the fused image. Arrays are made
    read-only. Threads that meet may both compute a part; they get the same one.
    """

    @functools.wraps(fn)
    def part(plane: Plane, *args: P.args, **kwargs: P.kwargs) -> R:
        key = (part, *map(_name, args), *map(_name, sorted(kwargs.items())))
        try:
            return plane._kept[key]
        except KeyError:
            value = fn(plane, *args, **kwargs)
            _freeze(value)
            return plane._kept.setdefault(key, value)

    return part


def _name(argument: Any) -> Any:
    """What stands for an argument in a key; planes are not held, lest two hold each other.

    Some 100 MiB of parts would then live until the next garbage collection.
    """
    if isinstance(argument, tuple):
        return tuple(map(_name, argument))
    return weakref.ref(argument) if isinstance(argument, Plane) else argument


def _freeze(value: object) -> None:
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, tuple):
        for item in value:
            _freeze(item)


def strips(height: int, rows: int = 32) -> Iterator[slice]:
    """Slices of up to `rows` rows that cover a height.

    Work on a strip stays in the cache and in memory that the process already has; whole
    planes of intermediates cost several times their arithmetic in fetching fresh memory.
    """
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


@shared
def _gray(plane: Plane) -> NDArray[np.float64]:
    return plane.levels.astype(np.float64)


def rescaled(plane: Plane) -> Plane:
    """The plane stretched to the full range 0..255, rounded half up; a constant one as it is."""
    low, high = int(plane.levels.min()), int(plane.levels.max())
    # Not kept where it is the plane itself, which would then live until the next collection.
    return plane if low == high or (low, high) == (0, 255) else _stretched(plane, low, high)


@shared
def _stretched(plane: Plane, low: int, high: int) -> Plane:
    stretched = 255 * (np.arange(256) - low) / (high - low)
    table = np.clip(np.floor(stretched + 0.5), 0, 255).astype(np.uint8)
    return Plane(table[plane.levels])


@shared
def histogram(plane: Plane) -> NDArray[np.float64]:
    """Share of each of the 256 levels."""
    return np.bincount(plane.levels.ravel(), minlength=256) / plane.levels.size


@shared
def joint_histogram(plane: Plane, other: Plane) -> NDArray[np.float64]:
    """Share of each pair of levels, (256, 256), the level of `plane` along the rows."""
    index = plane.levels.astype(np.uint16)
    index <<= 8
    index |= other.levels
    counts = np.bincount(index.ravel(), minlength=65536)
    return counts.reshape(256, 256) / plane.levels.size


def dot(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Sum of the products of two arrays of one shape.

    BLAS would add up in another order for each number of threads, and so end in other digits.
    """
    return float(np.einsum("i,i->", one.ravel(), other.ravel()))


def entropy_bits(share: NDArray[np.float64]) -> float:
    """Shannon entropy in bits of a distribution of any shape, with 0 log 0 = 0."""
    present = share[share > 0]
    return max(0.0, -dot(present, np.log2(present)))


@shared
def entropy(plane: Plane) -> float:
    """Entropy in bits of the levels."""
    return entropy_bits(histogram(plane))


@shared
def mutual_information(plane: Plane, other: Plane) -> float:
    """Mutual information in bits of the levels of two planes."""
    joint = entropy_bits(joint_histogram(plane, other))
    return max(0.0, entropy(plane) + entropy(other) - joint)
