"""Phase congruency after Kovesi: where the Fourier components of an image are in phase.

The filters of `metrics._log_gabor` give each pixel a local energy; the energy of noise is
subtracted, and the rest is divided by the amplitudes.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import lazy_loader as lazy
import numpy as np

from metrics._fourier import transform, turned
from metrics._log_gabor import ORIENTATIONS, SCALES, Real, bank
from metrics._parts import GrayImage, shared

cv2 = lazy.load("cv2")

CUTOFF, GAIN = 0.5, 10  #: Of the sigmoid that lowers energy at few scales.
EPS = 1e-4

CHUNK = 1 << 15  #: Pixels treated at a time, whose intermediate results stay in the cache.

#: Single precision errs by about 1e-5 gray levels here. Where so small a value is a signal,
#: the transforms are made in double precision.
LEAST_NOISE_FOR_SINGLE = 1e-2


class Congruency(NamedTuple):
    """Phase congruency and its moments, each (H, W), float32 or float64.

    Attributes
    ----------
    phase : ndarray
        Weighted energy over all orientations, over the amplitudes; in [0, 1).
    edge, corner : ndarray
        Largest and smallest moment of the congruencies of the orientations.
    """

    phase: Real
    edge: Real
    corner: Real


def _root_median_square(sizes: Real) -> float:
    """Root of the median of the squares of positive values."""
    values = sizes.ravel()
    middle = values.size // 2
    parted = np.partition(values, middle)
    upper = float(parted[middle])
    lower = upper if values.size % 2 else float(parted[:middle].max())
    return math.sqrt((upper**2 + lower**2) / 2)


@shared
def phase_congruency(image: GrayImage) -> Congruency:
    """Phase congruency of the levels 0..255."""
    found, noise = _congruency(image, np.float32)
    if noise >= LEAST_NOISE_FOR_SINGLE:
        return found
    del found  # to free its memory
    return _congruency(image, np.float64)[0]


def _congruency(image: GrayImage, dtype: type) -> tuple[Congruency, float]:
    """Phase congruency computed in `dtype`, and the least noise threshold found."""
    radial, sectors = bank(image.shape, dtype)
    spectra = _spectra(image, dtype)
    pixels = image.levels.size
    waves = _aligned(2 * SCALES, pixels, dtype)
    images = waves[:, :pixels].reshape(2 * SCALES, *image.shape)
    finest = _aligned(1, pixels, dtype)[0, :pixels].reshape(image.shape)
    totals: list[Real] = [np.zeros((1, pixels), dtype) for _ in range(5)]
    desk = Desk.of(min(CHUNK, pixels), dtype)
    least = math.inf
    for k, sector in enumerate(sectors):
        for first, spectrum, side in zip((0, SCALES), spectra, sector[:2], strict=True):
            beam = spectrum * side
            for wave, band in zip(images[first:], radial, strict=False):
                cv2.dft(np.multiply(beam, band, out=wave), dst=wave, flags=cv2.DFT_INVERSE)
        cv2.magnitude(images[0], images[SCALES], finest)
        threshold = sector.noise * _root_median_square(finest)
        least = min(least, threshold)
        for start in range(0, pixels, CHUNK):
            part = slice(start, min(start + CHUNK, pixels))
            angle = k * math.pi / ORIENTATIONS
            _accumulate(waves[:, part], threshold, angle, [x[:, part] for x in totals], desk)
    energies, amplitudes, *squares = (x.reshape(image.shape) for x in totals)
    amplitudes += EPS
    energies /= amplitudes
    return Congruency(energies, *_moments(*squares)), least


def _spectra(image: GrayImage, dtype: type) -> tuple[Real, Real]:
    """Packed transform of the image without its mean, and the same turned."""
    spectrum: Real = transform(image.levels - image.levels.mean()).astype(dtype)
    return spectrum, turned(spectrum)


def _aligned(rows: int, columns: int, dtype: type) -> Real:
    """Rows that start at multiples of 64 bytes: cv2.magnitude rounds differently into others."""
    pitch = -(-columns // 16) * 16
    room: Real = np.empty(rows * pitch + 16, dtype)
    start = -room.ctypes.data % 64 // room.itemsize
    return room[start : start + rows * pitch].reshape(rows, pitch)


class Desk(NamedTuple):
    """Buffer for one chunk of pixels: a row for each scale, and five more."""

    sizes: Real
    rows: Real

    @classmethod
    def of(cls, pixels: int, dtype: type) -> Desk:
        table = _aligned(SCALES + 5, pixels, dtype)
        return cls(table[:SCALES], table[SCALES:, None])

    def narrowed(self, pixels: int) -> Desk:
        return Desk(self.sizes[:, :pixels], self.rows[..., :pixels])


def _accumulate(
    waves: Real, threshold: float, angle: float, totals: list[Real], desk: Desk
) -> None:
    """Add one orientation to the totals of some pixels; overwrites the waves."""
    even, odd = waves[:SCALES], waves[SCALES:]
    sizes, (energy, length, amplitude, weight, spare) = desk.narrowed(waves.shape[1])
    energies, amplitudes, total, difference, mixed = totals
    cv2.magnitude(even, odd, sizes)
    cv2.reduce(sizes, 0, cv2.REDUCE_SUM, amplitude)
    cv2.reduce(sizes, 0, cv2.REDUCE_MAX, weight)
    amplitudes += amplitude
    # length of the summed responses, less what of each stands across the mean phase
    cv2.reduce(even, 0, cv2.REDUCE_SUM, spare)
    cv2.reduce(odd, 0, cv2.REDUCE_SUM, length)
    even *= length
    odd *= spare
    cv2.magnitude(spare, length, length)
    np.square(length, out=energy)
    length += EPS
    cv2.reduce(cv2.absdiff(even, odd, sizes), 0, cv2.REDUCE_SUM, spare)
    energy -= spare
    energy /= length
    energy -= threshold
    cv2.max(energy, 0, energy)
    energy /= _spread_penalty(weight, amplitude)
    energies += energy
    amplitude += np.finfo(amplitude.dtype).tiny
    energy /= amplitude
    np.square(energy, out=energy)
    total += energy
    cv2.scaleAdd(energy, math.cos(2 * angle), difference, difference)
    cv2.scaleAdd(energy, math.sin(2 * angle) / 4, mixed, mixed)


def _spread_penalty(largest: Real, amplitude: Real) -> Real:
    """Inverse of a sigmoid of how evenly the amplitude is spread over the scales."""
    largest += EPS
    spread = cv2.divide(amplitude, largest, largest, -GAIN / SCALES)
    penalty = cv2.exp(spread, spread)
    penalty *= math.exp(CUTOFF * GAIN)
    penalty += 1
    return penalty


def _moments(total: Real, difference: Real, mixed: Real) -> tuple[Real, Real]:
    """Largest and smallest moment, of squares summed times 1, cos 2a, sin(2a)/4."""
    np.square(difference, out=difference)
    cv2.accumulateSquare(mixed, difference)
    axis = cv2.sqrt(difference, difference)
    axis *= 1 / ORIENTATIONS
    axis += EPS / 2
    total *= 1 / ORIENTATIONS
    return total + axis, total - axis
