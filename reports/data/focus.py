"""Decision map of a fused image, and a square at a focus boundary, which reports show beside it.

Reports use both; no score depends on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.pixels import to_gray255

cv2 = lazy.load("cv2")

#: In a decision map: the sources are alike here, or the fused pixel is equally far from them.
UNDECIDED = 255

#: Gray levels by which one source must be closer to count.
MARGIN = 0.5

#: Side of the window over which distances are averaged, in pixels.
WINDOW = 5

Box = tuple[int, int, int, int]


def decision_map(sources: Sequence[NDArray[Any]], fused: NDArray[Any]) -> NDArray[np.uint8]:
    r"""Which source each pixel of a fused image is closest to.

    :math:`\arg\min_k \overline{|F - S_k|}` of luminance on 0..255, the bar being a mean over
    5 by 5 pixels. Shown for every method, also for one that makes no decision.

    Parameters
    ----------
    sources : sequence of ndarray
        The scene's N sources.
    fused : ndarray
        The fused image, of the size of the sources.

    Returns
    -------
    ndarray
        ``uint8`` (H, W): index of the source, or `UNDECIDED` where sources are within half a gray
        level of the closest that are not neighbours in the stack: farther from each other than a
        quarter of it. Of two or three sources none are neighbours.

    Examples
    --------
    >>> import numpy as np
    >>> from reports.data.focus import decision_map
    >>> a, b = np.zeros((8, 8), np.uint8), np.full((8, 8), 200, np.uint8)
    >>> int(decision_map([a, b], b)[4, 4]), int(decision_map([a, a], b)[4, 4])
    (1, 255)
    """
    return nearest_source([gray(source) for source in sources], gray(fused))


def source_name(number: int) -> str:
    """What a report calls a source, counted from 0.

    Examples
    --------
    >>> from reports.data.focus import source_name
    >>> [source_name(number) for number in (0, 1, 25, 26)]
    ['Source A', 'Source B', 'Source Z', 'Source 27']
    """
    return f"Source {chr(65 + number) if number < 26 else number + 1}"


def gray(image: NDArray[Any]) -> NDArray[np.float32]:
    """Luminance on 0..255, in the precision that a picture needs."""
    return to_gray255(image).astype(np.float32)


def nearest_source(
    grays: Sequence[NDArray[np.float32]], fused: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """`decision_map` of what `gray` gives; for many fused images of one scene."""
    nearest = np.zeros(fused.shape, np.uint8)
    closest = np.full(fused.shape, np.inf, np.float32)
    for k, source in enumerate(grays):
        distance = _distance(source, fused)
        nearest[distance < closest] = k
        np.minimum(closest, distance, out=closest)
    first, last = nearest.copy(), nearest.copy()
    for k, source in enumerate(grays):
        alike = _distance(source, fused) - closest < MARGIN
        first[alike] = np.minimum(first[alike], k)
        last[alike] = k  # in order, so never less than before
    nearest[last - first > (len(grays) - 1) / 4] = UNDECIDED
    return nearest


def _distance(source: NDArray[np.float32], fused: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.blur(abs(fused - source), (WINDOW, WINDOW)))


def boundary_box(sources: Sequence[NDArray[Any]], side: int) -> Box:
    """The square in which most detail changes from one source's focus to another's.

    A source is ahead where its smoothed Laplacian energy is above that of all others; the
    square is the one in which the source that is second in the sum of its lead has most. The
    outer twentieth does not count: registration leaves edges there that are no focus.

    Parameters
    ----------
    sources : sequence of ndarray
        The scene's sources.
    side : int
        Side of the square, in pixels; at most that of the image.

    Returns
    -------
    tuple of int
        ``left, top, right, bottom``; right and bottom excluded.
    """
    height, width = sources[0].shape[:2]
    side = max(1, min(side, height, width))
    frame = np.zeros((height, width))
    rim = min(height, width) // 20
    frame[rim : height - rim, rim : width - rim] = 1
    energy = np.stack([_detail(to_gray255(source)) for source in sources])
    leads = []
    for k in range(len(sources)):
        lead = frame * np.clip(energy[k] - np.delete(energy, k, axis=0).max(axis=0), 0, None)
        integral = cv2.integral(lead)
        inside = integral[side:, side:] - integral[:-side, side:]
        leads.append(inside - integral[side:, :-side] + integral[:-side, :-side])
    score = np.sort(np.stack(leads), axis=0)[-2]
    top, left = np.unravel_index(int(score.argmax()), score.shape)
    return int(left), int(top), int(left) + side, int(top) + side


def _detail(gray: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root of the smoothed Laplacian energy: a root, so that one glint does not decide."""
    energy = cv2.GaussianBlur(cv2.Laplacian(gray, cv2.CV_64F) ** 2, (0, 0), 3)
    return np.asarray(np.sqrt(np.clip(energy, 0, None)))
