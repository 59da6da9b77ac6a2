"""The files behind a name: of a collection, of one that is fetched by hand, of any scenes."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, replace

from bench.core.errors import UnknownName, UsageError
from datasets import fetch
from datasets._base import DATASETS, Scene
from datasets._selection import load_scenes, names_scenes
from datasets.by_hand import HandCollection, hand_collections
from datasets.catalog import Collection, collection, collections
from datasets.subsets import SUBSETS


@dataclass(frozen=True)
class FileSet:
    """The files behind a name.

    Attributes
    ----------
    name, title : str
        What was asked for, and what it is.
    files : tuple of (str, str)
        Collection and path of each file that can be downloaded.
    by_hand : tuple of Scene
        Scenes whose files only the user can fetch.
    home, commit : str
        The page of the files, and their revision; empty for files of several collections.
    licence, citation, bibtex : str
        Terms of use, and citation.
    layout, steps : str
        Of a collection that is fetched by hand: its paths, and what to do.
    """

    name: str
    title: str
    files: tuple[tuple[str, str], ...] = ()
    by_hand: tuple[Scene, ...] = ()
    home: str = ""
    commit: str = ""
    licence: str = ""
    citation: str = ""
    bibtex: str = ""
    layout: str = ""
    steps: str = ""

    @property
    def bytes(self) -> int:
        """Sum of the sizes of the files that can be downloaded."""
        return sum(collection(name).entry(path).bytes for name, path in self.files)

    def here(self) -> int:
        """How many files are on this machine by name and size; of `by_hand`, how many scenes."""
        found = sum(
            fetch.state(collection(name), collection(name).entry(path), verify=False) == "ok"
            for name, path in self.files
        )
        return found + sum(not scene.missing() for scene in self.by_hand)

    def to_do(self) -> dict[str, str]:
        """What to do for each scene of `by_hand`; empty for those that are on this machine."""
        said = {}
        for scene in self.by_hand:
            advice, why = hand_collections()[scene.dataset].advice, scene.missing()
            said[scene.name] = advice if advice in why else why
        return said

    def only(self, pattern: str) -> FileSet:
        """The files whose path fits a glob."""
        return replace(
            self, files=tuple(file for file in self.files if fnmatch.fnmatchcase(file[1], pattern))
        )


def file_set(name: str) -> FileSet:
    """The files behind the name of a collection, a dataset, a subset or a selection of scenes.

    Parameters
    ----------
    name : str
        Such as ``"liu2020"``, ``"real-mff"``, ``"stacks"``, ``"mffw-stacks"`` or
        ``"mfi-whu/mfi-whu_0*"``.

    Raises
    ------
    UnknownName
        Nothing has that name.
    UsageError
        Its scenes need no files.

    Examples
    --------
    >>> from datasets.file_sets import file_set
    >>> len(file_set("stacks").files), len(file_set("stacks-keyboard").files)
    (183, 32)
    >>> len(file_set("real-mff").by_hand)
    710
    """
    if name in collections():
        return _of_collection(collection(name))
    if name in hand_collections():
        return _of_hand(hand_collections()[name])
    if not names_scenes(name):
        known = {*collections(), *hand_collections(), *DATASETS.names(), *SUBSETS}
        raise UnknownName("collection", name, known)
    scenes = load_scenes(name)
    files = tuple(dict.fromkeys(file for scene in scenes for file in scene.files))
    by_hand = tuple(scene for scene in scenes if scene.lacks)
    if not files and not by_hand:
        raise UsageError(f"{name}: its scenes need no files of a collection")
    entry = DATASETS[scenes[0].dataset]
    return FileSet(
        name, entry.title, files, by_hand, licence=entry.licence, citation=entry.citation
    )


def _of_collection(found: Collection) -> FileSet:
    return FileSet(
        found.name,
        found.title,
        tuple((found.name, path) for path in found.entries),
        home=found.home,
        commit=found.commit,
        licence=found.licence,
        citation=found.citation,
        bibtex=found.bibtex.strip(),
    )


def _of_hand(found: HandCollection) -> FileSet:
    return FileSet(
        found.name,
        found.title,
        by_hand=tuple(load_scenes(found.name)),
        home=found.home,
        licence=found.licence,
        citation=found.citation,
        bibtex=found.bibtex.strip(),
        layout=found.layout,
        steps=found.steps,
    )
