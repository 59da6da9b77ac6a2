"""Notes on the scenes of a run, those of one kind in one sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bench.store.manifest import SceneEntry

#: What differs between notes of one kind: the file at their beginning, and numbers.
_FILE, _NUMBER = re.compile(r"^.*?\.\w{2,5}: "), re.compile(r"-?\d+(\.\d+)?")


def noted(entries: Sequence[SceneEntry]) -> list[str]:
    """A sentence for each kind of note: how many scenes have it, and the first note with its scene.

    Parameters
    ----------
    entries : sequence of SceneEntry
        Scenes of a run.

    Examples
    --------
    >>> from bench.store.manifest import SceneEntry
    >>> from bench.store.scene_notes import noted
    >>> noted([SceneEntry("mine", "a", notes=("sources 1 and 2 are equal",))])
    ['mine/a: sources 1 and 2 are equal']
    >>> noted([SceneEntry("mine", s, notes=(f"moved by {k} px",)) for k, s in enumerate("abc", 2)])
    ['3 of 3 scenes, the first mine/a: moved by 2 px']
    """
    kinds: dict[str, dict[str, str]] = {}
    for entry in entries:
        for note in entry.notes:
            kind = _NUMBER.sub("#", _FILE.sub("", note))
            kinds.setdefault(kind, {}).setdefault(entry.name, note)
    sentences = []
    for scenes in kinds.values():
        name, note = next(iter(scenes.items()))
        many = f"{len(scenes)} of {len(entries)} scenes, the first " if len(scenes) > 1 else ""
        sentences.append(f"{many}{name}: {note}")
    return sentences
