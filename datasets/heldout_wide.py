"""Held-out pairs and stacks of a wide range of defocus, from photos that no network was trained on.

``heldout-wide`` has what the other pairs lack: blur from one pixel to a radius of 11 and a standard
deviation of 10, objects cut from other photos, and outlines that fade over several pixels.
``heldout-stack`` has a tilted plane for every segment that a person drew, and planes of focus at
uneven distances, so that parts are blurred in every source. The photos are those of
`datasets.heldout`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets._base import Scene, SceneImages
from datasets._photos import cut_to, known_scene, photo_of
from datasets._seeds import generator
from datasets.defocus import OUTLINE_SIGMA, Image, Kernel, fill_hidden, gaussian_blur, lens_pair
from datasets.focal_stack import (
    Surface,
    focal_stack,
    random_surfaces,
    shown_disparity,
    tilted_surfaces,
)
from datasets.heldout import EVERY, PREFIX, held_out_photos, in_gray_and_colour, of_photos
from datasets.masks import bsds_labels, random_mask, segment_mask
from datasets.synthetic_stack import SOURCES, stack_scene

WIDE, STACK = PREFIX + "wide", PREFIX + "stack"

#: Side of a wide pair.
SIDE = 256
#: Range of the radius of disks and of the standard deviation of Gaussians, in pixels; logarithms
#: are evenly distributed.
DISK, SIGMA = (1.0, 11.0), (1.0, 10.0)
#: Range of the standard deviation in pixels by which an outline is softened, likewise.
SOFTNESS = (0.5, 3.0)
#: Share of the wide pairs whose object is cut from another photo.
CUT_OUT = 0.45

#: Range of the largest circle of confusion of a stack, in pixels of radius.
STACK_DEFOCUS = (8.0, 14.0)
#: Most segments of a stack before its background, and the least share of the photo of each.
MOST_SEGMENTS, LEAST_SEGMENT = 6, 0.03


@dataclass(frozen=True)
class WidePlan:
    """What is drawn for a wide pair before its photos are read.

    Attributes
    ----------
    kernel : {'disk', 'gaussian'}
        See `datasets.defocus.lens_blur`.
    behind, before : float
        Blur of the background and of the object: radius of a disk or standard deviation of a
        Gaussian, in pixels.
    softness : float
        Standard deviation in pixels by which the object's outline is softened.
    cut_out : bool
        Whether the object is cut from another photo.
    """

    kernel: Kernel
    behind: float
    before: float
    softness: float
    cut_out: bool

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> WidePlan:
        """A plan at random."""
        kernel: Kernel = "disk" if rng.random() < 0.5 else "gaussian"
        spread = DISK if kernel == "disk" else SIGMA
        behind, before = (round(_even_in_log(rng, spread), 2) for _ in range(2))
        softness = round(_even_in_log(rng, SOFTNESS), 2)
        return cls(kernel, behind, before, softness, bool(rng.random() < CUT_OUT))

    @property
    def radii(self) -> tuple[float, float]:
        """Circles of confusion of background and object as `lens_pair` takes them."""
        times = 1 if self.kernel == "disk" else 2
        return (times * self.behind, times * self.before)

    @property
    def note(self) -> str:
        """One line for the captions of tables."""
        what = "radii" if self.kernel == "disk" else "sigmas"
        cut_out = ", object cut from another photo" if self.cut_out else ""
        return (
            f"lens model, {self.kernel}, {what} {self.behind:g} (background) and {self.before:g} "
            f"(object), outline softened by sigma {self.softness:g}{cut_out}"
        )


@of_photos(WIDE, title="Held-out photos, defocused in a wide range, objects cut from others")
def heldout_wide(folder: str = "") -> list[Scene]:
    """One pair per photo, of 256 x 256 pixels where the photo is as large."""
    photos = held_out_photos("wide", folder)
    files = [file for _, file in photos]
    pairs = []
    for k, (name, file) in enumerate(photos):
        plan = WidePlan.drawn(generator(WIDE, name, "optics"))
        others = files[k + 1 :] + files[:k]
        pairs.append((name, plan.note, partial(wide_images, name, file, others, plan)))
    return in_gray_and_colour("wide", pairs)


@of_photos(
    STACK, title="Held-out photos, stacks of 4 to 12 sources of tilted segments", sources="4-12"
)
def heldout_stack(folder: str = "") -> list[Scene]:
    """A stack of every fifth photo, in colour."""
    photos = held_out_photos("stack", folder)
    scenes = []
    for k in range(0, len(photos), EVERY):
        name, file = photos[k]
        rng = generator(STACK, name, "optics")
        count = int(rng.integers(*SOURCES, endpoint=True))
        defocus = round(float(rng.uniform(*STACK_DEFOCUS)), 1)
        others = [f for _, f in photos[k + 1 :] + photos[:k]]
        read = partial(segments_stack, name, file, others, count, defocus)
        note = (
            f"lens model, {count} sources at uneven distances, tilted segments, disk up to radius "
            f"{defocus:g}"
        )
        scenes.append(Scene(STACK, f"colour_{name}", read, "synthetic", note=note))
    return scenes


def wide_images(name: str, file: Path, others: Sequence[Path], plan: WidePlan) -> SceneImages:
    """The pair of one photo; its object is of the photo itself or of one of `others`."""
    rng = generator(WIDE, name, "object")
    own, front = photo_of(file), file
    if plan.cut_out and others:
        front = others[int(rng.integers(len(others)))]
    photo = own if front == file else photo_of(front)
    mask = _object(rng, front, photo.shape[:2])
    background = None
    if front != file:
        background = _alike(_cut(rng, own), photo.ndim)
    window = _window(rng, mask)
    photo, mask = photo[window], mask[window]
    if background is not None:
        background = cut_to(background, photo.shape[:2])
    alpha = gaussian_blur(mask.astype(np.float32), plan.softness)
    pair = lens_pair(photo, alpha, plan.radii, background=background, kernel=plan.kernel)
    if rng.random() < 0.5:
        return known_scene(pair.near, pair.far, reference=pair.reference, mask=mask)
    return known_scene(pair.far, pair.near, reference=pair.reference, mask=~mask)


def segments_stack(
    name: str, file: Path, others: Sequence[Path], count: int, defocus: float
) -> SceneImages:
    """The stack of one photo: a tilted plane for each of its largest segments.

    A photo without a segmentation stands behind random shapes cut from `others`.
    """
    rng = generator(STACK, name, "surfaces")
    photo = photo_of(file)
    if labels := _labels(file, photo.shape[:2]):
        surfaces = _segments(rng, photo, labels[int(rng.integers(len(labels)))], defocus)
    else:
        chosen = [others[k] for k in rng.permutation(len(others))[:3]]
        cut = [_alike(cut_to(photo_of(other), photo.shape[:2]), photo.ndim) for other in chosen]
        surfaces = random_surfaces(rng, [photo, *cut], defocus)
    shown = shown_disparity(surfaces)
    planes = np.sort(rng.uniform(shown.min(), shown.max(), count))
    return stack_scene(focal_stack(surfaces, [float(plane) for plane in planes]), rng)


def _segments(
    rng: np.random.Generator, photo: Image, labels: NDArray[np.integer], defocus: float
) -> list[Surface]:
    """Segments in random order of depth before the largest one and all small ones."""
    values, counts = np.unique(labels, return_counts=True)
    order = np.argsort(-counts)[1 : 1 + MOST_SEGMENTS]
    large = [values[k] for k in order if counts[k] >= LEAST_SEGMENT * labels.size]
    objects = [labels == value for value in rng.permutation(large)]
    softened = [gaussian_blur(mask.astype(np.float32), OUTLINE_SIGMA) for mask in objects]
    behind = np.prod([alpha < 0.01 for alpha in softened], axis=0, dtype=np.float32)
    colours = [fill_hidden(photo, behind)] if objects else [photo]
    colours += [fill_hidden(photo, (alpha > 0.99).astype(np.float32)) for alpha in softened]
    masks = [np.ones(labels.shape, bool), *objects]
    return tilted_surfaces(rng, colours, masks, defocus)


def _even_in_log(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    return float(np.exp(rng.uniform(*np.log(limits))))


def _labels(file: Path, shape: tuple[int, ...]) -> list[NDArray[np.integer]]:
    """The segmentations of a photo that have its shape, where BSDS500 has some beside it."""
    drawn_in = file.parent / "../../groundTruth" / file.parent.name / f"{file.stem}.mat"
    if not drawn_in.is_file():
        return []
    return [labels for labels in bsds_labels(drawn_in) if labels.shape == shape]


def _object(rng: np.random.Generator, file: Path, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """A segment of the photo, or a random shape, half of the time and where there is none."""
    labels = _labels(file, shape)
    if labels and rng.random() < 0.5:
        return segment_mask(rng, labels[int(rng.integers(len(labels)))])
    return random_mask(rng, shape[0], shape[1])


def _cut(rng: np.random.Generator, photo: Image) -> Image:
    """A window of the photo of at most `SIDE` x `SIDE` pixels."""
    top, left = (int(rng.integers(max(n - SIDE, 0) + 1)) for n in photo.shape[:2])
    return photo[top : top + SIDE, left : left + SIDE]


def _window(rng: np.random.Generator, mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Where a pair is cut out: of some windows the one that the object fills most evenly."""
    best, most = (slice(0, SIDE), slice(0, SIDE)), -1.0
    for _ in range(8):
        top, left = (int(rng.integers(max(n - SIDE, 0) + 1)) for n in mask.shape)
        window = (slice(top, top + SIDE), slice(left, left + SIDE))
        share = mask[window].mean()
        if min(share, 1 - share) > most:
            best, most = window, float(min(share, 1 - share))
    return best


def _alike(image: Image, channels: int) -> Image:
    """An image of as many dimensions as another: gray ones take three equal channels."""
    if image.ndim == channels:
        return image
    if channels == 2:
        return image.mean(axis=2)
    return np.repeat(image[..., None], 3, axis=2)
