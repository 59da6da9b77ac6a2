"""Aligns the images of a scene to the first one: estimate, judge, resample.

Each image is compared with the one before it, since neighbours of a stack are sharp in nearly the
same places; what an alignment method finds is chained. Small steps, such as of a lens that breathes
over many images, are believed together; where nothing is believed, the scene stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.core.errors import ContractViolation, ImageError, UsageError
from bench.core.pixels import as_image, same_size
from datasets.alignment._base import ALIGNMENTS, NONE, Alignment, Array, NotAligned, check_alignment
from datasets.alignment.judge import Verdict, judged
from datasets.alignment.tiles import LEAST_TEXTURE, small_view
from datasets.alignment.transforms import (
    at_scale,
    covered,
    displacement,
    resample,
)

#: Longest side of the views that are compared, pixels: half of a photo of 12 megapixels.
VIEW_SIDE_PX = 2048
#: Views with a shorter side are too small to tell.
LEAST_SIDE_PX = 24
#: A step that moves a corner by more than this share of the shorter side is not one of a hand.
MOST_MOVED = 0.25
#: A step that is not believed by itself may be a part of a slow motion if it moves no corner by
#: more than this, pixels of the view.
SMALL_STEP_PX = 1.0
#: A scene in which nothing moves by more than this is aligned as it is, pixels of the images.
LEAST_MOVED_PX = 0.25
#: Largest median distance between the tiles of two aligned views, pixels: of pairs of different
#: photos no transform comes near to it.
MOST_LEFT_PX = 3.0


@dataclass(frozen=True)
class Step:
    """How one image lies against the one before it, in pixels of the images.

    Attributes
    ----------
    transform : ndarray
        (3, 3): takes points of the image before it to points of this one. The unit matrix if
        the two count as aligned.
    left : float
        Median distance between their tiles once aligned.
    """

    transform: Array
    left: float


@dataclass(frozen=True)
class AlignedImages:
    """Images that lie as the first one does.

    Attributes
    ----------
    images : tuple of ndarray
        Of the sizes and types that were given. The first one is unchanged; what lies outside of
        another is mirrored at its border.
    transforms : tuple of ndarray
        (3, 3) for each image: takes points (x, y) of the first one to its points.
    moved : tuple of float
        By how much each image was displaced, at the point of the frame where that is most, pixels.
    left : float
        The largest median distance between the parts of two neighbours, pixels.
    outside : float
        Largest share of an image's pixels that is mirrored.
    common : tuple of slice
        Rows and columns of a rectangle that all images cover.
    """

    images: tuple[Array, ...]
    transforms: tuple[Array, ...]
    moved: tuple[float, ...]
    left: float
    outside: float
    common: tuple[slice, slice]

    def cropped(self) -> tuple[Array, ...]:
        """The images without what is not covered by all of them."""
        return tuple(image[self.common] for image in self.images)


def align(images: Sequence[Array], method: str = "ecc") -> AlignedImages:
    """Align the images of a scene to the first one.

    Parameters
    ----------
    images : sequence of ndarray
        Two or more of one size, (H, W) or (H, W, 3), in the order of a stack; ``uint8``,
        ``uint16`` or floating-point in [0, 1].
    method : str
        Name of an alignment method.

    Returns
    -------
    AlignedImages
        Of the types that were given; floats as ``float32``.

    Raises
    ------
    NotAligned
        An image cannot be aligned with the one before it: too little texture, or too much that
        does not fit. Nothing is resampled then.
    ImageError
        An image has another size or type, or there is one only.
    UnknownName, UsageError
        There is no such method, or it is ``none``.

    Examples
    --------
    >>> import numpy as np
    >>> from datasets.alignment import align
    >>> from skimage import data
    >>> photo = data.camera()
    >>> aligned = align([photo[8:, 8:], photo[5:-3, 6:-2]])
    >>> aligned.transforms[1][:2, 2].round(1).tolist(), aligned.cropped()[1].shape
    ([2.0, 3.0], (501, 502))
    """
    method = check_alignment(method)
    if method == NONE:
        raise UsageError(f"align {NONE!r}: must be one of {', '.join(ALIGNMENTS.names())}")
    if len(images) < 2:
        raise ImageError(f"{len(images)} image; there is nothing to align it to")
    images = [as_image(image) for image in images]
    same_size(images, [f"image {k + 1}" for k in range(len(images))])
    height, width = images[0].shape[:2]
    steps = find_steps(images, method)
    transforms = chained(steps)
    inside = np.ones((height, width), bool)
    aligned, outside = [images[0]], 0.0
    for image, transform in zip(images[1:], transforms[1:], strict=True):
        if np.array_equal(transform, np.eye(3)):
            aligned.append(image)
            continue
        aligned.append(resample(image, transform))
        own = covered(transform, height, width)
        outside = max(outside, float(1 - own.mean()))
        inside &= own
    return AlignedImages(
        images=tuple(aligned),
        transforms=transforms,
        moved=tuple(displacement(transform, height, width) for transform in transforms),
        left=max(step.left for step in steps),
        outside=outside,
        common=common_rectangle(inside),
    )


def find_steps(images: Iterable[Array], method: str = "ecc") -> list[Step]:
    """How each image lies against the one before it; one view of them is in memory at a time.

    Parameters
    ----------
    images, method
        See `align`; may be a generator that reads the images.

    Raises
    ------
    NotAligned
        As in `align`.
    """
    factor = 1
    first, before, found = np.empty((0, 0)), np.empty((0, 0)), list[_Found]()
    for number, image in enumerate(images, 1):
        view, factor = small_view(image, VIEW_SIDE_PX)
        if number == 1:
            first = view
        else:
            try:
                found.append(_found(ALIGNMENTS[method], before, view))
            except NotAligned as error:
                raise _of(number, error) from error
        before = view
    used = _used(found, first, before, factor)
    for number, one in enumerate(found, 2):
        left = one.verdict.after if used else one.verdict.before
        if np.isinf(left):
            raise _of(number, "most parts of one have no counterpart in the other")
        if left > MOST_LEFT_PX:
            raise _of(number, f"their parts would still lie {left:.1f} px of the view apart")
    if not used:
        return [Step(np.eye(3), one.verdict.before * factor) for one in found]
    return [Step(at_scale(one.transform, factor), one.verdict.after * factor) for one in found]


def chained(steps: Sequence[Step]) -> tuple[Array, ...]:
    """For each image, the transform of points of the first image to its points."""
    transforms = [np.eye(3)]
    for step in steps:
        whole = step.transform @ transforms[-1]
        transforms.append(whole / whole[2, 2])
    return tuple(transforms)


@dataclass(frozen=True)
class _Found:
    """What was found between two views, in their pixels, and what it achieves."""

    transform: Array
    verdict: Verdict


def _of(number: int, why: object) -> NotAligned:
    return NotAligned(f"source {number} cannot be aligned with source {number - 1}: {why}")


def _found(method: Alignment, fixed: Array, moving: Array) -> _Found:
    """The transform between two views; a large one only if it is believed."""
    height, width = fixed.shape
    if min(height, width) < LEAST_SIDE_PX:
        raise NotAligned(f"{width}x{height} pixels are too few")
    if any(view.std() < LEAST_TEXTURE * view.max() for view in (fixed, moving)):
        raise NotAligned("too little texture")
    transform = method.fn(fixed, moving)
    if np.shape(transform) != (3, 3) or not np.isfinite(transform).all():
        raise ContractViolation(f"alignment {method.name!r} returned no homography (3, 3)")
    farthest = displacement(transform, height, width)
    if not farthest <= MOST_MOVED * min(height, width):
        raise NotAligned("what was found moves a corner by more than a quarter of the frame")
    verdict = judged(fixed, moving, transform)
    if not verdict.sure and farthest > SMALL_STEP_PX:
        return _Found(np.eye(3), Verdict(0.0, verdict.before, verdict.before))
    return _Found(transform, verdict)


def _used(found: Sequence[_Found], first: Array, last: Array, factor: int) -> bool:
    """Whether the scene is resampled: it is misaligned, by one step or by all of them together."""
    transforms = chained([Step(one.transform, 0) for one in found])
    most = max((displacement(transform, *first.shape) for transform in transforms), default=0)
    if most * factor < LEAST_MOVED_PX:
        return False
    return any(one.verdict.sure for one in found) or judged(first, last, transforms[-1]).sure


def common_rectangle(inside: Array) -> tuple[slice, slice]:
    """Rows and columns of a rectangle within a mask (H, W) that has lost parts at its border.

    Examples
    --------
    >>> import numpy as np
    >>> from datasets.alignment.stack import common_rectangle
    >>> common_rectangle(np.pad(np.ones((5, 6), bool), ((2, 0), (0, 1))))
    (slice(2, 7, None), slice(0, 6, None))
    """
    top, left = 0, 0
    bottom, right = inside.shape
    while top < bottom and left < right:
        part = inside[top:bottom, left:right]
        lost = [1 - float(edge.mean()) for edge in (part[0], part[-1], part[:, 0], part[:, -1])]
        worst = int(np.argmax(lost))
        if not lost[worst]:
            break
        top, bottom = top + (worst == 0), bottom - (worst == 1)
        left, right = left + (worst == 2), right - (worst == 3)
    return slice(top, bottom), slice(left, right)
