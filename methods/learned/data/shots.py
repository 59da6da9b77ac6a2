"""Shots of one scene: which source shows a pixel best, and what shots differ in beside focus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from datasets.defocus import Image, Kernel, degrade

cv2 = lazy.load("cv2")

Labels = NDArray[np.uint8]

#: Share of the scenes of 8 or 12 bits that have 12.
TWELVE_BITS = 0.25


class Shots(NamedTuple):
    """Sources of one scene as float images, their reference, and which one shows a pixel best."""

    sources: list[Image]
    reference: Image
    owner: Labels


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


def shot_twice(
    shots: Shots, rng: np.random.Generator, *, alike: float = 0.25, most_exposure: float = 0.05
) -> Shots:
    """What two shots of one scene differ in beside focus: a share `alike` of scenes in nothing.

    The logarithms of the exposures have a standard deviation of at most `most_exposure`.
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
    noise, exposure, grain = (
        float(rng.uniform(0, 0.02)),
        float(rng.uniform(0, most_exposure)),
        _grain(rng),
    )
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


def in_levels(images: Sequence[Image], deep: bool, rng: np.random.Generator) -> list[NDArray]:
    """Images in whole levels: 8 bits, or in 16 bits what a camera of 8 or 12 bits stores.

    Parameters
    ----------
    images : sequence of ndarray
        Floating-point; clipped to [0, 1].
    deep : bool
        Whether 16 bits are wanted.
    rng : numpy.random.Generator
        Draws the camera's bits.

    Returns
    -------
    list of ndarray
        ``uint8`` or ``uint16``, of the shapes of `images`.
    """
    top = 4095 if deep and rng.random() < TWELVE_BITS else 255
    stored = [np.rint(np.clip(image, 0, 1) * top) for image in images]
    if not deep:
        return [levels.astype(np.uint8) for levels in stored]
    return [np.rint(levels * (65535 / top)).astype(np.uint16) for levels in stored]


def drawn_kernel(rng: np.random.Generator) -> Kernel:
    """Disks a little more often than Gaussians."""
    return "disk" if rng.random() < 0.6 else "gaussian"
