"""Fuse images with a registered method: the part that all methods share.

Colour, stacks, checks of what a method returns, clipping and quantisation happen here, so
that methods are compared under equal conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ContractViolation, Skipped, UsageError
from bench.core.pixels import luminance, quantise, strips, to_unit
from bench.core.precision import Precision, number_format
from methods._base import METHODS, Method
from methods._sources import Planes, Sources

Array = NDArray[Any]

#: Accepted difference between 1 and the sum of a pixel's weights.
WEIGHT_TOLERANCE = 1e-3

#: Pixels beyond these limits are far from [0, 1]. A fused image with a larger share of them is
#: refused, unless the fusion of two flat images shows that the method keeps the scale. On the
#: photos of liu2020 and MFIFB no method has more than 0.2 %; on noise `dwt` has 5 %, on binary
#: noise `rp` 27 %.
FAR, FAR_SHARE = (-0.1, 1.25), 0.01
#: Level of two flat images, and the accepted difference of their fused image to it.
FLAT, FLAT_TOLERANCE = 0.75, 0.2


def fuse(
    method: str | Method,
    sources: Sequence[Array],
    *,
    parameters: Mapping[str, Any] | None = None,
    device: str = "cpu",
    precision: Precision = "auto",
    reference: Array | None = None,
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
    precision : {'auto', 'fp32', 'bf16'}
        The number format of learned methods; see `bench.core.precision`.
    reference : ndarray, optional
        The all-in-focus image, for methods that need it.

    Returns
    -------
    ndarray
        ``uint16`` when every source is, else ``uint8``; (H, W) or (H, W, 3).

    Raises
    ------
    ImageError
        The sources are not images of this kind, or their sizes differ.
    UsageError
        The method has no such parameter.
    ContractViolation
        The method returned a wrong shape, NaN, pixels on another scale than [0, 1], or weights
        that do not sum to 1.
    Skipped
        The method needs a reference, and there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from methods._fusion import fuse
    >>> a, b = np.zeros((8, 8), np.uint8), np.full((8, 8), 200, np.uint8)
    >>> int(fuse("average", [a, b])[0, 0])
    100
    """
    entry = METHODS[method] if isinstance(method, str) else method
    call = bind(entry, parameters, device, precision, reference)
    fused = fuse_prepared(entry, Sources.of(sources), call)
    deep = all(np.asarray(source).dtype == np.uint16 for source in sources)
    return quantise(fused, np.uint16 if deep else np.uint8)


def prepare(sources: Sequence[Array]) -> Array:
    """Sources as one float32 stack in [0, 1], (N, H, W) or (N, H, W, 3)."""
    return Sources.of(sources).stack()


def bind(
    method: Method,
    parameters: Mapping[str, Any] | None = None,
    device: str = "cpu",
    precision: Precision = "auto",
    reference: Array | None = None,
) -> Callable[[Array], Any]:
    """The method's function with parameters, device, number format and reference filled in."""
    given = dict(parameters or {})
    for name in given:
        if name not in method.parameters:
            raise UsageError(
                f"method {method.name!r} has no parameter {name!r}; "
                f"it has {', '.join(method.parameters) or 'none'}"
            )
    if method.takes_device:
        given["device"] = device
    if method.takes_precision:
        given["precision"] = number_format(device, precision)
    if method.needs_reference:
        if reference is None:
            raise Skipped(f"{method.name} needs the reference, which this scene does not have")
        given["reference"] = to_unit(reference)
    return lambda sources: method.fn(sources, **given)


def fuse_prepared(method: Method, sources: Sources | Array, fn: Callable[[Array], Any]) -> Array:
    """Fuse prepared sources: float out; clipped only where images are fused two by two.

    This is the part that is timed.
    """
    given = sources if isinstance(sources, Sources) else Sources(sources)
    if len(given.images) > 2 and method.stack == "pairwise":
        fused, *others = given.images
        for source in others:
            fused = fuse_prepared(method, Sources([fused, source]), fn)
            fused = np.clip(fused, 0, 1, dtype=np.float32)
        return fused
    if len(given.images) > 2 and method.any_order:
        given = given.ordered()
    if method.kind == "decision":
        return _decide(method, given, fn)
    if given.colour and method.colour == "rgb":
        return _pixels(method, fn, given.stack())
    if not given.colour:
        return _pixels(method, fn, _given(method, given.channel(0)))
    if method.colour == "channels":
        return _joined(method, given, lambda channel: _pixels(method, fn, channel))
    return _on_luminance(method, given, fn)


def _given(method: Method, planes: Planes) -> Any:
    """What the method takes: its sources one at a time, or all of them in an array."""
    return planes if method.streams else planes.array()


