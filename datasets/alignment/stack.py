"""Aligns the images of a scene to the first one: estimate, judge, resample.

Each image is compared with the one before it, since neighbours of a stack are sharp in nearly the
same places; what an alignment method finds is chained. The whole scene stays as it is unless every
step is believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import lazy_loader as lazy
import numpy as np

from bench.core.errors import ContractViolation, ImageError
from bench.core.pixels import as_image, same_size
from datasets.alignment._base import ALIGNMENTS, Alignment, Array, NotAligned
from datasets.alignment.tiles import LEAST_TEXTURE, small_view, tile_offsets
from datasets.alignment.transforms import (
    at_scale,
    covered,
    displacement,
    resample,
    unexplained,
)

cv2 = lazy.load("cv2")

#: Longest side of the views that are compared, pixels: half of a photo of 12 megapixels.
VIEW_SIDE_PX = 2048
#: Views with a shorter side are too small to tell.
LEAST_SIDE_PX = 24
#: A step that moves a corner by more than this share of the shorter side is not one of a hand.
MOST_MOVED = 0.25
#: Share of what is unexplained that an alignment must explain, and which of two shares make it
#: sure: of that, or by which the median distance of the tiles falls. Of two photos that are aligned
#: and differ much in blur a transform explains up to 35 % and moves the tiles up to 15 % nearer;
#: of photos that are not, it does more of one or of both.
LEAST_GAIN, SURE_GAIN, SURE_NEARER = 0.02, 0.5, 0.2
#: Least share of the textured tiles that must have a clear counterpart once aligned, and the
#: largest median distance between them, pixels of the view. Of pairs of different photos no
#: transform comes near to both.
LEAST_SEEN, MOST_LEFT_PX = 0.5, 3.0


@dataclass(frozen=True)
class Step:
    """How one image lies against the one before it, in pixels of the images.

    Attributes
    ----------
    transform : ndarray
        (3, 3): takes points of the image before it to points of this one. The unit matrix if
        the two are aligned as they are.
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
    UnknownName
        There is no such method.

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
    before: Array | None = None
    steps = []
    for number, image in enumerate(images, 1):
        view, factor = small_view(image, VIEW_SIDE_PX)
        if before is not None:
            try:
                transform, left = _step(ALIGNMENTS[method], before, view)
            except NotAligned as error:
                raise NotAligned(
                    f"source {number} cannot be aligned with source {number - 1}: {error}"
                ) from error
            steps.append(Step(at_scale(transform, factor), left * factor))
        before = view
    return steps


def chained(steps: Sequence[Step]) -> tuple[Array, ...]:
    """For each image, the transform of points of the first image to its points."""
    transforms = [np.eye(3)]
    for step in steps:
        whole = step.transform @ transforms[-1]
        transforms.append(whole / whole[2, 2])
    return tuple(transforms)


def _step(method: Alignment, fixed: Array, moving: Array) -> tuple[Array, float]:
    """The transform between two views, if it is believed, and what is left; see `Step`."""
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
    (one, factor), (two, _) = small_view(fixed), small_view(moving)
    small = at_scale(transform, 1 / factor)
    as_it_is = tile_offsets(one, two) * factor
    once_aligned = tile_offsets(one, resample(two, small, cv2.INTER_CUBIC)) * factor
    gain = 1 - unexplained(one, two, small) / unexplained(one, two, np.eye(3))
    if not _believed(gain, _median(as_it_is), _median(once_aligned)):
        transform, once_aligned = np.eye(3), as_it_is
    if not len(once_aligned):
        raise NotAligned("too little texture")
    left = _median(once_aligned)
    if np.isinf(left):
        raise NotAligned("most parts of one have no counterpart in the other")
    if left > MOST_LEFT_PX * factor:
        raise NotAligned(f"their parts would still lie {left / factor:.1f} px of the view apart")
    return transform, left


def _believed(gain: float, before: float, after: float) -> bool:
    """Whether an alignment that explains a share `gain` and moves parts nearer is an alignment."""
    if gain < LEAST_GAIN or after > before:
        return False
    return gain >= SURE_GAIN or after <= (1 - SURE_NEARER) * before


def _median(apart: Array) -> float:
    """Median distance of the tiles; infinite if most have no clear counterpart."""
    seen = np.isfinite(apart)
    return float(np.median(apart[seen])) if len(apart) and seen.mean() >= LEAST_SEEN else np.inf


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
