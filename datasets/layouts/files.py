"""The files of a scene, the pictures of a directory tree, and how a folder is refused."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from bench.core.errors import UsageError
from bench.core.image_io import SUFFIXES

#: How sources are called, in messages.
CONVENTION = "name_A and name_B, or name_1, name_2 and so on"
#: The way out, in messages.
OPTION = "or say which file is what with --layout, such as --layout '{scene}_{source}'"
#: The way out where the question is whether files are one stack.
STACK_OPTION = "if they are one stack, say so with --layout '{source}'"

#: Directories that programs make beside pictures: thumbnails, resource forks.
_NOT_PICTURES = frozenset({"@eadir", "__macosx", "thumbnails", "lost+found", "$recycle.bin"})


@dataclass(frozen=True)
class SceneFiles:
    """The files of one scene.

    Attributes
    ----------
    name : str
        What the scene is called.
    sources : tuple of Path
        In their order; a single one is a TIFF whose pages are the sources.
    reference, mask : Path or None
        The all-in-focus reference; white where the first source is in focus.
    notes : tuple of str
        What a user should know: files beside the sources that were left out.
    parents : tuple of str
        Names of the directories between the folder and the files.
    pages : int
        Pages of the file that is the only source; 1 if there are several.
    """

    name: str
    sources: tuple[Path, ...]
    reference: Path | None = None
    mask: Path | None = None
    notes: tuple[str, ...] = ()
    parents: tuple[str, ...] = field(default=(), compare=False)
    pages: int = 1

    @property
    def count(self) -> int:
        """How many sources the scene has."""
        return self.pages if len(self.sources) == 1 else len(self.sources)


@dataclass(frozen=True)
class Picture:
    """An image file: its path, and its name without the ending."""

    path: str
    stem: str
    suffix: str

    @property
    def name(self) -> str:
        """The file's name."""
        return os.path.basename(self.path)  # noqa: PTH119  # 20,000 paths are made of it


@dataclass(frozen=True)
class Directory:
    """A directory with the pictures in it and the directories below it, in natural order.

    Attributes
    ----------
    path, name : str
        Where it is, and its name as scenes show it.
    pictures : tuple of Picture
        Image files; hidden ones are left out.
    folders : tuple of Directory
        Directories that hold a picture somewhere.
    other : str
        Name of a file that is no picture, for messages; may be empty.
    """

    path: str
    name: str
    pictures: tuple[Picture, ...]
    folders: tuple[Directory, ...]
    other: str = ""

    def all_pictures(self) -> list[Picture]:
        """Its pictures and those of all directories below it."""
        return [*self.pictures, *(p for below in self.folders for p in below.all_pictures())]


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key in which ``img2`` comes before ``img10``; upper and lower case are alike.

    Examples
    --------
    >>> from datasets.layouts.files import natural
    >>> sorted(["b10", "B2", "a3"], key=natural)
    ['a3', 'B2', 'b10']
    """
    parts = re.split(r"(\d+)", text.casefold())
    return tuple((0, int(p), p) if p.isdecimal() else (1, 0, p) for p in parts if p)


def scan(path: str, seen: frozenset[str] = frozenset()) -> Directory:
    """The tree of pictures below the directory `path`; links are followed, circles are not."""
    pictures, folders, other = [], [], ""
    here = os.path.realpath(path)
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name[0] == ".":
                continue
            stem, suffix = os.path.splitext(entry.name)  # noqa: PTH122  # as in Picture.name
            if suffix.lower() in SUFFIXES and entry.is_file():
                stem = unicodedata.normalize("NFC", stem.removesuffix(".ome"))
                pictures.append(Picture(entry.path, stem, suffix.lower()))
            elif entry.is_dir():
                circle = entry.is_symlink() and os.path.realpath(entry.path) in {*seen, here}
                if entry.name.casefold() not in _NOT_PICTURES and not circle:
                    below = scan(entry.path, seen | {here})
                    other = other or (f"{entry.name}/{below.other}" if below.other else "")
                    folders += [below] if below.pictures or below.folders else []
            else:
                other = min(filter(None, (other, entry.name)))
    return Directory(
        path,
        unicodedata.normalize("NFC", os.path.basename(path)),  # noqa: PTH119
        tuple(sorted(pictures, key=lambda p: (natural(p.stem), p.path))),
        tuple(sorted(folders, key=lambda d: (natural(d.name), d.path))),
        other,
    )


def refusal(where: str, sentence: str, way_out: str = "") -> UsageError:
    """The error of a folder whose names can be read in several ways, or in none."""
    return UsageError(f"{where}: {sentence}; {way_out or f'call sources {CONVENTION}, {OPTION}'}")
