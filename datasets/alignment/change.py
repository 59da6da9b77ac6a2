"""Alignment as a change of a scene after it is read: ``--align``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from datasets._base import Scene, SceneImages
from datasets.alignment._base import ALIGNMENTS, NONE, NotAligned, check_alignment
from datasets.alignment.stack import AlignedImages, align

#: Before the method in the name of the change.
PREFIX = "align="


@dataclass(frozen=True)
class AlignChange:
    """Aligns the sources of a scene to the first one.

    The reference and the mask stay as they are: they count as lying like the first source. A scene
    that cannot be aligned stays as it is, and a note says why.

    Attributes
    ----------
    method : str
        Name of an alignment method.
    """

    method: str

    @property
    def name(self) -> str:
        """``align=ecc``."""
        return PREFIX + self.method

    @property
    def functions(self) -> Sequence[Callable[..., Any]]:
        """The function of the method."""
        return (ALIGNMENTS[self.method].fn,)

    def apply(self, images: SceneImages) -> SceneImages:
        """The images with aligned sources, with what was found among the notes."""
        begin = time.perf_counter()
        try:
            aligned = align(images.sources, self.method)
        except NotAligned as error:
            sources, said = images.sources, f"not aligned, and used as it is: {error}"
        else:
            sources, said = aligned.images, self._found(aligned, images.reference is not None)
        seconds = images.align_s + time.perf_counter() - begin
        return replace(images, sources=sources, notes=(*images.notes, said), align_s=seconds)

    def _found(self, aligned: AlignedImages, reference: bool) -> str:
        """What a user should know of the alignment: what was found, and what remains."""
        most = max(aligned.moved)
        remains = f"the parts of neighbours lie {aligned.left:.1f} px apart in the median"
        if not most:
            return f"the sources are aligned as they are, says {self.method}: {remains}"
        number = aligned.moved.index(most) + 1
        among = f" (the most of {len(aligned.moved)} sources)" if len(aligned.moved) > 2 else ""
        parts = [
            f"aligned to source 1 with {self.method}: source {number} was displaced by up to "
            f"{most:.1f} px{among}; now {remains}",
            f"{aligned.outside:.1%} of a source lies outside of the frame and is mirrored"
            if aligned.outside >= 5e-4
            else "",
            "the reference counts as lying like source 1" if reference else "",
        ]
        return "; ".join(filter(None, parts))


def with_alignment(scenes: Iterable[Scene], method: str) -> list[Scene]:
    """The scenes, each aligned after it is read and perturbed; as they are for ``none``.

    Raises
    ------
    UnknownName
        There is no such alignment method.

    Examples
    --------
    >>> from datasets import load_scenes
    >>> from datasets.alignment.change import with_alignment
    >>> (scene,) = with_alignment(load_scenes("synthetic-lens/coffee"), "ecc")
    >>> [change.name for change in scene.changes], scene.images.notes[0][:36]
    (['align=ecc'], 'the sources are aligned as they are,')
    """
    chosen = check_alignment(method)
    if chosen == NONE:
        return list(scenes)
    return [replace(s, changes=(*s.changes, AlignChange(chosen))) for s in scenes]


def alignment_of(changes: Iterable[str]) -> str:
    """The alignment method among the names of changes; ``none`` if there is none.

    Examples
    --------
    >>> from datasets.alignment.change import alignment_of
    >>> alignment_of(["noise=5", "align=ecc"]), alignment_of(["noise=5"])
    ('ecc', 'none')
    """
    names = [name.removeprefix(PREFIX) for name in changes if name.startswith(PREFIX)]
    return names[-1] if names else NONE
