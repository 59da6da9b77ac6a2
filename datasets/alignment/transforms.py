"""Homographies between views: points, scales, the nearest similarity."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from datasets.alignment.motion import Motion

cv2 = lazy.load("cv2")

Array = NDArray[Any]

#: Points along a side at which two transforms are compared.
GRID_POINTS = 9
#: Low-pass of views before their correlation is computed, pixels: they differ in blur.
SIGMA_PX = 2.0


def grid(height: int, width: int) -> Array:
    """Points (N, 2) that are spread over an image, corners included, as (x, y)."""
    x, y = np.meshgrid(
        np.linspace(0, width - 1, GRID_POINTS), np.linspace(0, height - 1, GRID_POINTS)
    )
    return np.stack([x.ravel(), y.ravel()], axis=1)


def moved_points(transform: Array, points: Array) -> Array:
    """Where a homography takes points (N, 2)."""
    ends = np.c_[points, np.ones(len(points))] @ transform.T
    return np.asarray(ends[:, :2] / ends[:, 2:])


def distances(transform: Array, other: Array, height: int, width: int) -> Array:
    """Distances between where two homographies take the points of a `grid`, pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from datasets.alignment.transforms import distances
    >>> shift = np.array([[1, 0, 3], [0, 1, 4], [0, 0, 1.0]])
    >>> float(distances(shift, np.eye(3), 100, 200).max())
    5.0
    """
    points = grid(height, width)
    apart = moved_points(transform, points) - moved_points(other, points)
    return np.asarray(np.hypot(apart[:, 0], apart[:, 1]))


def displacement(transform: Array, height: int, width: int) -> float:
    """The largest distance by which a homography moves a point of the `grid`, pixels."""
    return float(distances(transform, np.eye(3), height, width).max())


def similarity_between(points: Array, ends: Array, weights: Array | None = None) -> Array:
    """The shift, rotation and scale (3, 3) that take points (N, 2) to their ends: least squares."""
    z, target = points[:, 0] + 1j * points[:, 1], ends[:, 0] + 1j * ends[:, 1]
    root = np.ones(len(z)) if weights is None else np.sqrt(weights)
    design = np.stack([np.ones_like(z), z], axis=1) * root[:, None]
    shift, factor = np.linalg.lstsq(design, target * root, rcond=None)[0]
    return np.array(
        [
            [factor.real, -factor.imag, shift.real],
            [factor.imag, factor.real, shift.imag],
            [0, 0, 1],
        ]
    )


def of_motion(motion: Motion, height: int, width: int) -> Array:
    """A motion, which counts from the centre of an image, as a homography (3, 3)."""
    a, b = motion.factor.real, motion.factor.imag
    x, y = (width - 1) / 2, (height - 1) / 2
    return np.array(
        [
            [a, -b, motion.shift.real + x - a * x + b * y],
            [b, a, motion.shift.imag + y - b * x - a * y],
            [0, 0, 1],
        ]
    )


def nearest_similarity(transform: Array, height: int, width: int) -> Array:
    """The similarity that is nearest to a homography at the points of the `grid`."""
    points = grid(height, width)
    return similarity_between(points, moved_points(transform, points))


def at_scale(transform: Array, factor: float) -> Array:
    """A homography between views as one between images with `factor` pixels for one of theirs.

    The centre of the first pixel of a view lies at ``(factor - 1) / 2`` of the image.
    """
    half = (factor - 1) / 2
    up = np.array([[factor, 0, half], [0, factor, half], [0, 0, 1]])
    result = up @ transform @ np.linalg.inv(up)
    return np.asarray(result / result[2, 2])


def resample(image: Array, transform: Array, interpolation: int | None = None) -> Array:
    """The image whose pixel at a point is that of `image` where `transform` takes the point.

    Parameters
    ----------
    image : ndarray
        ``uint8``, ``uint16`` or ``float32``, (H, W) or (H, W, 3).
    transform : ndarray
        (3, 3).
    interpolation : int, optional
        OpenCV's; Lanczos unless given: of the references of ``synthetic-lens`` moved to and
        fro it keeps 2.7 to 3.7 dB more than cubic interpolation.

    Returns
    -------
    ndarray
        Of the same type and size. What lies outside of the image is mirrored at its border.
    """
    height, width = image.shape[:2]
    chosen = cv2.INTER_LANCZOS4 if interpolation is None else interpolation
    moved = cv2.warpPerspective(
        image,
        transform,
        (width, height),
        flags=chosen | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    if moved.dtype == np.float32:  # whole levels are clipped by OpenCV
        np.clip(moved, 0, 1, out=moved)
    return np.asarray(moved)


def covered(transform: Array, height: int, width: int) -> Array:
    """``bool`` (H, W): the pixels that `resample` takes from within an image of this size."""
    inside = cv2.warpPerspective(
        np.ones((height, width), np.uint8),
        transform,
        (width, height),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    return np.asarray(inside, bool)


def unexplained(fixed: Array, moving: Array, transform: Array) -> float:
    """Share of the variance that two low-passed views do not have in common, once aligned.

    Parameters
    ----------
    fixed, moving : ndarray
        float32 (H, W).
    transform : ndarray
        (3, 3), takes points of `fixed` to those of `moving`.

    Returns
    -------
    float
        One minus the squared correlation where both have pixels; 1 where nothing correlates.
    """
    one, two = (cv2.GaussianBlur(view, (0, 0), SIGMA_PX) for view in (fixed, moving))
    inside = covered(transform, *fixed.shape)
    if np.count_nonzero(inside) < 2:
        return 1.0
    moved = resample(two, transform, cv2.INTER_LINEAR)
    coefficient = cv2.computeECC(one, moved, inside.astype(np.uint8))
    return max(float(1 - coefficient**2), 1e-9) if coefficient > 0 else 1.0
