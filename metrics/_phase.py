"""Phase congruency after Kovesi: where the Fourier components of an image are in phase.

A bank of log-Gabor filters (4 scales, 6 orientations) gives each pixel a local energy; what
noise would give is subtracted, and the rest is divided by the amplitudes.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from metrics._fourier import laid_out, packed, transform, turned
from metrics._parts import Plane, shared

cv2 = lazy.load("cv2")

Array = NDArray[np.float64]
Real = NDArray[Any]  #: float32, or float64 where single precision does not do

SCALES, ORIENTATIONS = 4, 6
SHORTEST, FACTOR = 3, 2.1  #: Wavelength of the finest scale, and from one scale to the next.
RADIAL_SPREAD = 0.55
ANGULAR_SPREAD = math.pi / ORIENTATIONS / 1.2
CUTOFF, GAIN = 0.5, 10  #: Of the sigmoid that asks for energy at several scales.
NOISE_DEVIATIONS = 2
EPS = 1e-4

CHUNK = 1 << 15  #: Pixels treated at a time, whose intermediate results stay in the cache.

#: Pixels of the largest image whose filters are kept for the next one of its size.
KEPT = 1 << 20

#: Single precision errs by about 1e-5 gray levels here. Where so little counts as signal,
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


class Sector(NamedTuple):
    """The angular part of one orientation's filters, and what noise passes through them.

    Attributes
    ----------
    even, odd : ndarray
        Its even and its odd part, as factors of a packed spectrum and of a turned one.
    noise : float
        The noise threshold for a unit median of the finest scale's energy.
    """

    even: Real
    odd: Real
    noise: float


class Half(NamedTuple):
    """Half of the frequency plane, as `numpy.fft.rfft2` has it.

    Attributes
    ----------
    radial : tuple of ndarray
        Per scale the radial part of the filters.
    direction, opposite : ndarray
        The angle of each frequency, and of the frequency that mirrors it in the whole plane.
    twice : ndarray
        How many of the two are in the half that the other is not: 2, in lone columns 1.
    """

    radial: tuple[Array, ...]
    direction: Array
    opposite: Array
    twice: Array


def _frequencies(length: int) -> Array:
    """Frequencies along an axis in transform order; an odd one reaches both ends."""
    if length % 2:
        centred = np.arange(1 - length, length, 2) / 2
        return np.asarray(np.fft.ifftshift(centred / max(length - 1, 1)))
    return np.asarray(np.fft.fftfreq(length))


def _half(shape: tuple[int, int]) -> Half:
    fy, fx = (_frequencies(length) for length in shape)
    columns = np.arange(shape[1] // 2 + 1)
    r = np.hypot(fy[:, None], fx[columns])
    low_pass = 1 / (1 + (r / 0.45) ** 30)
    r[0, 0] = 1
    radial = []
    for scale in range(SCALES):
        wavelength = SHORTEST * FACTOR**scale
        band = np.exp(-np.square(np.log(r * wavelength)) / (2 * math.log(RADIAL_SPREAD) ** 2))
        band *= low_pass
        band[0, 0] = 0
        radial.append(band)
    mirrored = -np.roll(fy[::-1], 1)[:, None], np.roll(fx[::-1], 1)[columns]
    twice = np.where((columns == 0) | (2 * columns == shape[1]), 1.0, 2.0)
    return Half(
        tuple(radial), np.arctan2(-fy[:, None], fx[columns]), np.arctan2(*mirrored), twice
    )


def _sectors(shape: tuple[int, int], dtype: type, half: Half) -> Iterator[Sector]:
    """All orientations, one after the other."""
    for k in range(ORIENTATIONS):
        here, there = (
            _falloff(direction, k * math.pi / ORIENTATIONS)
            for direction in (half.direction, half.opposite)
        )
        even, odd = (here + there) / 2, (here - there) / 2
        noise = _noise_response(half, even, odd)
        yield Sector(*(laid_out(part.astype(dtype), shape[1]) for part in (even, odd)), noise)


def _falloff(direction: Array, angle: float) -> Array:
    """Gaussian of the angle between both."""
    distance = np.abs(direction - angle)
    distance = np.minimum(distance, 2 * math.pi - distance)
    return np.exp(-np.square(distance) / (2 * ANGULAR_SPREAD**2))


class Bank(NamedTuple):
    """The filters of one image size: radial factors of a packed spectrum, and the sectors."""

    radial: tuple[Real, ...]
    sectors: Iterable[Sector]


def _bank(shape: tuple[int, int], dtype: type) -> Bank:
    half = _half(shape)
    radial = tuple(packed(band, shape[1]).astype(dtype) for band in half.radial)
    return Bank(radial, _sectors(shape, dtype, half))


@lru_cache(maxsize=2)
def _kept_bank(shape: tuple[int, int], dtype: type) -> Bank:
    radial, sectors = _bank(shape, dtype)
    return Bank(radial, tuple(sectors))


def _noise_response(half: Half, even: Array, odd: Array) -> float:
    """Threshold of the energy that noise yields, for a unit median at the finest scale.

    The median of a squared amplitude tells the noise power, since that is exponentially
    distributed. The energy of summed scales is Rayleigh distributed; the threshold lies
    `NOISE_DEVIATIONS` above its mean, divided by 1.7 as the scales overlap.
    """

    def energy(response: Array) -> float:
        """Of the whole plane."""
        return float(np.square(response).sum(axis=0) @ half.twice)

    power = 1 / (math.log(2) * (energy(half.radial[0] * even) + energy(half.radial[0] * odd)))
    # only the even part of a filter's spectrum belongs to the real part of its response
    own = sum(energy(band * even) for band in half.radial)
    total = energy(functools.reduce(np.add, half.radial) * even)
    tau = math.sqrt(power * own + power * (total - own))
    mean, deviation = tau * math.sqrt(math.pi / 2), tau * math.sqrt(2 - math.pi / 2)
    return (mean + NOISE_DEVIATIONS * deviation) / 1.7


def _median(x: Real) -> float:
    """Median of all values."""
    values = x.ravel()
    middle = values.size // 2
    parted = np.partition(values, middle)
    upper = float(parted[middle])
    return upper if values.size % 2 else (upper + float(parted[:middle].max())) / 2


@shared
def phase_congruency(plane: Plane) -> Congruency:
    """Phase congruency of the levels 0..255."""
    found, noise = _congruency(plane, np.float32)
    if noise < LEAST_NOISE_FOR_SINGLE:
        found, _ = _congruency(plane, np.float64)
    return found


def _congruency(plane: Plane, dtype: type) -> tuple[Congruency, float]:
    """Phase congruency computed in `dtype`, and the least noise threshold met."""
    bank = (_kept_bank if plane.levels.size <= KEPT else _bank)(plane.shape, dtype)
    spectra = _spectra(plane, dtype)
    pixels = plane.levels.size
    waves = _aligned(2 * SCALES, pixels, dtype)
    planes = waves[:, :pixels].reshape(2 * SCALES, *plane.shape)
    totals: Real = np.zeros((5, 1, pixels), dtype)
    desk = Desk.of(min(CHUNK, pixels), dtype)
    least = math.inf
    for k, sector in enumerate(bank.sectors):
        for part, (spectrum, side) in enumerate(zip(spectra, sector[:2], strict=True)):
            beam = spectrum * side
            for wave, band in zip(planes[part * SCALES :], bank.radial, strict=False):
                cv2.dft(np.multiply(beam, band, out=wave), dst=wave, flags=cv2.DFT_INVERSE)
        threshold = sector.noise * math.sqrt(_median(_power(planes[0], planes[SCALES])))
        least = min(least, threshold)
        for start in range(0, pixels, CHUNK):
            rows = slice(start, min(start + CHUNK, pixels))
            angle = k * math.pi / ORIENTATIONS
            _accumulate(waves[:, rows], threshold, angle, totals[..., rows], desk)
    energies, amplitudes, *squares = totals.reshape(5, *plane.shape)
    amplitudes += EPS
    energies /= amplitudes
    return Congruency(energies, *_moments(*squares)), least


def _spectra(plane: Plane, dtype: type) -> tuple[Real, Real]:
    """Packed transform of the image without its mean, and the same turned."""
    spectrum = transform(plane.gray - plane.gray.mean()).astype(dtype)
    return spectrum, turned(spectrum)


def _power(even: Real, odd: Real) -> Real:
    """Squared length of even and odd response together."""
    power = np.square(even)
    power += np.square(odd)
    return power


def _aligned(rows: int, columns: int, dtype: type) -> Real:
    """Rows that start at multiples of 64 bytes: cv2.magnitude rounds otherwise elsewhere."""
    pitch = -(-columns // 16) * 16
    room: Real = np.empty(rows * pitch + 16, dtype)
    start = -room.ctypes.data % 64 // room.itemsize
    return room[start : start + rows * pitch].reshape(rows, pitch)


class Desk(NamedTuple):
    """Room for what is computed of one chunk of pixels: a row for each scale, and five more."""

    sizes: Real
    rows: Real

    @classmethod
    def of(cls, pixels: int, dtype: type) -> Desk:
        table = _aligned(SCALES + 5, pixels, dtype)
        return cls(table[:SCALES], table[SCALES:, None])

    def narrowed(self, pixels: int) -> Desk:
        return Desk(self.sizes[:, :pixels], self.rows[..., :pixels])


def _accumulate(waves: Real, threshold: float, angle: float, totals: Real, desk: Desk) -> None:
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
