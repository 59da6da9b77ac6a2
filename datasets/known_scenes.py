"""Recognises the pictures of catalogued collections by their pixels, wherever they lie.

A user's folder with the Lytro pairs holds the survey's scenes under other names. Only files that
are on this machine are compared; nothing is downloaded.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import BenchError
from datasets._base import Scene
from datasets._selection import load_scenes
from datasets.published import published_datasets
from datasets.same_scenes import same_scenes
from datasets.standard import CATALOGUED

#: The recognised scenes with their names, by their id: a scene that is loaded again, from files
#: that may have changed, is another object.
_known: dict[int, tuple[Scene, frozenset[str]]] = {}


def known_as(scene: Scene) -> frozenset[str]:
    """The names of the scene in the collections that have published fused images.

    Parameters
    ----------
    scene : Scene
        A scene of a collection is known by its name and is not read; any other is read and
        compared pixel for pixel, in the order of its sources. One whose images are changed after
        they are read is no scene of a collection.

    Returns
    -------
    frozenset of str
        ``collection/scene``; with the scene's own name.
    """
    if scene.changes:
        return frozenset([scene.name])
    names = same_scenes(scene.name)
    if scene.dataset in CATALOGUED or len(names) > 1:
        return names
    if id(scene) not in _known:
        _known[id(scene)] = scene, names | _recognised(scene)
    return _known[id(scene)][1]


def _recognised(scene: Scene) -> frozenset[str]:
    if scene.missing():
        return frozenset()
    try:
        sources = scene.read().sources
        found = _by_pixels(len(sources)).get(_pixels(sources))
    except (BenchError, OSError):
        return frozenset()  # its row in the tables says why it cannot be read
    return same_scenes(found) if found else frozenset()


@cache
def _by_pixels(sources: int) -> dict[str, str]:
    """Names of the scenes with published images on this machine, by the hash of their sources.

    Only scenes of so many sources are read.
    """
    found: dict[str, str] = {}
    for scene in (scene for name in published_datasets() for scene in load_scenes(name)):
        if len(scene.files) != sources or scene.missing():
            continue
        with contextlib.suppress(BenchError, OSError):  # one damaged file hides one scene only
            found[_pixels(scene.read().sources)] = scene.name
    return found


def _pixels(sources: Iterable[NDArray[np.generic]]) -> str:
    digest = hashlib.sha256()
    for image in sources:
        digest.update(f"{image.shape} {image.dtype}".encode())
        digest.update(np.ascontiguousarray(image).tobytes())
    return digest.hexdigest()
