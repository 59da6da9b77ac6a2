"""Scenes of a wide range of defocus: pairs of two layers, and stacks of several surfaces.

Blur goes from half a pixel to a radius of 15 or a standard deviation of 10, with logarithms evenly
distributed, so that small blurs are as frequent as large ones. Objects are cut from the photo or
from another one; some are thin, outlines are soft, and lights are brighter than white before the
lens spreads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from datasets.defocus import (
    Image,
    Kernel,
    LensPair,
    fill_hidden,
    gaussian_blur,
    lens_blur,
    lens_pair,
    over,
)
from datasets.focal_stack import Surface, focal_stack, shown_disparity
from methods.learned.data.masks import HILLS, LANDSCAPE, Mask, draw_mask, terrain, thin_mask
from methods.learned.data.photos import prepared
from methods.learned.data.shots import Shots, closest
from methods.learned.data.specs import PoolSpec

cv2 = lazy.load("cv2")

#: Range of the radius of disks and of the standard deviation of Gaussians, in pixels.
DISK, SIGMA = (0.5, 15.0), (0.4, 10.0)
#: Range of the standard deviation in pixels by which an outline is softened.
SOFTNESS = (0.3, 4.0)
#: Range of the largest circle of confusion of a stack, in pixels of radius.
DEFOCUS = (3.0, 15.0)
#: Share of the objects that are cut from another photo, are thin, and of scenes with lights.
CUT_OUT, THIN, LIGHTS = 0.45, 0.15, 0.2
#: Share of the pairs that fade from sharp to blurred; the others are seen through a lens.
FADED = 0.25
#: Share of the stacks whose planes of focus lie anywhere, not at about equal distances.
UNEVEN = 0.4
#: Most objects of a stack before its background.
OBJECTS = 4


def even_in_log(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    """A number within limits, whose logarithm is evenly distributed."""
    return float(np.exp(rng.uniform(*np.log(limits))))


def wide_pair(
    spec: PoolSpec,
    names: Sequence[str],
    photo: Image,
    segmentations: Sequence[NDArray[np.integer]],
    rng: np.random.Generator,
) -> Shots:
    """An object before a background, focused on the one and on the other.

    Parameters
    ----------
    spec : PoolSpec
        Shape and colour.
    names : sequence of str
        Files of the photos that another one may be taken of.
    photo : ndarray
        float32 in [0, 1], of the specification's shape; holds the object.
    segmentations : sequence of ndarray
        Label images of the photo.
    rng : numpy.random.Generator
        Draws everything.

    Returns
    -------
    Shots
        Focused near and far.
    """
    mask, thin = _drawn_mask(rng, spec.shape, segmentations)
    background = _other(spec, names, rng) if thin or rng.random() < CUT_OUT else None
    if rng.random() < LIGHTS:
        photo = with_lights(photo, rng)
        background = None if background is None else with_lights(background, rng)
    alpha = gaussian_blur(mask.astype(np.float32), even_in_log(rng, SOFTNESS))
    kernel, radii = _blurs(rng)
    if rng.random() < FADED:
        near, far, reference = faded_pair(photo, alpha, radii, background, kernel)
    else:
        near, far, reference = lens_pair(photo, alpha, radii, background=background, kernel=kernel)
    owner = closest([near, far], reference, (~mask).astype(np.uint8), int(max(radii)) + 3)
    return Shots([near, far], reference, owner)


def faded_pair(
    photo: Image,
    alpha: Image,
    radii: tuple[float, float],
    background: Image | None = None,
    kernel: Kernel = "disk",
) -> LensPair:
    """A pair whose sources fade from sharp to blurred where the object's outline is soft.

    Blur goes over the outline, as in `datasets.defocus.region_pair`, but without a step: in
    between both sources are partly blurred. See `datasets.defocus.lens_pair` for the arguments.
    """
    reference = photo if background is None else over(photo, alpha, background)
    behind, before = (lens_blur(reference, radius, kernel) for radius in radii)
    images = (over(reference, alpha, behind), over(before, alpha, reference), reference)
    return LensPair(*(np.clip(image, 0, 1, dtype=np.float32) for image in images))


def _blurs(rng: np.random.Generator) -> tuple[Kernel, tuple[float, float]]:
    """Kernel, and circles of confusion of background and object as `lens_pair` takes them."""
    if rng.random() < 0.5:
        return "disk", (even_in_log(rng, DISK), even_in_log(rng, DISK))
    return "gaussian", (2 * even_in_log(rng, SIGMA), 2 * even_in_log(rng, SIGMA))


def focused_stack(
    spec: PoolSpec,
    names: Sequence[str],
    photo: Image,
    segmentations: Sequence[NDArray[np.integer]],
    rng: np.random.Generator,
    count: int,
) -> Shots:
    """Planes, ramps and hills before each other, focused at `count` depths.

    The planes of focus need not cover all depths, so parts of a scene may be blurred in every
    source. See `wide_pair` for the other arguments.
    """
    if rng.random() < LIGHTS:
        photo = with_lights(photo, rng)
    objects = int(rng.integers(0 if count == 2 else 1, OBJECTS, endpoint=True))
    # Alone, the background has all depths; else each object is nearer than what lies behind it.
    edges = np.concatenate(
        [[0.0], np.linspace(rng.uniform(0.2, 0.6) if objects else 1, 1, objects + 1)]
    )
    defocus = even_in_log(rng, DEFOCUS)
    surfaces = [
        Surface(photo, np.ones(spec.shape, np.float32), _depth(rng, spec.shape, *edges[:2]))
    ]
    for low, high in pairwise(edges[1:]):
        mask, thin = _drawn_mask(rng, spec.shape, segmentations)
        colour = _other(spec, names, rng) if thin or rng.random() < CUT_OUT else photo
        alpha = gaussian_blur(mask.astype(np.float32), even_in_log(rng, SOFTNESS) / 2)
        if alpha.max() > 0.99:
            colour = fill_hidden(colour, (alpha > 0.99).astype(np.float32))
        surfaces.append(Surface(colour, alpha, _depth(rng, spec.shape, low, high)))
    surfaces = [s._replace(disparity=np.float32(defocus) * s.disparity) for s in surfaces]
    kernel: Kernel = "disk" if rng.random() < 0.6 else "gaussian"
    stack = focal_stack(surfaces, _planes(rng, shown_disparity(surfaces), count), kernel)
    margin = int(defocus) + 3
    owner = closest(stack.sources, stack.reference, stack.index_map, margin)
    return Shots(stack.sources, stack.reference, owner)


def _depth(rng: np.random.Generator, shape: tuple[int, int], low: float, high: float) -> Image:
    """Disparity (H, W) between two limits: even, tilted, or hilly."""
    kind = rng.random()
    if kind < 0.35:
        return np.full(shape, rng.uniform(low, high), np.float32)
    if kind < 0.8:
        y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
        angle = rng.uniform(0, 2 * np.pi)
        land = np.cos(angle) * x + np.sin(angle) * y
    else:
        land = terrain(rng, shape, LANDSCAPE)
    land = (land - land.min()) / max(float(np.ptp(land)), 1e-6)
    return (low + (high - low) * land).astype(np.float32)


def _planes(rng: np.random.Generator, shown: Image, count: int) -> list[float]:
    """Disparities of the planes of focus, from far to near: even within a quarter, or anywhere."""
    least, most = float(shown.min()), float(shown.max())
    if rng.random() < 0.3:
        first, last = np.sort(rng.uniform(0, 1, 2))
        least, most = least + 0.4 * first * (most - least), most - 0.4 * (1 - last) * (most - least)
    if rng.random() < UNEVEN:
        return [float(plane) for plane in np.sort(rng.uniform(least, most, count))]
    step = (most - least) / (count - 1)
    planes = np.linspace(least, most, count) + 0.25 * step * rng.uniform(-1, 1, count)
    return [float(plane) for plane in planes]


def _drawn_mask(
    rng: np.random.Generator, shape: tuple[int, int], segmentations: Sequence[NDArray[np.integer]]
) -> tuple[Mask, bool]:
    """An object, and whether it is thin; what is thin shows little of its own texture."""
    if rng.random() < THIN:
        return thin_mask(rng, shape), True
    hills = HILLS if rng.random() < 0.3 else LANDSCAPE
    return draw_mask(rng, shape, segmentations, hills=hills), False


def _other(spec: PoolSpec, names: Sequence[str], rng: np.random.Generator) -> Image:
    return prepared(spec, names[int(rng.integers(len(names)))], rng)[0]


def with_lights(photo: Image, rng: np.random.Generator) -> Image:
    """The photo with small lights up to twelve times as bright as white.

    A lens spreads a light out of focus to a disk that is still white where a clipped pixel would
    have become gray.
    """
    height, width = photo.shape[:2]
    lights = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(3, 30))):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        size, strength = int(rng.integers(0, 4)), float(rng.uniform(1, 12))
        cv2.circle(lights, centre, size, strength, -1, cv2.LINE_8)
    lights = gaussian_blur(lights, 0.5)
    return photo + (lights[..., None] if photo.ndim == 3 else lights)
