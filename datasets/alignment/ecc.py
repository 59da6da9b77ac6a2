"""Alignment by the enhanced correlation coefficient, from coarse to fine."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from datasets.alignment._base import NotAligned, alignment
from datasets.alignment.transforms import at_scale, nearest_similarity, unexplained

cv2 = lazy.load("cv2")

Array = NDArray[Any]

#: Reductions of the views, from coarse to fine.
REDUCTIONS = (16, 8, 4, 2, 1)
#: A reduced view has at least this many pixels along a side.
LEAST_SIDE_PX = 24
#: Side of the Gaussian that low-passes a view: blurred as both are, defocus differs less.
BLUR_PX = 5
#: Iterations at a reduction, and the change of the coefficient that ends them.
ITERATIONS, LEAST_CHANGE = 15, 1e-6
#: The model is chosen in a view whose longer side is between half of this and this. In larger ones
#: few iterations are enough, since that view was aligned.
MODEL_SIDE_PX, LAST_ITERATIONS = 768, 3
#: Share of what a model leaves unexplained that one with more parameters must explain to be taken.
#: It explains 1 % where the truth is a similarity, and up to 11 % where two photos that are aligned
#: differ much in blur.
LEAST_GAIN = 0.1


@alignment(
    "ecc",
    title="Enhanced correlation coefficient, coarse to fine",
    citation="Evangelidis and Psarakis (2008), doi:10.1109/TPAMI.2008.113",
)
def ecc(fixed: Array, moving: Array) -> Array:
    """Maximise the correlation of two views: a similarity, or more where more explains much.

    At each reduction of the views an affine transform is found, and the similarity nearest to it
    is where the next one starts: defocus makes transforms of more parameters drift. (For the same
    reason `cv2.findTransformECCMultiScale`, which keeps all parameters, ends up to several pixels
    off.) At last the affine transform, then a homography, takes its place if it explains a share
    of what the correlation leaves unexplained.

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
        The iterations do not converge at any reduction.

    Examples
    --------
    >>> import numpy as np
    >>> from datasets.alignment.ecc import ecc
    >>> from skimage import data
    >>> photo = data.camera().astype(np.float32) / 255
    >>> ecc(photo[8:, 8:], photo[5:-3, 6:-2])[:2, 2].round(1).tolist()
    [2.0, 3.0]
    """
    found = None
    model = "SIMILARITY"
    for reduction in REDUCTIONS:
        if min(fixed.shape) < LEAST_SIDE_PX * reduction:
            continue
        small = [_reduced(view, reduction) for view in (fixed, moving)]
        start = None if found is None else at_scale(found, 1 / reduction)
        better = _maximised(small[0], small[1], start, model)
        if better is None:
            continue
        large = max(fixed.shape) > reduction * MODEL_SIDE_PX / 2
        if model == "SIMILARITY" and (large or reduction == 1):
            better, model = _simplest(small[0], small[1], better)
        found = at_scale(better, reduction)
    if found is None:
        raise NotAligned("their correlation has no maximum")
    return found


def _reduced(view: Array, reduction: int) -> Array:
    height, width = (side // reduction for side in view.shape)
    whole = view[: height * reduction, : width * reduction]
    return cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)


def _maximised(fixed: Array, moving: Array, start: Array | None, model: str) -> Array | None:
    """The transform of a model at which the coefficient is largest; None if there is none near."""
    if start is None:
        start = _iterated(fixed, moving, np.eye(3), "TRANSLATION")
        start = np.eye(3) if start is None else start
    if model != "SIMILARITY":
        return _iterated(fixed, moving, start, model)
    found = _iterated(fixed, moving, start, "AFFINE")
    return None if found is None else nearest_similarity(found, *fixed.shape)


def _iterated(fixed: Array, moving: Array, start: Array, model: str) -> Array | None:
    """What OpenCV's iterations end at; None if they diverge."""
    rows = 3 if model == "HOMOGRAPHY" else 2
    large = max(fixed.shape) > MODEL_SIDE_PX
    steps = LAST_ITERATIONS if large else ITERATIONS
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, steps, LEAST_CHANGE)
    try:
        _, found = cv2.findTransformECC(
            fixed,
            moving,
            start[:rows].astype(np.float32),
            getattr(cv2, f"MOTION_{model}"),
            criteria,
            np.full(fixed.shape, 255, np.uint8),
            BLUR_PX,
        )
    except cv2.error:  # the iterations diverged, or an image is flat where they overlap
        return None
    whole = np.vstack([found, [0, 0, 1]]) if rows == 2 else found
    return whole.astype(np.float64) if np.isfinite(whole).all() else None


def _simplest(fixed: Array, moving: Array, similarity: Array) -> tuple[Array, str]:
    """The similarity, unless a model with more parameters explains more by a share that counts."""
    best, chosen = similarity, "SIMILARITY"
    before = unexplained(fixed, moving, similarity)
    for model in ("AFFINE", "HOMOGRAPHY"):
        larger = _iterated(fixed, moving, best, model)
        if larger is None:
            continue
        after = unexplained(fixed, moving, larger)
        if after < (1 - LEAST_GAIN) * before:
            best, chosen, before = larger, model, after
    return best, chosen
