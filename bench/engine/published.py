"""Other people's published results as rows of a run: scored by our metrics, never run by us.

``published:liu2020`` are the fused images of the 18 methods of the survey, ``published:mfifb``
those of the 30 methods of MFIFB, as their authors made them. They have no time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from bench.core.errors import UnknownName
from bench.core.fingerprint import digest
from bench.core.image_io import read_image
from datasets import Scene
from datasets.catalog import collection
from datasets.fetch import local_path
from datasets.standard import PUBLISHED, published_images

PUBLISHED_PREFIX = "published:"


@dataclass(frozen=True)
class PublishedMethod:
    """The published fused images of one method.

    Attributes
    ----------
    collection, method : str
        Whose images, and what they call the method.
    files : mapping
        Scene id to the file's path within the collection.
    """

    collection: str
    method: str
    files: Mapping[str, str]

    #: The name of the group in tables.
    family = "published"

    @property
    def name(self) -> str:
        """``COLLECTION:METHOD``, a name that no registered method has."""
        return f"{self.collection}:{self.method}"

    @property
    def title(self) -> str:
        """A title which says that the images were not made here."""
        return f"{self.method}, fused image published with {self.collection}"

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Which files these are."""
        return {"method": self.name, "commit": collection(self.collection).commit}

    def covers(self, scene: Scene) -> bool:
        """Whether there is an image for `scene`."""
        return scene.dataset == self.collection and scene.id in self.files

    def key(self, scene: str, device: str, precision: str = "auto") -> str:
        """Key of the cell on the scene of fingerprint `scene`; device and format do not matter."""
        entries = collection(self.collection).entries
        hashes = sorted(entries[path].sha256 for path in self.files.values())
        return digest({**self.identity, "scene": scene, "files": hashes})

    def image(self, scene: Scene) -> NDArray[Any]:
        """The published fused image of `scene`, as it is."""
        return read_image(local_path(self.collection, self.files[scene.id]))


def select_published(text: str) -> list[PublishedMethod]:
    """The rows of ``published:COLLECTION`` or ``published:COLLECTION/METHOD``.

    Raises
    ------
    UnknownName
        No collection has that name, or it has no such method.

    Examples
    --------
    >>> from bench.engine.published import select_published
    >>> [row.name for row in select_published("published:liu2020/cnn")]
    ['liu2020:cnn']
    """
    name, _, method = text.removeprefix(PUBLISHED_PREFIX).partition("/")
    if name not in PUBLISHED:
        raise UnknownName("collection of published results", name, PUBLISHED)
    images = published_images(name)
    if method and method not in images:
        raise UnknownName(f"published method of {name}", method, images)
    return [PublishedMethod(name, m, files) for m, files in images.items() if method in ("", m)]
