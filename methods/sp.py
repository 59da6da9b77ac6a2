"""Fusion in the steerable pyramid."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from bench.core.pixels import strips
from methods import method
from methods._filters import odd_window
from methods._multiscale import most_active, usable_levels
from methods._steerable import SteerablePyramid

cv2 = lazy.load("cv2")

Array = NDArray[Any]


@method(
    "sp",
    title="Steerable pyramid",
    kind="transform",
    family="multi-scale",
    paper="Liu, Tsukada, Hanasaki, Ho, Dai, Image fusion by using steerable pyramid, Pattern "
    "Recognition Letters 22(9), 2001",
    doi="10.1016/S0167-8655(01)00047-2",
)
def sp(sources: Array, *, levels: int = 4, orientations: int = 6, window: int = 3) -> Array:
    """Fuse by keeping, per scale and direction, the sub-band of the larger local energy.

    Each source is split into a high-pass residual, `levels` times `orientations` directional
    bands and a low-pass residual. Of bands and high-pass residual the coefficient is kept
    whose neighbourhood has the largest sum of squares, of the low-pass residuals the mean.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    levels : int
        Number of scales; fewer where the image is too small (see `methods.lp.lp`).
    orientations : int
        Directional bands per scale; the filters have the order `orientations` - 1.
    window : int
        Odd side of the window of the energy; 1 compares magnitudes.

    Returns
    -------
    ndarray
        float32 (H, W); it can leave [0, 1] by the contrast of mixed bands.

    Raises
    ------
    UsageError
        `levels` or `orientations` is below 1, or `window` is not odd.

    Notes
    -----
    fidelity: the paper's transform is Simoncelli and Freeman's; the number of scales and
    directions and the window are the field's common choices. Bands are made in the Fourier
    domain, so borders are periodic, and each is sampled without loss on a grid of its own,
    which makes every image size exact. Symmetric in the sources. Colour: each channel by
    itself.

    References
    ----------
    Liu et al. 2001, https://doi.org/10.1016/S0167-8655(01)00047-2
    Simoncelli, Freeman 1995, https://doi.org/10.1109/ICIP.1995.537667

    Examples
    --------
    >>> import numpy as np
    >>> from methods.sp import sp
    >>> image = np.random.default_rng(0).random((9, 7), np.float32)
    >>> bool(np.abs(sp(np.stack([image, image])) - image).max() < 1e-5)
    True
    """
    side = odd_window(window)
    if orientations < 1:
        raise UsageError(f"orientations must be at least 1, got {orientations}")
    shape = sources.shape[1:]
    pyramid = SteerablePyramid(shape, usable_levels(shape, levels), orientations)
    spectra = [pyramid.spectrum(source) for source in sources]
    merged = np.mean([pyramid.low_pass(s) for s in spectra], axis=0)
    for band_filter in pyramid.filters():
        bands = [band_filter.analyse(s) for s in spectra]
        band_filter.synthesise(_chosen(bands, [_energy(band, side) for band in bands]), merged)
    return pyramid.image(merged)


def _energy(band: Array, side: int) -> Array:
    """Mean of squares about each coefficient."""
    return cv2.blur(band * band, (side, side))


def _chosen(bands: list[Array], energies: list[Array]) -> Array:
    """`most_active`, a strip of rows at a time."""
    chosen = np.empty_like(bands[0])
    for rows in strips(len(chosen)):
        energy = np.stack([e[rows] for e in energies])
        chosen[rows] = most_active(np.stack([b[rows] for b in bands]), energy)
    return chosen
