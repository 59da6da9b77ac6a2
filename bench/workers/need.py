"""How much memory a piece of work takes, measured on parts of its scene, to say what would fit.

What a method or metric holds grows with the number of pixels. Done on parts of 1/64, 1/16 and
1/4 of the scene, each in a child of its own, it gives the bytes of a pixel, and these the size
that a limit allows.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.workers import memory
from bench.workers.process import Child, Limits, Lost, Setup
from datasets import SceneImages

#: Parts of a scene that are tried, in rising order.
SHARES = (1 / 64, 1 / 16, 1 / 4)
#: Below so many pixels, memory is not a matter of size.
FEWEST_PIXELS = 1 << 20
#: How far a need may exceed a limit before the work is not even tried; of a limit, how much is
#: called enough.
CERTAIN, SAFE = 1.1, 0.95


@dataclasses.dataclass(frozen=True)
class Need:
    """Memory as a straight line over the number of pixels.

    Attributes
    ----------
    base : float
        Bytes without any pixel: the libraries.
    per_pixel : float
        Bytes more for each.

    Examples
    --------
    >>> from bench.workers.need import Need
    >>> need = Need(base=200e6, per_pixel=300)
    >>> need.sentence("fmi", (4000, 6000), 4 << 30)
    'fmi needs about 6.9 GB at 6000x4000; 4.0 GB are enough up to about 4400x2900'
    """

    base: float
    per_pixel: float

    def at(self, shape: Sequence[int]) -> float:
        """Bytes for an image of height and width `shape`."""
        return self.base + self.per_pixel * shape[0] * shape[1]

    def largest(self, shape: Sequence[int], limit: int) -> tuple[int, int]:
        """Height and width, in the proportion of `shape`, that `limit` is enough for."""
        pixels = max(0.0, SAFE * limit - self.base) / self.per_pixel
        scale = math.sqrt(pixels / (shape[0] * shape[1]))
        return _floor(shape[0] * scale), _floor(shape[1] * scale)

    def sentence(self, name: str, shape: Sequence[int], limit: int) -> str:
        """What `name` needs for an image of that shape, and what `limit` is enough for."""
        needs, allowed = memory.format_size(self.at(shape)), memory.format_size(limit)
        height, width = self.largest(shape, limit)
        enough = f"are enough up to about {width}x{height}" if height else "are enough for no image"
        return f"{name} needs about {needs} at {shape[1]}x{shape[0]}; {allowed} {enough}"


def _floor(side: float) -> int:
    """A side of two digits that count."""
    unit = 10 ** max(0, math.floor(math.log10(max(side, 1))) - 1)
    return int(side // unit * unit)


def measure(setup: Setup, request: Callable[[Child, float], Any], limits: Limits) -> Need | None:
    """What `request` needs, or None when it cannot be told.

    Parameters
    ----------
    setup : Setup
        The scene on which it took too much.
    request : callable
        Makes the request of a child that has the given share of the scene.
    limits : Limits
        Of each try.
    """
    points: list[tuple[float, float]] = []
    for share in SHARES:
        part = _part_of(setup.images, share)
        child = Child(dataclasses.replace(setup, images=part))
        try:
            request(child, share)
            held = memory.most(child.pid)
        except Lost:
            break
        finally:
            child.close()
        height, width = part.sources[0].shape[:2]
        points.append((height * width, held))
    return line(points)


def line(points: Sequence[tuple[float, float]]) -> Need | None:
    """The need through the last two of (pixels, bytes); None unless it rises."""
    if len(points) < 2:
        return None
    (fewer, less), (pixels, held) = points[-2:]
    if held <= less or pixels <= fewer:
        return None
    slope = (held - less) / (pixels - fewer)
    return Need(max(0.0, held - slope * pixels), slope)


def window(image: NDArray[Any], share: float) -> NDArray[Any]:
    """The middle of an image, with that share of its pixels."""
    height, width = (max(1, round(side * math.sqrt(share))) for side in image.shape[:2])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return np.ascontiguousarray(image[top : top + height, left : left + width])


class Needs:
    """What was measured in a run, by work and kind of scene, to be told again of other scenes.

    That memory grows with the number of pixels is taken for granted. Work that takes less from
    some size on (``fcn-x`` where it shrinks its view) can be refused a scene that it would manage
    once a smaller one ran out; running that scene alone tries it.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, Need | None] = {}
        self._ran_out: dict[Hashable, int] = {}  # fewest pixels that took too much

    def refusal(self, name: str, work: Hashable, setup: Setup, limits: Limits) -> str:
        """Why the work would be in vain; empty unless as few pixels ran out before.

        A measured line alone refuses nothing: work in tiles takes less than it says.

        Parameters
        ----------
        name : str
            What the work is called in a sentence.
        work : hashable
            What it is.
        setup, limits : Setup, Limits
            Where it would be done.
        """
        key = _key(work, setup)
        need, shape = self._known.get(key), setup.images.sources[0].shape
        if need is None or limits.memory is None or need.at(shape) < CERTAIN * limits.memory:
            return ""
        if shape[0] * shape[1] < self._ran_out.get(key, math.inf):
            return ""
        return f"not tried: {need.sentence(name, shape, limits.memory)}"

    def explained(
        self,
        reason: str,
        name: str,
        work: Hashable,
        setup: Setup,
        limits: Limits,
        request: Callable[[Child, float], Any],
    ) -> str:
        """The reason why work ran out of memory, with the size that would do.

        Parameters
        ----------
        reason : str
            What is known without a measurement.
        name, work, setup, limits
            See `refusal`.
        request : callable
            See `measure`.
        """
        height, width = shape = setup.images.sources[0].shape[:2]
        if limits.memory is None or height * width < FEWEST_PIXELS:
            return reason
        key = _key(work, setup)
        self._ran_out[key] = min(height * width, self._ran_out.get(key, height * width))
        if key not in self._known:
            self._known[key] = measure(setup, request, limits)
        need = self._known[key]
        if need is None or need.at(shape) < limits.memory:
            return reason
        return f"{need.sentence(name, shape, limits.memory)} ({reason})"


def _key(work: Hashable, setup: Setup) -> Hashable:
    """What a need depends on beside the number of pixels."""
    sources = setup.images.sources
    kinds = tuple((source.ndim, source.dtype.str) for source in sources)
    return work, kinds, setup.device, setup.threads, setup.precision


def _part_of(images: SceneImages, share: float) -> SceneImages:
    reference = images.reference
    return SceneImages(
        tuple(window(source, share) for source in images.sources),
        None if reference is None else window(reference, share),
    )
