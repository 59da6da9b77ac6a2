"""The nonsubsampled contourlet transform of two images, and their fusion by directions.

A pyramid without subsampling splits an image into a base and one band per level; a tree of fan
filters splits a band into directions. Both filter banks are exact and in closed form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from methods._multiscale import larger_window

scipy = lazy.load("scipy")

Array = NDArray[Any]
#: Names of pairs of fan filters.
Fans = Literal["7-9", "vk"]

ROOT = np.sqrt(2.0)
#: Coefficients of the analysis and the synthesis filter of each pair, in cosines.
FANS = {
    "7-9": (
        (0.602949018236, 0.266864118443, -0.078223266529, -0.016864118443, 0.026748757411),
        (0.557543526229, 0.295635881557, -0.028771763114, -0.045635881557),
    ),
    "vk": ((1 / (2 * ROOT), 1 / (4 * ROOT)), (1.5 / ROOT, 0.5 / ROOT, -0.25 / ROOT)),
}


def fuse_contourlets(
    first: Array,
    second: Array,
    directions: tuple[int, ...],
    fans: Fans,
    merge_bases: Callable[[Array], Array],
) -> Array:
    """Fuse two images: directional bands by `larger_window`, bases by a function.

    Parameters
    ----------
    first, second : ndarray
        float64 (H, W).
    directions : tuple of int
        From coarse to fine, the binary logarithm of a level's number of directions.
    fans : {'7-9', 'vk'}
        The pair of fan filters.
    merge_bases : callable
        Makes the base of the result, float64 (H, W), of both bases, (2, H, W).

    Returns
    -------
    ndarray
        float64 (H, W).

    Raises
    ------
    UsageError
        `directions` is empty or has a number below 1.
    """
    if not directions or min(directions) < 1:
        raise UsageError(f"directions must be at least 1 on every level, got {directions}")
    bands = []
    for level, depth in enumerate(reversed(directions)):
        (first, high), (second, other) = (_split(low, 2**level) for low in (first, second))
        bands.append(_merged(high, other, depth, fans))
    fused = merge_bases(np.stack([first, second]))
    for level in reversed(range(len(bands))):
        fused = _join(fused, bands[level], 2**level)
    return fused


def _blurs(image: Array, step: int, count: int) -> list[Array]:
    """The image smoothed once to `count` times by [1 2 1]/4 with taps `step` apart."""
    taps = np.zeros(2 * step + 1)
    taps[[0, step, -1]] = 0.25, 0.5, 0.25
    found = [image]
    for _ in range(count):
        wide = np.pad(found[-1], step, mode="symmetric")
        rows = (wide[: -2 * step] + wide[2 * step :]) / 4 + wide[step:-step] / 2
        found.append((rows[:, : -2 * step] + rows[:, 2 * step :]) / 4 + rows[:, step:-step] / 2)
    return found[1:]


def _split(image: Array, step: int) -> tuple[Array, Array]:
    """Low-pass and high-pass image."""
    u, v = _blurs(image, step, 2)
    low = (2 * ROOT - 1) * u - (2 * ROOT - 2) * v
    return low, image - (3 - 2 * ROOT) * u - (2 * ROOT - 2) * v


def _join(low: Array, high: Array, step: int) -> Array:
    """The inverse of `_split`."""
    u, v, t = _blurs(low, step, 3)
    total = (6 * ROOT - 7) * u + (20 - 14 * ROOT) * v + (8 * ROOT - 12) * t
    u, v, t = _blurs(high, step, 3)
    return total + high + (3 - 2 * ROOT) * u + (10 * ROOT - 16) * v + (12 - 8 * ROOT) * t


def _merged(high: Array, other: Array, depth: int, fans: Fans) -> Array:
    """Two high-pass images, fused by directions."""
    first, second = scipy.fft.rfft2(high), scipy.fft.rfft2(other)
    total = np.zeros_like(first)
    for analysis, synthesis in _responses(high.shape, depth, fans):
        u, v = (scipy.fft.irfft2(spectrum * analysis, high.shape) for spectrum in (first, second))
        band = np.where(larger_window(np.abs(u), np.abs(v)), u, v)
        total += scipy.fft.rfft2(band) * synthesis
    return scipy.fft.irfft2(total, high.shape)


def _responses(shape: tuple[int, ...], depth: int, fans: Fans) -> Iterator[tuple[Array, Array]]:
    """Analysis and synthesis response of every direction on the half spectrum."""
    y = 2 * np.pi * np.fft.fftfreq(shape[0])[:, None]
    x = 2 * np.pi * np.fft.rfftfreq(shape[1])[None]
    one = np.ones((1, 1))
    analyse, synthesise = FANS[fans]

    def below(level: int, node: int, analysis: Array, synthesis: Array) -> Any:
        if level > depth:
            yield analysis, synthesis
            return
        t = _argument(level, node, x, y)
        pairs = (
            (_series(analyse, t), _series(synthesise, t)),
            (_series(synthesise, -t), _series(analyse, -t)),
        )
        for child, (forth, back) in enumerate(pairs):
            yield from below(level + 1, 2 * node - 1 + child, analysis * forth, synthesis * back)

    yield from below(1, 1, one, one)


def _argument(level: int, node: int, x: Array, y: Array) -> Array:
    """The fan filters' argument T, within [-1, 1], of a node of the tree."""
    if level == 1:
        return (np.cos(y) - np.cos(x)) / 2
    if level == 2:
        return (np.cos(y - x) - np.cos(x + y)) / 2
    half = 2 ** (level - 2)
    scale = 2.0 ** (level - 3)
    place = node if node <= half else node - half
    shear = 2 * ((place - 1) // 2) - scale + 1
    if node <= half:
        a, b = 2 * scale * x - 2 * shear * y, 2 * y
    else:
        a, b = 2 * scale * y - 2 * shear * x, 2 * x
    if place % 2:
        return (np.cos(a - b) - np.cos(b)) / 2
    return (np.cos(b) - np.cos(a + b)) / 2


def _series(coefficients: tuple[float, ...], t: Array) -> Array:
    """Sum of Chebyshev polynomials."""
    return np.polynomial.chebyshev.chebval(t, [coefficients[0], *(2 * c for c in coefficients[1:])])