def _joined(method: Method, sources: Sources, fuse_channel: Callable[[Any], Array]) -> Array:
    """Fuse colour channel by channel, with at most one channel in memory at a time."""
    for c in range(3):
        channel = fuse_channel(_given(method, sources.channel(c)))
        if c == 0:
            fused = np.empty((*channel.shape, 3), channel.dtype)
        fused[..., c] = channel
    return fused


def _decide(method: Method, sources: Sources, fn: Callable[[Array], Any]) -> Array:
    """Decide on luminance and blend every channel, or decide and blend each by itself."""
    if sources.colour and method.colour == "channels":
        return _joined(method, sources, lambda channel: _decide(method, Sources(channel), fn))
    gray = _given(method, sources.luminance(method.rounded_luminance))
    decision = fn(gray)
    if not callable(decision):
        del gray
        return _weighted(method, sources, decision)
    if not sources.colour:
        return _pixels(method, decision, gray)
    del gray
    return _joined(method, sources, lambda channel: _pixels(method, decision, channel))


def _weighted(method: Method, sources: Sources, weights: Any) -> Array:
    """Sum of the sources times their weights, in every channel, one source after the other."""
    if not isinstance(weights, Planes):
        weights = _checked(method, weights, sources.shape)
    count, height, width = sources.shape
    dtype = np.result_type(getattr(weights, "dtype", np.float32), np.float32)
    fused = np.zeros((height, width, 3 if sources.colour else 1), dtype)
    total = np.zeros((height, width), dtype)
    least = 0.0
    for number in range(count):
        weight = _checked(method, weights[number], (height, width))
        least = min(least, float(weight.min()))
        total += weight
        for rows in strips(height):
            for c in range(fused.shape[2]):
                fused[rows, :, c] += weight[rows] * sources.channel(c, rows)[number]
    if least < -WEIGHT_TOLERANCE or abs(total - 1).max() > WEIGHT_TOLERANCE:
        raise ContractViolation(
            f"method {method.name!r} returned weights that are negative or do not sum to 1"
        )
    return fused if sources.colour else fused[..., 0]


def _on_luminance(method: Method, sources: Sources, fn: Callable[[Array], Any]) -> Array:
    """Fuse luminance; take chroma from the sources in proportion to its strength.

    The difference of a channel to luminance is averaged over the sources, each weighted by
    the magnitude of its chroma vector, as is usual for networks of luminance.
    """
    fused = _pixels(method, fn, _given(method, sources.luminance()))
    coloured = np.empty((*fused.shape, 3), fused.dtype)
    for rows in strips(len(fused)):
        stack = sources.stack(rows)
        chroma = stack - luminance(stack)[..., None]
        strength = np.linalg.norm(chroma, axis=-1) + np.float32(1e-6)
        share = strength / strength.sum(axis=0)
        coloured[rows] = fused[rows, :, None] + np.einsum("nhw,nhwc->hwc", share, chroma)
    return coloured


def _pixels(method: Method, fn: Callable[[Any], Any], stack: Array | Planes) -> Array:
    """Fuse `stack`; raises `ContractViolation` if that is on another scale than [0, 1].

    Transforms ring, and values beyond [0, 1] are clipped later, as in every code of the field.
    If many pixels are far outside, the method is tested on flat images, which do not ring.
    """
    shape = stack.shape[1:]
    fused = _checked(method, fn(stack), shape)
    least, most = float(fused.min()), float(fused.max())
    if FAR[0] <= least and most <= FAR[1]:
        return fused
    share = float(np.mean((fused < FAR[0]) | (fused > FAR[1])))
    if share <= FAR_SHARE:
        return fused
    flat = _checked(method, fn(np.full(stack.shape, FLAT, np.float32)), shape)
    if abs(float(flat.mean()) - FLAT) <= FLAT_TOLERANCE:
        return fused
    scales = ((most > 512, "0..65535"), (most > 2, "0..255"), (least < FAR[0], "-1..1"))
    likely = next((scale for holds, scale in scales if holds), "another scale")
    raise ContractViolation(
        f"method {method.name!r} returned values from {least:.4g} to {most:.4g}, {share:.0%} of "
        f"them far outside of [0, 1]: {likely}? return [0, 1]"
    )


def _checked(method: Method, result: Any, shape: tuple[int, ...]) -> Array:
    """`result` if it is a finite float array of `shape`."""
    if not isinstance(result, np.ndarray) or result.shape != tuple(shape):
        came = f"shape {result.shape}" if isinstance(result, np.ndarray) else repr(type(result))
        raise ContractViolation(f"method {method.name!r} returned {came}, expected {tuple(shape)}")
    if not np.issubdtype(result.dtype, np.floating):
        raise ContractViolation(f"method {method.name!r} returned type {result.dtype}, not float")
    if not all(np.isfinite(part).all() for part in result):
        raise ContractViolation(f"method {method.name!r} returned NaN or infinity")
    return result
