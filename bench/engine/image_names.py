"""Which scenes the name of a fused image may mean.

People write ``Lytro_fusion_1``, ``IFCNN-MAX-CMF-lytro-01`` or ``c_01`` for one scene. A name is
read as words; upper and lower case, separators and leading zeros do not matter. A scene is named
where consecutive words say its id, or what another collection calls the same picture.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from bench.core.files import safe_name
from datasets import Scene
from datasets.same_scenes import same_scenes

#: The parts of a name: words and numbers without leading zeros.
Key = tuple[str, ...]

#: Words for one series of scenes, whose numbers follow them; the first stands for all.
SERIES = (
    ("lytro", "c", "color", "colour"),
    ("gray", "g", "grey", "grayscale", "greyscale"),
    ("mffw", "mffw2"),
)
_SERIES = {word: words for words in SERIES for word in words}

#: Words that name a set of scenes, in file names and folders, and the set.
SETS = {
    **{word: words[0] for words in SERIES for word in words if len(word) > 1},
    **dict.fromkeys(("triple", "triples", "multiple3", "cmf3", "mffw3"), "stacks"),
    **{word: word for word in ("aymaz", "savic", "stand", "tsai", "whu", "mfi")},
    "natural": "gray",
}

#: Words that say that an image is fused; those of `EDGES` are also cut off a longer name.
EDGES = frozenset({"fused", "image", "images", "result", "results", "output", "outputs"})
MARKS = EDGES | {"fusion", "fuse", "f", "out"}

#: Words for any picture, before a number.
_PICTURES = MARKS | {"img", "im", "pic", "pair", "scene"}

#: Sets of pairs of which other collections have stacks with the same names.
_PAIRS = frozenset({"liu2020", "mfifb"})

_WORD = re.compile(r"[^\W_]+")


class Word(NamedTuple):
    """A word of a name: where it stands, and its parts."""

    start: int
    end: int
    key: Key

    @property
    def number(self) -> bool:
        """Whether it is digits only."""
        return len(self.key) == 1 and self.key[0].isdecimal()


class Hit(NamedTuple):
    """Words of a name that name a scene, or several scenes of one id.

    Attributes
    ----------
    scenes : tuple of str
        Names of the scenes.
    before, after : tuple of Word
        The other words.
    """

    scenes: tuple[str, ...]
    before: tuple[Word, ...]
    after: tuple[Word, ...]


@lru_cache(maxsize=100_000)
def _key(word: str) -> Key:
    low = word.lower()
    if low in SETS:
        return (low,)
    parts = re.findall(r"\d+|\D+", low)
    return tuple(part.lstrip("0") or "0" if part.isdecimal() else part for part in parts)


def words_of(text: str) -> list[Word]:
    """The words of a name.

    Examples
    --------
    >>> from bench.engine.image_names import words_of
    >>> [word.key for word in words_of("Lytro_fusion-c01")]
    [('lytro',), ('fusion',), ('c', '1')]
    """
    return [Word(m.start(), m.end(), _key(m.group())) for m in _WORD.finditer(text)]


def key_of(text: str) -> Key:
    """All parts of a name."""
    return tuple(part for word in words_of(text) for part in word.key)


def sets_in(text: str) -> frozenset[str]:
    """The sets of scenes that a name speaks of."""
    return frozenset(SETS[w.key[0]] for w in words_of(text) if w.key[0] in SETS)


def is_mark(word: Word) -> bool:
    """Whether the word says only that an image is fused."""
    return len(word.key) == 1 and word.key[0] in MARKS


_TRIMMED = EDGES | SETS.keys()


def label_in(text: str, words: Sequence[Word], trimmed: Container[str] = _TRIMMED) -> str:
    """What `words` of `text` name beside marks, less those of `trimmed` at both ends.

    Empty when that is all.

    Examples
    --------
    >>> from bench.engine.image_names import label_in, words_of
    >>> [label_in(t, words_of(t)) for t in ("Lytro_MS_LAP", "results_lytro", "U2-Fusion")]
    ['MS_LAP', '', 'U2-Fusion']
    """
    if not words:
        return ""
    kept = list(words)
    for end in (0, -1):
        while kept and len(kept[end].key) == 1 and kept[end].key[0] in trimmed:
            kept.pop(end)
    if all(is_mark(word) for word in kept):
        return ""
    return text[kept[0].start : kept[-1].end]


class SceneNames:
    """The names of the selected scenes, to be found in names of files.

    Parameters
    ----------
    scenes : sequence of Scene
        The scenes.
    """

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self.scenes = {scene.name: scene for scene in scenes}
        self._exact: dict[str, list[str]] = {}
        self._own: dict[Key, list[str]] = {}
        self._other: dict[Key, list[str]] = {}
        self._series: dict[str, Key] = {}
        self._numbers: dict[str, list[str]] = {}
        for scene in scenes:
            self._add(scene)
        self._longest = max((len(key) for key in (*self._own, *self._other)), default=0)

    def _add(self, scene: Scene) -> None:
        key = key_of(unicodedata.normalize("NFC", scene.id))
        for text in {scene.id, safe_name(scene.id)}:
            self._exact.setdefault(unicodedata.normalize("NFC", text), []).append(scene.name)
        self._own.setdefault(key, []).append(scene.name)
        for other in _other_keys(scene.name, key) - {key}:
            self._other.setdefault(other, []).append(scene.name)
        places = [place for place, part in enumerate(key) if part.isdecimal()]
        if places:
            series = key[: places[-1]] + key[places[-1] + 1 :]
            known = _SERIES.get(series[0]) if len(series) == 1 else None
            self._series[scene.name] = known[:1] if known else series
            self._numbers.setdefault(key[places[-1]], []).append(scene.name)

    def whole(self, text: str) -> tuple[str, ...]:
        """The scenes that the whole of `text` names."""
        if text in self._exact:
            return tuple(self._exact[text])
        key = key_of(text)
        return tuple(self._own.get(key) or self._other.get(key) or ())

    def hits(self, text: str, words: Sequence[Word]) -> list[Hit]:
        """Where `text` names scenes; in own names, else in others', else with marks left out."""
        bare = [word for word in words if not is_mark(word)]
        for some in (words, bare) if len(bare) < len(words) else (words,):
            for table in (self._own, self._other):
                if found := self._in(text, some, table):
                    return found
        return []

    def _in(self, text: str, words: Sequence[Word], table: Mapping[Key, list[str]]) -> list[Hit]:
        spans: list[tuple[int, int, list[str]]] = []
        for first in range(len(words)):
            key: Key = ()
            for last in range(first, len(words)):
                key += words[last].key
                if len(key) > self._longest:
                    break
                if (scenes := table.get(key)) and _certain(words, first, last + 1):
                    spans.append((first, last + 1, scenes))
        widest = [s for s in spans if not any(_within(s, other) for other in spans)]
        return [
            Hit(self._as_spelled(text, words[i:j], scenes), tuple(words[:i]), tuple(words[j:]))
            for i, j, scenes in widest
        ]

    def _as_spelled(self, text: str, words: Sequence[Word], scenes: list[str]) -> tuple[str, ...]:
        """Of scenes whose names differ in zeros or case, the one that is spelled so."""
        if len(scenes) > 1:
            spelled = self._exact.get(text[words[0].start : words[-1].end], [])
            scenes = [scene for scene in scenes if scene in spelled] or scenes
        return tuple(scenes)

    def numbered(self, number: str, sets: frozenset[str]) -> tuple[tuple[str, ...], set[Key]]:
        """The scenes of that number, and all series among which it would have to choose.

        `sets` are those that the path speaks of: scenes of others are left out.
        """
        allowed = {
            name
            for name, series in self._series.items()
            if (not sets or _set_of(series) in {"", *sets}) and not self.excluded(name, sets)
        }
        scenes = tuple(name for name in self._numbers.get(number, ()) if name in allowed)
        return scenes, {self._series[name] for name in allowed}

    def example(self, series: Key) -> str:
        """The first scene of a series."""
        return next(name for name, of in self._series.items() if of == series)

    def excluded(self, scene: str, sets: frozenset[str]) -> bool:
        """Whether the path speaks of stacks, and `scene` is a pair of a public collection."""
        return "stacks" in sets and self.scenes[scene].dataset in _PAIRS


