"""The selection of scenes by name: datasets, subsets, one scene, globs, ranges, exclusions."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.core.errors import (
    BenchError,
    ContractViolation,
    NothingSelected,
    UnknownName,
    UsageError,
)
from datasets._base import DATASETS, Dataset, Scene
from datasets.grids import GRIDS, expanded
from datasets.layouts.files import natural
from datasets.layouts.patterns import SEPARATOR
from datasets.perturbations import (
    PERTURBATIONS,
    Step,
    parse_suffix,
    perturbed_scene,
    suffix_of,
)
from datasets.subsets import SUBSETS

#: Between the first and the last scene of a range.
RANGE = ".."


def load_scenes(selection: str | Sequence[str], layout: Sequence[str] = ()) -> list[Scene]:
    """The scenes of one or several names, in their order; upper and lower case are alike.

    Parameters
    ----------
    selection : str or sequence of str
        Each may hold several names separated by commas: a dataset (``paper``), one with an
        argument (``folder:DIR``), a subset (``lytro``); behind a ``/`` a scene (``paper/clock``,
        ``folder:DIR/glass``), a glob (``liu2020/c_*``) or a range (``liu2020/c_01..c_05``).
        ``-liu2020/g_*`` removes what was selected before. Perturbations follow a ``+``, after the
        dataset or at the end: ``lytro+noise=5/c_01``, ``lytro/c_01+noise=5+shift=1``;
        ``robustness`` and ``robustness:lytro`` are a grid of them (`datasets.grids`).
    layout : sequence of str
        Which files of ``folder:DIR`` are what; see `datasets.layouts.patterns.scenes_by_layout`.

    Raises
    ------
    UnknownName
        There is no such dataset, no such scene in it, or no such perturbation.
    UsageError
        Two folders give scenes of one name, or `layout` is given and no folder.
    NothingSelected
        The datasets have no scene.

    Examples
    --------
    >>> from datasets import load_scenes
    >>> [scene.id for scene in load_scenes("Paper,-paper/c*")]
    ['pepsi']
    >>> [scene.id for scene in load_scenes("lytro/c_09..c_11")]
    ['c_09', 'c_10', 'c_11']
    """
    texts = [selection] if isinstance(selection, str) else list(selection)
    scenes: dict[str, Scene] = {}
    names = [name for text in texts for part in _split(text) for name in _expanded(part)]
    if layout and not any(_Part.of(name.lstrip("-")).entry.name == "folder" for name in names):
        raise UsageError("--layout is for folder:DIR, and no folder is selected")
    for name in names:
        if name.startswith("-"):
            for gone in _excluded(name[1:], scenes, layout):
                scenes.pop(gone, None)
            continue
        for scene in _scenes_of(name, layout):
            other = scenes.setdefault(scene.name, scene)
            if _whole(other) != _whole(scene) and other.read != scene.read:
                raise UsageError(
                    f"{other.selected} and {scene.selected} both have a scene {scene.name}; "
                    "run them one after the other"
                )
    if not scenes:
        raise NothingSelected(f"no scene in {', '.join(texts) or 'an empty selection'}")
    return list(scenes.values())


def names_scenes(text: str) -> bool:
    """Whether `text` begins with the name of a dataset or a subset."""
    head = _head(text)
    return any(_is_known(name) or name.lower() in GRIDS for name in (head, head.split("+")[0]))


def _head(text: str) -> str:
    """What stands before a colon or slash."""
    return re.split("[:/]", text, maxsplit=1)[0]


def _is_known(name: str) -> bool:
    """Whether a dataset or a subset is called so, in any case."""
    return name.lower() in SUBSETS or any(name.lower() == n.lower() for n in DATASETS.names())


def _expanded(name: str) -> list[str]:
    """The names that a grid stands for, each excluded if the grid is."""
    sign = "-" if name.startswith("-") else ""
    return [sign + one for one in expanded(name.removeprefix("-"))]


@dataclass(frozen=True)
class _Part:
    """One name of a selection, taken apart.

    Attributes
    ----------
    entry : Dataset
        The dataset.
    argument : str
        What stands behind the colon, without the scene.
    within, wanted : str
        Glob of a subset, and the scene, glob or range; empty for all.
    steps : tuple of Step
        The perturbations.
    """

    entry: Dataset
    argument: str
    within: str
    wanted: str
    steps: tuple[Step, ...] = ()

    @classmethod
    def of(cls, text: str) -> _Part:
        """Raises `UnknownName` or `UsageError` for a name that is none, or is incomplete."""
        text, suffix = _without_suffix(text)
        head = _head(text)
        mark, rest = text[len(head) : len(head) + 1], text[len(head) + 1 :]
        if not names_scenes(text) and Path(text).expanduser().is_dir():
            raise UsageError(f"unknown dataset {text!r}; a folder is selected by folder:{text}")
        subset = SUBSETS.get(head.lower())
        entry = _dataset(subset.dataset if subset else head or text)
        if mark == ":" and (subset or not entry.argument):
            raise UsageError(f"dataset {head!r} takes no argument, got {rest!r}")
        if entry.argument_required and (mark != ":" or not rest):
            raise UsageError(f"dataset {head!r} needs an argument: {entry.name}:{entry.argument}")
        argument, wanted = (rest, "") if mark == ":" else ("", rest)
        if argument and entry.argument == "DIR":
            argument, wanted = _taken_apart(rest)
        steps = parse_suffix(suffix) if suffix else ()
        return cls(entry, argument, subset.scenes if subset else "", wanted, steps)

    @property
    def whole(self) -> str:
        """The selection of all scenes of the dataset, from any working directory."""
        name = self.entry.name + suffix_of(self.steps)
        if not self.argument:
            return name
        place, *patterns = self.argument.split(SEPARATOR)
        if Path(place).expanduser().exists():
            place = str(Path(place).expanduser().absolute())
        return f"{name}:{SEPARATOR.join([place, *patterns])}"


#: Perturbations at the end of a name.
SUFFIX = re.compile(r"(?:\+[A-Za-z][\w.-]*(?:=[^+/]*)?)+$")


def _without_suffix(text: str) -> tuple[str, str]:
    """A name without its perturbations, which follow the dataset or stand at the end; and these.

    A folder may have a ``+`` in its name: what exists is a path.
    """
    head = _head(text)
    rest, suffix = text[len(head) :], ""
    if not _is_known(head) and _is_known(head.split("+")[0]):
        head, plus, behind = head.partition("+")
        suffix = plus + behind
    found = SUFFIX.search(rest)
    end = len(rest) if found is None else found.start()
    if found is not None and rest[0] == ":":
        end = _end_of_path(rest, end)
    return head + rest[:end], suffix + rest[end:]


def _end_of_path(argument: str, first: int) -> int:
    """Where the path of ``:DIR+noise=5`` ends; its perturbations begin at `first` or later.

    What exists is the path. If nothing does, it is ``DIR/SCENE`` or has patterns: then only names
    of perturbations are perturbations.
    """
    ends = [len(argument), *(k for k in range(len(argument) - 1, first - 1, -1)
                             if argument[k] == "+")]  # fmt: skip
    for end in ends:
        if SEPARATOR not in argument and Path(argument[1:end]).expanduser().exists():
            return end
    known = {name.lower() for name in PERTURBATIONS.names()}
    named = [re.split("[+=]", argument[end:])[1].lower() in known for end in ends[1:]]
    return ends[[*named, False].index(False)]


def _dataset(name: str) -> Dataset:
    """The dataset of that name, in any case."""
    same = [entry for entry in DATASETS if entry.name.lower() == name.lower()]
    if len(same) == 1:
        return same[0]
    if name in DATASETS:
        return DATASETS[name]
    grid = name.split("+")[0].lower()
    if grid in GRIDS:
        raise UsageError(
            f"{name}: {grid} has no scenes or perturbations to choose; {grid}:DATASET/SCENE "
            "perturbs a scene"
        )
    raise UnknownName("dataset", name, [*DATASETS.names(), *SUBSETS, *GRIDS])


def _taken_apart(argument: str) -> tuple[str, str]:
    """A folder and the scene behind it, of ``DIR/SCENE``; no scene if all of it is a path."""
    place, *patterns = argument.split(SEPARATOR)
    folder, slash, wanted = place.rpartition("/")
    exists = Path(place).expanduser().exists()
    if exists or not slash or not wanted or not Path(folder or "/").expanduser().exists():
        return argument, ""
    return SEPARATOR.join([folder or "/", *patterns]), wanted


def _split(text: str) -> list[str]:
    """The names of a text; a comma may belong to a folder, or stand before a scene of the last."""
    names: list[str] = []
    for part in text.split(","):
        last, name = (names[-1] if names else ""), part.strip()
        if last and not names_scenes(name.lstrip("-")) and _continues(last, f"{last},{part}"):
            names[-1] = f"{last},{part}"
        elif name and "/" in last and not name.startswith("-") and not names_scenes(name):
            names.append(f"{last.rpartition('/')[0]}/{name}")
        elif name:
            names.append(part if not last else name)
    return [name.strip() for name in names]


def _continues(last: str, joined: str) -> bool:
    """Whether the comma behind `last` belongs to a path that exists, or to patterns."""
    if SEPARATOR in last:
        return True
    _, colon, argument = joined.partition(":")
    place = Path(argument.partition(SEPARATOR)[0].strip())
    before = len(last.partition(":")[2].strip())
    return bool(colon) and any(
        len(str(path)) > before and path.expanduser().exists() for path in (place, *place.parents)
    )


def _whole(scene: Scene) -> str:
    """The dataset and its argument by which a scene was selected."""
    return scene.selected if ":" in scene.selected else scene.dataset


def _scenes_of(text: str, layout: Sequence[str]) -> list[Scene]:
    """The scenes of one name."""
    part = _Part.of(text)
    if layout and part.entry.name == "folder" and SEPARATOR not in part.argument:
        part = replace(part, argument=SEPARATOR.join([part.argument, *layout]))
    try:
        scenes = _listed(part.entry, part.argument)
        if part.within:
            scenes = [scene for scene in scenes if fnmatch.fnmatchcase(scene.id, part.within)]
        if part.wanted:
            name = part.whole if part.argument else _without_suffix(text)[0].partition("/")[0]
            scenes = _wanted(name, scenes, part.wanted)
    except BenchError as error:
        if not part.argument or not part.wanted:
            raise
        folder, *patterns = part.argument.split(SEPARATOR)
        place = f"{folder}/{part.wanted}"
        if isinstance(error, UsageError):
            raise UsageError(f"{place}: no such folder, and no such scene ({error})") from error
        _listed(part.entry, SEPARATOR.join([place, *patterns]))  # says what it lacks
        raise
    whole = part.whole
    if part.steps:
        scenes = [perturbed_scene(scene, part.steps) for scene in scenes]
    return [
        replace(scene, selected=whole if part.argument else f"{whole}/{scene.id}")
        for scene in scenes
    ]


def _wanted(name: str, scenes: list[Scene], wanted: str) -> list[Scene]:
    """The scenes by name, glob or range; raises `UnknownName` if there are none."""
    found = [scene for scene in scenes if scene.id == wanted]
    found = found or [scene for scene in scenes if scene.id.casefold() == wanted.casefold()]
    if not found and RANGE in wanted:
        return _range(name, scenes, wanted)
    if not found and any(mark in wanted for mark in "*?["):
        glob = wanted.casefold()
        found = [scene for scene in scenes if fnmatch.fnmatchcase(scene.id.casefold(), glob)]
    if not found:
        raise UnknownName(f"scene of {name}", wanted, (scene.id for scene in scenes))
    return found


def _range(name: str, scenes: list[Scene], wanted: str) -> list[Scene]:
    """The scenes from one to another, by name: ``c_01..c_05``."""
    ends = []
    ids = [scene.id for scene in scenes]
    for end in wanted.split(RANGE, 1):
        same = [scene for scene in ids if scene.casefold() == end.casefold()]
        if not same:
            raise UnknownName(f"scene of {name}", end, ids)
        ends.append(natural(same[0]))
    first, last = ends
    if first > last:
        raise UsageError(f"{name}/{wanted}: the first scene comes behind the last one")
    return [scene for scene in scenes if first <= natural(scene.id) <= last]


def _excluded(text: str, chosen: dict[str, Scene], layout: Sequence[str]) -> Iterator[str]:
    """Names of the chosen scenes that `text` leaves out."""
    if not chosen:
        raise UsageError(f"-{text}: nothing was selected before it to leave out")
    if names_scenes(text):
        yield from [scene.name for scene in _scenes_of(text, layout)]
        return
    yield from [scene.name for scene in _wanted("the selection", [*chosen.values()], text)]


def _listed(entry: Dataset, argument: str) -> list[Scene]:
    """The scenes of a dataset; raises an error unless it lists scenes of its own."""
    try:
        scenes = entry.scenes(argument) if argument else entry.scenes()
    except BenchError:
        raise
    except Exception as error:
        raise ContractViolation(
            f"dataset {entry.name!r}: listing its scenes ended with {type(error).__name__}: {error}"
        ) from error
    if not isinstance(scenes, list) or not all(isinstance(scene, Scene) for scene in scenes):
        raise ContractViolation(f"dataset {entry.name!r}: it must return a list of Scene")
    seen: set[str] = set()
    for scene in scenes:
        if scene.dataset != entry.name:
            raise ContractViolation(
                f"dataset {entry.name!r}: its scene {scene.id!r} has the dataset {scene.dataset!r}"
            )
        if scene.id in seen:
            raise ContractViolation(f"dataset {entry.name!r}: two scenes are called {scene.id!r}")
        seen.add(scene.id)
    return scenes
