"""Surfaces of low texture, for training.

In a photo nearly every pixel has texture or grain, and defocus removes both, so a network learns
to judge each pixel by itself. A dial, a can or a wall has none: there the letters and edges around
must decide. These surfaces are of that kind.
"""

from __future__ import annotations

import string

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from methods._filters import guided_filter
from methods.learned.data.masks import terrain

cv2 = lazy.load("cv2")

Image = NDArray[np.float32]

_FONTS = 8  # OpenCV's Hershey fonts are numbered from 0
_SIGNS = string.ascii_letters + string.digits + "+-/=%&"


def flattened(photo: Image, rng: np.random.Generator) -> Image:
    """The photo, (H, W) or (H, W, 3), without fine texture and grain, its strong edges kept."""
    radius, eps = int(rng.integers(5, 16)), float(rng.uniform(0.001, 0.008))
    planes = [photo] if photo.ndim == 2 else list(np.moveaxis(photo, -1, 0))
    for _ in range(2):
        planes = [guided_filter(p, cv2.medianBlur(p, 5), radius, eps) for p in planes]
    return np.clip(planes[0] if photo.ndim == 2 else np.stack(planes, axis=-1), 0, 1)


def drawing(shape: tuple[int, int], rng: np.random.Generator) -> Image:
    """Letters, lines, rings and bars on an evenly lit ground, float32 (H, W) in [0, 1]."""
    height, width = shape
    light = np.float32(rng.uniform(0, 0.06)) * terrain(rng, shape, (150, 400))
    canvas = np.full(shape, rng.integers(20, 236), np.uint8)
    for _ in range(int(rng.integers(2, 28))):
        tone = int(rng.integers(256))
        x, y = int(rng.integers(-20, width)), int(rng.integers(0, height + 20))
        thick = int(rng.integers(1, 6))
        kind = rng.random()
        if kind < 0.5:
            text = "".join(rng.choice(list(_SIGNS), size=int(rng.integers(1, 9))))
            size, font = float(rng.uniform(0.4, 3)), int(rng.integers(_FONTS))
            cv2.putText(canvas, text, (x, y), font, size, tone, thick, cv2.LINE_AA)
        elif kind < 0.7:
            end = (x + int(rng.normal(0, 120)), y + int(rng.normal(0, 120)))
            cv2.line(canvas, (x, y), end, tone, thick, cv2.LINE_AA)
        elif kind < 0.85:
            axes = (int(rng.integers(5, 120)), int(rng.integers(5, 120)))
            cv2.ellipse(canvas, (x, y), axes, rng.uniform(0, 180), 0, 360, tone, thick, cv2.LINE_AA)
        else:
            end = (x + int(rng.integers(4, 150)), y + int(rng.integers(4, 150)))
            cv2.rectangle(canvas, (x, y), end, tone, -1)
    return np.clip(canvas / np.float32(255) + light, 0, 1)
