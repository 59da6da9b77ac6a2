"""Metrics with a model of human contrast sensitivity."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from metrics import GrayImage, metric
from metrics._fourier import filtered, good_size, packed, transform
from metrics._gradients import sobel_magnitude
from metrics._parts import dot, rescaled, shared, strips
from metrics._windows import Gaussian

Array = NDArray[np.float64]

NARROW, WIDE = Gaussian(31, 2), Gaussian(31, 4)  #: Their ratio is the local contrast.
BLACK = 1e-10  #: A local average below this (gray levels) is a rounding error of the transforms.
TINY = 1e-300
BLOCK = 16  #: Side of the regions of Chen and Varshney.


@lru_cache(maxsize=8)
def _sensitivity(shape: tuple[int, int], model: Literal["chen-blum", "chen-varshney"]) -> Array:
    """Contrast sensitivity, for a packed spectrum."""
    height, width = shape
    degrees = 30 if model == "chen-blum" else 8  # pixels per cycle that the models assume
    fy = 2 * np.fft.fftfreq(height)[:, None] * (height / degrees)
    fx = 2 * np.fft.rfftfreq(width)[None, :] * (width / degrees)
    r = np.hypot(fx, fy)
    if model == "chen-blum":
        response = np.exp(-((r / 15.3870) ** 2)) - 0.7622 * np.exp(-((r / 1.3456) ** 2))
    else:
        response = 2.6 * (0.0192 + 0.144 * r) * np.exp(-((0.144 * r) ** 1.1))
    return packed(response, width)


@shared
def _spectrum(image: GrayImage) -> Array:
    """Packed transform of the image stretched to 0..255."""
    return transform(rescaled(image).gray)


@shared
def _visible(image: GrayImage) -> Array:
    """The stretched image filtered by the contrast sensitivity of Chen and Varshney."""
    return filtered(_spectrum(image), _sensitivity(image.shape, "chen-varshney"))


@lru_cache(maxsize=8)
def _response(window: Gaussian, shape: tuple[int, int]) -> Array:
    """Response of a Gaussian window of amplitude 1/(2 pi sigma^2), for a packed spectrum."""
    line = window.line / window.line.max() / (np.sqrt(2 * np.pi) * window.sigma)
    axes = []
    for length in shape:
        axis = np.zeros(length)
        axis[: window.size] = line
        axes.append(np.roll(axis, -(window.size // 2)))  # symmetric, so its transform is real
    half = np.fft.fft(axes[0]).real[:, None] * np.fft.rfft(axes[1]).real[None, :]
    return packed(half, shape[1])


@shared
def _masked_contrast(image: GrayImage) -> Array:
    """Local contrast after masking, c^3 / (c^2 + 1e-4); 0 in a black neighbourhood."""
    height, width = image.shape
    reach = NARROW.size // 2
    framed = np.zeros((good_size(height + reach), good_size(width + reach)))
    framed[:height, :width] = filtered(_spectrum(image), _sensitivity(image.shape, "chen-blum"))
    spectrum = transform(framed)
    narrow, wide = (
        filtered(spectrum, _response(window, framed.shape))[:height, :width]
        for window in (NARROW, WIDE)
    )
    masked = np.empty(image.shape)
    for strip in strips(height):
        contrast = _ratio(narrow[strip], wide[strip], BLACK)
        contrast -= 1
        np.abs(contrast, out=contrast)
        square = np.square(contrast)
        contrast *= square
        square += 1e-4
        np.divide(contrast, square, out=masked[strip])
    return masked


def _ratio(top: Array, bottom: Array, least: float = TINY) -> Array:
    """One over the other, 1 where the divisor is 0; both may be overwritten."""
    nothing = np.abs(bottom) < least
    if nothing.any():
        top[nothing] = bottom[nothing] = 1
    return np.divide(top, bottom, out=top)


@metric(
    "qcb",
    label="QCB",
    title="Chen-Blum metric",
    family="perceptual",
    higher_is_better=True,
    bounds=(0, 1),
    needs="sources",
    paper="Chen, Blum 2009, Image and Vision Computing 27(10)",
    doi="10.1016/j.imavis.2007.12.002",
    formula="mean of sum c_X^2 min(c_X, c_F)/max(c_X, c_F) / sum c_X^2, c the masked contrast",
    golden="liu2020 QCB, octave QCB",
    tolerance=1e-9,
    deviations=(
        "Where the filtered image is black all around (below 1e-10 gray levels) there is no "
        "contrast; public codes divide rounding errors by each other there. Photos are not "
        "affected, drawings on black may score 0.2 higher."
    ),
    smallest=16,
)
def qcb(sources: list[GrayImage], fused: GrayImage) -> float:
    """Preservation of the visible local contrast of the sources.

    Images are stretched to 0..255, filtered by a difference-of-Gaussians contrast
    sensitivity, and turned into local contrast, the ratio of two Gaussian averages; the
    smaller over the larger contrast is averaged with the squared contrast of each source as
    weight. For N sources the weights are shares among all of them.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.core.pixels.as_image`; colour counts as luminance.
    fused : ndarray
        An image of the same height and width.

    Returns
    -------
    float
        In [0, 1]; 1 when all images are equal. Where no source has contrast, all sources have equal
        weight; two contrasts of 0 agree.

    Raises
    ------
    ImageError
        Sizes differ, or an image is smaller than 16x16.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.perceptual import qcb
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> round(qcb([ramp, ramp], ramp), 6)
    1.0
    """
    total = 0.0
    for strip in strips(fused.shape[0]):
        own = _masked_contrast(fused)[strip]
        kept, weights = np.zeros(own.shape), np.zeros(own.shape)
        contrasts = [_masked_contrast(source)[strip] for source in sources]
        flat = np.maximum.reduce(contrasts) == 0
        for contrast in contrasts:
            preserved = _ratio(np.minimum(contrast, own), np.maximum(contrast, own))
            weight = np.square(contrast)
            weight[flat] = 1
            weights += weight
            weight *= preserved
            kept += weight
        kept /= weights
        total += float(kept.sum())
    return total / fused.levels.size


def _block_sums(x: Array) -> Array:
    """Sums over blocks of 16x16, the last ones cut at the image's border."""
    rows = np.add.reduceat(x, np.arange(0, x.shape[0], BLOCK), axis=0)
    return np.add.reduceat(rows, np.arange(0, x.shape[1], BLOCK), axis=1)


@shared
def _block_weights(image: GrayImage) -> Array:
    """Saliency of each block: sum of the fifth power of the Sobel magnitude."""
    strength = sobel_magnitude(rescaled(image))
    sums = []
    for strip in strips(image.shape[0], 2 * BLOCK):
        power = np.square(strength[strip])
        np.square(power, out=power)
        power *= strength[strip]
        sums.append(_block_sums(power))
    return np.concatenate(sums)


def _block_errors(one: Array, other: Array) -> Array:
    """Sum of squared differences in each block."""
    sums = []
    for strip in strips(one.shape[0], 2 * BLOCK):
        error = one[strip] - other[strip]
        sums.append(_block_sums(np.square(error, out=error)))
    return np.concatenate(sums)


@metric(
    "qcv",
    label="QCV",
    title="Chen-Varshney metric",
    family="perceptual",
    higher_is_better=False,
    bounds=(0, np.inf),
    needs="sources",
    paper="Chen, Varshney 2007, Information Fusion 8(2)",
    doi="10.1016/j.inffus.2005.10.001",
    formula="sum over blocks and sources of w e / sum w, e the filtered squared difference",
    golden="liu2020 QCV, octave QCV",
    tolerance=1e-9,
)
def qcv(sources: list[GrayImage], fused: GrayImage) -> float:
    """Visible squared difference to the sources, weighted by saliency.

    Images are stretched to 0..255. In blocks of 16x16 pixels the difference, filtered by the
    contrast sensitivity, is squared and averaged; the weight of a block is the sum of the
    fifth powers of the source's Sobel gradients in it. For N sources the sums run over all of
    them. Lower is better.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.core.pixels.as_image`; colour counts as luminance.
    fused : ndarray
        An image of the same height and width.

    Returns
    -------
    float
        At least 0, some tens as a rule; 0 when all images are equal. When no source has a
        gradient (all are black), the blocks have equal weight.

    Raises
    ------
    ImageError
        Sizes differ, or an image is 1 pixel high or wide.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics.perceptual import qcv
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> qcv([ramp, ramp], ramp)
    0.0
    """
    errors = [_block_errors(_visible(source), _visible(fused)) for source in sources]
    weights = [_block_weights(source) for source in sources]
    if not any(weight.any() for weight in weights):
        weights = [np.ones(weight.shape) for weight in weights]
    top = sum(dot(w, e) for w, e in zip(weights, errors, strict=True))
    return top / sum(float(w.sum()) for w in weights) / BLOCK**2
