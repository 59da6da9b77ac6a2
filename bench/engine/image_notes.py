"""What a user should know of fused images in folders.

Files that were left out; what the reader remarks (a palette, alpha); images whose red and blue are
swapped, as when BGR is saved for RGB; and images of another picture or size, as when the results on
another data set have the same names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import BenchError
from bench.core.pixels import to_gray255
from bench.core.remarks import collect
from bench.engine.fused_bits import at_scale_of
from bench.engine.image_folder import ImageFolder
from datasets import Scene, SceneImages

#: An image counts as swapped if exchanging red and blue reduces its distance to this part.
NEARER = 0.5

#: An image that correlates less with each of its sources, in a small view, is of another picture.
ALIKE = 0.6

#: Width and height of the small view, in pixels.
VIEW = 32


def image_notes(methods: Sequence[object], scenes: Sequence[Scene]) -> Iterator[str]:
    """Sentences about the folders among `methods`, from the first image of each."""
    read: dict[str, SceneImages] = {}
    for method in methods:
        if not isinstance(method, ImageFolder):
            continue
        yield from method.notes
        for scene in _firsts(method, scenes):
            try:
                if scene.name not in read:
                    read[scene.name] = scene.read_checked()
                with collect() as remarks:
                    fused = method.image(scene)
            except (BenchError, OSError):
                continue  # its row in the tables says why
            yield from (f"{method.name}: {remark}" for remark in remarks)
            images = read[scene.name]
            fused = at_scale_of(fused, images.sources, images.bits)
            if doubt := _doubt(images.sources, fused, scene):
                yield f"{method.name}: {doubt}: {method.path(scene)}"


def _firsts(method: ImageFolder, scenes: Sequence[Scene]) -> list[Scene]:
    """The first scene of each data set of which there is an image."""
    firsts: dict[str, Scene] = {}
    for scene in scenes:
        if scene.name in method.files and scene.dataset not in firsts and not scene.missing():
            firsts[scene.dataset] = scene
    return list(firsts.values())


def _doubt(sources: Sequence[NDArray[Any]], fused: NDArray[Any], scene: Scene) -> str:
    """What seems to be wrong with a fused image; empty if nothing does."""
    (height, width), (rows, columns) = fused.shape[:2], sources[0].shape[:2]
    if (height, width) != (rows, columns):
        return (
            f"{width}x{height}, but {scene.name} is {columns}x{rows}; are these images of another "
            "data set?"
        )
    if not alike(sources, fused):
        return f"does not look like {scene.name}; is it of another picture?"
    return "red and blue seem to be swapped in" if swapped(sources, fused) else ""


def alike(sources: Sequence[NDArray[Any]], fused: NDArray[Any]) -> bool:
    """Whether `fused` shows the picture of its sources, of the same size.

    Examples
    --------
    >>> import numpy as np
    >>> from bench.engine.image_notes import alike
    >>> one, other = np.random.default_rng(1).integers(0, 256, (2, 64, 64), np.uint8)
    >>> alike([one, one], one), alike([one, one], other)
    (True, False)
    """
    view = _view(fused)
    views = [_view(source) for source in sources]
    if not view.any() or not all(one.any() for one in views):
        return True  # of a constant image nothing can be said
    return max(float((view * one).sum()) for one in views) >= ALIKE


def _view(image: NDArray[Any]) -> NDArray[np.float64]:
    """A small gray view of unit length, without its mean; zeros for a constant image."""
    small = cv2.resize(to_gray255(image), (VIEW, VIEW), interpolation=cv2.INTER_AREA)
    small = small - small.mean()
    length = float(np.linalg.norm(small))
    return small / length if length > 1e-6 else np.zeros_like(small)


def swapped(sources: Sequence[NDArray[Any]], fused: NDArray[Any]) -> bool:
    """Whether `fused` is far nearer to its colour sources with red and blue exchanged.

    Examples
    --------
    >>> import numpy as np
    >>> from bench.engine.image_notes import swapped
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
