"""Phase congruency after Kovesi: where the Fourier components of an image are in phase.

A bank of log-Gabor filters (4 scales, 6 orientations) gives each pixel a local energy; what
noise would give is subtracted, and the rest is divided by the amplitudes.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

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


class Bank(NamedTuple):
    """The filters of one image size, as factors, and what noise passes through them.

    Attributes
    ----------
    radial, angular : tuple of ndarray
        Per scale and per orientation, (H, W, 2): twice the same, for real and imaginary part.
    noise : tuple of float
        Per orientation, the noise threshold for a unit median of the finest scale's energy.
    """

    radial: tuple[Real, ...]
    angular: tuple[Real, ...]
    noise: tuple[float, ...]


def _frequencies(length: int) -> Array:
    """Frequencies along an axis in transform order; an odd one reaches both ends."""
    if length % 2:
        centred = np.arange(1 - length, length, 2) / 2
        return np.asarray(np.fft.ifftshift(centred / max(length - 1, 1)))
    return np.asarray(np.fft.fftfreq(length))


def _bank(shape: tuple[int, int], dtype: type) -> Bank:
    fy, fx = _frequencies(shape[0])[:, None], _frequencies(shape[1])[None, :]
    r = np.hypot(fx, fy)
    low_pass = 1 / (1 + (r / 0.45) ** 30)
    r[0, 0] = 1
    radial = []
    for scale in range(SCALES):
        wavelength = SHORTEST * FACTOR**scale
        band = np.exp(-np.square(np.log(r * wavelength)) / (2 * math.log(RADIAL_SPREAD) ** 2))
        band *= low_pass
        band[0, 0] = 0
        radial.append(band)
    direction = np.arctan2(-fy, fx)
    angular, noise = [], []
    for k in range(ORIENTATIONS):
        distance = np.abs(direction - k * math.pi / ORIENTATIONS)
        distance = np.minimum(distance, 2 * math.pi - distance)
        sector = np.exp(-np.square(distance) / (2 * ANGULAR_SPREAD**2))
        angular.append(sector)
        noise.append(_noise_response([band * sector for band in radial]))

    def twice(x: Array) -> Real:
        return np.repeat(x.astype(dtype)[..., None], 2, axis=-1)

    share = 1 / (shape[0] * shape[1])  # the scale of the inverse transform
    radial = [band * share for band in radial]
    return Bank(tuple(map(twice, radial)), tuple(map(twice, angular)), tuple(noise))


_kept_bank = lru_cache(maxsize=2)(_bank)


def _noise_response(filters: list[Array]) -> float:
    """Threshold of the energy that noise yields, for a unit median at the finest scale.

    The median of a squared amplitude tells the noise power, since that is exponentially
    distributed. The energy of summed scales is Rayleigh distributed; the threshold lies
    `NOISE_DEVIATIONS` above its mean, divided by 1.7 as the scales overlap.
    """
    power = 1 / (math.log(2) * float(np.vdot(filters[0], filters[0])))
    # only the even part of a filter's spectrum belongs to the real part of its response
    even = [(f + np.roll(f[::-1, ::-1], (1, 1), (0, 1))) / 2 for f in filters]
    own = sum(float(np.vdot(f, f)) for f in even)
    total = sum(even[1:], even[0])
    mutual = (float(np.vdot(total, total)) - own) / 2
    tau = math.sqrt(power * own + 2 * power * mutual)
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
    bank = (_kept_bank if plane.levels.size <= 2**20 else _bank)(plane.shape, dtype)
    spectrum = cv2.dft(plane.gray - plane.gray.mean(), flags=cv2.DFT_COMPLEX_OUTPUT).astype(dtype)
    bands = [spectrum * band for band in bank.radial]
    waves: Real = np.empty((SCALES, *plane.shape, 2), dtype)
    flat = waves.reshape(SCALES, -1, 2)
    totals: Real = np.zeros((5, 1, plane.levels.size), dtype)
    desk = Desk.of(min(CHUNK, plane.levels.size), dtype)
    least = math.inf
    for k, (sector, response) in enumerate(zip(bank.angular, bank.noise, strict=True)):
        for band, wave in zip(bands, waves, strict=True):
            cv2.dft(np.multiply(band, sector, out=wave), dst=wave, flags=cv2.DFT_INVERSE)
        threshold = response * math.sqrt(_median(_power(flat[0])))
        least = min(least, threshold)
        for start in range(0, plane.levels.size, CHUNK):
            part = slice(start, start + CHUNK)
            angle = k * math.pi / ORIENTATIONS
            _accumulate(flat[:, part], threshold, angle, totals[..., part], desk)
    energies, amplitudes, *squares = totals.reshape(5, *plane.shape)
    amplitudes += EPS
    energies /= amplitudes
    return Congruency(energies, *_moments(*squares)), least


def _power(wave: Real) -> Real:
    """Squared length of even and odd response together."""
    squares = np.square(wave)
    return squares[:, 0] + squares[:, 1]


class Desk(NamedTuple):
    """Room for what is computed of one chunk of pixels: three stacks of all scales, five rows.

    Every row starts at a multiple of 64 bytes: cv2.magnitude rounds otherwise elsewhere.
    """

    stacks: Real
    rows: Real

    @classmethod
    def of(cls, pixels: int, dtype: type) -> Desk:
        pitch = -(-pixels // 16) * 16
        room: Real = np.empty((3 * SCALES + 5) * pitch + 16, dtype)
        start = -room.ctypes.data % 64 // room.itemsize
        table = room[start : start - 16 + room.size].reshape(-1, pitch)
        return cls(table[:-5].reshape(3, SCALES, pitch), table[-5:].reshape(5, 1, pitch))

    def narrowed(self, pixels: int) -> Desk:
        return Desk(self.stacks[..., :pixels], self.rows[..., :pixels])


def _accumulate(waves: Real, threshold: float, angle: float, totals: Real, desk: Desk) -> None:
    """Add one orientation to the totals of some pixels."""
    (even, odd, sizes), (energy, length, amplitude, weight, spare) = desk.narrowed(waves.shape[1])
    energies, amplitudes, total, difference, mixed = totals
    cv2.split(waves, [even, odd])
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
    cv2.reduce(cv2.absdiff(even, odd, even), 0, cv2.REDUCE_SUM, spare)
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
