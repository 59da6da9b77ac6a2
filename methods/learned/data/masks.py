"""Object masks for training pairs: segments that people drew where a photo has them, else shapes.

Every mask is a function of its generator alone, so that a pool can be made again. Other code
draws the masks of the test pairs (`datasets.masks`), so a network gains nothing there from having
learned how these are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

cv2 = lazy.load("cv2")

Mask = NDArray[np.bool_]

#: Share of the picture an object may cover.
AREA = (0.03, 0.65)

#: Size of hills in pixels, from which organic outlines are cut.
HILLS = (12.0, 50.0)

#: The same for what stands at one depth: real depth changes in large regions.
LANDSCAPE = (40.0, 140.0)


def draw_mask(
    rng: np.random.Generator,
    shape: tuple[int, int],
    segmentations: Sequence[NDArray[np.integer]] = (),
    *,
    hills: tuple[float, float] = HILLS,
) -> Mask:
    """One to three segments of a person's segmentation, or a random shape of the same size.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws everything.
    shape : (int, int)
        Height and width.
    segmentations : sequence of ndarray
        Label images of `shape`; without any, and now and then with them, a shape is drawn.
    hills : (float, float)
        See `terrain`.

    Returns
    -------
    ndarray of bool
        Covers a share within `AREA`, as far as ten attempts find one.
    """
    mask = np.zeros(shape, dtype=np.bool_)
    for _ in range(10):
        if segmentations and rng.random() < 0.75:
            mask = _segments(rng, segmentations[int(rng.integers(len(segmentations)))])
        else:
            mask = _blob(rng, shape, hills) if rng.random() < 0.6 else _polygon(rng, shape)
        if AREA[0] <= mask.mean() <= AREA[1]:
            break
    return mask


def _segments(rng: np.random.Generator, labels: NDArray[np.integer]) -> Mask:
    values, counts = np.unique(labels, return_counts=True)
    large = values[counts >= 0.01 * labels.size]
    chosen = rng.choice(large, size=min(len(large), int(rng.integers(1, 4))), replace=False)
    return np.isin(labels, chosen)


def _blob(rng: np.random.Generator, shape: tuple[int, int], hills: tuple[float, float]) -> Mask:
    """Terrain above a level: organic outlines, sometimes several islands."""
    land = terrain(rng, shape, hills)
    return land > np.quantile(land, 1 - rng.uniform(0.1, 0.6))


def terrain(
    rng: np.random.Generator, shape: tuple[int, int], hills: tuple[float, float] = HILLS
) -> NDArray[np.float32]:
    """Smooth random hills of a size within `hills`, float32 of variance about 1."""
    size = float(rng.uniform(*hills))
    coarse = [max(2, round(n / size * 1.5)) for n in shape]
    land = rng.standard_normal(coarse).astype(np.float32)
    return cv2.resize(land, shape[::-1], interpolation=cv2.INTER_CUBIC)


def _polygon(rng: np.random.Generator, shape: tuple[int, int]) -> Mask:
    """A star-shaped polygon: straight edges and corners."""
    height, width = shape
    count = int(rng.integers(3, 12))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    radii = rng.uniform(0.15, 0.6, count) * min(shape)
    centre = rng.uniform(0.2, 0.8, 2) * (width, height)
    points = centre + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [points.round().astype(np.int32)], 1)
    return mask.astype(np.bool_)


def thin_mask(rng: np.random.Generator, shape: tuple[int, int]) -> Mask:
    """Wires, twigs and hair: 2 to 20 curved lines of 1 to 6 pixels in width."""
    height, width = shape
    mask = np.zeros(shape, np.uint8)
    bundled = rng.random() < 0.5
    start = rng.uniform(0, 1, 2) * (width, height)
    for _ in range(int(rng.integers(2, 21))):
        if not bundled:  # else all leave from one point
            start = rng.uniform(0, 1, 2) * (width, height)
        angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.12, 16))
        steps = (
            rng.uniform(0.2, 1.2) * max(shape) / 16 * np.stack([np.cos(angle), np.sin(angle)], 1)
        )
        points = (start + np.cumsum(steps, axis=0)).round().astype(np.int32)
        cv2.polylines(mask, [points], False, 1, thickness=int(rng.integers(1, 7)))
    return mask.astype(np.bool_)


def boundary_points(owner: NDArray[np.uint8], rng: np.random.Generator, count: int) -> NDArray:
    """`count` pixels (y, x), int16, where `owner` changes; anywhere if it nowhere does."""
    edge = np.zeros(owner.shape, dtype=np.bool_)
    edge[1:] |= owner[1:] != owner[:-1]
    edge[:, 1:] |= owner[:, 1:] != owner[:, :-1]
    points = np.argwhere(edge)
    if len(points) == 0:
        points = np.argwhere(np.ones(owner.shape, dtype=np.bool_))
    return points[rng.integers(len(points), size=count)].astype(np.int16)
