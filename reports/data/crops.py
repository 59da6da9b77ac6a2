"""The part of a scene that a figure shows: as given, or where methods disagree the most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from reports.data.focus import Box, gray

cv2 = lazy.load("cv2")

#: Side of a square that is found, as a share of the shorter side of the image, and its least one.
SHARE, LEAST = 0.2, 48

#: Difference in gray levels from which more does not count: one glint must not decide.
MOST_LEVELS = 32.0

#: Outer share of the image that does not count: registration leaves edges there that are no focus.
RIM = 1 / 20


def parse_crop(text: str, height: int, width: int) -> Box | None:
    """The box of ``x,y,w,h`` in pixels; None for ``auto``.

    Raises
    ------
    UsageError
        It is neither, or the box is not within the image.

    Examples
    --------
    >>> from reports.data.crops import parse_crop
    >>> parse_crop("10,20,30,40", 100, 100)
    (10, 20, 40, 60)
    """
    if text == "auto":
        return None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 4 or not all(part.isdecimal() for part in parts):
        raise UsageError(f"--crop {text}: expected auto, or x,y,w,h in pixels")
    x, y, w, h = map(int, parts)
    if not w or not h or x + w > width or y + h > height:
        raise UsageError(f"--crop {text}: not within the image of {width}x{height} pixels")
    return x, y, x + w, y + h


def disputed_box(images: Sequence[NDArray[Any]]) -> Box:
    """The square in which fused images differ the most from one another.

    Parameters
    ----------
    images : sequence of ndarray
        Fused images of one scene, at least one.

    Returns
    -------
    tuple of int
        ``left, top, right, bottom``; right and bottom excluded.
    """
    low = high = gray(images[0])
    for image in images[1:]:
        low, high = np.minimum(low, gray(image)), np.maximum(high, gray(image))
    height, width = low.shape
    side = min(max(LEAST, round(SHARE * min(height, width))), height, width)
    spread = np.minimum(high - low, MOST_LEVELS).astype(np.float64)
    rim = int(RIM * min(height, width))
    if min(height, width) - 2 * rim >= side:
        frame = np.zeros_like(spread)
        frame[rim : height - rim, rim : width - rim] = 1
        spread *= frame
    integral = cv2.integral(spread)
    inside = integral[side:, side:] - integral[:-side, side:]
    score = inside - integral[side:, :-side] + integral[:-side, :-side]
    top, left = np.unravel_index(int(score.argmax()), score.shape)
    return int(left), int(top), int(left) + side, int(top) + side
