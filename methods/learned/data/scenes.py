"""Scenes to train on: objects and surfaces, their defocus, and what two shots differ in.

Every scene is a function of its specification and number. The optics are those of
`datasets.defocus`.
"""

from __future__ import annotations

from collections.abc import Sequence

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from datasets.defocus import (
    Image,
    Kernel,
    composite,
    fill_hidden,
    gaussian_blur,
    lens_blur,
    lens_pair,
    region_pair,
)
from methods.learned.data.low_texture import drawing, flattened
from methods.learned.data.masks import HILLS, LANDSCAPE, boundary_points, draw_mask, terrain
from methods.learned.data.photos import prepared
from methods.learned.data.shots import Shots, closest, drawn_kernel, in_levels, shot_twice
from methods.learned.data.specs import DEEP, KINDS, POINTS, STACKS, PoolSpec
from methods.learned.data.wide import focused_stack, wide_pair

cv2 = lazy.load("cv2")


#: What the shots of scenes of a wide range of defocus differ in; see `shot_twice`.
SLIGHTLY = {"alike": 0.5, "most_exposure": 0.02}


def make_scene(spec: PoolSpec, names: Sequence[str], k: int) -> dict[str, NDArray]:
    """Scene `k` of a pool: sources and reference in whole levels, owner, boundary points."""
    rng = np.random.default_rng([spec.seed, k])
    photo, segmentations = prepared(spec, names[k % len(names)], rng)
    if spec.kind == "wide":
        shots = shot_twice(wide_pair(spec, names, photo, segmentations, rng), rng, **SLIGHTLY)
    elif spec.kind in STACKS:
        count = KINDS[spec.kind]
        shots = focused_stack(spec, names, photo, segmentations, rng, count)
        shots = shot_twice(shots, rng, **SLIGHTLY)
    else:
        shots = _narrow(spec, names, photo, segmentations, rng)
    levels = in_levels([*shots.sources, shots.reference], spec.kind in DEEP, rng)
    return {
        "sources": np.stack(levels[:-1]),
        "reference": levels[-1],
        "owner": shots.owner,
        "edges": boundary_points(shots.owner, rng, POINTS),
    }


def _narrow(
    spec: PoolSpec,
    names: Sequence[str],
    photo: Image,
    segmentations: Sequence[NDArray[np.integer]],
    rng: np.random.Generator,
) -> Shots:
    """A scene of one of the kinds of blur up to ten or twelve pixels."""
    hills = HILLS if spec.kind in ("region", "grades") else LANDSCAPE
    mask = draw_mask(rng, spec.shape, segmentations, hills=hills)
    if spec.kind == "grades":
        return _grades(photo)
    if spec.kind == "region":
        a, b = region_pair(photo, mask, float(rng.uniform(2, 10)))
        return Shots([a, b], photo, mask.astype(np.uint8))
    if spec.kind == "lens":
        return shot_twice(_lens(spec, names, photo, mask, rng), rng)
    if spec.kind == "low-texture":
        return shot_twice(_low_texture(spec, names, photo, mask, rng), rng, alike=0.1)
    if spec.kind == "ramp":
        return shot_twice(_ramp(photo, rng), rng)
    return shot_twice(_planes(spec, names, photo, mask, rng), rng)


def _grades(photo: Image) -> Shots:
    """Liu et al.: a Gaussian of 7 x 7 and sigma 2, applied again and again."""
    grades = [photo]
    for _ in range(5):
        grades.append(cv2.GaussianBlur(grades[-1], (7, 7), 2, borderType=cv2.BORDER_REFLECT))
    return Shots(grades, photo, np.zeros(photo.shape[:2], np.uint8))


def _lens(
    spec: PoolSpec, names: Sequence[str], photo: Image, mask: NDArray, rng: np.random.Generator
) -> Shots:
    """An object of the photo, before the photo's own background or before another photo."""
    background = None
    if rng.random() < 0.4:
        background = prepared(spec, names[int(rng.integers(len(names)))], rng)[0]
    radii = (float(rng.uniform(1.2, 10)), float(rng.uniform(1.2, 10)))
    near, far, reference = lens_pair(
        photo,
        mask,
        radii,
        background=background,
        kernel=drawn_kernel(rng),
        outline=float(rng.uniform(0.4, 1.2)),
    )
    owner = closest([near, far], reference, (~mask).astype(np.uint8), int(max(radii)) + 3)
    return Shots([near, far], reference, owner)


