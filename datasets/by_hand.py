"""Collections that the user fetches by hand, with a photographed or rendered reference.

Their scenes are always listed. They run where the files are under ``MFIF_DATA``, and are skipped
with the reason and what to do where they are not.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from bench.core.errors import DataUnavailable, EnvironmentFault
from bench.core.image_io import read_image
from datasets import fetch
from datasets._base import Scene, SceneImages, dataset

_TABLE = Path(__file__).parent / "by_hand.toml"

#: The widest aperture of ZEDD, at which least is in focus, and the numbers of its focus distances.
_ZEDD_APERTURE = "F1.4"
_ZEDD_RUNS = range(1, 10)


@dataclass(frozen=True)
class HandCollection:
    """A collection that is fetched by hand.

    Attributes
    ----------
    name, title : str
        Short name, which is also its folder under ``MFIF_DATA`` and its dataset, and full title.
    home : str
        The page that tells where the files are.
    scenes, sources : int
        Number of scenes, and of sources of each.
    layout, steps : str
        What the files are called below the folder, and what to do to get them.
    licence, citation, bibtex : str
        Terms of use, and citation.
    """

    name: str
    title: str
    home: str
    scenes: int
    sources: int
    layout: str
    steps: str
    licence: str
    citation: str
    bibtex: str


@cache
def hand_collections() -> dict[str, HandCollection]:
    """All collections that are fetched by hand, by name.

    Raises
    ------
    EnvironmentFault
        The table lacks a field or has one too many.

    Examples
    --------
    >>> from datasets.by_hand import hand_collections
    >>> [(name, found.scenes) for name, found in hand_collections().items()]
    [('real-mff', 710), ('zedd', 100)]
    """
    tables = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    due = {field.name for field in fields(HandCollection)} - {"name"}
    for name, table in tables.items():
        if wrong := due ^ set(table):
            raise EnvironmentFault(f"{_TABLE.name}, [{name}]: {', '.join(sorted(wrong))}")
    return {name: HandCollection(name=name, **table) for name, table in tables.items()}


@dataclass(frozen=True)
class HandReader:
    """Reads a scene that was fetched by hand.

    Attributes
    ----------
    collection : str
        Name of the collection.
    sources : tuple of str
        Globs of the sources below the collection's folder; each fits one file.
    reference : str
        The same of the reference.
    """

    collection: str
    sources: tuple[str, ...]
    reference: str

    def __call__(self) -> SceneImages:
        """The images; raises `DataUnavailable` that says what is missing, and what to do."""
        if reason := self.missing():
            raise DataUnavailable(reason)
        sources = tuple(read_image(self._found(pattern)) for pattern in self.sources)
        return SceneImages(sources, reference=read_image(self._found(self.reference)))

    def missing(self) -> str:
        """The first file that is not on disk, and what to do; empty if all are there."""
        for pattern in (*self.sources, self.reference):
            try:
                self._found(pattern)
            except FileNotFoundError:
                steps = hand_collections()[self.collection].steps
                return f"{self.collection}/{pattern} is not on disk: {steps}"
            except EnvironmentFault as error:
                return str(error)
        return ""

    def _found(self, pattern: str) -> Path:
        for folder in fetch.folders():
            found = sorted((folder / self.collection).glob(pattern))
            if len(found) > 1:
                raise EnvironmentFault(
                    f"{found[0]} and {found[1].name} are both {self.collection}/{pattern}; "
                    "take one of them out"
                )
            if found:
                return found[0]
        raise FileNotFoundError(pattern)


@dataset(
    "real-mff",
    title="Real-MFF: 710 pairs with a reference from light fields, fetched by hand",
    citation="Zhang et al. (2020), Pattern Recognition Letters 138, arXiv:2003.12779",
    licence="no licence stated; for research; not redistributed here",
    count=710,
    reference="yes",
)
def real_mff() -> list[Scene]:
    """All 710 pairs, ``001`` to ``710``, whether they are on this machine or not."""
    scenes = []
    for number in range(1, 711):
        name = f"{number:03}"
        sources = (f"imageA/{name}_A.png", f"imageB/{name}_B.png")
        scenes.append(_scene("real-mff", name, sources, f"Fusion/{name}_F.png", ""))
    return scenes


@dataset(
    "zedd",
    title="ZEDD: 100 scenes at nine focus distances, with a photo at f/16, fetched by hand",
    citation="Zuo et al. (2026), arXiv:2603.26658",
    licence="CC BY 4.0",
    count=100,
    sources="9",
    reference="yes",
)
def zedd() -> list[Scene]:
    """All 100 scenes at f/1.4, ``val_0001`` to ``test_0050``, whether they are here or not.

    The reference is a photo of its own at f/16: it is sharp from front to back but for
    diffraction, and its noise is another one than that of the sources.
    """
    note = "the reference is a photo at f/16, the sources are at f/1.4"
    scenes = []
    for name in (f"{part}_{number:04}" for part in ("val", "test") for number in range(1, 51)):
        stack = f"{name.partition('_')[0]}/{name}/focus_stack"
        photo = f"{stack}/img_run_{{}}_motor_*_aperture_{{}}.jpg"
        sources = tuple(photo.format(run, _ZEDD_APERTURE) for run in _ZEDD_RUNS)
        scenes.append(_scene("zedd", name, sources, photo.format(5, "F16.0"), note))
    return scenes


def _scene(
    collection: str, name: str, sources: tuple[str, ...], reference: str, note: str
) -> Scene:
    reader = HandReader(collection, sources, reference)
    return Scene(collection, name, reader, "real", note=note, lacks=reader.missing)
