"""The scenes whose files lie in one directory, by the names of the files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.core.errors import ImageError
from bench.core.image_io import page_count
from bench.core.raw import RAW_SUFFIXES
from bench.core.remarks import remark
from datasets.layouts.files import (
    STACK_OPTION,
    Directory,
    Picture,
    SceneFiles,
    natural,
)
from datasets.layouts.files import refusal as refused
from datasets.layouts.names import Meaning, meaning_of
from datasets.layouts.sequences import (
    Counted,
    by_time,
    counted,
    gap_in_count,
    gap_in_letters,
    gap_in_time,
)

#: Scenes called so, with numbered sources, may be sources with numbered scenes: ``A_1``, ``B_1``.
_LIKE_ROLES = frozenset({"left", "right", *"abcdefgh"})


@dataclass
class _Group:
    """The files of one scene so far."""

    name: str
    sources: dict[str, Picture] = field(default_factory=dict)
    reference: Picture | None = None
    mask: Picture | None = None
    fused: list[Picture] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    certain: bool = False
    pages: int = 1

    def put(self, where: str, said: Meaning, picture: Picture) -> None:
        """Add a picture; raises `UsageError` when its role is taken."""
        taken = None
        if said.kind == "fused":
            self.fused.append(picture)
        elif said.kind == "source":
            taken = self.sources.setdefault(said.role, picture)
            self.certain |= said.certain
        else:
            taken = getattr(self, said.kind)
            setattr(self, said.kind, picture)
        if taken not in (None, picture):
            role = said.role or said.kind
            raise refused(where, f"{taken.name} and {picture.name} are both {role!r} of one scene")


def scenes_in(directory: Directory) -> list[SceneFiles]:
    """The scenes of the pictures that lie in `directory` itself.

    Raises
    ------
    UsageError
        The names can be read in several ways, a source is missing, or two files have one role.
    """
    pictures, twins = _without_raw_twins(directory)
    groups, rest = _named(directory, pictures)
    frames, rest = _counting(directory, groups, rest)
    rest = _special(directory, groups, frames, rest)
    rest = _multipage(directory, groups, rest, alone=len(pictures) == 1)
    if frames is not None:
        _check_alone(directory, groups, frames, rest)
        groups[""] = frames
    if rest:
        more = f" and {len(rest) - 1} more fit" if len(rest) > 1 else " fits"
        remark(f"{rest[0].path}{more} no scene; left out")
    if twins and groups:
        note = f"{twins[0].name}: a raw file beside the picture of one shot; raw files are left out"
        for group in groups.values():
            group.notes.append(note)
    return [_complete(directory, group) for group in groups.values()]


def _without_raw_twins(directory: Directory) -> tuple[list[Picture], list[Picture]]:
    """The pictures, and the raw files left out because a picture of the shot lies beside them."""
    raw = [p for p in directory.pictures if p.suffix in RAW_SUFFIXES]
    if not raw:
        return list(directory.pictures), []
    pictures = [p for p in directory.pictures if p.suffix not in RAW_SUFFIXES]
    names = {p.stem.casefold() for p in pictures}
    twins = [p for p in raw if p.stem.casefold() in names]
    if twins and (lonely := [p for p in raw if p.stem.casefold() not in names]):
        raise refused(
            directory.path,
            f"{lonely[0].name} has no picture beside it as {twins[0].name} has: raw files and "
            "pictures of one stack would be mixed",
        )
    return (pictures, twins) if twins else (list(directory.pictures), [])


def _named(
    directory: Directory, pictures: Sequence[Picture]
) -> tuple[dict[str, _Group], list[Picture]]:
    """Scenes by letters and by ``near`` and ``far``; and the pictures that say nothing of it."""
    found: dict[str, list[tuple[Meaning, Picture]]] = {}
    rest: list[Picture] = []
    for picture in pictures:
        said = meaning_of(picture.stem)
        if said is None or said.kind != "source":
            rest.append(picture)
        else:
            found.setdefault(said.scene.casefold(), []).append((said, picture))
    groups: dict[str, _Group] = {}
    for key, members in found.items():
        if len(members) == 1 and not members[0][0].certain:
            rest.append(members[0][1])
            continue
        group = _Group(members[0][0].scene or directory.name)
        for said, picture in members:
            group.put(directory.path, said, picture)
        groups[key or directory.name.casefold()] = _without_fused_letter(group)
    return groups, sorted(rest, key=lambda p: (natural(p.stem), p.path))


def _without_fused_letter(group: _Group) -> _Group:
    """``1_F`` beside ``1_A`` and ``1_B`` is the fused image; behind ``1_E`` it may be the sixth."""
    letters = "".join(sorted(group.sources))
    if "f" not in group.sources or len(letters) == 1:
        return group
    if letters.startswith("abcdef"):
        if len(letters) == 6:
            name = group.sources["f"].name
            group.notes.append(f"{name} is taken for the sixth source, not for a fused image")
        return group
    group.fused.append(group.sources.pop("f"))
    return group


def _counting(
    directory: Directory, groups: dict[str, _Group], rest: Sequence[Picture]
) -> tuple[_Group | None, list[Picture]]:
    """Adds scenes whose sources are numbered; the stack that is named by its directory; others."""
    timed = {p: when for when, p in by_time(rest)}
    series: dict[tuple[str, bool], list[Counted]] = {}
    others: list[Picture] = []
    for picture in rest:
        number = None if picture in timed else counted(picture)
        if number and not (meaning_of(picture.stem) or picture.stem.casefold() in groups):
            key = (number.before.casefold(), number.picture.stem.endswith(")"))
            series.setdefault(key, []).append(number)
        elif picture not in timed:
            others.append(picture)
    stacks: list[_Group] = []
    for frames in series.values():
        first = frames[0]
        name = first.name if first.names_scene else ""
        if len(frames) == 1 and not (name and name.casefold() in groups):
            lonely = first.separated and name and first.number in (0, 1) and first.digits < 3
            if not lonely or first.picture.suffix in (".tif", ".tiff"):
                others.append(first.picture)
                continue
        if first.is_scene and len(frames) > 1:
            raise refused(
                directory.path,
                f"{first.picture.name} and {frames[1].picture.name} seem to be two scenes, not two "
                "sources of one",
            )
        if name:
            _add_numbers(directory, groups, name, frames)
        else:
            stacks.append(_stack(directory, frames))
    if len(timed) > 1:
        stacks.append(_timed_stack(directory, by_time(rest)))
    else:
        others += timed
    _refuse_role_names(directory, groups)
    if len(stacks) > 1:
        one, two = (next(iter(s.sources.values())).name for s in stacks[:2])
        raise refused(directory.path, f"{one} and {two} belong to different series of names")
    return (stacks[0] if stacks else None), others


def _add_numbers(
    directory: Directory, groups: dict[str, _Group], name: str, frames: Sequence[Counted]
) -> None:
    """Add a scene ``name_1``, ``name_2``, …"""
    group = groups.setdefault(name.casefold(), _Group(name, certain=True))
    for frame in frames:
        said = Meaning("source", name, str(frame.number))
        group.put(directory.path, said, frame.picture)
    ordered = sorted(frames, key=lambda frame: frame.number)
    if len(frames) > 1 and (gap := gap_in_count(ordered)):
        raise refused(directory.path, f"scene {name!r}: {gap}")


def _stack(directory: Directory, frames: Sequence[Counted]) -> _Group:
    """The stack of pictures whose names are but numbers, or a camera's."""
    group = _Group(directory.name)
    for frame in sorted(frames, key=lambda frame: frame.number):
        said = Meaning("source", "", str(frame.number))
        group.put(directory.path, said, frame.picture)
    ordered = sorted(frames, key=lambda frame: frame.number)
    if gap := gap_in_count(ordered):
        raise refused(directory.path, f"the names do not count up: {gap}", STACK_OPTION)
    return group


