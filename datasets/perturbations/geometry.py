"""Motions of the second and later sources against the first one, as of a camera on a tripod."""

from __future__ import annotations

import numpy as np

from datasets.alignment import Motion
from datasets.perturbations._base import Source, perturbation


@perturbation(
    "shift",
    title="the second and later sources moved against the first one",
    unit="pixels, in a direction that the scene's name decides",
    stage="geometry",
    first=False,
    low=0,
    high=64,
)
def shift(amount: float, source: Source) -> Motion:
    """A displacement by `amount` pixels in a random direction, another one for each source."""
    angle = source.rng.uniform(0, 2 * np.pi)
    return Motion(shift=complex(amount * np.exp(1j * angle)))


@perturbation(
    "scale",
    title="the second and later sources enlarged, as a lens does that is focused nearer",
    unit="factor, that of the last source",
    stage="geometry",
    first=False,
    low=0.8,
    high=1.25,
    identity=1,
)
def scale(amount: float, source: Source) -> Motion:
    """An enlargement about the centre that grows evenly from source to source.

    The k-th of N sources is enlarged by ``1 + (amount - 1) k / (N - 1)``, k from 0: the second
    image of a pair by `amount`.
    """
    return Motion(factor=complex(1 + (amount - 1) * source.index / (source.count - 1)))


@perturbation(
    "rotation",
    title="the second and later sources turned against the first one",
    unit="degrees, in a sense that the scene's name decides",
    stage="geometry",
    first=False,
    low=0,
    high=10,
)
def rotation(amount: float, source: Source) -> Motion:
    """A rotation about the centre by `amount` degrees, clockwise or anticlockwise at random."""
    sense = 1 if source.rng.random() < 0.5 else -1
    return Motion(factor=complex(np.exp(1j * np.radians(sense * amount))))
