"""Simoncelli and Freeman's steerable pyramid in the Fourier domain, exact at every size.

With r the radial frequency in radians per pixel, L falls from 1 to 0 between pi/2 and pi as
the cosine of an octave, and H^2 = 1 - L^2. The residuals are filtered by H(r) and by
L(2^n r), the band of level l and direction k by

    L(2^l r) H(2^(l+1) r) c cos^(K-1)(theta - pi k / K) (-i)^(K-1).

The squares of all filters sum to 1: filtering twice and adding up gives the image back.

A band of level l vanishes from r = pi / 2^l on. Instead of halving the image, which odd sizes
do not allow without loss, each band is sampled on the smallest fast grid that holds its
frequencies; an image's spectrum is cut and padded, never folded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

scipy = lazy.load("scipy")

Array = NDArray[Any]


@dataclass(frozen=True)
class BandFilter:
    """One band: its response on the low frequencies kept, and the grid it is sampled on.

    Attributes
    ----------
    grid : tuple of int
        Size of the sampled band.
    response : ndarray
        Filter on the lowest rows of the half spectrum, in the order of the FFT, and on its
        first columns; complex when the band is odd.
    """

    grid: tuple[int, int]
    response: Array

    def analyse(self, spectrum: Array) -> Array:
        """The band of an image's half spectrum, real, of size `grid`."""
        height, width = self.grid
        small = np.zeros((height, width // 2 + 1), np.complex64)
        for part, kept, whole in self._blocks(small, spectrum):
            np.multiply(part, whole, out=kept)
        return scipy.fft.irfft2(small, s=self.grid, norm="forward", overwrite_x=True)

    def synthesise(self, band: Array, spectrum: Array) -> None:
        """Add the contribution of `band` to the half spectrum."""
        small = scipy.fft.rfft2(band, norm="forward", overwrite_x=True)
        for part, kept, whole in self._blocks(small, spectrum):
            whole += np.multiply(part.conj(), kept, out=kept)

    def _blocks(self, *spectra: Array) -> Iterator[tuple[Array, ...]]:
        """The response and where it lies in half spectra: frequencies from 0 on, then below 0."""
        rows, columns = self.response.shape
        positive = (rows + 1) // 2
        negative = rows - positive
        yield self.response[:positive], *(s[:positive, :columns] for s in spectra)
        yield self.response[positive:], *(s[len(s) - negative :, :columns] for s in spectra)


class SteerablePyramid:
    """The filters for images of one size.

    Parameters
    ----------
    shape : sequence of int
        (H, W) of the image.
    levels, orientations : int
        Number of scales, and of directional bands at each.
    """

    def __init__(self, shape: Sequence[int], levels: int, orientations: int) -> None:
        self.shape = (int(shape[0]), int(shape[1]))
        self.levels = levels
        self.orientations = orientations
        down = 2 * np.pi * np.fft.fftfreq(self.shape[0]).astype(np.float32)[:, None]
        right = 2 * np.pi * np.fft.rfftfreq(self.shape[1]).astype(np.float32)[None, :]
        self._down, self._right = np.broadcast_arrays(down, right)
        self._radius = np.hypot(down, right)

    def spectrum(self, image: Array) -> Array:
        """Half spectrum complex64 (H, W // 2 + 1), scaled so that its origin is the mean."""
        return scipy.fft.rfft2(image, norm="forward")

    def image(self, spectrum: Array) -> Array:
        """Inverse of `spectrum`."""
        return scipy.fft.irfft2(spectrum, s=self.shape, norm="forward")

    def low_pass(self, spectrum: Array) -> Array:
        """Contribution of the low-pass residual to the spectrum: L twice."""
        low, _ = low_high(self._radius * 2**self.levels)
        return spectrum * (low * low)

    def filters(self) -> Iterator[BandFilter]:
        """The high-pass residual, then the directional bands from fine to coarse."""
        yield BandFilter(self.shape, low_high(self._radius)[1])
        for level in range(self.levels):
            yield from self._directional(level)

    def _directional(self, level: int) -> Iterator[BandFilter]:
        top, side = (math.ceil(size / 2 ** (level + 1)) - 1 for size in self.shape)
        rows = np.r_[0 : top + 1, self.shape[0] - top : self.shape[0]]
        part = (rows, slice(0, side + 1))
        grid = self.shape[:2] if level == 0 else (_fast(2 * top + 1), _fast(2 * side + 1))
        radius = self._radius[part]
        radial = low_high(radius * 2**level)[0] * low_high(radius * 2 ** (level + 1))[1]
        cosine, sine = (
            np.divide(axis[part], radius, out=np.zeros_like(radius), where=radius > 0)
            for axis in (self._right, self._down)
        )
        order = self.orientations - 1
        radial *= _angular_gain(self.orientations)
        for k in range(self.orientations):
            angle = math.pi * k / self.orientations
            along = math.cos(angle) * cosine + math.sin(angle) * sine
            phase = np.complex64((-1j) ** order) if order % 2 else (-1) ** (order // 2)
            yield BandFilter(grid, phase * (radial * along**order))


def low_high(radius: Array) -> tuple[Array, Array]:
    """L and H at the radial frequency `radius`, float32."""
    octave = np.log2(np.clip(radius, np.pi / 2, np.pi) / np.float32(np.pi / 2))
    angle = np.float32(np.pi / 2) * octave
    return np.cos(angle) * (radius < np.pi), np.sin(angle)


def _angular_gain(orientations: int) -> float:
    """Factor c, for which the squares of the directional factors sum to 1."""
    order = orientations - 1
    mean_square = math.comb(2 * order, order) / 4**order
    return 1 / math.sqrt(orientations * mean_square)


def _fast(size: int) -> int:
    return scipy.fft.next_fast_len(size, real=True)
