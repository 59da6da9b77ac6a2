"""Pairs with known truth, made of photos that no network was trained on.

The photos are the ``held-out`` part of a data folder (`methods.learned.data.pools.list_photos`).
Most kinds of pair are those of a dataset; two are of many pixels, with the exposure, noise and
compression of a camera. *enlarged* ones are four times as wide and high, circles of confusion too:
photos that hold nothing finer than four pixels. *mosaic* ones are sixteen photos side by side,
sharp to the last pixel. Cameras are in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from bench.core.errors import UsageError
from datasets._base import SceneImages
from datasets._depth import motorcycle_images
from datasets._photos import known_scene, photo_of
from datasets._seeds import generator
from datasets.camera import shot_images
from datasets.defocus import Image, Kernel, lens_pair
from datasets.masks import random_mask
from datasets.photo_parts import list_photos
from datasets.synthetic import RADIUS, SIGMA, lens_images, region_images

#: Region blur, a lens, a lens and a sensor, and depth as it was measured.
KINDS = ("region", "lens", "camera", "depth")

#: Those of many pixels, made only when asked for.
LARGE = ("enlarged", "mosaic")

#: Times by which a photo is enlarged, and photos along each side of a mosaic.
ENLARGE = SIDE = 4

Reader = Callable[[], SceneImages]


def held_out(folder: Path, kind: str) -> list[Reader]:
    """Readers of the pairs of one kind: one per held-out photo, or the motorcycle.

    Raises
    ------
    UsageError
        There is no such kind.
    DataUnavailable
        The folder holds no photo.
    """
    if kind not in (*KINDS, *LARGE):
        raise UsageError(f"unknown kind of pair {kind!r}; there are {', '.join((*KINDS, *LARGE))}")
    if kind == "depth":
        return [motorcycle_images]
    files = list_photos(folder, "held-out")
    return [_reader(kind, files, k) for k in range(len(files))]


def _reader(kind: str, files: Sequence[Path], k: int) -> Reader:
    file, name = files[k], files[k].stem
    if kind == "region":
        sigma = round(float(generator("synthetic", name, "sigma").uniform(*SIGMA)), 2)
        return partial(region_images, name, file, sigma)
    rng = generator("synthetic-lens", name, "lens")
    radii = (round(float(rng.uniform(*RADIUS)), 2), round(float(rng.uniform(*RADIUS)), 2))
    kernel: Kernel = "disk" if rng.random() < 0.7 else "gaussian"
    if kind == "lens":
        return partial(lens_images, name, file, radii, kernel)
    if kind == "mosaic":
        return partial(shot_images, name, partial(_mosaic_images, files, k, radii, kernel))
    times = ENLARGE if kind == "enlarged" else 1
    return partial(shot_images, name, partial(lens_images, name, file, radii, kernel, times))


def _mosaic_images(
    files: Sequence[Path], k: int, radii: tuple[float, float], kernel: Kernel
) -> SceneImages:
    """An object with the mosaic of photos from `k` on before that of the next ones."""
    front, behind = (
        _mosaic([files[i % len(files)] for i in range(at, at + SIDE**2)]) for at in (k, k + SIDE**2)
    )
    height, width = np.minimum(front.shape[:2], behind.shape[:2])
    front, behind = front[:height, :width], behind[:height, :width]
    mask = random_mask(generator("mosaic", files[k].stem), height, width)
    pair = lens_pair(front, mask, radii, background=behind, kernel=kernel)
    return known_scene(pair.near, pair.far, truth=pair.truth, mask=mask)


def _mosaic(files: Sequence[Path]) -> Image:
    """`SIDE` x `SIDE` photos side by side, upright ones turned, all cut to the smallest."""
    photos = [photo_of(file) for file in files]
    photos = [p if p.shape[0] <= p.shape[1] else p.swapaxes(0, 1) for p in photos]
    colour = [p if p.ndim == 3 else np.repeat(p[..., None], 3, axis=2) for p in photos]
    height, width = (min(p.shape[axis] for p in colour) for axis in (0, 1))
    cut = [p[:height, :width] for p in colour]
    rows = [np.concatenate(cut[i : i + SIDE], axis=1) for i in range(0, SIDE**2, SIDE)]
    return np.concatenate(rows)
