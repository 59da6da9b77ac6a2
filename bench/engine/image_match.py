"""Match the image files below a folder to scenes and methods.

Sure rules come first: a folder called as a scene, with an image for each method; then names that
say the scene. Files that are only numbered are matched last, where all files of their folder are,
one to one.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import groupby

from bench.core.errors import UsageError
from bench.core.image_io import SUFFIXES
from bench.engine.image_names import (
    SETS,
    Hit,
    SceneNames,
    Word,
    is_mark,
    label_in,
    only_number,
    sets_in,
    words_of,
)
from datasets import DATASETS
from datasets.same_scenes import same_scenes

#: Last words of files that show where a method chose which source.
_MAPS = frozenset({"map", "maps", "mask", "masks", "decision", "decisionmap", "decisionmaps"})

#: What sources and references are called, which often lie beside the fused images.
_ROLES = frozenset("abcde") | {"gt", "reference", "truth", "source", "near", "far"}

PATTERN_HINT = "say how the files are called, as in --pattern '{method}/{scene}'"


@dataclass(frozen=True)
class ImageFile:
    """An image below the folder that is searched.

    Attributes
    ----------
    path : str
        From the folder, with ``/``.
    """

    path: str

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The folders and the name, without endings."""
        *folders, name = unicodedata.normalize("NFC", self.path).split("/")
        return (*folders, bare_name(name))

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that it lies in."""
        return self.parts[:-1]

    @cached_property
    def words(self) -> list[Word]:
        """The words of its name."""
        return words_of(self.parts[-1])


def bare_name(name: str) -> str:
    """A file's name without endings of images, however many.

    Examples
    --------
    >>> from bench.engine.image_match import bare_name
    >>> bare_name("g_01_ms-lap.png.PNG"), bare_name("v1.2.tif")
    ('g_01_ms-lap', 'v1.2')
    """
    stem, dot, ending = name.rpartition(".")
    while dot and stem and f".{ending.lower()}" in SUFFIXES:
        name = stem
        stem, dot, ending = name.rpartition(".")
    return name


@dataclass(frozen=True)
class Place:
    """What the name of a file says.

    Attributes
    ----------
    file : ImageFile
        The file.
    scenes : tuple of str
        Names of the scenes of its picture.
    label : str
        What its name says beside the scene.
    by_folder : bool
        Whether a folder names the scene, so that `label` is the method.
    """

    file: ImageFile
    scenes: tuple[str, ...]
    label: str
    by_folder: bool = False


@dataclass
class Matched:
    """The files below a folder, by what they are.

    Attributes
    ----------
    methods : dict
        Name of a method to name of a scene to path.
    strays, maps, sources : list of str
        Paths of images that fit no scene, of decision maps, and of sources and references.
    """

    methods: dict[str, dict[str, str]] = field(default_factory=dict)
    strays: list[str] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    derived: list[str] = field(default_factory=list)


def match_files(root: str, paths: Sequence[str], names: SceneNames) -> Matched:
    """Match files to scenes and methods by their names.

    Parameters
    ----------
    root : str
        Name of the folder, which names the method where nothing else does.
    paths : sequence of str
        Image files from there.
    names : SceneNames
        The scenes.

    Raises
    ------
    UsageError
        A file may be of two scenes, or two files are of one scene and method.
    """
    found = Matched()
    placed: list[Place] = []
    for folders, group in groupby(map(ImageFile, paths), key=lambda file: file.folders):
        files = list(group)
        maps = any(_ends_as_map(words_of(folder)) for folder in folders)
        found.maps += [file.path for file in files if maps or _ends_as_map(file.words)]
        files = [file for file in files if not (maps or _ends_as_map(file.words))]
        placed += _place(root, folders, files, names, found)
    for method, place in _named(root, placed, names):
        assign(found.methods.setdefault(method, {}), method, place.scenes, place.file.path)
    for images in found.methods.values():
        _spread(images, names)
    return found


def assign(images: dict[str, str], method: str, scenes: Iterable[str], path: str) -> None:
    """Add the image of the scenes to those of a method; two of one scene are a `UsageError`."""
    for scene in scenes:
        if scene in images:
            raise UsageError(
                f"{images[scene]} and {path} are both {method} of {scene}; "
                f"use other folders, or {PATTERN_HINT}"
            )
        images[scene] = path


def one_picture(path: str, scenes: Sequence[str]) -> tuple[str, ...]:
    """The scenes, if they are one picture; else a `UsageError` that names two of them."""
    for scene in scenes[1:]:
        if scene not in same_scenes(scenes[0]):
            raise UsageError(f"{path} may be of {scenes[0]} or of {scene}; {PATTERN_HINT}")
    return tuple(scenes)


def _spread(images: dict[str, str], names: SceneNames) -> None:
    """Let an image stand for its scene under all names of the selection."""
    for scene, path in list(images.items()):
        for same in sorted(same_scenes(scene) & names.scenes.keys()):
            images.setdefault(same, path)


def _ends_as_map(words: Sequence[Word]) -> bool:
    """Whether the last word says that a file, or all of a folder, is a decision map."""
    return bool(words) and len(words[-1].key) == 1 and words[-1].key[0] in _MAPS


def _place(
    root: str,
    folders: tuple[str, ...],
    files: Sequence[ImageFile],
    names: SceneNames,
    found: Matched,
) -> Iterator[Place]:
    """The places of the files of one folder; the others go into `found`."""
    sets = _sets((root, *folders))
    above = tuple(s for s in _scene_above(folders, names) if not names.excluded(s, sets))
    hits = [_allowed(names.hits(f.parts[-1], f.words), f, names, sets) for f in files]
    if not above and not any(hits):
        above = _number_above(folders, names, sets)
    if any(hits) or above:
        support = Counter(shape for mine in hits for shape in {_shape(hit) for hit in mine})
        places = [
            _by_folder(file, above, mine) if above else _by_name(file, mine, support)
            for file, mine in zip(files, hits, strict=True)
        ]
    else:
        places = _by_number(files, names, sets)
    for file, place in zip(files, places, strict=True):
        if place is None:
            found.strays.append(file.path)
        elif _is_source(place.label):
            found.sources.append(file.path)
        else:
            yield place


def _allowed(
    hits: Sequence[Hit], file: ImageFile, names: SceneNames, sets: frozenset[str]
) -> list[Hit]:
    """The hits that nothing else in the path contradicts: a data set, or a word for stacks."""
    if not hits:
        return []
    sets = sets | sets_in(file.parts[-1])
    kept = []
    for hit in hits:
        scenes = [scene for scene in hit.scenes if not names.excluded(scene, sets)]
        if len(scenes) > 1:
            scenes = _of_dataset(scenes, file.folders) or scenes
        if scenes:
            kept.append(hit._replace(scenes=tuple(scenes)))
    return kept


def _of_dataset(scenes: Sequence[str], folders: tuple[str, ...]) -> list[str]:
    """The scenes of the data set that a folder is called after."""
    low = {folder.lower() for folder in folders}
    return [scene for scene in scenes if scene.partition("/")[0].lower() in low]


def _shape(hit: Hit) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What stands around the scene, which the files of one method have in common."""
    before = tuple(part for word in hit.before for part in word.key)
    return before, tuple(part for word in hit.after for part in word.key)


