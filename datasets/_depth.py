"""Defocus by real depth: the Middlebury motorcycle photographed with two focus settings."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.pixels import to_unit
from datasets._base import SceneImages
from datasets._photos import LARGEST, known_scene, reduced
from datasets.defocus import Image, composite, fill_hidden
from datasets.focal_stack import Surface

cv2 = lazy.load("cv2")
scipy = lazy.load("scipy")

#: Disparity between the two ranges of sharpness; the motorcycle is nearer.
MEETING = 31.0
#: Radius in pixels of the circle of confusion per pixel of disparity. For a thin lens the
#: radius is proportional to the difference of inverse distances, and so is disparity.
APERTURE = 0.22
#: Number of layers that the depth is divided into.
LAYERS = 24


def motorcycle_images() -> SceneImages:
    """Focused on the motorcycle, then on the garage behind; RGB, 640 x 432.

    Each setting is sharp on its side of `MEETING`, so a perfect fusion equals the
    reference, which is the photo.
    """
    import skimage.data

    left, _, disparity = skimage.data.stereo_motorcycle()
    photo = reduced(to_unit(left), LARGEST)
    height, width = photo.shape[:2]
    whole = filled(disparity)
    depth = cv2.resize(whole, (width, height), interpolation=cv2.INTER_NEAREST)
    near = layered(photo, depth, lambda d: APERTURE * max(0.0, MEETING - d))
    far = layered(photo, depth, lambda d: APERTURE * max(0.0, d - MEETING))
    return known_scene(near, far, reference=photo, mask=depth >= MEETING)


def filled(disparity: NDArray[np.floating]) -> Image:
    """Disparity without holes: a pixel that one camera cannot see takes the background's."""
    known = np.isfinite(disparity)
    columns = np.arange(disparity.shape[1])
    before = np.maximum.accumulate(np.where(known, columns, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, columns, len(columns))[:, ::-1], axis=1)[:, ::-1]
    rows = np.arange(len(disparity))[:, None]
    left = np.where(before >= 0, disparity[rows, np.maximum(before, 0)], np.inf)
    right = np.where(
        after < len(columns), disparity[rows, np.minimum(after, len(columns) - 1)], np.inf
    )
    whole = np.minimum(left, right)
    whole[~np.isfinite(whole)] = np.min(disparity[known])
    smooth = scipy.ndimage.median_filter(whole, size=5)
    return np.where(known, disparity, smooth).astype(np.float32)


def layered(photo: Image, depth: Image, radius: Callable[[float], float]) -> Image:
    """Photograph a scene of known depth.

    Every layer continues behind all nearer ones, so there is no gap between neighbouring layers
    of one surface.

    Parameters
    ----------
    photo : ndarray
        float32 in [0, 1], (H, W, 3): the scene in focus.
    depth : ndarray
        float32 (H, W), larger is nearer.
    radius : callable
        Circle of confusion in pixels at a depth.
    """
    edges = np.linspace(depth.min(), depth.max(), LAYERS + 1)
    # Neighbouring layers that are in focus are merged.
    radii = [radius(float(d)) for d in (edges[:-1] + edges[1:]) / 2]
    starts = [0, *(k for k in range(1, LAYERS) if max(radii[k], radii[k - 1]) > 0.5)]
    layers = []
    for start, stop in zip(starts, [*starts[1:], LAYERS], strict=True):
        beyond = depth >= edges[start] if start else np.ones(depth.shape, bool)
        nearer = depth >= edges[stop] if stop < LAYERS else np.zeros(depth.shape, bool)
        seen = (beyond & ~nearer).astype(np.float32)
        layers.append((fill_hidden(photo, seen), beyond.astype(np.float32)))
    return composite(layers, [radii[start] for start in starts])


def depth_layers(photo: Image, depth: Image, count: int) -> list[Surface]:
    """Divide a scene of measured depth into surfaces of one depth each, back to front.

    As in `layered`, every layer continues behind all nearer ones. Its colours reach into the
    neighbouring layers, which at a step of depth are not neighbours in the image.

    Parameters
    ----------
    photo : ndarray
        float32 in [0, 1], (H, W) or (H, W, 3): the scene in focus.
    depth : ndarray
        float32 (H, W), disparity.
    count : int
        Number of layers.
    """
    edges = np.linspace(depth.min(), depth.max(), count + 1)
    layers = []
    for k, (low, high) in enumerate(pairwise(edges)):
        beyond = depth >= low if k else np.ones(depth.shape, bool)
        step = high - low
        known = (depth >= low - step) & (depth < high + step)
        if k == count - 1:
            known = depth >= low - step
        colour = fill_hidden(photo, known.astype(np.float32))
        middle = np.full_like(depth, (low + high) / 2)
        layers.append(Surface(colour, beyond.astype(np.float32), middle))
    return layers
