"""Computed defocus: pairs whose all-in-focus reference is known.

Two models. `region_pair` is the field's usual one: a region of a photo is blurred by a
Gaussian and the edge between sharp and blurred is a step. `lens_pair` and `composite` model
a lens and layers at different depths: a defocused foreground spreads over the background
behind it, and a defocused background takes no colour from the objects before it.

All images are float32 in [0, 1], (H, W) or (H, W, 3). Only `degrade` uses random
numbers, from the generator that it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError

cv2 = lazy.load("cv2")

Image = NDArray[np.float32]
Kernel = Literal["disk", "gaussian"]

#: Softness in pixels that a sensor's resolution gives to an object's outline.
OUTLINE_SIGMA = 0.6


class LensPair(NamedTuple):
    """Two views of one scene, and the reference with infinite depth of field."""

    near: Image
    far: Image
    reference: Image


def gaussian_blur(image: Image, sigma: float) -> Image:
    """Gaussian blur of standard deviation `sigma` pixels, mirrored at the border.

    Examples
    --------
    >>> import numpy as np
    >>> from datasets.defocus import gaussian_blur
    >>> spot = np.zeros((31, 31), np.float32)
    >>> spot[15, 15] = 1
    >>> bool(abs(gaussian_blur(spot, 2.0)[15, 15] - 1 / (2 * np.pi * 2**2)) < 1e-3)
    True
    """
    if sigma <= 0:
        return image
    size = 2 * int(np.ceil(4 * sigma)) + 1
    return cv2.GaussianBlur(image, (size, size), sigma, borderType=cv2.BORDER_REFLECT)


def disk_kernel(radius: float) -> Image:
    """Image of a point out of focus: an evenly lit disk of `radius` pixels, anti-aliased."""
    reach = int(np.ceil(radius + 0.5))
    axis = np.arange(-reach, reach + 1, dtype=np.float32)
    kernel = np.clip(radius + 0.5 - np.hypot(axis[:, None], axis[None, :]), 0, 1)
    return (kernel / kernel.sum()).astype(np.float32)


def lens_blur(image: Image, radius: float, kernel: Kernel = "disk") -> Image:
    """Blur by a circle of confusion.

    Parameters
    ----------
    image : ndarray
        float32, (H, W) or (H, W, C).
    radius : float
        Of the circle, in pixels. Half a pixel or less leaves the image as it is.
    kernel : {'disk', 'gaussian'}
        An ideal aperture, or the Gaussian of the same second moment (``sigma = radius / 2``),
        which is closer to a real aperture with aberrations and diffraction.

    Returns
    -------
    ndarray
        float32, the shape of `image`.

    Raises
    ------
    UsageError
        `kernel` is not one of these.
    """
    if kernel not in ("disk", "gaussian"):
        raise UsageError(f"kernel must be 'disk' or 'gaussian', got {kernel!r}")
    if radius <= 0.5:
        return image
    if kernel == "gaussian":
        return gaussian_blur(image, radius / 2)
    return cv2.filter2D(image, -1, disk_kernel(radius), borderType=cv2.BORDER_REFLECT)


def over(top: Image, alpha: Image, bottom: Image) -> Image:
    """``alpha * top + (1 - alpha) * bottom`` with one `alpha` (H, W) for all channels."""
    share = alpha[..., None] if top.ndim == 3 else alpha
    return share * top + (1 - share) * bottom


def region_pair(photo: Image, mask: NDArray[np.bool_], sigma: float) -> tuple[Image, Image]:
    """Blur an object in one copy of a photo and the rest in the other.

    ``A = m G(photo) + (1 - m) photo`` and ``B = m photo + (1 - m) G(photo)``, where G is a
    Gaussian of standard deviation `sigma` over the whole photo. The mask is hard: the edge
    between both is a step, and blur near the outline mixes colours of both sides. The photo itself
    is the reference.

    Parameters
    ----------
    photo : ndarray
        float32 in [0, 1], (H, W) or (H, W, 3).
    mask : ndarray of bool
        (H, W), the object.
    sigma : float
        The paper draws it from [2, 10].

    Returns
    -------
    a, b : ndarray
        Object blurred; everything but the object blurred.

    References
    ----------
    Xu, K., Qin, Z., Wang, G., Zhang, H., Huang, K., Ye, S. Multi-focus Image Fusion using
    Fully Convolutional Two-stream Network for Visual Sensors (2018), section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> from datasets.defocus import region_pair
    >>> photo = np.random.default_rng(0).random((32, 32), dtype=np.float32)
    >>> mask = np.zeros((32, 32), bool)
    >>> mask[8:24, 8:24] = True
    >>> a, b = region_pair(photo, mask, 2.0)
    >>> bool((a[~mask] == photo[~mask]).all() and (b[mask] == photo[mask]).all())
    True
    """
    blurred = gaussian_blur(photo, sigma)
    inside = mask[..., None] if photo.ndim == 3 else mask
    return np.where(inside, blurred, photo), np.where(inside, photo, blurred)


def fill_hidden(image: Image, known: Image) -> Image:
    """Fill the unknown pixels of an image smoothly.

    Normalised convolution over a pyramid: each unknown pixel takes a weighted mean of the
    nearest known ones, from the finest scale that has any. No unknown colour leaks out.

    Parameters
    ----------
    image : ndarray
        float32, (H, W) or (H, W, C).
    known : ndarray
        float32 in [0, 1], (H, W): 1 where `image` counts, 0 where it does not.

    Returns
    -------
    ndarray
        Equal to `image` where `known` is 1.
    """
    height, width = known.shape
    if known.min() >= 1 or not known.any():
        return image
    share = known[..., None] if image.ndim == 3 else known
    colour, weight = share * image, known
    if min(height, width) > 1:
        colour, weight = cv2.pyrDown(colour), cv2.pyrDown(weight)
        inverse = 1 / np.maximum(weight, 1e-6)
        coarse = colour * (inverse[..., None] if image.ndim == 3 else inverse)
        coarse = fill_hidden(coarse, np.minimum(weight * 4, 1))
        guess = cv2.pyrUp(coarse, dstsize=(width, height))
    else:
        guess = np.broadcast_to(colour.sum(axis=(0, 1)) / weight.sum(), image.shape)
    return (share * image + (1 - share) * guess).astype(np.float32)


def composite(
    layers: Sequence[tuple[Image, Image]], radii: Sequence[float], kernel: Kernel = "disk"
) -> Image:
    """Photograph a stack of layers, each with its own circle of confusion.

    From back to front, ``C <- blur(alpha F) + (1 - blur(alpha)) C``: a layer hides the
    layers behind it in proportion to the part of the aperture that it covers. Exact for two layers
    of which one is in focus; the usual approximation for more.

    Parameters
    ----------
    layers : sequence of (colour, alpha)
        Back to front; colour (H, W) or (H, W, 3), alpha (H, W) in [0, 1]. The first one's
        alpha is taken as 1.
    radii : sequence of float
        Of each layer's circle of confusion in pixels; 0 in focus.
    kernel : {'disk', 'gaussian'}
        See `lens_blur`.

    Returns
    -------
    ndarray
        float32 in [0, 1]. With all radii 0 this is the all-in-focus reference.
    """
    result = lens_blur(layers[0][0], radii[0], kernel)
    for (colour, alpha), radius in zip(layers[1:], radii[1:], strict=True):
        share = alpha[..., None] if colour.ndim == 3 else alpha
        front = lens_blur(share * colour, radius, kernel)
        hidden = lens_blur(alpha, radius, kernel)
        result = front + (1 - (hidden[..., None] if colour.ndim == 3 else hidden)) * result
    return np.clip(result, 0, 1, dtype=np.float32)


def lens_pair(
    photo: Image,
    mask: NDArray[np.bool_] | Image,
    radius: float | tuple[float, float],
    *,
    background: Image | None = None,
    kernel: Kernel = "disk",
    outline: float = OUTLINE_SIGMA,
) -> LensPair:
    """An object before a background, focused on the one and on the other.

    Focused on the object, the blurred background contains no colour of the object. Focused on the
    background, the object's blur reaches beyond its outline and is partly transparent.

    Parameters
    ----------
    photo : ndarray
        float32 in [0, 1], (H, W) or (H, W, 3): holds the object.
    mask : ndarray
        (H, W), ``bool``, or float32 coverage in [0, 1]: the object.
    radius : float or (float, float)
        Circle of confusion in pixels, of the background when focused near and of the object
        when focused far.
    background : ndarray, optional
        Background, of the shape of `photo`. By default the rest of the photo,
        continued behind the object by `fill_hidden`.
    kernel : {'disk', 'gaussian'}
        See `lens_blur`.
    outline : float
        Standard deviation in pixels by which a ``bool`` mask's edge is softened.

    Returns
    -------
    LensPair
        Focused on the object, focused on the background, and the reference: the sharp object
        over the sharp background. It equals the photo except at the soft outline.

    Examples
    --------
    >>> import numpy as np
    >>> from datasets.defocus import lens_pair
    >>> photo = np.random.default_rng(0).random((48, 48), dtype=np.float32)
    >>> mask = np.zeros((48, 48), bool)
    >>> mask[12:36, 12:36] = True
    >>> near, far, reference = lens_pair(photo, mask, 4.0)
    >>> bool(np.allclose(near[16:32, 16:32], reference[16:32, 16:32]))
    True
    >>> bool(np.allclose(far[:4], reference[:4]))
    True
    """
    behind, before = radius if isinstance(radius, tuple) else (radius, radius)
    if mask.dtype == np.bool_:
        coverage = mask.astype(np.float32)
        soft = gaussian_blur(coverage, outline)
    else:
        coverage = soft = np.asarray(mask, dtype=np.float32)
    opaque = np.ones_like(soft)
    # Pixels of the outline mix colours of both sides, so neither side is known there.
    colour = fill_hidden(photo, (soft > 0.99).astype(np.float32) if soft.max() > 0.99 else soft)
    if background is None:
        background = fill_hidden(photo, (soft < 0.01).astype(np.float32))
    layers = [(background, opaque), (colour, soft)]
    near = composite(layers, (behind, 0), kernel)
    far = composite(layers, (0, before), kernel)
    return LensPair(near, far, composite(layers, (0, 0), kernel))


def degrade(
    image: Image,
    rng: np.random.Generator,
    *,
    exposure: float = 0.02,
    noise: float = 0.004,
    quality: tuple[int, int] | None = (90, 100),
    grain: tuple[float, float] = (0.0, 0.0),
) -> Image:
    """Change the exposure, noise and compression of an image as between two shots of a camera.

    Parameters
    ----------
    image : ndarray
        float32 in [0, 1], (H, W) or (H, W, 3).
    rng : numpy.random.Generator
        Draws gain, noise and quality.
    exposure : float
        Standard deviation of the logarithm of the gain.
    noise : float
        Standard deviation of the noise.
    quality : (int, int) or None
        Range of JPEG quality, both ends included; None leaves compression out.
    grain : (float, float)
        Standard deviations, down and across, of the Gaussian that correlates the
        noise of neighbouring pixels; 0 and 0 is white noise.

    Returns
    -------
    ndarray
        float32 in [0, 1], the shape of `image`.
    """
    result = image * np.float32(np.exp(exposure * rng.standard_normal()))
    if noise > 0:
        field = rng.standard_normal(image.shape, dtype=np.float32)
        if any(grain):
            down, across = (max(sigma, 1e-3) for sigma in grain)
            field = cv2.GaussianBlur(field, (0, 0), sigmaX=across, sigmaY=down)
            field /= field.std()
        result = result + np.float32(noise) * field
    result = np.clip(result, 0, 1)
    if quality is None:
        return result
    level = int(rng.integers(quality[0], quality[1], endpoint=True))
    _, code = cv2.imencode(".jpg", np.rint(result * 255).astype(np.uint8), [1, level])
    return cv2.imdecode(code, cv2.IMREAD_UNCHANGED).astype(np.float32) / np.float32(255)