def _timed_stack(directory: Directory, timed: Sequence[tuple[object, Picture]]) -> _Group:
    """The stack of pictures that are named by the time."""
    if gap := gap_in_time(timed):  # type: ignore[arg-type]
        raise refused(directory.path, gap, STACK_OPTION)
    group = _Group(directory.name)
    group.sources = {str(k): picture for k, (_, picture) in enumerate(timed, 1)}
    return group


def _refuse_role_names(directory: Directory, groups: dict[str, _Group]) -> None:
    """``A_1 A_2 B_1 B_2``: two scenes of two sources, in one of two ways."""
    like = [g for key, g in groups.items() if key in _LIKE_ROLES and len(g.sources) > 1]
    like = [g for g in like if next(iter(g.sources)).isdecimal()]
    if len(like) > 1 and len({frozenset(g.sources) for g in like}) == 1:
        one, two = (next(iter(g.sources.values())).name for g in like[:2])
        raise refused(
            directory.path,
            f"{one} and {two} may be two sources of one scene, or belong to two scenes",
            "say which with --layout '{source}_{scene}' or '{scene}_{source}'",
        )


def _special(
    directory: Directory,
    groups: dict[str, _Group],
    frames: _Group | None,
    rest: Iterable[Picture],
) -> list[Picture]:
    """Give references, masks and fused images to their scenes; returns the other pictures."""
    others: list[Picture] = []
    every = [*groups.values(), *([frames] if frames else [])]
    orphans: list[tuple[Meaning, Picture]] = []
    stems = {p.stem.casefold() for p in frames.sources.values()} if frames else set()
    for picture in rest:
        said = meaning_of(picture.stem)
        if said is None or said.kind == "source":
            others.append(picture)
            continue
        group = groups.get(said.scene.casefold())
        if frames and said.scene.casefold() in stems:
            raise refused(
                directory.path,
                f"{picture.name} belongs to one picture, not to a stack: each number seems a scene",
            )
        if group is None and len(every) == 1 and (not said.scene or frames):
            group = every[0]
        if group:
            group.put(directory.path, said, picture)
        else:
            orphans.append((said, picture))
    for said, picture in orphans:
        tiff = [p for p in others if p.stem.casefold() == said.scene.casefold()]
        if said.kind == "fused" or not said.scene:
            remark(f"{picture.path}: belongs to no scene here and was left out")
        elif len(tiff) == 1 and (group := _stack_of_pages(tiff[0])):
            others.remove(tiff[0])
            groups[said.scene.casefold()] = group
            group.put(directory.path, said, picture)
        else:
            raise refused(directory.path, f"scene {said.scene!r} has no source ({picture.name})")
    return others


