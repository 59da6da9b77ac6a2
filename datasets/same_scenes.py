"""Which scenes of different collections are the same pictures, pixel for pixel.

``data/same_scenes.csv`` has a row for each fact: two names, and the numbers that ``{n}`` stands
for, of two digits. Only scenes whose decoded sources are equal and in the same order are in it.
MFIFB's ``newspaper`` is not: it is the survey's ``g_09`` in colour.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

_FACTS = Path(__file__).parent / "data" / "same_scenes.csv"


def same_scenes(name: str) -> frozenset[str]:
    """The names of the same picture in all collections.

    Parameters
    ----------
    name : str
        ``collection/scene``, such as ``"liu2020/c_01"``. ``lytro`` is the collection of Nejati
        et al. (2015), with the names of its files: ``lytro/lytro-01``.

    Returns
    -------
    frozenset of str
        With `name`; nothing else where no other collection is known to have the picture.

    Examples
    --------
    >>> from datasets.same_scenes import same_scenes
    >>> sorted(same_scenes("mfifb/lytro_07"))
    ['drl-fpd/Lytro/c_07', 'liu2020/c_07', 'lytro/lytro-07', 'mfifb/lytro_07']
    >>> sorted(same_scenes("paper/clock"))
    ['paper/clock']
    """
    return _groups().get(name, frozenset([name]))


@cache
def _groups() -> dict[str, frozenset[str]]:
    """The names of each picture, by each of them."""
    groups: dict[str, frozenset[str]] = {}
    with _FACTS.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            first, _, last = row["numbers"].partition("-")
            numbers = range(int(first), int(last) + 1) if first else [0]
            for number in numbers:
                names = [row[key].replace("{n}", f"{number:02}") for key in ("scene", "same_as")]
                group = frozenset().union(*(groups.get(n, frozenset([n])) for n in names))
                groups.update(dict.fromkeys(group, group))
    return groups
