"""Find fused images in a folder whose red and blue are swapped, as when BGR is saved for RGB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import BenchError
from bench.engine.fused_bits import at_scale_of
from bench.engine.image_folder import ImageFolder
from datasets import Scene

#: An image counts as swapped if exchanging red and blue reduces its distance to this part.
NEARER = 0.5


def channel_notes(methods: Sequence[object], scenes: Sequence[Scene]) -> Iterator[str]:
    """A sentence for each image folder whose first image seems to have red and blue swapped."""
    for method in methods:
        if not isinstance(method, ImageFolder):
            continue
        scene = next((scene for scene in scenes if scene.name in method.files), None)
        if scene is None or scene.missing():
            continue
        try:
            images, fused = scene.read_checked(), method.image(scene)
        except (BenchError, OSError):
            continue  # its row in the tables says why
        fused = at_scale_of(fused, images.sources, images.bits)
        if swapped(images.sources, fused):
            yield f"{method.name}: red and blue seem to be swapped in {method.files[scene.name]}"


def swapped(sources: Sequence[NDArray[Any]], fused: NDArray[Any]) -> bool:
    """Whether `fused` is far nearer to its colour sources with red and blue exchanged.

    Examples
    --------
    >>> import numpy as np
    >>> from bench.engine.channel_order import swapped
    >>> red = np.zeros((4, 4, 3), np.uint8)
    >>> red[..., 0] = 200
    >>> swapped([red, red], red), swapped([red, red], red[..., ::-1])
    (False, True)
    """
    images = [image for image in sources if image.shape == fused.shape and fused.ndim == 3]
    if not images:
        return False
    scaled = [image.astype(np.float32) / np.iinfo(image.dtype).max for image in images]
    result = fused.astype(np.float32) / np.iinfo(fused.dtype).max
    straight, exchanged = (
        float(np.min([np.abs(image - one).sum(-1) for image in scaled], axis=0).mean())
        for one in (result, result[..., ::-1])
    )
    return exchanged < NEARER * straight
