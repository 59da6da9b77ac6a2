"""Shift, scale and rotation of one photo against another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Motion:
    """Where the points of one photo lie in another.

    A point at ``z = x + iy`` from the centre lies at ``factor * z + shift`` in the other photo.

    Attributes
    ----------
    shift : complex
        Pixels; to the right is positive real, down is positive imaginary.
    factor : complex
        Its modulus is the scale, its angle the rotation (clockwise on the screen).
    error : float
        Standard error of the displacement at a corner, pixels.
    sure : bool
        Whether nearly all tiles are closer when it is undone, or hardly any tile is moved by it.
    """

    shift: complex = 0j
    factor: complex = 1 + 0j
    error: float = 0.0
    sure: bool = True

    def then(self, following: Motion) -> Motion:
        """The motion of both, `following` after this one."""
        return Motion(
            following.factor * self.shift + following.shift,
            following.factor * self.factor,
            float(np.hypot(self.error, following.error)),
            self.sure and following.sure,
        )

    def at(self, points: Array) -> Array:
        """Displacement of points given as complex pixels from the centre."""
        return (self.factor - 1) * points + self.shift

    def largest(self, height: int, width: int) -> float:
        """Largest displacement of a corner of an image of this size, pixels."""
        corners = np.array([width + 1j * height, width - 1j * height]) / 2
        corners = np.append(corners, -corners)
        return float(np.abs(self.at(corners)).max())
