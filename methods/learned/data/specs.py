"""What a pool of training scenes holds; see `methods.learned.data.pools`."""

from __future__ import annotations

from dataclasses import dataclass

#: Bump when a pool made from the same specification would differ.
VERSION = 5

#: Boundary points kept per scene.
POINTS = 256

#: Sources per scene of each kind. Records of earlier trainings call ``low-texture`` ``sparse``.
KINDS = {"region": 2, "lens": 2, "low-texture": 2, "ramp": 2, "planes": 3, "grades": 6}


@dataclass(frozen=True)
class PoolSpec:
    """What a pool holds.

    Attributes
    ----------
    kind : {'region', 'lens', 'low-texture', 'ramp', 'planes', 'grades'}
        Gaussian region blur with sigma in [2, 10]; two planes through a lens; two planes of
        low texture; a surface that leans away; three planes and three sources; a photo with
        five grades of blur.
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
