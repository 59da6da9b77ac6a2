"""Grids of perturbed scenes by name: a dataset as it is, and with each perturbation and amount."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    """A named selection of scenes with and without perturbations.

    Attributes
    ----------
    name, title : str
        What selects it, and what it is.
    scenes : tuple of str
        The scenes that it perturbs, unless others are named behind a colon.
    amounts : dict of str to tuple of float
        Amounts by perturbation, the mildest first.
    """

    name: str
    title: str
    scenes: tuple[str, ...]
    amounts: dict[str, tuple[float, ...]]

    def selections(self, scenes: str = "") -> Iterator[str]:
        """The selections of `scenes`, or of its own: as they are, then perturbed.

        Examples
        --------
        >>> from datasets.grids import GRIDS
        >>> list(GRIDS["robustness"].selections("lytro/c_01"))[:3]
        ['lytro/c_01', 'lytro+noise=5/c_01', 'lytro+noise=10/c_01']
        """
        names = [scenes] if scenes else self.scenes
        yield from names
        for perturbation, amounts in self.amounts.items():
            for amount in amounts:
                for name in names:
                    head = re.split("[:/]", name, maxsplit=1)[0]
                    yield f"{head}+{perturbation}={amount:g}{name[len(head) :]}"


#: All grids by name.
GRIDS = {
    grid.name: grid
    for grid in (
        # Two gray and two colour photos, small, since every method runs on each of them 19 times;
        # coins (objects before a textured ground), camera (smooth sky), chelsea (fine fur),
        # coffee (smooth, colourful). Steps from hardly visible to plainly visible. Not in it:
        # bits (8-bit photos have few to lose), vignetting (an exposure that varies over the
        # picture), rotation (at the corners as a shift).
        Grid(
            "robustness",
            "Four pairs of synthetic-lens as they are, and with six perturbations of three amounts",
            tuple(f"synthetic-lens/{name}" for name in ("camera", "chelsea", "coffee", "coins")),
            {
                "noise": (5, 10, 20),
                "exposure": (0.1, 0.3, 1),
                "shift": (0.5, 1, 2),
                "scale": (1.002, 1.005, 1.01),
                "blur": (0.5, 1, 2),
                "jpeg": (90, 75, 50),
            },
        ),
    )
}


def expanded(name: str) -> list[str]:
    """The selections that a grid's name stands for, ``robustness:lytro``; any other as it is."""
    head, _, scenes = name.partition(":")
    grid = GRIDS.get(head.lower())
    return [name] if grid is None else list(grid.selections(scenes.strip()))
