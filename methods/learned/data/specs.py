"""What a pool of training scenes holds; see `methods.learned.data.pools`."""

from __future__ import annotations

from dataclasses import dataclass

#: Bump when a pool made from the same specification would differ.
VERSION = 6

#: Boundary points kept per scene.
POINTS = 256

#: Kinds of stacks, and the sources of each.
STACKS = {f"stack-{count}": count for count in range(2, 9)}

#: Sources per scene of each kind. Records of earlier trainings call ``low-texture`` ``sparse``.
KINDS = {
    **{"region": 2, "lens": 2, "low-texture": 2, "ramp": 2, "planes": 3, "grades": 6, "wide": 2},
    **STACKS,
}

#: Kinds whose pools have 16 bits, since some of their scenes have 12 bits and others 8.
DEEP = frozenset({"wide", *STACKS})


@dataclass(frozen=True)
class PoolSpec:
    """What a pool holds.

    Attributes
    ----------
    kind : {'region', 'lens', 'low-texture', 'ramp', 'planes', 'grades', 'wide', 'stack-N'}
        Gaussian region blur with sigma in [2, 10]; two planes through a lens; two planes of
        low texture; a surface that leans away; three planes and three sources; a photo with
        five grades of blur; two layers of a wide range of blur; several surfaces and N sources
        (2 to 8).
    scenes, seed : int
        How many, and from where they are drawn.
    colour : bool
        RGB instead of luminance.
    shape : (int, int)
        Height and width of all scenes; photos are turned and cropped to it.
    augment : bool
        Zoom and change the contrast of some photos.
    """

    kind: str
    scenes: int
    seed: int = 0
    colour: bool = False
    shape: tuple[int, int] = (320, 480)
    augment: bool = True
