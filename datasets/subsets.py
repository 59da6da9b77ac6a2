"""Parts of the datasets that papers call by a name of their own, such as Lytro."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection
from dataclasses import dataclass

from datasets.perturbations import split_dataset, suffix_of


@dataclass(frozen=True)
class Subset:
    """A named part of a dataset.

    Attributes
    ----------
    name, title : str
        What selects it, and what captions call it.
    dataset, scenes : str
        The dataset, and the glob of its scenes.
    count : int
        How many scenes it has.
    citation : str
        Whose scenes they are.
    sources : str
        How many sources a scene has, such as ``"3-6"``.
    """

    name: str
    title: str
    dataset: str
    scenes: str
    count: int
    citation: str
    sources: str = "2"

    @property
    def counted(self) -> str:
        """How many scenes it has, in words: ``20 pairs``, ``1 stack``."""
        kind = "pair" if self.sources == "2" else "stack"
        return f"{self.count} {kind}{'s' * (self.count > 1)}"

    def holds(self, dataset: str, scene: str) -> bool:
        """Whether a scene is part of it."""
        return dataset == self.dataset and fnmatch.fnmatchcase(scene, self.scenes)


_LIU = "Liu et al. (2020), doi:10.1016/j.inffus.2020.06.013"
_MFIFB = "as collected by MFIFB, arXiv:2005.01116"
_MFFW = "Xu et al. (2020), arXiv:2002.04780"

#: The scenes of ``stacks``, what captions call them, and the number of their frames.
_STACKS = (
    ("pcb", "Printed circuit board", "7"),
    ("pcb-depth", "Push button", "10"),
    ("keyboard", "Keyboard", "32"),
    ("chip", "Board connector", "65"),
    ("bucket", "Bucket", "32"),
    ("ball", "Ball", "25"),
    ("kitchen", "Kitchen", "12"),
)

#: All subsets by name.
SUBSETS = {
    subset.name: subset
    for subset in (
        Subset("aymaz", "Aymaz", "mfifb", "aymaz_*", 27, _MFIFB),
        Subset("gray", "Gray pairs of the 2020 survey", "liu2020", "g_*", 10, _LIU),
        Subset(
            "lytro",
            "Lytro",
            "liu2020",
            "c_*",
            20,
            "Nejati et al. (2015), doi:10.1016/j.inffus.2014.10.004",
        ),
        Subset("mffw-jpeg", "MFFW as JPEG", "mfifb", "mffw_*", 13, _MFFW),
        Subset("mffw-pairs", "MFFW", "mffw", "mffw_*", 13, _MFFW),
        Subset("mffw-stacks", "MFFW stacks", "mffw", "mffw3_*", 6, _MFFW, "3-6"),
        Subset("savic", "Savić", "mfifb", "savic_*", 21, _MFIFB),
        *(
            Subset(f"stacks-{scene}", title, "stacks", scene, 1, "see `bench data list`", frames)
            for scene, title, frames in _STACKS
        ),
        Subset("tsai", "Tsai", "mfifb", "tsai_*", 12, _MFIFB),
    )
}


def subset_of(dataset: str, scenes: Collection[str]) -> Subset | None:
    """The subset that all of these scenes of a dataset belong to.

    Examples
    --------
    >>> from datasets.subsets import subset_of
    >>> subset_of("liu2020", ["c_01", "c_07"]).title, subset_of("liu2020", ["c_01", "g_01"])
    ('Lytro', None)
    """
    for subset in SUBSETS.values():
        if scenes and all(subset.holds(dataset, scene) for scene in scenes):
            return subset
    return None


def caption_of(dataset: str, scenes: Collection[str]) -> str:
    """What tables call these scenes of a dataset: a subset and their number, or the dataset.

    Examples
    --------
    >>> from datasets.subsets import caption_of
    >>> caption_of("liu2020", [f"c_{k:02}" for k in range(1, 21)])
    'Lytro, 20 pairs'
    >>> caption_of("liu2020", ["c_01", "c_02"]), caption_of("liu2020", ["c_01", "g_01"])
    ('Lytro, 2 of its 20 pairs', 'liu2020')
    >>> caption_of("liu2020+noise=5", ["c_01", "c_02"])
    'Lytro +noise=5, 2 of its 20 pairs'
    """
    base, steps = split_dataset(dataset)
    subset, count = subset_of(base, scenes), len(scenes)
    if subset is None:
        return dataset
    title = f"{subset.title} {suffix_of(steps)}".strip()
    some = "" if count == subset.count else f"{count} of its "
    return f"{title}, {some}{subset.counted}"
