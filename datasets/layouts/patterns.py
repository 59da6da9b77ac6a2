"""Which file is what, as a user says it: patterns with ``{scene}`` and ``{source}``."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.core.errors import NothingSelected, UsageError
from bench.core.image_io import page_count
from datasets.layouts.files import Directory, Picture, SceneFiles, natural

#: What a pattern may say a file is.
ROLES = ("source", "reference", "mask", "fused")
#: Between a folder and its patterns, and between these, in the text of a selection.
SEPARATOR = "::"

_FIELD = re.compile(r"\{(\w*)\}|(\*)|(\?)")
_FIELDS = ("scene", "source")


@dataclass(frozen=True)
class Pattern:
    """One pattern of a layout.

    Attributes
    ----------
    role : {'source', 'reference', 'mask', 'fused'}
        What the files are that it fits.
    text : str
        Path below the folder, with or without the ending.
    matcher : re.Pattern
        The same as a regular expression.
    """

    role: str
    text: str
    matcher: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> Pattern:
        """The pattern of ``[ROLE=]PATH``.

        Raises
        ------
        UsageError
            Another role, or a field that is not ``{scene}`` or ``{source}``.
        """
        role, equals, path = text.partition("=")
        if not equals:
            role, path = "source", text
        if role not in ROLES:
            raise UsageError(f"--layout {text!r}: {role!r} must be one of {', '.join(ROLES)}")
        if not path.strip():
            raise UsageError(
                f"--layout {text!r}: the path is missing, such as {{scene}}_{{source}}"
            )
        return cls(role, path, re.compile(_expression(text, path.strip("/")), re.IGNORECASE))


def _expression(whole: str, path: str) -> str:
    parts, start, seen = [], 0, set()
    for match in _FIELD.finditer(path):
        parts.append(re.escape(path[start : match.start()]))
        start = match.end()
        name = match[1]
        if match[2] or match[3]:
            parts.append("[^/]*" if match[2] else "[^/]")
        elif name not in _FIELDS:
            raise UsageError(f"--layout {whole!r}: {match[0]} must be {{scene}} or {{source}}")
        else:
            parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+)")
            seen.add(name)
    return "".join([*parts, re.escape(path[start:])])


@dataclass
class _Group:
    sources: dict[tuple[object, ...], Picture] = field(default_factory=dict)
    extra: dict[str, Picture] = field(default_factory=dict)
    fused: list[Picture] = field(default_factory=list)


def scenes_by_layout(directory: Directory, texts: Sequence[str]) -> list[SceneFiles]:
    """The scenes of a tree, by the patterns of its user; other files are left out.

    Parameters
    ----------
    directory : Directory
        The tree.
    texts : sequence of str
        ``[ROLE=]PATH`` each, a path below the folder in which ``{scene}`` is the scene's name,
        ``{source}`` orders the sources, ``*`` and ``?`` stand for any characters within a name.
        A file is what the first pattern that fits it says, those of sources last. Several
        patterns of sources follow each other. Without ``{scene}`` all files are of one scene.

    Raises
    ------
    UsageError
        A pattern is wrong, two files are the same source, or a scene has only one.
    NothingSelected
        No file fits a pattern of sources.
    """
    patterns = list(enumerate(map(Pattern.of, texts)))
    patterns.sort(key=lambda pair: pair[1].role == "source")  # {source} fits a reference as well
    if not any(pattern.role == "source" for _, pattern in patterns):
        raise UsageError(f"--layout {' '.join(texts)}: no pattern of sources")
    pictures = directory.all_pictures()
    groups: dict[str, _Group] = {}
    for picture in pictures:
        path = os.path.relpath(picture.path, directory.path).replace(os.sep, "/")
        for index, pattern in patterns:
            match = pattern.matcher.fullmatch(path[: len(path) - len(picture.suffix)])
            if match := match or pattern.matcher.fullmatch(path):
                said = match.groupdict()
                group = groups.setdefault(said.get("scene") or directory.name, _Group())
                _put(directory, group, pattern, (index, natural(said.get("source") or "")), picture)
                break
    groups = {name: group for name, group in groups.items() if group.sources}
    if not groups:
        saw = os.path.relpath(pictures[0].path, directory.path) if pictures else directory.other
        raise NothingSelected(
            f"{directory.path}: no file fits --layout {' '.join(map(repr, texts))} "
            f"(saw {saw or 'nothing'})"
        )
    return [_scene(directory, name, groups[name], texts) for name in sorted(groups, key=natural)]


def _put(
    directory: Directory,
    group: _Group,
    pattern: Pattern,
    place: tuple[object, ...],
    picture: Picture,
) -> None:
    if pattern.role == "fused":
        group.fused.append(picture)
        return
    if pattern.role == "source":
        other = group.sources.setdefault(place, picture)
    else:
        other = group.extra.setdefault(pattern.role, picture)
    if other is not picture:
        one, two = (os.path.relpath(p.path, directory.path) for p in (other, picture))
        raise UsageError(
            f"{directory.path}: {one} and {two} are both the same {pattern.role} of one scene by "
            f"--layout {pattern.text!r}"
        )


def _scene(directory: Directory, name: str, group: _Group, texts: Sequence[str]) -> SceneFiles:
    sources = [group.sources[place] for place in sorted(group.sources)]
    alone = len(sources) == 1 and sources[0].suffix in (".tif", ".tiff")
    pages = page_count(sources[0].path) if alone else 1
    if len(sources) == 1 and pages == 1:
        only = os.path.relpath(sources[0].path, directory.path)
        raise UsageError(
            f"{directory.path}: scene {name!r} has only one source ({only}) by --layout "
            f"{' '.join(map(repr, texts))}"
        )
    extra = {role: Path(picture.path) for role, picture in group.extra.items()}
    return SceneFiles(
        name,
        tuple(Path(picture.path) for picture in sources),
        extra.get("reference"),
        extra.get("mask"),
        tuple(f"{picture.name}: a fused image, not a source" for picture in group.fused),
        pages=pages,
    )
