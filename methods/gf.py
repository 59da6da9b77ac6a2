"""Fusion with guided filtering (GFF)."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from bench.core.pixels import strips
from methods import Blend, Planes, method
from methods._filters import guided_filter, odd_window

cv2 = lazy.load("cv2")

Array = NDArray[Any]

#: The Gaussian of the saliency: radius and standard deviation, in pixels.
SALIENCY_RADIUS, SALIENCY_SIGMA = 5, 5

#: Added to a pixel's weights, which are defined even if the filter leaves none above zero.
TINY = np.float32(1e-12)


@method(
    "gf",
    title="Guided filtering (GFF)",
    kind="decision",
    family="spatial",
    paper="Li, Kang, Hu, Image fusion with guided filtering, IEEE Transactions on Image "
    "Processing 22(7), 2013",
    doi="10.1109/TIP.2013.2244222",
    streams=True,
)
def gf(
    sources: Array | Planes,
    *,
    base_window: int = 31,
    base_radius: int = 45,
    base_eps: float = 0.3,
    detail_radius: int = 7,
    detail_eps: float = 1e-6,
    steps: int = 255,
) -> Blend:
    """Fuse base and detail with weights that follow the sources' edges.

    Saliency is the magnitude of the 3 x 3 Laplacian smoothed by a Gaussian (radius 5, sigma
    5); P_n is 1 where source n is the most salient. Guided filters, each with its source as
    the guide, turn P_n into smooth weights for the base (a mean over a square) and into
    sharp ones for the detail (the rest). Both layers are blended and added.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    base_window : int
        Odd side of the mean that makes the base.
    base_radius, detail_radius : int
        Radii of the guided filters.
    base_eps, detail_eps : float
        Their regularisations.
    steps : int
        Luminance and weights are rounded to multiples of 1/steps; 0 leaves them as they are.

    Returns
    -------
    Blend
        Blends one channel (N, H, W) to (H, W), with the weights found on `sources`.

    Raises
    ------
    UsageError
        `base_window` is not odd, or a radius or `steps` is negative.

    Notes
    -----
    fidelity: the constants are the paper's. What it leaves open follows the images its
    authors published: the filters' windows shrink at the border while the means, the
    Laplacian and the Gaussian repeat the border pixel; luminance and weights pass through 8
    bit (``steps``), which alone raises the agreement by 20 dB; weights are clipped to [0, 1]
    before they are normalised. Where saliencies tie the first source is taken, so there the
    order matters.

    References
    ----------
    Li, Kang, Hu 2013, https://doi.org/10.1109/TIP.2013.2244222

    Examples
    --------
    >>> import numpy as np
    >>> from methods.gf import gf
    >>> stack = np.random.default_rng(0).random((2, 32, 48), np.float32)
    >>> gf(stack)(stack).shape
    (32, 48)
    """
    side = odd_window(base_window, "base_window")
    if min(base_radius, detail_radius, steps) < 0:
        raise UsageError("base_radius, detail_radius and steps must not be negative")
    labels = _most_salient(sources, steps)
    of_base, of_detail = _Weights(sources.shape, steps), _Weights(sources.shape, steps)
    for n, source in enumerate(sources):
        guide = _rounded(source.copy(), steps)
        salient = (labels == n).astype(np.float32)
        of_base.put(n, guided_filter(guide, salient, base_radius, base_eps))
        of_detail.put(n, guided_filter(guide, salient, detail_radius, detail_eps))

    def blend(channel: Array | Planes, /) -> Array:
        base = np.zeros(channel.shape[1:], np.float32)
        detail = np.zeros_like(base)
        for n, image in enumerate(channel):
            smooth = _mean(image, side)
            for rows in strips(len(base)):
                base[rows] += of_base.part(n, rows) * smooth[rows]
                detail[rows] += of_detail.part(n, rows) * (image[rows] - smooth[rows])
        base += detail
        return base

    return blend


class _Weights:
    """The weights of all sources, clipped to [0, 1], rounded, and divided by their sum.

    Where they are rounded to as many steps as a byte has, a byte holds each of them.
    """

    def __init__(self, shape: tuple[int, ...], steps: int) -> None:
        self.steps = steps if 0 < steps <= 255 else 0
        self.rounding = steps
        self.kept = np.empty(shape, np.uint8 if self.steps else np.float32)
        self.total = np.zeros(shape[1:], np.float32)

    def put(self, n: int, weight: Array) -> None:
        """Keep the filtered map of source `n`; it is overwritten."""
        for rows in strips(len(weight)):
            part = np.clip(weight[rows], 0, 1, out=weight[rows])
            if self.steps:
                self.kept[n, rows] = _steps(part, self.steps)
            else:
                self.kept[n, rows] = _rounded(part, self.rounding)
            self.total[rows] += self._raised(n, rows)

    def part(self, n: int, rows: slice) -> Array:
        """Some rows of the weights of source `n`, once all are put."""
        return self._raised(n, rows) / self.total[rows]

    def _raised(self, n: int, rows: slice) -> Array:
        part = self.kept[n, rows].astype(np.float32)
        if self.steps:
            part /= np.float32(self.steps)
        part += TINY
        return part


def _most_salient(sources: Array | Planes, steps: int) -> Array:
    """Number (H, W) of the most salient source, the first of those that tie."""
    labels = np.zeros(sources.shape[1:], np.uint8 if len(sources) < 256 else np.uint16)
    best = np.full(labels.shape, -1, np.float32)
    for n, source in enumerate(sources):
        salient = _saliency(_rounded(source.copy(), steps))
        labels[salient > best] = n
        np.maximum(best, salient, out=best)
    return labels


def _saliency(image: Array) -> Array:
    edges = cv2.Laplacian(image, -1, ksize=1, borderType=cv2.BORDER_REPLICATE)
    np.abs(edges, out=edges)
    side = 2 * SALIENCY_RADIUS + 1
    return cv2.GaussianBlur(edges, (side, side), SALIENCY_SIGMA, borderType=cv2.BORDER_REPLICATE)


def _mean(image: Array, side: int) -> Array:
    return cv2.blur(image, (side, side), borderType=cv2.BORDER_REPLICATE)


def _steps(values: Array, steps: int) -> Array:
    """How many steps of 1/steps the values are, rounded half up, in place."""
    values *= np.float32(steps)
    values += np.float32(0.5)
    return np.floor(values, out=values)


def _rounded(values: Array, steps: int) -> Array:
    """The values rounded half up to multiples of 1/steps, in place."""
    if steps > 0:
        values = _steps(values, steps)
        values /= np.float32(steps)
    return values
