"""Scenes to train on: objects and surfaces, their defocus, and what two shots differ in.

Every scene is a function of its specification and number. The optics are those of
`datasets.defocus`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import DataUnavailable
from bench.core.pixels import luminance
from datasets.defocus import (
    Kernel,
    composite,
    degrade,
    fill_hidden,
    gaussian_blur,
    lens_blur,
    lens_pair,
    region_pair,
)
from datasets.masks import bsds_labels
from methods.learned.data.low_texture import drawing, flattened
from methods.learned.data.masks import HILLS, boundary_points, draw_mask, terrain
from methods.learned.data.specs import POINTS, PoolSpec

cv2 = lazy.load("cv2")

Image = NDArray[np.float32]
Labels = NDArray[np.uint8]


#: Size in pixels of what stands at one depth: real depth changes in large regions.
LANDSCAPE = (40.0, 140.0)


class Shots(NamedTuple):
    """Sources of one scene as float images, their reference, and which one shows a pixel best."""

    sources: list[Image]
    reference: Image
    owner: Labels


def make_scene(spec: PoolSpec, names: Sequence[str], k: int) -> dict[str, NDArray]:
    """Scene `k` of a pool: 8-bit sources and reference, owner, boundary points."""
    rng = np.random.default_rng([spec.seed, k])
    photo, segmentations = prepared(spec, names[k % len(names)], rng)
    hills = HILLS if spec.kind in ("region", "grades") else LANDSCAPE
    mask = draw_mask(rng, spec.shape, segmentations, hills=hills)
    if spec.kind == "grades":
        shots = _grades(photo)
    elif spec.kind == "region":
        a, b = region_pair(photo, mask, float(rng.uniform(2, 10)))
        shots = Shots([a, b], photo, mask.astype(np.uint8))
    elif spec.kind == "lens":
        shots = _shot_twice(_lens(spec, names, photo, mask, rng), rng)
    elif spec.kind == "low-texture":
        shots = _shot_twice(_low_texture(spec, names, photo, mask, rng), rng, alike=0.1)
    elif spec.kind == "ramp":
        shots = _shot_twice(_ramp(photo, rng), rng)
    else:
        shots = _shot_twice(_planes(spec, names, photo, mask, rng), rng)
    levels = [np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8) for x in (*shots[0], shots[1])]
    return {
        "sources": np.stack(levels[:-1]),
        "reference": levels[-1],
        "owner": shots.owner,
        "edges": boundary_points(shots.owner, rng, POINTS),
    }


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
        kernel=_kernel(rng),
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
        kernel=_kernel(rng),
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
    step, kernel = float(rng.uniform(1.5, 5)), _kernel(rng)
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
    strength, kernel = rng.uniform(4, 12), _kernel(rng)
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


def closest(sources: Sequence[Image], reference: Image, owner: Labels, margin: int) -> Labels:
    """The owner, and within `margin` pixels of its boundaries the source closest to the reference.

    Beside an edge in depth the blur of the one side covers the other, so that the plane that
    a pixel belongs to is not always the best place to take it from.
    """
    error = np.stack([abs(source - reference) for source in sources])
    error = error.mean(axis=-1) if error.ndim == 4 else error
    error = np.stack([cv2.blur(plane, (3, 3)) for plane in error])
    best = error.argmin(axis=0).astype(np.uint8)
    own = np.take_along_axis(error, owner[None].astype(np.int64), axis=0)[0]
    side = np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)
    near = cv2.dilate(owner, side) != cv2.erode(owner, side)
    chosen = np.where(near & (own - error.min(axis=0) > 0.008), best, owner)
    return cv2.medianBlur(chosen.astype(np.uint8), 5)


def _shot_twice(shots: Shots, rng: np.random.Generator, *, alike: float = 0.25) -> Shots:
    """What two shots of one scene differ in beside focus: a share `alike` of scenes in nothing.

    Noise comes after the lens and is the same in focus and out of it, so that it tells nothing.
    """
    sources, reference, owner = shots
    kind = rng.random()
    if kind < alike:
        return shots
    if kind < (1 + alike) / 2:
        strength, grain = float(rng.uniform(0.001, 0.012)), _grain(rng)
        shaken = [degrade(source, rng, noise=strength, grain=grain) for source in sources]
        return Shots(shaken, reference, owner)
    # Refocusing changes the magnification a little, and a tripod moves.
    moved = int(rng.integers(len(sources)))
    matrix = _slight_motion(rng, reference.shape)
    warped = [_warp(image, matrix) for image in (sources[moved], reference)]
    sources = [warped[0] if k == moved else source for k, source in enumerate(sources)]
    here = owner == moved
    reference = np.where(here[..., None] if reference.ndim == 3 else here, warped[1], reference)
    noise, exposure, grain = float(rng.uniform(0, 0.02)), float(rng.uniform(0, 0.05)), _grain(rng)
    quality = (60, 98) if rng.random() < 0.5 else None
    shaken = [
        degrade(s, rng, exposure=exposure, noise=noise, quality=quality, grain=grain)
        for s in sources
    ]
    return Shots(shaken, reference, owner)


def _grain(rng: np.random.Generator) -> tuple[float, float]:
    """White noise half of the time, else such as demosaicing and resampling leave."""
    if rng.random() < 0.5:
        return (0.0, 0.0)
    down, across = rng.uniform(0, 1.3, 2)
    return (float(down), float(across))


def _slight_motion(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    scale = 1 + rng.uniform(-0.01, 0.01)
    centre = np.array([shape[1] / 2, shape[0] / 2])
    shift = (1 - scale) * centre + rng.uniform(-0.7, 0.7, 2)
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])


def _warp(image: Image, matrix: NDArray[np.float64]) -> Image:
    size = (image.shape[1], image.shape[0])
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def _kernel(rng: np.random.Generator) -> Kernel:
    return "disk" if rng.random() < 0.6 else "gaussian"


@lru_cache(maxsize=8)
def _read(name: str) -> tuple[NDArray[np.uint8], tuple[NDArray[np.integer], ...]]:
    """A photo (RGB, landscape) and its segmentations, where BSDS500 has some beside it."""
    file = Path(name)
    image = cv2.imread(name, cv2.IMREAD_COLOR)
    if image is None:
        raise DataUnavailable(f"{file}: not a readable photo")
    drawn = file.parents[2] / "groundTruth" / file.parent.name / f"{file.stem}.mat"
    people = bsds_labels(drawn) if len(file.parents) > 2 and drawn.is_file() else []
    if image.shape[0] > image.shape[1]:
        image = image.swapaxes(0, 1)
        people = [labels.T for labels in people]
    return np.ascontiguousarray(image[..., ::-1]), tuple(people)


def prepared(
    spec: PoolSpec, name: str, rng: np.random.Generator
) -> tuple[NDArray, list[NDArray[np.integer]]]:
    """A photo cropped to the pool's shape as float32 in [0, 1], and its segmentations."""
    pixels, people = _read(name)
    photo = pixels.astype(np.float32) / 255
    if not spec.colour:
        photo = luminance(photo)
    height, width = photo.shape[:2]
    zoom = float(rng.uniform(1, 2)) if spec.augment and rng.random() < 0.3 else 1.0
    fit = max(spec.shape[0] / height, spec.shape[1] / width)
    if fit > 1 or zoom > 1 or fit < 0.5:  # too small, to be enlarged, or far larger than a scene
        size = tuple(int(np.ceil(n * fit * zoom)) for n in (width, height))
        how = cv2.INTER_CUBIC if fit * zoom > 1 else cv2.INTER_AREA
        photo = cv2.resize(photo, size, interpolation=how)
        people = tuple(cv2.resize(p, size, interpolation=cv2.INTER_NEAREST) for p in people)
    top = int(rng.integers(photo.shape[0] - spec.shape[0] + 1))
    left = int(rng.integers(photo.shape[1] - spec.shape[1] + 1))
    window = (slice(top, top + spec.shape[0]), slice(left, left + spec.shape[1]))
    photo = np.clip(photo[window], 0, 1)
    if spec.augment and rng.random() < 0.3:
        gain, gamma = float(rng.uniform(0.5, 1)), float(rng.uniform(0.6, 1.6))
        photo = gain * photo**gamma
    return np.ascontiguousarray(photo), [labels[window] for labels in people]