def _scene_above(folders: tuple[str, ...], names: SceneNames) -> tuple[str, ...]:
    """The scenes that the nearest folder with a scene's name stands for."""
    for folder in reversed(folders):
        if scenes := names.whole(folder):
            return tuple(_of_dataset(scenes, folders) or scenes)
    return ()


def _by_folder(file: ImageFile, above: tuple[str, ...], hits: Sequence[Hit]) -> Place:
    """The place of a file in the folder of a scene: its name is the method's."""
    stem = file.parts[-1]
    for hit in hits:
        whole = not any(not is_mark(word) for word in (*hit.before, *hit.after))
        if set(hit.scenes) & set(above):
            return Place(file, one_picture(file.path, above), _label(stem, hit), by_folder=True)
        if whole:
            one_picture(file.path, [above[0], *hit.scenes])
    label = "" if all(map(is_mark, file.words)) else stem
    return Place(file, one_picture(file.path, above), label, by_folder=True)


def _by_name(
    file: ImageFile, hits: Sequence[Hit], support: Counter[tuple[tuple[str, ...], tuple[str, ...]]]
) -> Place | None:
    """The place of a file whose name says the scene; None if it does not.

    Of several scenes in a name the right one stands where the other files have theirs.
    """
    if not hits:
        return None
    best = max(hits, key=lambda hit: support[_shape(hit)])
    others = [hit for hit in hits if hit is not best and set(hit.scenes) != set(best.scenes)]
    if any(support[_shape(hit)] > 1 or support[_shape(best)] == 1 for hit in others):
        one_picture(file.path, [*best.scenes, *others[0].scenes])
    return Place(file, one_picture(file.path, best.scenes), _label(file.parts[-1], best))


