"""A user's own pairs and stacks, found by the names of the files."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ImageError, NothingSelected, UsageError
from bench.core.image_io import SUFFIXES, read_image
from bench.core.pixels import to_gray255
from datasets._base import Scene, SceneImages, dataset

#: ``scene_A``, ``scene-2``, ``scene reference``; within a scene's own folder also ``A``, ``2``.
_NAME = re.compile(
    r"(?:(?P<scene>.+)[_\- ])?(?P<role>[a-z]|\d{1,4}|reference|truth|mask)", re.IGNORECASE
)
CONVENTION = "name_A and name_B, or name_1, name_2 and so on"


@dataclass
class _Group:
    """The files of one scene so far."""

    sources: dict[str, Path] = field(default_factory=dict)
    reference: Path | None = None
    mask: Path | None = None


@dataclass(frozen=True)
class _Files:
    """The files of one complete scene; sources in their order."""

    sources: tuple[Path, ...]
    reference: Path | None
    mask: Path | None


@dataclass(frozen=True)
class _Images:
    """Reads a scene's files; an object rather than a closure, so that it can be pickled."""

    files: _Files

    def __call__(self) -> SceneImages:
        reference = self.files.reference
        return SceneImages(
            sources=tuple(read_image(file) for file in self.files.sources),
            reference=None if reference is None else read_image(reference),
            mask=None if self.files.mask is None else _mask(self.files.mask),
        )


@dataset(
    "folder",
    title="Pairs or stacks of a user's own",
    citation="none",
    licence="the user's",
    argument="DIR",
    argument_required=True,
)
def folder(where: str) -> list[Scene]:
    """The scenes in a folder, and in each folder directly below it.

    A scene's sources are called ``name_A.*``, ``name_B.*`` or ``name_1.*``, ``name_2.*`` and
    so on, upper or lower case, with ``_``, ``-`` or a space before the last part, and any of
    the image formats. ``name_reference.*`` (or ``name_truth.*``) is the all-in-focus reference,
    ``name_mask.*`` is white where the first source is in focus. In a folder of its own the
    files of a scene may be called ``A``, ``B`` and so on, and the folder's name is the scene's.
    Other files are ignored.

    Parameters
    ----------
    where : str
        The folder.

    Raises
    ------
    UsageError
        There is no such folder, a scene has one source only, or two files have one role.
    NothingSelected
        No file has such a name.
    """
    top = Path(where).expanduser().absolute()
    if not top.is_dir():
        raise UsageError(f"{where}: no such folder")
    below = sorted(path for path in top.iterdir() if path.is_dir() and path.name[0] != ".")
    found: dict[str, _Files] = {}
    for place in [top, *below]:
        for name, files in _scenes_in(place, own=place != top).items():
            if name in found:
                name = f"{place.name} {name}"
            if name in found:
                raise UsageError(f"{where}: two scenes are called {name!r}")
            found[name] = files
    if not found:
        raise NothingSelected(f"{where}: no sources in it; call them {CONVENTION}")
    return [Scene("folder", name, _Images(files), "real") for name, files in sorted(found.items())]


def _scenes_in(place: Path, *, own: bool) -> dict[str, _Files]:
    groups: dict[str, _Group] = {}
    for file in sorted(place.iterdir()):
        if file.suffix.lower() not in SUFFIXES or file.name[0] == "." or not file.is_file():
            continue
        match = _NAME.fullmatch(unicodedata.normalize("NFC", file.stem))
        if match and (match["scene"] or own):
            name = match["scene"] or unicodedata.normalize("NFC", place.name)
            _put(groups.setdefault(name.strip(), _Group()), match["role"].lower(), file)
    return {name: _complete(place, name, group) for name, group in groups.items()}


def _put(group: _Group, role: str, file: Path) -> None:
    """Add an image to the group; raises `UsageError` when its role is taken."""
    if role in ("reference", "truth"):
        taken, group.reference = group.reference, file
    elif role == "mask":
        taken, group.mask = group.mask, file
    else:
        number = str(int(role)) if role.isdecimal() else role
        taken = group.sources.get(number)
        group.sources[number] = file
    if taken is not None:
        raise UsageError(f"{taken} and {file.name} are both {role!r} of one scene")


def _complete(place: Path, name: str, group: _Group) -> _Files:
    """The checked files of a group, with its sources in order."""
    letters = [role for role in group.sources if role.isalpha()]
    if letters and len(letters) < len(group.sources):
        raise UsageError(
            f"{place}: scene {name!r} mixes letters and numbers; call them {CONVENTION}"
        )
    if len(group.sources) < 2:
        single: Iterable[Path | None] = [*group.sources.values(), group.reference, group.mask]
        only = next(file.name for file in single if file is not None)
        count = "only one source" if group.sources else "no source"
        raise UsageError(
            f"{place}: scene {name!r} has {count} ({only}); "
            f"expected two or more, called {CONVENTION}"
        )
    order = sorted(group.sources, key=lambda role: (len(role), role))
    return _Files(tuple(group.sources[role] for role in order), group.reference, group.mask)


def _mask(file: Path) -> NDArray[np.bool_]:
    """The mask, white as True; raises `ImageError` unless the image is black and white."""
    levels = to_gray255(read_image(file))
    if ((levels > 32) & (levels < 223)).mean() > 0.05:
        raise ImageError(f"{file}: not a mask; expected black and white pixels")
    return levels >= 128
