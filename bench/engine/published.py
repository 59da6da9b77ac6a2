"""Other people's published results as rows of a run: scored by our metrics, never run by us.

``published:liu2020`` are the fused images of the 18 methods of the survey, ``published:mfifb``
those of the 30 methods of MFIFB, ``published:drl-fpd`` those that the authors of a paper published
of their own method. They have no time.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bench.core.errors import DataUnavailable, UnknownName
from bench.core.fingerprint import digest
from bench.core.image_io import read_image
from bench.core.jpeg import JpegFacts, jpeg_facts, was_jpeg
from datasets import Scene
from datasets.catalog import collection
from datasets.fetch import local_path
from datasets.known_scenes import known_as
from datasets.papers import paper_of
from datasets.perturbations import unchanged
from datasets.published import PUBLISHED, PublishedImage, published_images

PUBLISHED_PREFIX = "published:"


@dataclass(frozen=True)
class PublishedMethod:
    """The published fused images of one method.

    Attributes
    ----------
    collection, method : str
        Whose images, and what they call the method.
    images : mapping
        Name of a scene to its image.
    """

    collection: str
    method: str
    images: Mapping[str, PublishedImage]

    #: The name of the group in tables.
    family = "published"

    @property
    def name(self) -> str:
        """``COLLECTION:METHOD``, a name that no registered method has."""
        return f"{self.collection}:{self.method}"

    @property
    def title(self) -> str:
        """The paper's title and year; says that the images were not made here."""
        paper = paper_of(self.name)
        what = f"{paper.title} ({paper.year})" if paper else self.method
        return f"{what}, fused image published with {self.collection}"

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Which files these are."""
        return {"method": self.name, "commit": collection(self.collection).commit}

    def covers(self, scene: Scene) -> bool:
        """Whether there is an image for `scene`, or for the same picture of its collection.

        A perturbed scene is covered if it is without the perturbation: `path` says why it has none.
        """
        return self._image(unchanged(scene)) is not None

    def note(self, scene: Scene) -> str:
        """What a user should know of the image of `scene`; may be empty."""
        image = self._image(scene)
        return image.note if image else ""

    def _image(self, scene: Scene) -> PublishedImage | None:
        """The image of `scene`, whichever dataset the scene is of."""
        if scene.name in self.images:
            return self.images[scene.name]
        return next((self.images[n] for n in sorted(known_as(scene)) if n in self.images), None)

    def key(self, scene: str, device: str, precision: str = "auto") -> str:
        """Key of the cell on the scene of fingerprint `scene`; device and format do not matter."""
        entries = collection(self.collection).entries
        hashes = sorted(entries[path].sha256 for path in {i.path for i in self.images.values()})
        return digest({**self.identity, "scene": scene, "files": hashes, "jpeg": 1})

    def image(self, scene: Scene) -> NDArray[Any]:
        """The published fused image of `scene`, as it is."""
        return read_image(self.path(scene))

    def path(self, scene: Scene) -> Path:
        """The file of the image of `scene`, downloaded if need be.

        Raises
        ------
        DataUnavailable
            It cannot be read, or the sources of `scene` are changed after they are read.
        """
        if scene.changes:
            done = ", ".join(change.name for change in scene.changes)
            raise DataUnavailable(f"published images are of the sources without {done}")
        image = self._image(scene)
        if image is None:
            raise UnknownName(f"scene of {self.name}", scene.name, self.images)
        return local_path(self.collection, image.path)


def compression_of(
    file: Path, image: NDArray[Any], sources: Callable[[], Sequence[NDArray[Any]]]
) -> JpegFacts | None:
    """How a fused image that lies in `file` is compressed, or was before it was stored.

    `sources` reads what it was fused from; it is not called for a JPEG file.
    """
    return jpeg_facts(file.read_bytes()) or was_jpeg(image, sources())


def is_published(text: str) -> bool:
    """Whether `text` names published images: ``published:…``, or ``COLLECTION:…`` as in tables."""
    group, colon, _ = text.lower().partition(":")
    return bool(colon) and f"{group}:" in (PUBLISHED_PREFIX, *(f"{name}:" for name in PUBLISHED))


def select_published(text: str) -> list[PublishedMethod]:
    """The rows of ``published:COLLECTION``, ``published:COLLECTION/METHOD``, ``COLLECTION:METHOD``.

    Upper and lower case do not matter, and METHOD may be a glob.

    Raises
    ------
    UnknownName
        No collection has that name, or it has no such method.

    Examples
    --------
    >>> from bench.engine.published import select_published
    >>> [row.name for row in select_published("published:liu2020/cnn")]
    ['liu2020:cnn']
    >>> [row.name for row in select_published("MFIFB:dct-*")]
    ['mfifb:dct-corr', 'mfifb:dct-eol']
    """
    given = text.lower().removeprefix(PUBLISHED_PREFIX).replace(":", "/", 1)
    name, _, method = given.partition("/")
    method = method.replace("_", "-")
    if name not in PUBLISHED:
        raise UnknownName("collection of published results", name, PUBLISHED)
    images = published_images(name)
    found = [m for m in images if fnmatch.fnmatchcase(m, method or "*")]
    if not found:
        raise UnknownName(f"published method of {name}", method, images)
    return [PublishedMethod(name, m, images[m]) for m in found]
