"""A directory for each source: ``source_1/1.jpg source_2/1.jpg``, ``A/001_A.png B/001_B.png``."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from datasets.layouts.files import Directory, Picture, SceneFiles, natural, refusal
from datasets.layouts.names import meaning_of
from datasets.layouts.sequences import counted, gap_in_letters


def scenes_by_role(directory: Directory, roles: Mapping[str, Directory]) -> list[SceneFiles]:
    """The scenes of directories that hold one source each; the names of their files pair them.

    Parameters
    ----------
    directory : Directory
        The one that they lie in.
    roles : mapping of str to Directory
        Letter or number of the source, and its directory.

    Raises
    ------
    UsageError
        A source is missing, or a picture has no partner.
    """
    order = sorted(roles, key=natural)
    _check(directory, roles, order)
    files = {role: _by_path(roles[role]) for role in order}
    if len({frozenset(found) for found in files.values()}) > 1:
        files = {role: _without_role(files[role], role) for role in order}
    if len({*itertools.chain(*files.values())}) > 1 and all(len(f) == 1 for f in files.values()):
        single = tuple(Path(picture.path) for f in files.values() for picture in f.values())
        return [SceneFiles(directory.name, single)]  # one scene, whatever its pictures are called
    every = {key: picture for role in order for key, picture in files[role].items()}
    scenes = []
    for key in sorted(every, key=natural):
        absent = [roles[role].name for role in order if key not in files[role]]
        if absent:
            shown = os.path.relpath(every[key].path, directory.path)
            raise refusal(directory.path, f"{shown} has no partner in {absent[0]}")
        *parents, name = key.split("/")
        sources = tuple(Path(files[role][key].path) for role in order)
        scenes.append(SceneFiles(name, sources, parents=tuple(parents)))
    return scenes


def _check(directory: Directory, roles: Mapping[str, Directory], order: Sequence[str]) -> None:
    letters = [role for role in order if role.isalpha()]
    two = order if len(letters) in (0, len(order)) else [letters[0], order[0]]
    shown = " and ".join(
        os.path.relpath(p.path, directory.path)
        for role in two[:2]
        for p in roles[role].all_pictures()[:1]
    )
    if letters and len(letters) < len(order):
        raise refusal(directory.path, f"the directories of {shown} mix letters and numbers")
    missing = gap_in_letters(letters) if letters else _missing_number(order)
    if missing:
        raise refusal(directory.path, f"{shown}: there is no directory of source {missing}")


def _missing_number(order: Sequence[str]) -> str:
    numbers = sorted(map(int, order))
    first = 0 if numbers[0] == 0 else 1
    return next((str(k) for k, n in enumerate(numbers, first) if n != k), "")


def _by_path(directory: Directory, below: str = "") -> dict[str, Picture]:
    """The pictures of a directory and those below it, by path and name."""
    found: dict[str, Picture] = {}
    for picture in directory.pictures:
        if other := found.get(below + picture.stem):
            raise refusal(directory.path, f"{other.name} and {picture.name} are both of one scene")
        found[below + picture.stem] = picture
    for folder in directory.folders:
        found |= _by_path(folder, f"{below}{folder.name}/")
    return found


def _without_role(files: Mapping[str, Picture], role: str) -> dict[str, Picture]:
    """The same with ``001`` for ``001_A``, if all names end so, or say the role in another way."""
    short = {_stripped(key, picture, role): picture for key, picture in files.items()}
    return short if "" not in short and len(short) == len(files) else dict(files)


def _stripped(key: str, picture: Picture, role: str) -> str:
    """The key without the role that the directory says as well; empty if it does not say it."""
    below = key[: len(key) - len(picture.stem)]
    said = meaning_of(picture.stem)
    if said and said.scene and said.role == role:
        return below + said.scene
    number = counted(picture)
    if number and number.name and number.before != number.name and str(number.number) == role:
        return below + number.name
    return ""
