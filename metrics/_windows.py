"""Local statistics: moments in sliding windows that lie wholly inside the image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from metrics._gradients import prewitt_magnitude, prewitt_squared
from metrics._parts import GrayImage, shared, strips

cv2 = lazy.load("cv2")

Array = NDArray[np.float64]
Field = Literal["levels", "edges"]

BOX = 8  #: Side of the uniform window of the Piella and Cvejic metrics.


class Moments(NamedTuple):
    """Weighted mean and population variance in each window."""

    mean: Array
    var: Array

    def rows(self, strip: slice) -> Moments:
        """Those of some rows."""
        return Moments(self.mean[strip], self.var[strip])


def box_sum(x: NDArray[Any]) -> NDArray[Any]:
    """Sum over every 8x8 window; of whole numbers exactly, and of zeros exactly 0.

    A running sum, which subtracts the pixels that leave the window, is exact for whole numbers.
    """
    if x.dtype.kind in "iu":
        total = cv2.boxFilter(x, cv2.CV_32S, (BOX, BOX), normalize=False)
    else:
        total = cv2.sepFilter2D(x, -1, np.ones(BOX), np.ones(BOX))
    first, last = BOX // 2, BOX // 2 - 1
    return total[first : x.shape[0] - last, first : x.shape[1] - last]


def reach(strip: slice) -> slice:
    """The rows of the image that a strip of 8x8 windows covers."""
    return slice(strip.start, strip.stop + BOX - 1)


def field_rows(image: GrayImage, field: Field, strip: slice) -> NDArray[Any]:
    """The rows of the levels, or of the Prewitt magnitude, that a strip of windows covers."""
    return (image.levels if field == "levels" else prewitt_magnitude(image))[reach(strip)]


def box_strip(image: GrayImage, field: Field, strip: slice) -> Moments:
    """Moments in a strip of 8x8 uniform windows; the variance of a flat one is exactly 0.

    For the levels, because sums, means and squares of means are multiples of 2^-12 that a
    double holds exactly; for the edges, because negative variances are clipped to 0.
    """
    values = field_rows(image, field, strip)
    squares = product(values, values) if field == "levels" else prewitt_squared(image)[reach(strip)]
    mean = box_sum(values) / BOX**2
    var = box_sum(squares) / BOX**2
    var -= np.square(mean)
    return Moments(mean, np.maximum(var, 0, out=var))


def product(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """Product of two arrays; 16 bits hold the product of two levels."""
    return np.multiply(x, y, dtype=np.uint16 if x.dtype == np.uint8 else x.dtype)


def box_covariance(x: NDArray[Any], y: NDArray[Any], mx: Array, my: Array) -> Array:
    """Covariance in the 8x8 windows of two strips whose means are known."""
    cov = box_sum(product(x, y)) / BOX**2
    cov -= mx * my
    return cov


@shared
def box_moments(image: GrayImage, field: Field) -> Moments:
    """Moments in 8x8 uniform windows."""
    size = image.shape[0] - BOX + 1, image.shape[1] - BOX + 1
    moments = Moments(np.empty(size), np.empty(size))
    for strip in strips(size[0]):
        moments.mean[strip], moments.var[strip] = box_strip(image, field, strip)
    return moments


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian window of `size` x `size` whose weights sum to 1.

    Attributes
    ----------
    size : int
        Odd side in pixels.
    sigma : float
        Standard deviation in pixels.
    """

    size: int
    sigma: float

    @cached_property
    def line(self) -> Array:
        """The weights along one axis; the window is their outer product."""
        x = np.arange(self.size) - self.size // 2
        weights = np.exp(-(x**2) / (2 * self.sigma**2))
        weights /= weights.sum()
        weights.flags.writeable = False  # shared by all threads
        return weights

    def same(self, x: NDArray[Any]) -> NDArray[Any]:
        """Weighted sums around every pixel, zeros beyond the border."""
        return cv2.sepFilter2D(x, -1, self.line, self.line, borderType=cv2.BORDER_CONSTANT)

    def valid(self, x: Array) -> Array:
        """Weighted sums in every window that lies wholly inside."""
        r = self.size // 2
        return self.same(x)[r : x.shape[0] - r, r : x.shape[1] - r]

    def under(self, strip: slice) -> slice:
        """The rows of the image that a strip of windows covers."""
        return slice(strip.start, strip.stop + self.size - 1)


#: Window and constants of SSIM, which other metrics use too.
SSIM_WINDOW = Gaussian(11, 1.5)
SSIM_C1, SSIM_C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@shared
def gaussian_moments(image: GrayImage, window: Gaussian) -> Moments:
    """Moments of the levels in Gaussian windows."""
    mean = window.valid(image.gray)
    return Moments(mean, window.valid(np.square(image.gray)) - np.square(mean))


def robust_strip(image: GrayImage, window: Gaussian, strip: slice) -> Moments:
    """Moments of the levels in a strip of windows; a variance within rounding of 0 is 0."""
    x = image.gray[window.under(strip)]
    mean = window.valid(x)
    square = np.square(mean)
    var = window.valid(np.square(x)) - square
    np.maximum(square, 1, out=square)
    square *= 1e-10
    var *= var >= square
    return Moments(mean, var)


@shared
def robust_moments(image: GrayImage, window: Gaussian) -> Moments:
    """Moments of the levels in Gaussian windows; a variance within rounding of 0 is 0."""
    size = image.shape[0] - window.size + 1, image.shape[1] - window.size + 1
    moments = Moments(np.empty(size), np.empty(size))
    for strip in strips(size[0]):
        moments.mean[strip], moments.var[strip] = robust_strip(image, window, strip)
    return moments


@shared
def gaussian_covariance(image: GrayImage, other: GrayImage, window: Gaussian) -> Array:
    """Covariance of the levels of two images in Gaussian windows."""
    cov = window.valid(image.gray * other.gray)
    cov -= gaussian_moments(image, window).mean * gaussian_moments(other, window).mean
    return cov


def similarity(x: Moments, y: Moments, cov: Array, c1: float, c2: float) -> Array:
    """Luminance and structure similarity of Wang and Bovik in each window.

    (2 mx my + c1)(2 cov + c2) / ((mx^2 + my^2 + c1)(vx + vy + c2)).
    """
    top = x.mean * y.mean
    top *= 2
    top += c1
    factor = 2 * cov
    factor += c2
    top *= factor
    bottom = np.square(x.mean)
    bottom += np.square(y.mean)
    bottom += c1
    np.add(x.var, y.var, out=factor)
    factor += c2
    bottom *= factor
    top /= bottom
    return top
