"""The scenes of a directory and of those below it; a directory for each role."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bench.core.errors import NothingSelected, UsageError
from bench.core.remarks import remark
from datasets.layouts.directory import scenes_in
from datasets.layouts.files import (
    CONVENTION,
    OPTION,
    Directory,
    Picture,
    SceneFiles,
    natural,
    refusal,
)
from datasets.layouts.names import folder_meaning, meaning_of
from datasets.layouts.roles import scenes_by_role
from datasets.layouts.sequences import counted, taken_at

#: Up to so many sibling directories with numbers of the same names may be one source each.
FEW = 3


def scenes_below(directory: Directory) -> list[SceneFiles]:
    """All scenes of a tree, sorted by name; each has a name of its own.

    Raises
    ------
    UsageError
        Names can be read in several ways, or something is missing.
    NothingSelected
        No file has a name that says anything.
    """
    found = _below(directory, ())
    if not found:
        raise NothingSelected(f"{directory.path}: {_nothing(directory)}")
    return sorted(_with_own_names(directory, found), key=lambda scene: natural(scene.name))


def _nothing(directory: Directory) -> str:
    pictures = directory.all_pictures()
    if not pictures:
        saw = f"saw {directory.other}" if directory.other else "it is empty"
        return f"no picture in it ({saw})"
    saw = os.path.relpath(pictures[0].path, directory.path)
    more = f" and {len(pictures) - 1} more" if len(pictures) > 1 else ""
    return f"no sources in it (saw {saw}{more}); call them {CONVENTION}, {OPTION}"


def _below(directory: Directory, parents: tuple[str, ...]) -> list[SceneFiles]:
    said = [(below, folder_meaning(below.name)) for below in directory.folders]
    roles = {meaning.role: below for below, meaning in said if meaning and meaning.kind == "source"}
    if len(roles) > 1 and _are_roles(directory, list(roles.values())):
        found = [
            replace(scene, parents=parents + scene.parents)
            for scene in scenes_by_role(directory, roles)
        ]
        _say_beside(directory, [b for b, m in said if m is None or m.kind == "fused"])
    else:
        found = [replace(scene, parents=parents) for scene in scenes_in(directory)]
        ordinary = [b for b, meaning in said if meaning is None or meaning.kind == "source"]
        _refuse_alike(directory, ordinary)
        for below in ordinary:
            found += _below(below, (*parents, below.name))
        for below, meaning in said:
            if meaning and meaning.kind == "fused":
                remark(f"{below.path}: fused images by its name; left out")
    for below, meaning in said:
        if meaning and meaning.kind in ("reference", "mask"):
            found = _with_extra(found, below, meaning.kind, len(parents))
    return found


def _say_beside(directory: Directory, folders: Sequence[Directory]) -> None:
    for path in [*(p.path for p in directory.pictures[:1]), *(b.path for b in folders)]:
        remark(f"{path}: lies beside directories of sources and was left out")


def _are_roles(directory: Directory, folders: Sequence[Directory]) -> bool:
    """Whether directories hold one source each, rather than scenes with letters of their own."""
    lettered = []
    for below in folders:
        meaning = folder_meaning(below.name)
        own = {meaning.role if meaning else ""}
        roles = [m.role for p in below.all_pictures() if (m := meaning_of(p.stem))
                 and m.kind == "source" and m.certain]  # fmt: skip
        if len(set(roles) - own) > 1 or len(set(roles)) > 1:
            lettered.append(below)
    if not lettered:
        return True
    first, second = (frozenset(p.stem for p in below.all_pictures()) for below in folders[:2])
    if first == second:
        raise refusal(
            directory.path,
            f"{_shown(directory, folders[0])} and {_shown(directory, folders[1])} may be two "
            "sources of one scene, or of two scenes",
        )
    return False


def _shown(directory: Directory, below: Directory) -> str:
    pictures = below.all_pictures()
    return os.path.relpath(pictures[0].path, directory.path) if pictures else below.name


def _with_extra(
    scenes: Sequence[SceneFiles], directory: Directory, kind: str, depth: int
) -> list[SceneFiles]:
    """The scenes with the references or masks of a directory beside them, by path or by name."""
    by_path: dict[str, Picture] = {}
    for picture in directory.all_pictures():
        said = meaning_of(picture.stem)
        name = said.scene if said and said.kind != "source" and said.scene else picture.stem
        below = Path(picture.path).relative_to(directory.path).parts[:-1]
        by_path["/".join([*below, name]).casefold()] = picture
    names = Counter(scene.name.casefold() for scene in scenes)
    used: set[Picture] = set()
    result = []
    for scene in scenes:
        name = scene.name.casefold()
        found = by_path.get("/".join([*scene.parents[depth:], scene.name]).casefold())
        found = found or (by_path.get(name) if names[name] == 1 else None)
        if found and getattr(scene, kind) is None:
            used.add(found)
            file = Path(found.path)
            scene = replace(scene, **{kind: file})  # type: ignore[arg-type]
        result.append(scene)
    if left := [picture for picture in by_path.values() if picture not in used]:
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        remark(f"{left[0].path}{more}: a {kind} of no scene; left out")
    return result


def _refuse_alike(directory: Directory, folders: Iterable[Directory]) -> None:
    """Two or three directories with the same numbers may be two or three sources of many scenes."""
    alike: dict[tuple[str, ...], list[Directory]] = {}
    count = 0
    for below in folders:
        count += 1
        stems = tuple(p.stem.casefold() for p in below.pictures)
        if len(stems) > 1 and all(map(_says_only_a_number, below.pictures)):
            alike.setdefault(stems, []).append(below)
    for same in alike.values():
        words = [counted(Picture(below.path, below.name, "")) for below in same]
        if all(word and word.is_scene for word in words):
            continue
        if 1 < len(same) == count <= FEW:
            raise refusal(
                directory.path,
                f"{_shown(directory, same[0])} and {_shown(directory, same[1])} may be two sources "
                "of one scene or belong to two stacks",
                "say which with --layout '{source}/{scene}' or '{scene}/{source}'",
            )


def _says_only_a_number(picture: Picture) -> bool:
    """Whether a name is a number or a camera's, and not ``image1`` or ``x_1``."""
    number = None if taken_at(picture.stem) else counted(picture)
    if number is None:
        return False
    return (number.digits > 2 or not number.before) and not number.names_scene


def _with_own_names(directory: Directory, scenes: Sequence[SceneFiles]) -> list[SceneFiles]:
    """If two scenes have one name, all get the names of their directories before it.

    All rather than those two: what a scene is called must not depend on one other scene.
    """
    if len({scene.name.casefold() for scene in scenes}) == len(scenes):
        return list(scenes)
    shared = zip(*(scene.parents for scene in scenes), strict=False)
    common = len(list(itertools.takewhile(lambda level: len(set(level)) == 1, shared)))
    taken: dict[str, SceneFiles] = {}
    for scene in scenes:
        above = scene.parents[common:]
        own = above and above[-1].casefold() == scene.name.casefold()
        scene = replace(scene, name="_".join(above if own else (*above, scene.name)))
        other = taken.setdefault(scene.name.casefold(), scene)
        if other is not scene:
            one, two = (os.path.relpath(s.sources[0], directory.path) for s in (other, scene))
            raise UsageError(
                f"{directory.path}: {one} and {two} belong to two scenes called {scene.name!r}; "
                f"rename one, {OPTION}"
            )
    return list(taken.values())
