"""Align the images of one scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.engine.single_image import Image
    from datasets.alignment import AlignedImages


def align(images: Sequence[Image], method: str = "ecc") -> AlignedImages:
    """Align the images of a scene to the first one: hand shift, rotation, focus breathing.

    Each image is compared with the one before it, in the order given, so a stack should be given
    in the order of its planes of focus.

    Parameters
    ----------
    images : sequence of array_like or path-like
        Two or more of one size: (H, W) or (H, W, 3); ``uint8``, ``uint16``, or float in [0, 1].
    method : str
        ``"ecc"``, ``"features"``, or one that a plug-in registers.

    Returns
    -------
    AlignedImages
        Its ``images`` have the types and the size that were given; ``cropped()`` gives them
        without the border that not all of them cover; ``left`` says how well they fit, in pixels.

    Raises
    ------
    NotAligned
        An image cannot be aligned with the one before it; it is an `bench.errors.ImageError`.
    ImageError
        An image cannot be read, or its size is another.
    UnknownName
        There is no such method.

    Examples
    --------
    >>> import bench
    >>> from skimage import data
    >>> photo = data.camera()
    >>> aligned = bench.align([photo[8:, 8:], photo[5:-3, 6:-2]])
    >>> bench.fuse("lp", aligned.cropped()).shape
    (501, 502)
    """
    from bench.core.pixels import same_size
    from bench.engine.single_image import read_images
    from datasets.alignment import align as align_images

    named = read_images(images, "image")
    same_size([array for _, array in named], [name for name, _ in named])
    return align_images([array for _, array in named], method)
