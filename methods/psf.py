"""Fusion by estimating the point spread functions of the defocus."""

from __future__ import annotations

import math
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from methods import method
from methods._filters import odd_window
from methods._multiscale import shared_first

cv2 = lazy.load("cv2")
scipy = lazy.load("scipy")

Array = NDArray[Any]

#: Differential evolution: members per unknown (two unknowns, so NP = 16), F, CR, generations.
MEMBERS, MUTATION, CROSSOVER, GENERATIONS = 8, 0.6, 0.6, 50

#: Width in pixels below which a sampled Gaussian is a single pixel.
SHARP = 0.01


@method(
    "psf",
    title="Estimated point spread functions",
    kind="decision",
    family="spatial",
    stack="pairwise",
    symmetric=False,
    paper="Aslantas and Toprak, A pixel based multi-focus image fusion method, Optics "
    "Communications 332, 2014",
)
def psf(
    sources: Array,
    *,
    max_sigma: float = 10.0,
    window: int = 9,
    search_side: int = 256,
    seed: int = 0,
) -> Array:
    """Copy each pixel from the source that equals the other one after blurring.

    A is blurred by h1 where B is sharp, B by h2 where A is sharp. Where A is sharp, A * h2
    equals B, so ``|B - A * h2|`` is small; elsewhere ``|A - B * h1|`` is. Each residual is averaged
    over a window and the pixel is taken from the source of the smaller one. h1 and h2 are
    Gaussians; differential evolution finds the widths that minimise the mean over the pixels
    of the smaller residual.

    Parameters
    ----------
    sources : ndarray
        float32 (2, H, W) in [0, 1].
    max_sigma : float
        Largest width searched, in pixels of the full image.
    window : int
        Odd side of the mean over the residuals.
    search_side : int
        The widths are searched on copies shrunk by the least whole number f that reduces the
        longer side to this. A width s of the full image is s/f there.
    seed : int
        Of the search.

    Returns
    -------
    ndarray
        float32 (2, H, W): 1 for the source copied; shared where the residuals are equal.

    Raises
    ------
    UsageError
        `max_sigma` or `search_side` is not positive, or `window` is not odd.

    Notes
    -----
    fidelity: model, cost and the settings of the search (16 members, F = 0.6, CR = 0.6) are
    the paper's. It leaves the shrunken copy, the bound on the widths, the number of
    generations and the window open. The search is seeded and therefore deterministic, but
    its two unknowns are not interchangeable, so the order of the sources can matter. Two
    sources by nature; a longer stack is folded from the left.

    References
    ----------
    Aslantas, Toprak 2014, Optics Communications 332, 350-358
    Storn, Price 1997, https://doi.org/10.1023/A:1008202821328

    Examples
    --------
    >>> import cv2, numpy as np
    >>> from methods.psf import psf
    >>> sharp = np.random.default_rng(0).random((48, 48), np.float32)
    >>> weights = psf(np.stack([sharp, cv2.GaussianBlur(sharp, (0, 0), 2)]))
    >>> float(weights[0].mean())
    1.0
    """
    side = odd_window(window)
    if not max_sigma > 0 or search_side < 1:
        raise UsageError("max_sigma and search_side must be positive")
    first, second = sources
    factor = math.ceil(max(first.shape) / search_side)
    of_first, of_second = factor * _widths(
        _shrunk(first, factor), _shrunk(second, factor), max_sigma / factor, seed
    )
    residuals = _residuals(first, second, of_first, of_second)
    return shared_first(-np.stack([cv2.blur(r, (side, side)) for r in residuals]))


def _widths(first: Array, second: Array, bound: float, seed: int) -> Array:
    """The blur of each source where it is blurred, in pixels of these images."""

    def cost(widths: Array) -> float:
        return float(np.minimum(*_residuals(first, second, *widths)).mean())

    search = scipy.optimize.differential_evolution(
        cost,
        [(0.0, bound)] * 2,
        strategy="rand1bin",
        popsize=MEMBERS,
        mutation=MUTATION,
        recombination=CROSSOVER,
        maxiter=GENERATIONS,
        tol=1e-3,
        polish=False,
        seed=seed,
    )
    return search.x


def _residuals(
    first: Array, second: Array, of_first: float, of_second: float
) -> tuple[Array, Array]:
    """Per pixel the difference of the second source to the blurred first, and the reverse."""
    return (
        np.abs(second - _blurred(first, of_second)),
        np.abs(first - _blurred(second, of_first)),
    )


def _blurred(image: Array, sigma: float) -> Array:
    return cv2.GaussianBlur(image, (0, 0), sigma) if sigma > SHARP else image


def _shrunk(image: Array, factor: int) -> Array:
    """Means over squares of `factor` pixels."""
    size = tuple(max(1, round(length / factor)) for length in reversed(image.shape))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA) if factor > 1 else image