def _other_keys(name: str, key: Key) -> set[Key]:
    """What else the picture is called: in other collections, and by other words for its series."""
    series = _SERIES.get(key[0], ()) if len(key) == 2 and key[1].isdecimal() else ()
    found = {(word, key[1]) for word in series}
    return found | {key_of(other.rpartition("/")[2]) for other in same_scenes(name)}


def _set_of(series: Key) -> str:
    """The set of a series all of whose words name one, such as ``mfi``, ``whu``; else empty."""
    return SETS[series[0]] if series and all(word in SETS for word in series) else ""


def _within(inner: tuple[int, int, list[str]], outer: tuple[int, int, list[str]]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1] and inner[:2] != outer[:2]


def _certain(words: Sequence[Word], first: int, stop: int) -> bool:
    """Whether no number beside the words of a scene makes them part of another name."""
    if stop < len(words) and words[stop].number:
        return False
    if first and words[first - 1].number and words[first].key[0].isdecimal():
        return False
    glued = any(len(word.key) > 1 for word in words[first:stop])
    return not (glued and any(word.number for word in [*words[:first], *words[stop:]]))


def only_number(words: Sequence[Word]) -> str:
    """The one number of a name, alone or behind a word for any picture; else empty.

    Examples
    --------
    >>> from bench.engine.image_names import only_number, words_of
    >>> [only_number(words_of(t)) for t in ("GFF_07", "fusion3", "1_2", "U2Fusion")]
    ['7', '3', '', '']
    """
    numbers = list(_numbers(words))
    return numbers[0] if len(numbers) == 1 else ""


def _numbers(words: Sequence[Word]) -> Iterator[str]:
    for word in words:
        if word.number or (len(word.key) == 2 and word.key[0] in _PICTURES):
            yield word.key[-1]