def _label(stem: str, hit: Hit) -> str:
    return "-".join(filter(None, (label_in(stem, hit.before), label_in(stem, hit.after))))


def _is_source(label: str) -> bool:
    """Whether a name says only which source it is, or that it is the reference."""
    return label.lower() in _ROLES or label.isdecimal()


def _number_above(
    folders: tuple[str, ...], names: SceneNames, sets: frozenset[str]
) -> tuple[str, ...]:
    """The scenes that the number of the nearest folder stands for."""
    words = words_of(folders[-1]) if folders else []
    if len(words) != 1 or not words[0].number:
        return ()
    scenes, series = names.numbered(words[0].key[0], sets)
    return scenes if len(series) == 1 else ()


def _by_number(
    files: Sequence[ImageFile], names: SceneNames, sets: frozenset[str]
) -> list[Place | None]:
    """The places of numbered files, if all of a folder differ in nothing but their numbers.

    Numbers of scenes that are not selected fit none.
    """
    numbers = [only_number(file.words) for file in files]
    labels = [
        label_in(file.parts[-1], [word for word in file.words if word.key[-1] != number])
        for file, number in zip(files, numbers, strict=True)
    ]
    if not all(numbers) or len(set(labels)) != 1 or names.whole(labels[0]):
        return [None] * len(files)
    places: list[Place | None] = []
    seen: dict[str, str] = {}
    for file, number in zip(files, numbers, strict=True):
        scenes, series = names.numbered(number, sets | sets_in(file.parts[-1]))
        if scenes and (other := seen.get(number)):
            raise UsageError(f"{other} and {file.path} have one number; {PATTERN_HINT}")
        if scenes and len(series) > 1:
            one, two = (names.example(each) for each in sorted(series)[:2])
            raise UsageError(
                f"{file.path}: its number may be that of a scene like {one} or like {two}; "
                f"select scenes of one kind, or {PATTERN_HINT}"
            )
        seen[number] = file.path
        placed = one_picture(file.path, scenes) if scenes else ()
        places.append(Place(file, placed, labels[0]) if placed else None)
    return places


@lru_cache(maxsize=1000)
def _sets(folders: tuple[str, ...]) -> frozenset[str]:
    return frozenset[str]().union(*map(sets_in, folders))


def _named(root: str, placed: Sequence[Place], names: SceneNames) -> Iterator[tuple[str, Place]]:
    """The places with the names of their methods."""
    of_root = label_in(root, words_of(root), SETS) or root
    rests: dict[tuple[str, ...], set[str]] = {}
    for place in placed:
        rests.setdefault(place.file.folders, set()).add(place.label)
    above = {folders: _method_folder(folders, names) for folders in rests}
    for place in placed:
        folders = place.file.folders
        alone = len(rests[folders]) == 1 and not place.by_folder
        choice = (above[folders], place.label) if alone else (place.label, above[folders])
        yield choice[0] or choice[1] or of_root, place


@lru_cache(maxsize=10_000)
def _folder_label(folder: str) -> str:
    return label_in(folder, words_of(folder))


def _method_folder(folders: tuple[str, ...], names: SceneNames) -> str:
    """The nearest folder that names a method: no scene, no data set and no word such as fused."""
    for folder in reversed(folders):
        if names.whole(folder) or folder.lower() in DATASETS:
            continue
        if label := _folder_label(folder):
            return label
    return ""
