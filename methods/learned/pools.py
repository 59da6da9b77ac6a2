"""Training pairs made before training, so that the trainer never waits for an image.

A pool is a set of whole scenes as 8-bit arrays on disk, mapped into memory: sources, truth,
which source shows a pixel sharp, and points on the boundaries between them. Scene k is a
function of (specification, k) alone; processes fill a pool together.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.errors import DataUnavailable, UsageError
from bench.images import luminance
from datasets.defocus import (
    Kernel,
    composite,
    degrade,
    fill_hidden,
    gaussian_blur,
    lens_pair,
    region_pair,
)
from methods.learned.masks import boundary_points, draw_mask, read_segmentations

cv2 = lazy.load("cv2")

#: Bump when a pool made from the same specification would differ.
VERSION = 1

#: Boundary points kept per scene.
POINTS = 256

#: Sources per scene of each kind; of ``grades``, the photo and five strengths of blur.
KINDS = {"region": 2, "lens": 2, "planes": 3, "grades": 6}


@dataclass(frozen=True)
class PoolSpec:
    """What a pool holds.

    Attributes
    ----------
    kind : {'region', 'lens', 'planes', 'grades'}
        Gaussian region blur with sigma in [2, 10]; two planes through a lens; three planes
        and three sources; a photo with five grades of blur.
    scenes, seed : int
        How many, and from where they are drawn.
    colour : bool
        RGB instead of luminance.
    shape : (int, int)
        Height and width of all scenes; photos are turned and cropped to it.
    augment : bool
        Zoom and change the contrast of some photos.
    """

    kind: str
    scenes: int
    seed: int = 0
    colour: bool = False
    shape: tuple[int, int] = (320, 480)
    augment: bool = True


class Pool(NamedTuple):
    """The arrays of a pool; see the module."""

    sources: NDArray[np.uint8]  # (P, N, H, W) or (P, N, H, W, 3)
    truth: NDArray[np.uint8]  # (P, H, W) or (P, H, W, 3)
    owner: NDArray[np.uint8]  # (P, H, W)
    edges: NDArray[np.int16]  # (P, POINTS, 2)


def list_photos(folder: Path, part: str) -> list[Path]:
    """Photos of `part` of a data folder, sorted by name.

    A BSDS500 tree has its own division: ``train`` is its train images, ``val`` the first half
    of its val images, and ``held-out`` the second half. Of any other folder of photos the
    first eight of ten are ``train``, then one ``val`` and one ``held-out``.

    Raises
    ------
    DataUnavailable
        There is no photo.
    """
    suffixes = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"}

    def photos(where: Path) -> list[Path]:
        return sorted(f for f in where.iterdir() if f.suffix.lower() in suffixes)

    for base in (folder / "BSDS500/data/images", folder / "images", folder):
        if (base / "train").is_dir() and (base / "val").is_dir():
            if part == "train":
                found = photos(base / "train")
            else:
                val = photos(base / "val")
                half = len(val) // 2
                found = val[:half] if part == "val" else val[half:]
            break
    else:
        every = photos(folder) if folder.is_dir() else []
        digit = {"train": range(8), "val": (8,), "held-out": (9,)}[part]
        found = [file for k, file in enumerate(every) if k % 10 in digit]
    if not found:
        raise DataUnavailable(f"{folder}: no photos for {part!r}; expected BSDS500 or a folder")
    return found


def data_hash(photos: Sequence[Path]) -> str:
    """SHA-256 over the photos' names and bytes."""
    digest = hashlib.sha256()
    for photo in photos:
        digest.update(photo.name.encode())
        digest.update(photo.read_bytes())
    return digest.hexdigest()


def make_pool(
    spec: PoolSpec, photos: Sequence[Path], folder: Path, *, workers: int | None = None
) -> Pool:
    """The pool of `spec` from `photos`, made under `folder` unless it is there already.

    Parameters
    ----------
    workers : int, optional
        Processes; by default one per CPU this process may use. 1 makes it in this process.

    Raises
    ------
    UsageError
        The specification is of no known kind.
    """
    if spec.kind not in KINDS:
        raise UsageError(f"pool kind {spec.kind!r} is none of {', '.join(KINDS)}")
    names = [str(photo) for photo in photos]
    text = json.dumps([VERSION, asdict(spec), [photo.name for photo in photos], _sizes(photos)])
    place = folder / f"{spec.kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    if not (place / "done").exists():
        making = place.with_name(f"{place.name}.{os.getpid()}")
        making.mkdir(parents=True)
        for name, (shape, dtype) in _layout(spec).items():
            np.lib.format.open_memmap(making / f"{name}.npy", "w+", dtype, shape)
        _fill_all(spec, names, making, workers or len(os.sched_getaffinity(0)))
        (making / "done").touch()
        try:
            making.rename(place)
        except OSError:  # another process finished the same pool first
            shutil.rmtree(making)
    return Pool(**_open(spec, place, "c"))


def _sizes(photos: Sequence[Path]) -> list[int]:
    return [photo.stat().st_size for photo in photos]


def _layout(spec: PoolSpec) -> dict[str, tuple[tuple[int, ...], Any]]:
    tail = (*spec.shape, 3) if spec.colour else spec.shape
    return {
        "sources": ((spec.scenes, KINDS[spec.kind], *tail), np.uint8),
        "truth": ((spec.scenes, *tail), np.uint8),
        "owner": ((spec.scenes, *spec.shape), np.uint8),
        "edges": ((spec.scenes, POINTS, 2), np.int16),
    }


def _open(spec: PoolSpec, place: Path, mode: Any) -> dict[str, Any]:
    return {name: np.load(place / f"{name}.npy", mmap_mode=mode) for name in _layout(spec)}


