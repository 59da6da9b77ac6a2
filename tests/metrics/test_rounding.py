"""Two published codes reproduced where windows are flat: to the last rounding error.

The toolboxes' QY and QC subtract the square of a window's mean from the mean of its squares and
guard the division with 2e-16 only. In a flat window both should be 0; what is left of either is
rounding, and so is their ratio. To show that no other difference hides behind it, flat windows
are summed here as GNU Octave does: terms in the order of its convolution, each added with a
fused multiply-add. Then every value of both columns is met, including those far beyond 1, and
NaN where the reference has none.
"""

from __future__ import annotations

import math
from fractions import Fraction

import cv2
import numpy as np
import pytest

from bench.core.image_io import read_image
from metrics import Plane
from tests.metrics.test_golden import fused_path, rows

SIDE, SIGMA, C = 7, 1.5, 2e-16


def kernel():
    """The Gaussian window; its last digits depend on the order in which it is normalised."""
    x = range(-(SIDE // 2), SIDE // 2 + 1)
    weights = np.array([[math.exp(-(u * u + v * v) / (2 * SIGMA**2)) for u in x] for v in x])
    return weights / np.cumsum(weights)[-1]  # one after the other, not in pairs


def two_sum(a, b):
    """The rounded sum, and what rounding took."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def to_odd(a, b):
    """The sum, rounded to an odd last bit where it is not exact, so that rounding again is safe."""
    total, lost = two_sum(a, b)
    even = (total.view(np.int64) & 1) == 0
    return np.where((lost != 0) & even, np.nextafter(total, np.copysign(np.inf, lost)), total)


def multiply_add(total, weight, value):
    """``total + weight * value`` rounded once, for whole values below 2^26.

    Boldo, Melquiond 2008, IEEE Transactions on Computers 57(4), 10.1109/TC.2007.70819.
    """
    scaled = weight * (2.0**27 + 1)
    upper = scaled - (scaled - weight)  # 26 bits, so that both products are exact
    high, low = two_sum(upper * value, (weight - upper) * value)
    first, first_lost = two_sum(total, low)
    second, second_lost = two_sum(high, first)
    return second + to_odd(first_lost, second_lost)


def octave_mean(patches):
    """Weighted means of windows (n, 7, 7): columns from the right, each from below."""
    weights, total = kernel(), np.zeros(len(patches))
    for column in reversed(range(SIDE)):
        for row in reversed(range(SIDE)):
            total = multiply_add(total, weights[row, column], patches[:, row, column])
    return total


def usual_mean(image):
    line = cv2.getGaussianKernel(SIDE, SIGMA)
    inside = slice(SIDE // 2, -(SIDE // 2))
    return cv2.sepFilter2D(image, -1, line, line)[inside, inside]


PAIRS = ((0, 1), (0, 2), (1, 2))
EXPRESSIONS = [
    *(lambda *x, k=k: x[k] for k in range(3)),
    *(lambda *x, k=k: x[k] * x[k] for k in range(3)),
    *(lambda *x, i=i, j=j: x[i] * x[j] for i, j in PAIRS),
]


def spreads(means):
    """Variances of three images and covariances of their pairs, of the means of EXPRESSIONS."""
    m, squares, products = means[:3], means[3:6], means[6:]
    var = [square - x * x for square, x in zip(squares, m, strict=True)]
    return var, [product - m[i] * m[j] for product, (i, j) in zip(products, PAIRS, strict=True)]


def window_means(images):
    """Means of EXPRESSIONS in every window; as Octave sums them where a spread may be 0."""
    found = [usual_mean(expression(*images.astype(float))) for expression in EXPRESSIONS]
    var, cov = spreads(found)
    doubtful = np.any([np.abs(x) < 1e-7 for x in (*var, *cov, cov[1] + cov[2])], axis=0)
    views = np.lib.stride_tricks.sliding_window_view(images, (SIDE, SIDE), axis=(1, 2))
    windows = np.moveaxis(views[:, doubtful], 0, 1).reshape(-1, images.shape[0] * SIDE**2)
    alike, which = np.unique(windows, axis=0, return_inverse=True)
    patches = np.moveaxis(alike.reshape(-1, images.shape[0], SIDE, SIDE), 1, 0).astype(float)
    for mean, expression in zip(found, EXPRESSIONS, strict=True):
        mean[doubtful] = octave_mean(expression(*patches))[which.ravel()]
    return found


def local_qualities(images):
    """Quality of each pair of images, covariances and variances, in every window."""
    m = window_means(np.stack(images))
    var, cov = spreads(m)
    quality = {}
    for (i, j), c in zip(PAIRS, cov, strict=True):
        bottom = (m[i] * m[i] + m[j] * m[j] + C) * (var[i] + var[j] + C)
        quality[i, j] = (2 * (m[i] * m[j]) + C) * (2 * c + C) / bottom
    return quality, dict(zip(PAIRS, cov, strict=True)), var


def literal_qy(quality, var):
    silent = var[0] + var[1] == 0
    a, b = (np.where(silent, 0.5, v) for v in var[:2])
    share = a / (a + b)
    mixed = share * quality[0, 2] + (1 - share) * quality[1, 2]
    better = np.maximum(quality[0, 2], quality[1, 2])
    return np.where(quality[0, 1] >= 0.75, mixed, better).mean()


def literal_qc(quality, cov):
    with np.errstate(divide="ignore", invalid="ignore"):
        share = cov[0, 2] / (cov[0, 2] + cov[1, 2])
        mixed = share * quality[0, 2] + (1 - share) * quality[1, 2]
    return np.where(share < 0, 0, np.where(share > 1, 1, mixed)).mean()


def test_multiply_add_rounds_once():
    rng = np.random.default_rng(2)
    totals, weights = rng.uniform(-100, 100, 2000), rng.uniform(0, 0.1, 2000)
    values = rng.integers(0, 65026, 2000).astype(float)
    totals[::2] = -(weights * values)[::2] * (1 + rng.uniform(-1e-15, 1e-15, 1000))
    found = multiply_add(totals, weights, values)
    for k in range(2000):
        assert found[k] == float(Fraction(totals[k]) + Fraction(weights[k]) * int(values[k]))


@pytest.mark.slow
@pytest.mark.parametrize("pair", sorted({image[:2] for image in rows("octave")["QY"]}))
def test_flat_windows_of_the_public_code_are_its_rounding_errors(pair):
    dataset, name = pair
    images = [image for image in rows("octave")["QY"] if image[:2] == pair]
    if not fused_path(*images[0]).is_file():
        pytest.skip("needs the fused images of liu2020: set MFIF_DATA")
    folder = fused_path(*images[0]).parents[2] / "sourceimages" / dataset
    sources = [Plane(read_image(folder / f"{name}_{k}.tif")).levels for k in (1, 2)]
    for image in images:
        fused = Plane(read_image(fused_path(*image))).levels
        quality, cov, var = local_qualities([*sources, fused])
        assert literal_qy(quality, var) == pytest.approx(rows("octave")["QY"][image], abs=1e-8)
        wanted = rows("octave")["QC_zheng"].get(image, math.nan)
        assert literal_qc(quality, cov) == pytest.approx(wanted, abs=1e-12, nan_ok=True)
