"""Fuse images with a registered method: the part that all methods share.

Colour, stacks, checks of what a method returns, clipping and quantisation happen here, so
that methods are compared under equal conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ContractViolation, ImageError, Skipped, UsageError
from bench.core.pixels import (
    ROWS,
    as_image,
    luminance,
    quantise,
    same_size,
    strips,
    to_gray255,
    to_unit,
)
from bench.core.precision import Precision, number_format
from methods._base import METHODS, Method

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


@dataclass(frozen=True)
class Sources:
    """Registered images of one scene, of which methods get float32 in [0, 1].

    Gray images are converted at once; colour images channel by channel or in strips, since a
    stack of floats takes four times the memory of the images.

    Attributes
    ----------
    images : sequence of ndarray
        ``uint8``, ``uint16`` or ``float32``, (H, W) or (H, W, 3).
    """

    images: Sequence[Array] | Array

    @classmethod
    def of(cls, sources: Sequence[Array]) -> Sources:
        """Sources from checked images; raises `ImageError` as in `fuse`."""
        if len(sources) < 2:
            raise ImageError(f"{len(sources)} source image; fusion needs at least two")
        images = [as_image(source) for source in sources]
        same_size(images, [f"source {k + 1}" for k in range(len(images))])
        given = cls(images)
        return given if given.colour else cls(given.stack())

    @property
    def colour(self) -> bool:
        """Whether an image has colour; gray ones then count as RGB with equal channels."""
        return any(image.ndim == 3 for image in self.images)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number, height and width."""
        height, width = self.images[0].shape[:2]
        return len(self.images), height, width

    def stack(self, rows: slice = slice(None)) -> Array:
        """All images, or some rows of them, float32 (N, H, W) or (N, H, W, 3)."""
        if isinstance(self.images, np.ndarray):
            return self.images[:, rows]
        parts = [image[rows] for image in self.images]
        shape = (len(parts), *parts[0].shape[:2], *([3] if self.colour else []))
        stack = np.empty(shape, np.float32)
        for unit, part in zip(stack, parts, strict=True):
            _convert(part if part.ndim == unit.ndim else part[..., None], unit)
        return stack

    def channel(self, c: int, out: Array, rows: slice = slice(None)) -> Array:
        """Channel `c` of all images, or some rows of it, into `out`, float32 (N, H, W)."""
        for unit, image in zip(out, self.images, strict=True):
            _convert(image[rows, :, c] if image.ndim == 3 else image[rows], unit)
        return out

    def luminance(self, rounded: bool = False) -> Array:
        """Luminance of all images, float32 (N, H, W).

        With `rounded` that of colour images is rounded half up to whole 8-bit levels, unless an
        image has 16 bits.
        """
        if not self.colour:
            return self.stack()
        gray = np.empty(self.shape, np.float32)
        if rounded and all(image.dtype != np.uint16 for image in self.images):
            for unit, image in zip(gray, self.images, strict=True):
                np.divide(to_gray255(image), 255, out=unit, casting="same_kind")
            return gray
        for rows in strips(self.shape[1]):
            gray[:, rows] = luminance(self.stack(rows))
        return gray


def _convert(image: Array, unit: Array) -> None:
    unit[...] = image
    if image.dtype != np.float32:
        unit /= np.float32(np.iinfo(image.dtype).max)


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
    if method.kind == "decision":
        return _decide(method, given, fn)
    if not given.colour or method.colour == "rgb":
        stack = given.stack()
        return _pixels(method, fn, stack)
    if method.colour == "channels":
        return _joined(given, lambda channel: _pixels(method, fn, channel))
    return _on_luminance(method, given, fn)


def _joined(sources: Sources, fuse_channel: Callable[[Array], Array]) -> Array:
    """Fuse colour channel by channel, with one channel in memory at a time."""
    room = np.empty(sources.shape, np.float32)
    for c in range(3):
        channel = fuse_channel(sources.channel(c, room))
        if c == 0:
            fused = np.empty((*channel.shape, 3), channel.dtype)
        fused[..., c] = channel
    return fused


def _decide(method: Method, sources: Sources, fn: Callable[[Array], Any]) -> Array:
    """Decide on luminance and blend every channel, or decide and blend each by itself."""
    if sources.colour and method.colour == "channels":
        return _joined(sources, lambda channel: _decide(method, Sources(channel), fn))
    gray = sources.luminance(method.rounded_luminance)
    decision = fn(gray)
    if not callable(decision):
        del gray
        return _weighted(sources, _checked_weights(method, decision, sources.shape))
    if not sources.colour:
        return _pixels(method, decision, gray)
    del gray
    return _joined(sources, lambda channel: _pixels(method, decision, channel))


def _checked_weights(method: Method, weights: Any, shape: tuple[int, ...]) -> Array:
    weights = _checked(method, weights, shape)
    if weights.min() < -WEIGHT_TOLERANCE or abs(weights.sum(axis=0) - 1).max() > WEIGHT_TOLERANCE:
        raise ContractViolation(
            f"method {method.name!r} returned weights that are negative or do not sum to 1"
        )
    return weights


def _weighted(sources: Sources, weights: Array) -> Array:
    """Sum of the sources times their weights, in every channel."""
    count, height, width = sources.shape
    channels = 3 if sources.colour else 1
    dtype = np.result_type(weights.dtype, np.float32)
    fused = np.empty((height, width, channels), dtype)
    room = np.empty((count, ROWS, width), np.float32)
    for rows in strips(height):
        part = room[:, : rows.stop - rows.start]
        for c in range(channels):
            channel = sources.channel(c, part, rows)
            fused[rows, :, c] = np.einsum("nhw,nhw->hw", weights[:, rows], channel)
    return fused if sources.colour else fused[..., 0]


def _on_luminance(method: Method, sources: Sources, fn: Callable[[Array], Any]) -> Array:
    """Fuse luminance; take chroma from the sources in proportion to its strength.

    The difference of a channel to luminance is averaged over the sources, each weighted by
    the magnitude of its chroma vector, as is usual for networks of luminance.
    """
    fused = _pixels(method, fn, sources.luminance())
    coloured = np.empty((*fused.shape, 3), fused.dtype)
    for rows in strips(len(fused)):
        stack = sources.stack(rows)
        chroma = stack - luminance(stack)[..., None]
        strength = np.linalg.norm(chroma, axis=-1) + np.float32(1e-6)
        share = strength / strength.sum(axis=0)
        coloured[rows] = fused[rows, :, None] + np.einsum("nhw,nhwc->hwc", share, chroma)
    return coloured


def _pixels(method: Method, fn: Callable[[Array], Any], stack: Array) -> Array:
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
    if not np.isfinite(result).all():
        raise ContractViolation(f"method {method.name!r} returned NaN or infinity")
    return result