def _low_texture(
    spec: PoolSpec, names: Sequence[str], photo: Image, mask: NDArray, rng: np.random.Generator
) -> Shots:
    """Two planes of low texture."""
    behind = prepared(spec, names[int(rng.integers(len(names)))], rng)[0]
    surfaces = [
        flattened(image, rng) if rng.random() < 0.4 else _drawn(spec, rng)
        for image in (photo, behind)
    ]
    radii = (float(rng.uniform(1.2, 8)), float(rng.uniform(1.2, 8)))
    near, far, reference = lens_pair(
        surfaces[0],
        mask,
        radii,
        background=surfaces[1],
        kernel=drawn_kernel(rng),
        outline=float(rng.uniform(0.4, 1.2)),
    )
    owner = closest([near, far], reference, (~mask).astype(np.uint8), int(max(radii)) + 3)
    return Shots([near, far], reference, owner)


def _drawn(spec: PoolSpec, rng: np.random.Generator) -> Image:
    """A drawing, in colours of one hue where the pool is in colour."""
    image = drawing(spec.shape, rng)
    return image[..., None] * rng.uniform(0.5, 1, 3).astype(np.float32) if spec.colour else image


def _planes(
    spec: PoolSpec, names: Sequence[str], photo: Image, mask: NDArray, rng: np.random.Generator
) -> Shots:
    """Three planes at growing distance, one source focused on each."""
    middle = draw_mask(rng, spec.shape, hills=LANDSCAPE)
    colours = [prepared(spec, names[int(rng.integers(len(names)))], rng)[0] for _ in range(2)]
    layers = [(colours[0], np.ones(spec.shape, np.float32))]
    for colour, cut in ((colours[1], middle), (photo, mask)):
        alpha = gaussian_blur(cut.astype(np.float32), float(rng.uniform(0.4, 1.2)))
        layers.append((fill_hidden(colour, (alpha > 0.99).astype(np.float32)), alpha))
    step, kernel = float(rng.uniform(1.5, 5)), drawn_kernel(rng)
    sources = [
        composite(layers, [step * abs(plane - focus) for plane in range(3)], kernel)
        for focus in range(3)
    ]
    owner = np.where(mask, 2, np.where(middle, 1, 0)).astype(np.uint8)
    reference = composite(layers, (0, 0, 0), kernel)
    return Shots(sources, reference, closest(sources, reference, owner, int(2 * step) + 3))


def _ramp(photo: Image, rng: np.random.Generator) -> Shots:
    """A surface that leans away and undulates, focused at two depths of it."""
    height, width = photo.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    hilly = rng.uniform(0, 0.25)
    depth = np.cos(angle) * x + np.sin(angle) * y + hilly * terrain(rng, photo.shape[:2], LANDSCAPE)
    depth = (depth - depth.min()) / np.ptp(depth)
    near, far = rng.uniform(0, 0.4), rng.uniform(0.6, 1)
    strength, kernel = rng.uniform(4, 12), drawn_kernel(rng)
    sources = [
        _varying_blur(photo, (strength * abs(depth - focus)).astype(np.float32), kernel)
        for focus in (near, far)
    ]
    return Shots(sources, photo, (depth > (near + far) / 2).astype(np.uint8))


def _varying_blur(photo: Image, radius: Image, kernel: Kernel) -> Image:
    """Blur of a radius per pixel, between the nearest two of a few evenly blurred images."""
    levels = np.linspace(0, float(radius.max()) + 1e-3, 7)
    blurred = np.stack([lens_blur(photo, float(level), kernel) for level in levels])
    place = radius / np.float32(levels[1])
    low = np.minimum(place.astype(np.int64), len(levels) - 2)
    share = place - low
    rows, cols = np.indices(radius.shape)
    below, above = blurred[low, rows, cols], blurred[low + 1, rows, cols]
    share = share[..., None] if photo.ndim == 3 else share
    return ((1 - share) * below + share * above).astype(np.float32)
