"""Photos to train on: read, turned, and cut to the size of a pool's scenes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.image_io import read_image
from bench.core.pixels import luminance, to_unit
from datasets.defocus import Image
from datasets.masks import bsds_labels
from methods.learned.data.specs import PoolSpec

cv2 = lazy.load("cv2")


@lru_cache(maxsize=8)
def _read(name: str) -> tuple[Image, tuple[NDArray[np.integer], ...]]:
    """A photo (RGB, landscape) and its segmentations, where BSDS500 has some beside it."""
    file = Path(name)
    image = to_unit(read_image(file))
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    drawn = file.parents[2] / "groundTruth" / file.parent.name / f"{file.stem}.mat"
    people = bsds_labels(drawn) if len(file.parents) > 2 and drawn.is_file() else []
    if image.shape[0] > image.shape[1]:
        image = image.swapaxes(0, 1)
        people = [labels.T for labels in people]
    return np.ascontiguousarray(image), tuple(people)


def prepared(
    spec: PoolSpec, name: str, rng: np.random.Generator
) -> tuple[NDArray, list[NDArray[np.integer]]]:
    """A photo cropped to the pool's shape as float32 in [0, 1], and its segmentations."""
    photo, people = _read(name)
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
