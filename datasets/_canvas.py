"""A small painter for pictures made by code: shapes with anti-aliased edges, surfaces, print.

Coordinates are pixels of the finished picture; everything is painted `SCALE` times finer and
averaged at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

cv2 = lazy.load("cv2")

Plane = NDArray[np.floating[Any]]
Distance = Callable[[Plane, Plane], Plane]

#: Samples per pixel and direction.
SCALE = 3


class Region(NamedTuple):
    """A shape on a canvas: the window around it, coordinates there, and its coverage."""

    window: tuple[slice, slice]
    x: Plane
    y: Plane
    cover: Plane


class Canvas:
    """A gray picture with coverage, painted from back to front."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._light = np.zeros((size * SCALE, size * SCALE), np.float32)
        self.alpha = np.zeros_like(self._light)

    def shape(self, box: tuple[float, float, float, float], distance: Distance) -> Region:
        """The points of a box (left, top, right, bottom) where a signed distance is negative."""
        left, top, right, bottom = (round(edge * SCALE) for edge in box)
        rows = slice(max(top, 0), min(bottom, len(self.alpha)))
        columns = slice(max(left, 0), min(right, len(self.alpha)))
        y = (np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + 0.5) / SCALE
        x = (np.arange(columns.start, columns.stop, dtype=np.float32)[None, :] + 0.5) / SCALE
        cover = np.clip(0.5 - distance(x, y) * SCALE, 0, 1).astype(np.float32)
        return Region((rows, columns), x, y, cover)

    def box(
        self, left: float, top: float, right: float, bottom: float, corner: float = 0
    ) -> Region:
        """A rectangle, with rounded corners if `corner` is given."""
        cx, cy = (left + right) / 2, (top + bottom) / 2
        half_width, half_height = (right - left) / 2 - corner, (bottom - top) / 2 - corner

        def distance(x: Plane, y: Plane) -> Plane:
            dx, dy = np.abs(x - cx) - half_width, np.abs(y - cy) - half_height
            outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
            return outside + np.minimum(np.maximum(dx, dy), 0) - corner

        return self.shape((left - 1, top - 1, right + 1, bottom + 1), distance)

    def disk(self, cx: float, cy: float, rx: float, ry: float | None = None) -> Region:
        """A disk, or an ellipse with half-axes along the picture's."""
        ry = rx if ry is None else ry
        return self.shape(
            (cx - rx - 1, cy - ry - 1, cx + rx + 1, cy + ry + 1),
            lambda x, y: (np.hypot((x - cx) / rx, (y - cy) / ry) - 1) * min(rx, ry),
        )

    def stroke(
        self, start: tuple[float, float], end: tuple[float, float], width: float, tip: float = -1
    ) -> Region:
        """A line with round ends, which narrows to width `tip` if that is given."""
        (x0, y0), (x1, y1) = start, end
        length2 = max((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-9)
        taper = 0 if tip < 0 else tip - width
        reach = max(width, tip) / 2 + 1
        edges = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))

        def distance(x: Plane, y: Plane) -> Plane:
            along = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length2, 0, 1)
            away = np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0))
            return away - (width + taper * along) / 2

        left, top, right, bottom = edges
        return self.shape((left - reach, top - reach, right + reach, bottom + reach), distance)

    def paint(self, region: Region, value: float | Plane, opacity: float | Plane = 1) -> None:
        """Lay a gray value, or one per point of the region, over what is there."""
        cover = region.cover * np.asarray(opacity, np.float32)
        self._light[region.window] *= 1 - cover
        self._light[region.window] += cover * value
        self.alpha[region.window] += cover * (1 - self.alpha[region.window])

    def shadow(self, region: Region, strength: float, blur: float) -> None:
        """Darken what is there by the soft shadow of a shape."""
        reach = round(3 * blur * SCALE)
        spans = [(span.start, span.stop) for span in region.window]
        limit = len(self.alpha)
        window = tuple(slice(max(a - reach, 0), min(b + reach, limit)) for a, b in spans)
        margins = [
            (a - wide.start, wide.stop - b) for (a, b), wide in zip(spans, window, strict=True)
        ]
        cast = cv2.GaussianBlur(np.pad(region.cover, margins), (0, 0), blur * SCALE)
        self._light[window] *= 1 - strength * cast

    def write(
        self,
        text: str,
        x: float,
        y: float,
        height: float,
        value: float,
        *,
        angle: float = 0,
        opacity: float = 1,
        left: bool = False,
        squeeze: Callable[[Plane], Plane] | None = None,
    ) -> None:
        """Print a line centred on a point, turned by `angle` degrees counter-clockwise.

        With `left`, the point is where the line begins, half-way up. `squeeze` maps x of the
        canvas to x of the flat print, to lay it round a cylinder.
        """
        ink = print_line(text, height * SCALE, angle, whole=left)
        rows, columns = ink.shape
        if squeeze is not None:
            at = (np.arange(columns, dtype=np.float32) - columns / 2) / SCALE + x
            source = ((squeeze(at) - x) * SCALE + columns / 2).astype(np.float32)
            down = np.arange(rows, dtype=np.float32)[:, None]
            grid = np.broadcast_arrays(source[None, :], down)
            ink = cv2.remap(ink, *(np.ascontiguousarray(g) for g in grid), cv2.INTER_LINEAR)
        first, top = round(x * SCALE - (0 if left else columns / 2)), round(y * SCALE - rows / 2)
        limit = len(self.alpha)
        r0, r1 = max(top, 0), min(top + rows, limit)
        c0, c1 = max(first, 0), min(first + columns, limit)
        if r0 >= r1 or c0 >= c1:
            return
        cover = ink[r0 - top : r1 - top, c0 - first : c1 - first]
        window = (slice(r0, r1), slice(c0, c1))
        self.paint(Region(window, cover, cover, cover), value, opacity)

    def light(self, gain: Plane) -> None:
        """Multiply everything by a smooth field of `size` x `size` values."""
        side = len(self.alpha)
        self._light *= cv2.resize(gain, (side, side), interpolation=cv2.INTER_LINEAR)

    def finish(self) -> tuple[Plane, Plane]:
        """Colour and coverage at the size of the finished picture, float32 in [0, 1]."""
        target = (self.size, self.size)
        light = cv2.resize(self._light, target, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(self.alpha, target, interpolation=cv2.INTER_AREA)
        colour = np.where(alpha > 1e-3, light / np.maximum(alpha, 1e-3), 0)
        return np.clip(colour, 0, 1), np.clip(alpha, 0, 1)


def print_line(text: str, height: float, angle: float = 0, *, whole: bool = False) -> Plane:
    """Coverage of one printed line of type size `height`, cut to its letters.

    With `whole`, as tall as every line of that size, so that lines keep their distance.
    """
    from PIL import Image, ImageDraw, ImageFont

    font: Any = ImageFont.load_default(size=height)
    left, top, right, bottom = (int(edge) for edge in font.getbbox(text))
    if whole:
        top, bottom = 0, sum(font.getmetrics())
    sheet = Image.new("L", (right - left + 4, bottom - top + 4), 0)
    ImageDraw.Draw(sheet).text((2 - left, 2 - top), text, font=font, fill=255)
    if angle:
        sheet = sheet.rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    return np.asarray(sheet, dtype=np.float32) / 255


def clouds(
    rng: np.random.Generator, shape: tuple[int, int], cell: tuple[float, float], octaves: int = 4
) -> Plane:
    """Fractal noise of mean 0 and deviation 1 with features of `cell` = (height, width) samples.

    Octaves halve in size and in strength.
    """
    height, width = shape
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        rows = max(2, int(np.ceil(height * 2**octave / cell[0])) + 1)
        columns = max(2, int(np.ceil(width * 2**octave / cell[1])) + 1)
        rows, columns = min(rows, height), min(columns, width)
        noise = rng.standard_normal((rows, columns), dtype=np.float32)
        total += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC) * 0.5**octave
    return (total - total.mean()) / max(float(total.std()), 1e-6)


def wood(rng: np.random.Generator, shape: tuple[int, int], *, upright: bool = False) -> Plane:
    """Reflectance of planed wood around 1: growth rings, fibres and pores along the grain."""
    if upright:
        return np.ascontiguousarray(wood(rng, shape[::-1]).T)
    height, width = shape
    bend = clouds(rng, shape, (height / 1.5, width / 2), 2)
    across = np.linspace(0, height / SCALE / 7, height, dtype=np.float32)[:, None]
    rings = np.sin(2 * np.pi * (across + 0.6 * bend))
    fibre = clouds(rng, shape, (2.5, 90), 2)
    pores = np.minimum(clouds(rng, shape, (3, 30), 1) + 1.6, 0)
    return (1 + 0.07 * rings + 0.05 * fibre + 0.12 * pores).astype(np.float32)
