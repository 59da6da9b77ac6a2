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
    spectrum = cv2.dft(plane.gray - plane.gray.mean(), flags=cv2.DFT_COMPLEX_OUTPUT)
    bands = [spectrum.astype(dtype) * band for band in bank.radial]
    waves: Real = np.empty((SCALES, 2, *plane.shape), dtype)  # even and odd responses
    sizes: Real = np.empty((SCALES, *plane.shape), dtype)
    totals: Real = np.zeros((5, *plane.shape), dtype)
    energies, amplitudes, xx, yy, xy = totals
    least = math.inf
    for k, (sector, response) in enumerate(zip(bank.angular, bank.noise, strict=True)):
        for band, wave, size in zip(bands, waves, sizes, strict=True):
            _filter(band, sector, wave, size)
        threshold = response * math.sqrt(_median(np.square(sizes[0])))
        least = min(least, threshold)
        energy = _energy(waves)
        energy -= threshold
        np.maximum(energy, 0, out=energy)
        amplitude = sizes.sum(axis=0)
        energy *= _spread_weight(sizes, amplitude)
        energies += energy
        amplitudes += amplitude
        np.maximum(amplitude, np.finfo(dtype).tiny, out=amplitude)
        energy /= amplitude
        np.square(energy, out=energy)
        cos, sin = math.cos(k * math.pi / ORIENTATIONS), math.sin(k * math.pi / ORIENTATIONS)
        for total, factor in ((xx, cos * cos), (yy, sin * sin), (xy, cos * sin)):
            total += np.multiply(energy, factor, out=amplitude)
    amplitudes += EPS
    energies /= amplitudes
    return Congruency(energies, *_moments(xx, yy, xy)), least


def _filter(band: Real, sector: Real, wave: Real, size: Real) -> None:
    """Fill in the even and odd response of one filter and their length."""
    spectrum = band * sector
    cv2.dft(spectrum, dst=spectrum, flags=cv2.DFT_INVERSE | cv2.DFT_SCALE)
    cv2.split(spectrum, [wave[0], wave[1]])
    _length(wave[0], wave[1], size)


def _length(x: Real, y: Real, out: Real) -> Real:
    """Euclidean length; cv2.magnitude rounds as memory happens to be aligned."""
    np.square(x, out=out)
    out += np.square(y)
    return np.sqrt(out, out=out)


def _energy(waves: Real) -> Real:
    """Length of the summed responses, less what of each stands across the mean phase."""
    even, odd = waves.sum(axis=0)
    length = _length(even, odd, np.empty_like(even))
    energy = np.square(length)
    for e, o in waves:
        e *= odd
        o *= even
        energy -= cv2.absdiff(e, o, dst=e)
    length += EPS
    energy /= length
    return energy


def _spread_weight(sizes: Real, amplitude: Real) -> Real:
    """Sigmoid of how evenly the amplitude is spread over the scales."""
    largest = sizes.max(axis=0)
    largest += EPS
    spread = np.divide(amplitude, largest, out=largest)
    spread *= -GAIN / SCALES
    spread += CUTOFF * GAIN
    weight = cv2.exp(spread, dst=spread)
    weight += 1
    return np.reciprocal(weight, out=weight)


def _moments(xx: Real, yy: Real, xy: Real) -> tuple[Real, Real]:
    """Largest and smallest moment of the summed squares along both axes."""
    middle = (xx + yy) / ORIENTATIONS
    axis = (xx - yy) * (2 / ORIENTATIONS)
    _length(axis, xy / ORIENTATIONS, axis)
    axis += EPS
    axis /= 2
    return middle + axis, middle - axis