def _multipage(
    directory: Directory, groups: dict[str, _Group], rest: Iterable[Picture], *, alone: bool
) -> list[Picture]:
    """A TIFF of several pages that no name puts beside another file is a stack."""
    if alone and len(groups) == 1:  # s_A.tif, and nothing else
        (group,) = groups.values()
        picture = next(iter(group.sources.values()), None)
        if picture and (stack := _stack_of_pages(picture)):
            groups.clear()
            groups[picture.stem.casefold()] = stack
        return list(rest)
    others = []
    for picture in rest:
        if stack := _stack_of_pages(picture):
            groups[picture.stem.casefold()] = stack
        else:
            others.append(picture)
    return others


def _stack_of_pages(picture: Picture) -> _Group | None:
    """The stack of the pages of a TIFF; None if it has only one."""
    if picture.suffix not in (".tif", ".tiff"):
        return None
    try:
        pages = page_count(picture.path)
    except ImageError:  # said when it is read, if it is a source
        return None
    return _Group(picture.stem, {"pages": picture}, pages=pages) if pages > 1 else None


def _check_alone(
    directory: Directory, groups: dict[str, _Group], frames: _Group, rest: Sequence[Picture]
) -> None:
    """A stack that is named by its directory must be all that lies there, but for one picture."""
    frame = next(iter(frames.sources.values())).name
    if groups:
        other = next(p.name for g in groups.values() for p in g.sources.values())
        raise refused(
            directory.path, f"{frame} and {other} are names of two kinds in one directory"
        )
    if len(rest) > 1:
        raise refused(
            directory.path,
            f"{frame} counts up with others, but {rest[0].name} and {rest[1].name} do not: not "
            "certainly one stack",
            STACK_OPTION.replace("'{source}'", "and a pattern of its files, such as 'DSC{source}'"),
        )


def _complete(directory: Directory, group: _Group) -> SceneFiles:
    """The checked files of a group, with its sources in order."""
    notes = [f"{picture.name}: a fused image, not a source" for picture in group.fused]
    roles = sorted(group.sources, key=natural)
    letters = [role for role in roles if role.isalpha()]
    if letters and len(letters) < len(roles):
        both = f"{group.sources[letters[0]].name}, {group.sources[roles[0]].name}"
        raise refused(directory.path, f"scene {group.name!r} mixes letters and numbers ({both})")
    if len(roles) < 2 and roles != ["pages"]:
        single = [*group.sources.values(), group.reference, group.mask, *group.fused]
        only = next(picture.name for picture in single if picture is not None)
        count = "only one source" if group.sources else "no source"
        raise refused(directory.path, f"scene {group.name!r} has {count} ({only})")
    if len(letters) > 1 and (gap := gap_in_letters(letters)):
        names = ", ".join(group.sources[role].name for role in roles[:3])
        raise refused(directory.path, f"scene {group.name!r} has no source {gap} ({names})")
    return SceneFiles(
        group.name.strip(),
        tuple(Path(group.sources[role].path) for role in roles),
        Path(group.reference.path) if group.reference else None,
        Path(group.mask.path) if group.mask else None,
        (*notes, *group.notes),
        pages=group.pages,
    )
