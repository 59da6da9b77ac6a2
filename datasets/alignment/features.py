"""Alignment by the matches of local features."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from datasets.alignment._base import NotAligned, alignment
from datasets.alignment.transforms import moved_points, similarity_between

cv2 = lazy.load("cv2")

Array = NDArray[Any]

#: Low-pass of the views, pixels: what is sharp in one of them only has no match in the other.
BLUR_SIGMA_PX = 2.0
#: Most features of a view, and the least contrast of one; the default of OpenCV, 0.04, finds few
#: in blurred parts.
MOST_FEATURES, LEAST_CONTRAST = 4000, 0.003
#: The nearest descriptor is a match if it is nearer than this share of the second nearest.
NEAREST_SHARE = 0.8
#: Distance within which a match agrees with the first estimate, pixels.
AGREES_PX = 2.5
#: Fewer agreeing matches than these are chance.
LEAST_MATCHES = 12
#: Error of a feature's place, share of its size, and steps in which the weights settle.
PLACE_ERROR, STEPS = 0.1, 15


@alignment(
    "features",
    title="SIFT features and a robust similarity",
    citation="Lowe (2004), doi:10.1023/B:VISI.0000029664.99615.94",
)
def features(fixed: Array, moving: Array) -> Array:
    """The similarity that most matches agree with, each weighted by how exact its place is.

    The place of a feature is as uncertain as it is large. RANSAC finds the matches that agree; then
    a least-squares fit is repeated with the weights of Geman and McClure, of deviations in shares
    of the features' sizes.

    Parameters
    ----------
    fixed, moving : ndarray
        float32 (H, W) in [0, 1].

    Returns
    -------
    ndarray
        (3, 3); see `datasets.alignment.alignment`.

    Raises
    ------
    NotAligned
        Too few matches agree.

    Examples
    --------
    >>> import numpy as np
    >>> from datasets.alignment.features import features
    >>> from skimage import data
    >>> photo = data.camera().astype(np.float32) / 255
    >>> features(photo[8:, 8:], photo[5:-3, 6:-2])[:2, 2].round(1).tolist()
    [2.0, 3.0]
    """
    points, ends, sizes = _matches(_detected(fixed), _detected(moving))
    if len(points) < LEAST_MATCHES:
        raise NotAligned(f"{len(points)} features match; {LEAST_MATCHES} are needed")
    found, agree = cv2.estimateAffinePartial2D(points, ends, ransacReprojThreshold=AGREES_PX)
    agreeing = 0 if found is None else int(agree.sum())
    if agreeing < LEAST_MATCHES:
        raise NotAligned(f"{agreeing} matches of features agree; {LEAST_MATCHES} are needed")
    transform = np.vstack([found, [0, 0, 1]])
    for _ in range(STEPS):
        apart = moved_points(transform, points) - ends
        deviation = np.hypot(apart[:, 0], apart[:, 1]) / (PLACE_ERROR * sizes)
        transform = similarity_between(points, ends, ((1 + deviation**2) * sizes) ** -2)
    return transform


def _detected(view: Array) -> tuple[Any, Array | None]:
    """Key points and descriptors of a view."""
    low, high = float(view.min()), float(view.max())
    levels = np.round((view - low) * (255 / max(high - low, 1e-6))).astype(np.uint8)
    levels = cv2.GaussianBlur(levels, (0, 0), BLUR_SIGMA_PX)
    sift = cv2.SIFT_create(
        MOST_FEATURES, contrastThreshold=LEAST_CONTRAST, enable_precise_upscale=True
    )
    points, descriptors = sift.detectAndCompute(levels, None)
    return points, descriptors


def _matches(
    one: tuple[Any, Array | None], two: tuple[Any, Array | None]
) -> tuple[Array, Array, Array]:
    """Places in both views (N, 2) and the larger size of each match (N,)."""
    (points, first), (ends, second) = one, two
    if first is None or second is None:
        return np.empty((0, 2)), np.empty((0, 2)), np.empty(0)
    nearest = cv2.BFMatcher(cv2.NORM_L2).knnMatch(first, second, 2)
    kept = [
        pair[0]
        for pair in nearest
        if len(pair) == 2 and pair[0].distance < NEAREST_SHARE * pair[1].distance
    ]
    a = [points[match.queryIdx] for match in kept]
    b = [ends[match.trainIdx] for match in kept]
    return (
        np.array([point.pt for point in a]).reshape(-1, 2),
        np.array([point.pt for point in b]).reshape(-1, 2),
        np.array([max(p.size, q.size) for p, q in zip(a, b, strict=True)]),
    )
