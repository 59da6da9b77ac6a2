"""Kovesi's bank of log-Gabor filters: bands of frequency times sectors of direction.

Each filter passes one side of the frequency plane, so that its response is complex. The part of
it that is even in frequency makes the real part of the response, the odd one the imaginary part.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from metrics._fourier import laid_out, packed

Real = NDArray[Any]  #: float32, or float64 where single precision does not suffice

SCALES, ORIENTATIONS = 4, 6
SHORTEST, FACTOR = 3, 2.1  #: Wavelength of the finest scale, and from one scale to the next.
RADIAL_SPREAD = 0.55
ANGULAR_SPREAD = math.pi / ORIENTATIONS / 1.2
NOISE_DEVIATIONS = 2

#: Pixels of the largest image whose filters are kept for the next one of its size.
KEPT = 1 << 20


class Sector(NamedTuple):
    """The angular part of one orientation's filters, and their response to noise.

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
    """Half of the frequency plane, as `numpy.fft.rfft2` has it, for one size of image.

    Attributes
    ----------
    direction, opposite : ndarray
        The angle of each frequency, and of the frequency that mirrors it in the whole plane.
    finest, summed : ndarray
        Squared radial factors of the finest scale, and of all scales together; doubled for
        frequencies whose mirror image lies in the other half.
    """

    direction: Real
    opposite: Real
    finest: Real
    summed: Real


class Bank(NamedTuple):
    """The filters of one size of image: radial factors of a packed spectrum, and the sectors."""

    radial: tuple[Real, ...]
    sectors: Iterable[Sector]


def bank(shape: tuple[int, int], dtype: type) -> Bank:
    """The filters for images of `shape`, in `dtype`; those of large images are made one by one."""
    return (_kept_bank if shape[0] * shape[1] <= KEPT else _bank)(shape, dtype)


@lru_cache(maxsize=2)
def _kept_bank(shape: tuple[int, int], dtype: type) -> Bank:
    radial, sectors = _bank(shape, dtype)
    return Bank(radial, tuple(sectors))


def _bank(shape: tuple[int, int], dtype: type) -> Bank:
    fy, fx = (_frequencies(length) for length in shape)
    columns = np.arange(shape[1] // 2 + 1)
    r = np.hypot(fy[:, None], fx[columns])
    r[0, 0] = 1
    low_pass = 1 / (1 + (r / 0.45) ** 30)
    low_pass[0, 0] = 0
    radial: list[Real] = []
    summed = np.zeros_like(r)
    for scale in range(SCALES):
        wavelength = SHORTEST * FACTOR**scale
        band = np.exp(-np.square(np.log(r * wavelength)) / (2 * math.log(RADIAL_SPREAD) ** 2))
        band *= low_pass
        summed += band
        radial.append(packed(band, shape[1]).astype(dtype))
        if scale == 0:
            finest = np.square(band)
    twice = np.where((columns == 0) | (2 * columns == shape[1]), 1, 2)
    mirrored = -np.roll(fy[::-1], 1)[:, None], np.roll(fx[::-1], 1)[columns]
    half = Half(
        *(np.arctan2(y, x).astype(dtype) for y, x in ((-fy[:, None], fx[columns]), mirrored)),
        *((squares * twice).astype(dtype) for squares in (finest, np.square(summed))),
    )
    return Bank(tuple(radial), (_sector(half, k, shape[1]) for k in range(ORIENTATIONS)))


def _frequencies(length: int) -> NDArray[np.float64]:
    """Frequencies along an axis in transform order; an odd one reaches both ends."""
    if length % 2:
        centred = np.arange(1 - length, length, 2) / 2
        return np.asarray(np.fft.ifftshift(centred / max(length - 1, 1)))
    return np.asarray(np.fft.fftfreq(length))


def _sector(half: Half, k: int, width: int) -> Sector:
    here, there = (
        _falloff(direction, k * math.pi / ORIENTATIONS)
        for direction in (half.direction, half.opposite)
    )
    even, odd = (here + there) / 2, (here - there) / 2
    return Sector(laid_out(even, width), laid_out(odd, width), _noise_response(half, even, odd))


def _falloff(direction: Real, angle: float) -> Real:
    """Gaussian of the angle between both."""
    distance = np.abs(direction - angle)
    distance = np.minimum(distance, 2 * math.pi - distance)
    return np.exp(-np.square(distance) / (2 * ANGULAR_SPREAD**2))


def _noise_response(half: Half, even: Real, odd: Real) -> float:
    """Threshold of the energy of noise, for a unit median at the finest scale.

    The squared amplitude of noise is exponentially distributed, so its median gives the noise
    power. The energy of summed scales is Rayleigh distributed; the threshold lies
    `NOISE_DEVIATIONS` above its mean, divided by 1.7 as the scales overlap.
    """
    # only the even part of a filter's spectrum belongs to the real part of its response
    passed = np.square(even)
    total = float((half.summed * passed).sum(dtype=np.float64))
    passed += np.square(odd)
    power = 1 / (math.log(2) * float((half.finest * passed).sum(dtype=np.float64)))
    tau = math.sqrt(power * total)
    mean, deviation = tau * math.sqrt(math.pi / 2), tau * math.sqrt(2 - math.pi / 2)
    return (mean + NOISE_DEVIATIONS * deviation) / 1.7
