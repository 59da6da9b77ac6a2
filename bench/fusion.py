"""Fuse images with a registered method: the part that is the same for all of them.

Colour, stacks, checks of what a method returns, clipping and quantisation happen here, so
that two methods differ in nothing but themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import ContractViolation, ImageError, UsageError
from bench.images import as_image, luminance, quantise, same_size, strips, to_unit
from methods import METHODS, Method

Array = NDArray[Any]

#: How far from 1 the weights of a pixel may sum before they are no weights.
WEIGHT_TOLERANCE = 1e-3


def fuse(
    method: str | Method,
    sources: Sequence[Array],
    *,
    parameters: Mapping[str, Any] | None = None,
    device: str = "cpu",
) -> Array:
    """Fuse registered images of one scene.

    Parameters
    ----------
    method : str or Method
        A registered method.
    sources : sequence of ndarray
        N >= 2 images of one size, (H, W) or (H, W, 3); ``uint8``, ``uint16`` or float in
        [0, 1]. If one has colour, gray ones are taken as RGB with equal channels.
    parameters : mapping, optional
        Other values for the method's keyword arguments.
    device : str
        ``"cpu"`` or ``"cuda"``, for methods that take one.

    Returns
    -------
    ndarray
        ``uint16`` when every source is, else ``uint8``; (H, W) or (H, W, 3).

    Raises
    ------
    ImageError
        The sources are not such images.
    UsageError
        The method has no such parameter.
    ContractViolation
        The method returned a wrong shape, NaN, or weights that do not sum to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from bench.fusion import fuse
    >>> a, b = np.zeros((8, 8), np.uint8), np.full((8, 8), 200, np.uint8)
    >>> int(fuse("average", [a, b])[0, 0])
    100
    """
    entry = METHODS[method] if isinstance(method, str) else method
    stack = prepare(sources)
    fused = run(entry, stack, call(entry, parameters, device))
    deep = all(np.asarray(source).dtype == np.uint16 for source in sources)
    return quantise(fused, np.uint16 if deep else np.uint8)


def prepare(sources: Sequence[Array]) -> Array:
    """Sources as one float32 stack in [0, 1], (N, H, W) or (N, H, W, 3)."""
    if len(sources) < 2:
        raise ImageError(f"{len(sources)} source image; fusion needs at least two")
    images = [as_image(source) for source in sources]
    same_size(images, [f"source {k + 1}" for k in range(len(images))])
    colour = any(image.ndim == 3 for image in images)
    stack = np.empty((len(images), *images[0].shape[:2], *([3] if colour else [])), np.float32)
    for plane, image in zip(stack, images, strict=True):
        plane[...] = to_unit(image) if image.ndim == plane.ndim else to_unit(image)[..., None]
    return stack


def call(
    method: Method, parameters: Mapping[str, Any] | None = None, device: str = "cpu"
) -> Callable[[Array], Any]:
    """The method's function with its parameters and device filled in."""
    given = dict(parameters or {})
    for name in given:
        if name not in method.parameters:
            raise UsageError(
                f"method {method.name!r} has no parameter {name!r}; "
                f"it has {', '.join(method.parameters) or 'none'}"
            )
    if method.takes_device:
        given["device"] = device
    return lambda sources: method.fn(sources, **given)


def run(method: Method, stack: Array, fn: Callable[[Array], Any]) -> Array:
    """Fuse a prepared stack: float in, float out, unclipped. This is the part that is timed."""
    if len(stack) > 2 and method.stack == "pairwise":
        fused = stack[0]
        for source in stack[1:]:
            fused = run(method, np.stack([np.clip(fused, 0, 1), source]), fn)
        return fused
    if method.kind == "decision":
        return _decide(method, stack, fn)
    if stack.ndim == 3 or method.colour == "rgb":
        return _plane(method, fn(stack), stack.shape[1:])
    if method.colour == "channels":
        return _joined(stack, lambda planes: _plane(method, fn(planes), planes.shape[1:]))
    return _on_luminance(method, stack, fn)


def _joined(stack: Array, fuse_channel: Callable[[Array], Array]) -> Array:
    """Fuse (N, H, W, 3) channel by channel, one channel's copy in memory at a time."""
    first = fuse_channel(np.ascontiguousarray(stack[..., 0]))
    fused = np.empty((*first.shape, 3), first.dtype)
    fused[..., 0] = first
    for c in (1, 2):
        fused[..., c] = fuse_channel(np.ascontiguousarray(stack[..., c]))
    return fused


def _decide(method: Method, stack: Array, fn: Callable[[Array], Any]) -> Array:
    """Decide on luminance, blend every channel."""
    colour = stack.ndim == 4
    decision = fn(luminance(stack) if colour else stack)
    blend = decision if callable(decision) else _weighted(method, decision, stack.shape[:3])
    if not colour:
        return _plane(method, blend(stack), stack.shape[1:])
    return _joined(stack, lambda planes: _plane(method, blend(planes), planes.shape[1:]))


def _weighted(method: Method, weights: Any, shape: tuple[int, ...]) -> Callable[[Array], Array]:
    weights = _plane(method, weights, shape)
    if weights.min() < -WEIGHT_TOLERANCE or abs(weights.sum(axis=0) - 1).max() > WEIGHT_TOLERANCE:
        raise ContractViolation(
            f"method {method.name!r} returned weights that are negative or do not sum to 1"
        )
    return lambda planes: np.einsum("nhw,nhw->hw", weights, planes)


def _on_luminance(method: Method, stack: Array, fn: Callable[[Array], Any]) -> Array:
    """Fuse luminance; take chroma from the sources in proportion to its strength.

    The difference of a channel to luminance is averaged over the sources, each weighted by
    the magnitude of its chroma vector, as is usual for networks that know luminance only.
    """
    light = luminance(stack)
    fused = _plane(method, fn(light), light.shape[1:])
    coloured = np.empty((*fused.shape, 3), fused.dtype)
    for rows in strips(len(fused)):
        chroma = stack[:, rows] - light[:, rows, :, None]
        strength = np.linalg.norm(chroma, axis=-1) + np.float32(1e-6)
        share = strength / strength.sum(axis=0)
        coloured[rows] = fused[rows, :, None] + np.einsum("nhw,nhwc->hwc", share, chroma)
    return coloured


def _plane(method: Method, result: Any, shape: tuple[int, ...]) -> Array:
    """`result` if it is a finite float array of `shape`."""
    if not isinstance(result, np.ndarray) or result.shape != tuple(shape):
        came = f"shape {result.shape}" if isinstance(result, np.ndarray) else repr(type(result))
        raise ContractViolation(
            f"method {method.name!r} returned {came} where {tuple(shape)} is due"
        )
    if not np.issubdtype(result.dtype, np.floating):
        raise ContractViolation(f"method {method.name!r} returned type {result.dtype}, not float")
    if not np.isfinite(result).all():
        raise ContractViolation(f"method {method.name!r} returned NaN or infinity")
    return result