def _fill_all(spec: PoolSpec, names: list[str], place: Path, workers: int) -> None:
    if workers == 1:
        _fill(spec, names, place, range(spec.scenes))
        return
    # Scenes of one photo go to one process, which then reads the photo once.
    order = sorted(range(spec.scenes), key=lambda k: k % len(names))
    size = max(1, min(64, spec.scenes // (4 * workers)))
    parts = [order[k : k + size] for k in range(0, len(order), size)]
    with ProcessPoolExecutor(workers) as executor:
        jobs = [executor.submit(_fill, spec, names, place, part) for part in parts]
        for job in jobs:
            job.result()


def _fill(spec: PoolSpec, names: list[str], place: Path, which: Sequence[int]) -> None:
    """Make some scenes of a pool; runs in a process of its own."""
    cv2.setNumThreads(1)
    arrays = _open(spec, place, "r+")
    for k in which:
        scene = make_scene(spec, names, k)
        for name, value in scene._asdict().items():
            arrays[name][k] = value


def make_scene(spec: PoolSpec, names: Sequence[str], k: int) -> Pool:
    """Scene `k` of a pool: the arrays of `Pool` without the first axis."""
    rng = np.random.default_rng([spec.seed, k])
    photo, segmentations = _prepared(spec, names[k % len(names)], rng)
    mask = draw_mask(rng, spec.shape, segmentations)
    if spec.kind == "grades":
        sources, truth, owner = _grades(photo)
    elif spec.kind == "region":
        sources, truth = list(region_pair(photo, mask, float(rng.uniform(2, 10)))), photo
        owner = mask.astype(np.uint8)
    elif spec.kind == "lens":
        sources, truth, owner = _lens(spec, names, photo, mask, rng)
    else:
        sources, truth, owner = _planes(spec, names, photo, mask, rng)
    if spec.kind in ("lens", "planes") and rng.random() < 0.75:
        sources = [degrade(source, rng) for source in sources]
    levels = [np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8) for x in (*sources, truth)]
    return Pool(np.stack(levels[:-1]), levels[-1], owner, boundary_points(owner, rng, POINTS))


def _grades(photo: NDArray) -> tuple[list[NDArray], NDArray, NDArray[np.uint8]]:
    """Liu et al.: a Gaussian of 7 x 7 and sigma 2, applied again and again."""
    grades = [photo]
    for _ in range(5):
        grades.append(cv2.GaussianBlur(grades[-1], (7, 7), 2, borderType=cv2.BORDER_REFLECT))
    return grades, photo, np.zeros(photo.shape[:2], np.uint8)


def _lens(
    spec: PoolSpec, names: Sequence[str], photo: NDArray, mask: NDArray, rng: np.random.Generator
) -> tuple[list[NDArray], NDArray, NDArray[np.uint8]]:
    """An object of the photo, before the photo's own background or before another photo."""
    background = None
    if rng.random() < 0.4:
        background = _prepared(spec, names[int(rng.integers(len(names)))], rng)[0]
    near, far, truth = lens_pair(
        photo,
        mask,
        (float(rng.uniform(1.2, 10)), float(rng.uniform(1.2, 10))),
        background=background,
        kernel="disk" if rng.random() < 0.6 else "gaussian",
        outline=float(rng.uniform(0.4, 1.2)),
    )
    return [near, far], truth, (~mask).astype(np.uint8)


def _planes(
    spec: PoolSpec, names: Sequence[str], photo: NDArray, mask: NDArray, rng: np.random.Generator
) -> tuple[list[NDArray], NDArray, NDArray[np.uint8]]:
    """Three planes at growing distance, one source focused on each."""
    middle = draw_mask(rng, spec.shape)
    colours = [_prepared(spec, names[int(rng.integers(len(names)))], rng)[0] for _ in range(2)]
    layers = [(colours[0], np.ones(spec.shape, np.float32))]
    for colour, cut in ((colours[1], middle), (photo, mask)):
        alpha = gaussian_blur(cut.astype(np.float32), float(rng.uniform(0.4, 1.2)))
        layers.append((fill_hidden(colour, (alpha > 0.99).astype(np.float32)), alpha))
    step = float(rng.uniform(1.5, 5))
    kernel: Kernel = "disk" if rng.random() < 0.6 else "gaussian"
    sources = [
        composite(layers, [step * abs(plane - focus) for plane in range(3)], kernel)
        for focus in range(3)
    ]
    owner = np.where(mask, 2, np.where(middle, 1, 0)).astype(np.uint8)
    return sources, composite(layers, (0, 0, 0), kernel), owner


@lru_cache(maxsize=8)
def _read(name: str) -> tuple[NDArray[np.uint8], tuple[NDArray[np.int32], ...]]:
    """A photo (RGB, landscape) and its segmentations, where BSDS500 has some beside it."""
    file = Path(name)
    image = cv2.imread(name, cv2.IMREAD_COLOR)
    if image is None:
        raise DataUnavailable(f"{file}: not a readable photo")
    truth = file.parents[2] / "groundTruth" / file.parent.name / f"{file.stem}.mat"
    people = read_segmentations(truth) if len(file.parents) > 2 and truth.is_file() else []
    if image.shape[0] > image.shape[1]:
        image = image.swapaxes(0, 1)
        people = [labels.T for labels in people]
    return np.ascontiguousarray(image[..., ::-1]), tuple(people)


def _prepared(
    spec: PoolSpec, name: str, rng: np.random.Generator
) -> tuple[NDArray, list[NDArray[np.int32]]]:
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
