"""Training pairs made before training, so that the trainer never waits for an image.

A pool is a set of whole scenes as arrays of 8 or 16 bits on disk, mapped into memory: sources,
reference, which source shows a pixel sharp, and points on the boundaries between them. Scene k is
a function of (specification, k) alone; processes fill a pool together. Of several trainings, or
ranks of one, the first makes a pool and the others wait for it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import multiprocessing
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.devices import available_cores
from bench.core.errors import UsageError
from methods.learned.data.scenes import make_scene
from methods.learned.data.specs import DEEP, KINDS, POINTS, VERSION, PoolSpec

cv2 = lazy.load("cv2")


class Pool(NamedTuple):
    """The arrays of a pool; see the module."""

    sources: NDArray[np.uint8 | np.uint16]  # (P, N, H, W) or (P, N, H, W, 3)
    reference: NDArray[np.uint8 | np.uint16]  # (P, H, W) or (P, H, W, 3)
    owner: NDArray[np.uint8]  # (P, H, W)
    edges: NDArray[np.int16]  # (P, POINTS, 2)


def data_hash(photos: Sequence[Path]) -> str:
    """SHA-256 over the photos' names and bytes."""
    digest = hashlib.sha256()
    for photo in photos:
        digest.update(photo.name.encode())
        digest.update(photo.read_bytes())
    return digest.hexdigest()


def photos_hash(photos: Mapping[str, Sequence[Path]]) -> str:
    """A short hash over the photos of all parts of the data."""
    text = "".join(f"{part} {data_hash(files)}" for part, files in sorted(photos.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


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
        raise UsageError(f"pool kind {spec.kind!r} must be one of {', '.join(KINDS)}")
    text = json.dumps([VERSION, asdict(spec), [photo.name for photo in photos], _sizes(photos)])
    place = folder / f"{spec.kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    if not (place / "done").exists():
        with _only_maker(folder):
            if not (place / "done").exists():
                _make(spec, photos, place, workers or available_cores())
    return Pool(**_open(spec, place, "c"))


@contextmanager
def _only_maker(folder: Path) -> Iterator[None]:
    """Let one process at a time make pools in `folder`; the others wait, then find them made.

    The system releases the lock of a process that is killed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(spec: PoolSpec, photos: Sequence[Path], place: Path, workers: int) -> None:
    """Make a pool beside `place`, then rename it; replaces what killed processes left there."""
    for leftover in (place, *place.parent.glob(f"{place.name}.*")):
        if leftover.is_dir():
            shutil.rmtree(leftover)
    making = place.with_name(f"{place.name}.making")
    making.mkdir()
    for name, (shape, dtype) in _layout(spec).items():
        np.lib.format.open_memmap(making / f"{name}.npy", "w+", dtype, shape)
    _fill_all(spec, [str(photo) for photo in photos], making, workers)
    (making / "done").touch()
    making.rename(place)


def _sizes(photos: Sequence[Path]) -> list[int]:
    return [photo.stat().st_size for photo in photos]


def _layout(spec: PoolSpec) -> dict[str, tuple[tuple[int, ...], Any]]:
    tail = (*spec.shape, 3) if spec.colour else spec.shape
    levels = np.uint16 if spec.kind in DEEP else np.uint8
    return {
        "sources": ((spec.scenes, KINDS[spec.kind], *tail), levels),
        "reference": ((spec.scenes, *tail), levels),
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
    # Not forked: a child that inherits the locks of this process' threads may wait for ever.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as executor:
        jobs = [executor.submit(_fill, spec, names, place, part) for part in parts]
        for job in jobs:
            job.result()


def _fill(spec: PoolSpec, names: list[str], place: Path, which: Sequence[int]) -> None:
    """Make some scenes of a pool; runs in a process of its own."""
    cv2.setNumThreads(1)
    arrays = _open(spec, place, "r+")
    for k in which:
        for name, value in make_scene(spec, names, k).items():
            arrays[name][k] = value
