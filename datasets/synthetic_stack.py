"""Focal stacks of 4 to 12 images with a reference, made from photos by the lens model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import lazy_loader as lazy
import numpy as np

from bench.core.pixels import quantise, to_unit
from datasets._base import Scene, SceneImages, dataset
from datasets._depth import depth_layers, filled
from datasets._photos import PHOTOS, bundled, cut_to, photo_of, reduced
from datasets._seeds import generator
from datasets.defocus import Image, Kernel
from datasets.focal_stack import FocalStack, Surface, focal_stack, random_surfaces, shown_disparity
from datasets.synthetic import photos_of

cv2 = lazy.load("cv2")

#: Longer side of a photo that a stack is made from: its sharpest detail then takes one pixel.
LONGEST = 384
#: Fewest and most sources of a stack, and objects before its background.
SOURCES, OBJECTS = (4, 12), (2, 4)
#: Largest circle of confusion of a stack, in pixels of radius.
DEFOCUS = (6.0, 12.0)
#: Sources of the motorcycle, its largest circle of confusion, and layers that its depth has.
MOTORCYCLE_SOURCES, MOTORCYCLE_DEFOCUS, MOTORCYCLE_LAYERS = 8, 9.0, 24


@dataclass(frozen=True)
class StackPlan:
    """What is drawn for a stack before its photos are read.

    Attributes
    ----------
    sources, objects : int
        Number of sources, and the most objects before the background.
    defocus : float
        The largest circle of confusion, in pixels of radius.
    kernel : {'disk', 'gaussian'}
        See `datasets.defocus.lens_blur`.
    """

    sources: int
    objects: int
    defocus: float
    kernel: Kernel

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> StackPlan:
        """A plan at random."""
        sources = int(rng.integers(*SOURCES, endpoint=True))
        objects = int(rng.integers(*OBJECTS, endpoint=True))
        defocus = round(float(rng.uniform(*DEFOCUS)), 1)
        return cls(sources, objects, defocus, "disk" if rng.random() < 0.7 else "gaussian")

    @property
    def note(self) -> str:
        """One line for the captions of tables."""
        return (
            f"lens model, {self.sources} sources, at most {self.objects} tilted objects, "
            f"{self.kernel} up to radius {self.defocus:g}"
        )


@dataset(
    "synthetic-stack",
    title="Focal stacks of scenes with depth by a lens model, 4 to 12 sources",
    citation="van der Walt et al. (2014), scikit-image, doi:10.7717/peerj.453; motorcycle: "
    "Scharstein et al. (2014), doi:10.1007/978-3-319-11752-2_3",
    licence=PHOTOS + "; motorcycle: Middlebury stereo, for research",
    argument="DIR",
    count=10,
    sources="4-12",
    reference="yes",
)
def synthetic_stack(folder: str = "") -> list[Scene]:
    """One stack per photo: tilted objects cut from other photos, before the tilted photo.

    The planes of focus lie at equal distances of disparity from the farthest to the nearest
    point, so no source need be in focus at a point; the best one is at most half a distance
    away. With a folder the objects have the photo's own texture, turned round; without one the
    motorcycle is added, whose disparity was measured.
    """
    photos = photos_of(folder)
    scenes = []
    for name, file in photos:
        plan = StackPlan.drawn(generator("synthetic-stack", name, "optics"))
        others = [] if folder else [other for other in photos if other[0] != name]
        read = partial(stack_images, name, file, others, plan)
        scenes.append(Scene("synthetic-stack", name, read, "synthetic", note=plan.note))
    if not folder:
        note = (
            f"lens model, {MOTORCYCLE_SOURCES} sources, measured disparity, disk up to radius "
            f"{MOTORCYCLE_DEFOCUS:g}"
        )
        moto = Scene("synthetic-stack", "motorcycle", motorcycle_stack, "synthetic", note=note)
        scenes.append(moto)
    return scenes


def stack_images(
    name: str,
    file: Path | None,
    others: Sequence[tuple[str, Path | None]],
    plan: StackPlan,
    seed: str = "synthetic-stack",
) -> SceneImages:
    """The stack of one photo.

    Parameters
    ----------
    name : str
        Of the photo; every random choice depends on it and on `seed`.
    file : Path or None
        The photo; None for the bundled one of that name.
    others : sequence of (str, Path or None)
        Names and files of the photos that objects are cut from. Only those of as many channels
        are taken; where they do not suffice, objects have the photo's own texture, turned round.
    plan : StackPlan
        Number of sources and objects, and the lens.
    seed : str
        Another text gives another scene.

    Returns
    -------
    SceneImages
        8 bits, with reference and index map.
    """
    rng = generator(seed, name, "surfaces")
    photo = _photo(name, file)
    chosen = [photo]
    for place in rng.permutation(len(others)):
        if len(chosen) > plan.objects:
            break
        other = _photo(*others[place])
        if other.ndim == photo.ndim:
            chosen.append(cut_to(other, photo.shape[:2]))
    turned = [np.ascontiguousarray(own) for own in (photo[:, ::-1], photo[::-1], photo[::-1, ::-1])]
    while len(chosen) <= plan.objects:
        chosen.append(turned[len(chosen) % len(turned)])
    surfaces = random_surfaces(rng, chosen, plan.defocus)
    return stack_scene(_focused(surfaces, plan.sources, plan.kernel), rng)


def motorcycle_stack() -> SceneImages:
    """The Middlebury motorcycle focused at equal distances of its measured disparity."""
    import skimage.data

    left, _, disparity = skimage.data.stereo_motorcycle()
    photo = reduced(to_unit(left), LONGEST)
    height, width = photo.shape[:2]
    depth = cv2.resize(filled(disparity), (width, height), interpolation=cv2.INTER_NEAREST)
    depth -= depth.min()
    depth *= MOTORCYCLE_DEFOCUS / depth.max()
    layers = depth_layers(photo, depth, MOTORCYCLE_LAYERS)
    stack = _focused(layers, MOTORCYCLE_SOURCES, "disk")
    return stack_scene(stack, generator("synthetic-stack", "motorcycle", "order"))


def _photo(name: str, file: Path | None) -> Image:
    return reduced(bundled(name) if file is None else photo_of(file), LONGEST)


def _focused(surfaces: Sequence[Surface], count: int, kernel: Kernel) -> FocalStack:
    shown = shown_disparity(surfaces)
    planes = [float(plane) for plane in np.linspace(shown.min(), shown.max(), count)]
    return focal_stack(surfaces, planes, kernel)


def stack_scene(stack: FocalStack, rng: np.random.Generator) -> SceneImages:
    """In 8 bits, from far to near or from near to far."""
    sources, index_map = stack.sources, stack.index_map
    if rng.random() < 0.5:
        sources, index_map = sources[::-1], (len(sources) - 1 - index_map).astype(np.uint8)
    return SceneImages(
        tuple(quantise(source) for source in sources),
        reference=quantise(stack.reference),
        index_map=index_map,
    )
