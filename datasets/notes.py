"""What the pixels of a scene show that a user should know before they are fused."""

from __future__ import annotations

import itertools

import numpy as np

from datasets._base import SceneImages


def scene_notes(images: SceneImages) -> tuple[str, ...]:
    """Sentences about the images of a scene, one for each finding.

    Parameters
    ----------
    images : SceneImages
        The checked images.

    Examples
    --------
    >>> import numpy as np
    >>> from datasets import SceneImages
    >>> from datasets.notes import scene_notes
    >>> image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    >>> scene_notes(SceneImages((image, image)))
    ('source 1 and source 2 are equal: there is nothing to fuse',)
    """
    return tuple(
        f"source {first + 1} and source {second + 1} are equal: there is nothing to fuse"
        for first, second in itertools.combinations(range(len(images.sources)), 2)
        if np.array_equal(images.sources[first], images.sources[second])
    )
