"""Focal stacks of scenes with depth, whose all-in-focus reference is known.

A scene is a list of surfaces at different depths, back to front. Depth is measured as disparity:
larger is nearer, and the circle of confusion of a point has as radius the difference of its
disparity to that of the plane in focus. So it is for a thin lens, where both are proportional to
the difference of inverse distances; the unit here is a pixel of that radius.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from datasets.defocus import OUTLINE_SIGMA, Image, Kernel, gaussian_blur, lens_blur
from datasets.masks import random_mask

#: Radii of the circle of confusion that a tilted surface is blurred with, in pixels; between two
#: of them its views are interpolated, and beyond the last one they follow at its distance. A radius
#: of half a pixel is in focus.
RADII = (0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)

#: Least share of an image that a surface must show.
LEAST_SHARE = 0.06

#: Least and largest share of the range of disparity that the background has, and the rest of an
#: object's own part that it leaves free before it and behind it.
BACKGROUND, FREE = (0.3, 0.6), 0.15


class Surface(NamedTuple):
    """A surface that fills the image and is opaque in a part of it.

    Attributes
    ----------
    colour : ndarray
        float32 in [0, 1], (H, W) or (H, W, 3), known beyond the opaque part too.
    alpha : ndarray
        float32 (H, W), coverage in [0, 1].
    disparity : ndarray
        float32 (H, W), larger is nearer.
    """

    colour: Image
    alpha: Image
    disparity: Image


class FocalStack(NamedTuple):
    """Photographs of one scene, focused at different depths.

    Attributes
    ----------
    sources : list of ndarray
        N images, float32 in [0, 1].
    reference : ndarray
        The scene with infinite depth of field.
    index_map : ndarray
        ``uint8`` (H, W): the source whose plane of focus is closest to what a pixel shows.
    """

    sources: list[Image]
    reference: Image
    index_map: NDArray[np.uint8]


def focal_stack(
    surfaces: Sequence[Surface], focus: Sequence[float], kernel: Kernel = "disk"
) -> FocalStack:
    """Photograph surfaces with the focus at several depths.

    From back to front ``C <- blur(alpha F) + (1 - blur(alpha)) C``, as in
    `datasets.defocus.composite`: a defocused surface spreads over what lies behind it, and hides
    that in proportion to the part of the aperture that it covers. Every pixel of a surface is
    blurred by the radius of its own disparity.

    Parameters
    ----------
    surfaces : sequence of Surface
        Back to front; each one lies before all earlier ones. The first one's alpha is taken as 1.
    focus : sequence of float
        Disparity of the plane of focus of each source, at most 255 of them.
    kernel : {'disk', 'gaussian'}
        See `datasets.defocus.lens_blur`.

    Returns
    -------
    FocalStack
        One source per plane of focus.

    Raises
    ------
    UsageError
        There is no surface or no plane of focus, or there are more than 255 planes.

    Examples
    --------
    >>> import numpy as np
    >>> from datasets.focal_stack import Surface, focal_stack
    >>> photo = np.random.default_rng(0).random((32, 48), dtype=np.float32)
    >>> ramp = np.broadcast_to(np.linspace(0, 6, 48, dtype=np.float32), photo.shape)
    >>> stack = focal_stack([Surface(photo, np.ones_like(photo), ramp)], [0, 2, 4, 6])
    >>> len(stack.sources), [int(k) for k in stack.index_map[0, ::12]]
    (4, [0, 1, 2, 2])
    >>> bool(np.allclose(stack.sources[0][:, :3], stack.reference[:, :3]))
    True
    """
    if not surfaces or not 1 <= len(focus) <= 255:
        raise UsageError(
            f"a focal stack needs surfaces and 1 to 255 planes of focus, got {len(surfaces)} and "
            f"{len(focus)}"
        )
    sources = [np.zeros_like(surfaces[0].colour) for _ in focus]
    reference = np.zeros_like(surfaces[0].colour)
    for number, surface in enumerate(surfaces):
        alpha = surface.alpha if number else np.ones_like(surface.alpha)
        layer = _premultiplied(surface.colour, alpha)
        reference = _before(layer, reference)
        radii = [abs(surface.disparity - np.float32(plane)) for plane in focus]
        for k, view in enumerate(_blurred(layer, radii, kernel)):
            sources[k] = _before(view, sources[k])
    shown = shown_disparity(surfaces)
    distance = np.stack([abs(shown - np.float32(plane)) for plane in focus])
    return FocalStack(
        [np.clip(source, 0, 1) for source in sources],
        np.clip(reference, 0, 1),
        distance.argmin(axis=0).astype(np.uint8),
    )


def shown_disparity(surfaces: Sequence[Surface]) -> Image:
    """Disparity (H, W) of what each pixel of the scene shows in focus."""
    shown = surfaces[0].disparity
    for surface in surfaces[1:]:
        shown = np.where(surface.alpha > 0.5, surface.disparity, shown)
    return shown


def _premultiplied(colour: Image, alpha: Image) -> Image:
    """Channels of the light that a surface sends, and its alpha: (H, W, C + 1)."""
    share = alpha[..., None]
    return np.concatenate([(colour if colour.ndim == 3 else colour[..., None]) * share, share], -1)


def _before(layer: Image, behind: Image) -> Image:
    """A premultiplied layer over what lies behind it."""
    light, hidden = layer[..., :-1], layer[..., -1:]
    return light.reshape(behind.shape) + (1 - hidden).reshape(*hidden.shape[: behind.ndim]) * behind


def _blurred(layer: Image, radii: Sequence[Image], kernel: Kernel) -> list[Image]:
    """The layer once for each image of `radii`, each pixel blurred by its radius."""
    if all(radius.min() == radius.max() for radius in radii):
        return [lens_blur(layer, float(radius.max()), kernel) for radius in radii]
    most = max(float(radius.max()) for radius in radii)
    steps = [*RADII, *np.arange(RADII[-1] + 1, most + 1)]
    places = [np.interp(radius, steps, range(len(steps))).astype(np.float32) for radius in radii]
    views = [np.zeros_like(layer) for _ in radii]
    for number, step in enumerate(steps):
        shares = [np.maximum(1 - np.abs(place - number), 0) for place in places]
        if not any(share.any() for share in shares):
            continue
        blurred = lens_blur(layer, float(step), kernel)
        for view, share in zip(views, shares, strict=True):
            if share.any():
                view += share[..., None] * blurred
    return views


def random_surfaces(
    rng: np.random.Generator, photos: Sequence[Image], defocus: float
) -> list[Surface]:
    """A tilted background, and before it tilted objects of random shape.

    Parameters
    ----------
    rng : numpy.random.Generator
        Decides shapes, depths and tilts.
    photos : sequence of ndarray
        Photos of one size: of the background, then of each object from far to near.
    defocus : float
        Range of disparity, from 0 for the farthest point on: the largest radius of a circle of
        confusion, in pixels.

    Returns
    -------
    list of Surface
        Back to front, each nearer than all earlier ones. There are fewer than photos if no more
        leave at least `LEAST_SHARE` of the image to each.
    """
    shape = photos[0].shape[:2]
    masks = [np.ones(shape, bool), *_masks(rng, len(photos) - 1, shape)]
    return tilted_surfaces(rng, photos, masks, defocus)


def tilted_surfaces(
    rng: np.random.Generator,
    photos: Sequence[Image],
    masks: Sequence[NDArray[np.bool_]],
    defocus: float,
) -> list[Surface]:
    """Tilted surfaces of given shapes, each nearer than all earlier ones.

    Parameters
    ----------
    rng : numpy.random.Generator
        Decides depths and tilts.
    photos : sequence of ndarray
        Of the background, then of each object from far to near; those without a mask are left out.
    masks : sequence of ndarray
        ``bool`` (H, W): the background's, which covers everything, then that of each object.
    defocus : float
        See `random_surfaces`.

    Returns
    -------
    list of Surface
        Back to front.
    """
    cut = rng.uniform(*BACKGROUND) if len(masks) > 1 else 1.0
    edges = [0.0, *np.linspace(cut, 1, len(masks))]
    surfaces = []
    for number, (photo, mask) in enumerate(zip(photos, masks, strict=False)):
        low, high = edges[number], edges[number + 1]
        free = FREE * (high - low) if number else 0.0
        plane = defocus * _tilted(rng, mask, low + free, high - free)
        alpha = gaussian_blur(mask.astype(np.float32), OUTLINE_SIGMA if number else 0)
        surfaces.append(Surface(photo, alpha, plane))
    return surfaces


def _masks(rng: np.random.Generator, count: int, shape: tuple[int, ...]) -> list[NDArray[np.bool_]]:
    """At most `count` objects from far to near, none of which hides all of another."""
    masks: list[NDArray[np.bool_]] = []
    for _ in range(20 * count):
        if len(masks) == count:
            break
        tried = [*masks, random_mask(rng, shape[0], shape[1])]
        left, shares = np.ones(shape, bool), []
        for mask in reversed(tried):
            shares.append((mask & left).mean())
            left &= ~mask
        if min([*shares, left.mean()]) >= LEAST_SHARE:
            masks = tried
    return masks


def _tilted(rng: np.random.Generator, mask: NDArray[np.bool_], low: float, high: float) -> Image:
    """A plane (H, W) in a random direction, from `low` to `high` within the mask."""
    rows, columns = np.indices(mask.shape, np.float32)
    turn = rng.uniform(0, 2 * np.pi)
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    along = np.asarray(cosine * columns + sine * rows)
    first, last = along[mask].min(), along[mask].max()
    share = np.clip((along - first) / max(last - first, 1), 0, 1)
    return (low + (high - low) * share).astype(np.float32)
