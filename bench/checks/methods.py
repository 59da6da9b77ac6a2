"""Checks of the contract of a fusion method, for the project's methods and for plug-ins.

The project's tests run the same checks on every registered method.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import BenchError, Skipped
from bench.core.pixels import luminance
from bench.engine.selection import ConfiguredMethod
from bench.workers.reason import reason_of
from methods import NETWORK_FAMILIES, Method, Sources, bind, fuse, fuse_prepared

Array = NDArray[Any]


#: The channels of a colour image, in their order.
CHANNELS = ("red", "green", "blue")


class Broken(Exception):
    """A clause of the contract does not hold; the text says how."""


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check.

    Attributes
    ----------
    name, check : str
        Name of the method or metric, and the clause that was checked.
    passed : bool
        Whether it holds.
    detail : str
        Why it does not hold.
    """

    name: str
    check: str
    passed: bool
    detail: str = ""


def check_method(method: Method, device: str = "cpu") -> list[CheckResult]:
    """Run every check on `method`, or only say that its program is not on this machine.

    Parameters
    ----------
    method : Method
        A registered method.
    device : str
        Where methods with a parameter `device` run.

    Returns
    -------
    list of CheckResult
        One for each of `CHECKS`, in their order; of a missing program one only.

    Examples
    --------
    >>> from bench.checks.methods import check_method
    >>> from methods import METHODS
    >>> all(result.passed for result in check_method(METHODS["average"]))
    True
    """
    if method.program is not None and (reason := method.program.missing()):
        return [CheckResult(method.name, "has its program", False, f": {reason}")]
    return [attempt(method.name, name, check, method, device) for name, check in CHECKS.items()]


def attempt(name: str, clause: str, check: Callable[..., None], *given: Any) -> CheckResult:
    """Whether ``check(*given)`` raises nothing."""
    try:
        check(*given)
    except (Broken, BenchError) as error:
        return CheckResult(name, clause, False, f": {error}")
    except Exception as error:
        return CheckResult(name, clause, False, f": {reason_of(error)}")
    return CheckResult(name, clause, True)


def pair(height: int, width: int, seed: int = 0, colour: bool = False) -> list[Array]:
    """Two ``uint8`` images of one textured scene, each blurred in one half."""
    import cv2

    rng = np.random.default_rng(seed)
    shape = (height, width, 3) if colour else (height, width)
    sharp = cv2.GaussianBlur(rng.uniform(0, 1, shape).astype(np.float32), (0, 0), 0.7)
    sharp = (sharp.reshape(shape) - sharp.min()) / max(float(np.ptp(sharp)), 1e-6)
    soft = cv2.GaussianBlur(sharp, (0, 0), 3).reshape(shape)
    left = np.arange(width) < width // 2
    left = left[None, :, None] if colour else left[None, :]
    pairs = np.where(left, sharp, soft), np.where(left, soft, sharp)
    return [np.round(255 * image).astype(np.uint8) for image in pairs]


def _fused(method: Method, sources: list[Array], device: str) -> Array:
    fused = fuse(method, sources, device=device, reference=sources[0])
    if fused.shape != sources[0].shape or fused.dtype != sources[0].dtype:
        raise Broken(f"{sources[0].shape} {sources[0].dtype} became {fused.shape} {fused.dtype}")
    return fused


def _sizes(method: Method, device: str) -> None:
    for size in ((64, 64), (63, 47), (17, 90), (5, 3), (2, 2), (1, 9), (1, 1)):
        try:
            _fused(method, pair(*size), device)
        except Exception as error:
            if _declines(method, error):
                continue
            raise Broken(f"{size[1]}x{size[0]}: {reason_of(error)}") from error


def _declines(method: Method, error: Exception) -> bool:
    """Whether a program declines a scene, as it may for its size or its number of sources."""
    return method.program is not None and isinstance(error, Skipped)


def _colour(method: Method, device: str) -> None:
    _fused(method, pair(40, 50, colour=True), device)


def _channels(method: Method, device: str) -> None:
    """Each channel of the fused image must resemble that of the sources, not another one."""
    tints = np.array([0.9, 0.5, 0.2])
    sources = [(image[..., None] * tints).astype(np.uint8) for image in pair(40, 50)]
    fused = _fused(method, sources, device).astype(float)
    mean = np.mean(sources, axis=0)
    fused = fused if method.keeps_tones else fused * (mean.mean() / fused.mean())
    for channel, name in enumerate(CHANNELS):
        errors = np.abs(fused[..., [channel]] - mean).mean(axis=(0, 1))
        if (nearest := int(errors.argmin())) != channel:
            raise Broken(
                f"{name} of the fused image is nearest to {CHANNELS[nearest]} of the sources: "
                "a method gets and returns RGB, not BGR"
            )


def _deep(method: Method, device: str) -> None:
    _fused(method, [source.astype(np.uint16) * 257 for source in pair(40, 50)], device)


def _stack(method: Method, device: str) -> None:
    try:
        _fused(method, [*pair(40, 50), pair(40, 50, seed=1)[0]], device)
    except Skipped as error:
        if not _declines(method, error):
            raise


def _constant(method: Method, device: str) -> None:
    if not method.keeps_tones:
        return
    for level in (0, 128, 255):
        flat = np.full((40, 50), level, np.uint8)
        error = np.abs(_fused(method, [flat, flat], device).astype(int) - level).max()
        limit = 0 if method.kind == "decision" else 2 if method.family != "learned" else 12
        if error > limit:
            raise Broken(f"two images of level {level} fuse to one off by {error} levels")


def _deterministic(method: Method, device: str) -> None:
    sources = pair(64, 61)
    first, second = (_fused(method, sources, device) for _ in range(2))
    if not np.array_equal(first, second):
        raise Broken("two runs on the same images differ")


def _pure(method: Method, device: str) -> None:
    stack = Sources.of(pair(40, 50)).stack()
    before = stack.copy()
    fuse_prepared(method, stack, bind(method, device=device, reference=before[0]))
    if not np.array_equal(stack, before):
        raise Broken("the sources are changed in place")


def _useful(method: Method, device: str) -> None:
    """A fused image must lie between its sources' extremes but for ringing, not be arbitrary."""
    sources = pair(64, 64)
    fused = _fused(method, sources, device).astype(float)
    low, high = np.min(sources, axis=0) - 96.0, np.max(sources, axis=0) + 96.0
    share = float(np.mean((fused < low) | (fused > high)))
    if share > 0.05:
        raise Broken(f"{share:.0%} of the pixels lie far outside of the sources' values")


def _decision(method: Method, device: str) -> None:
    """Gray copies as RGB must give the same picture: the decision is made on luminance."""
    if not method.gray_as_rgb:
        return
    gray = pair(48, 48)
    colour = [np.repeat(source[..., None], 3, axis=2) for source in gray]
    fused_gray = _fused(method, gray, device).astype(float)
    rgb = _fused(method, colour, device).astype(float)
    limit = 24 if method.family in NETWORK_FAMILIES and method.kind == "transform" else 2
    error = np.abs(luminance(rgb) - fused_gray).max()
    if error > limit:
        raise Broken(f"gray sources and the same as RGB differ by {error:.1f} levels")


def _identity(method: Method, device: str) -> None:
    for file in method.weights:
        if isinstance(file, Path) and not file.is_file():
            raise Broken(f"weights {file}: no such file")
    if not method.weights and method.family in NETWORK_FAMILIES:
        raise Broken("a learned method names its file of weights: weights=... in the decorator")
    ConfiguredMethod(method).key("", device)


#: Clause of the contract -> its check; each raises when the clause does not hold.
CHECKS: dict[str, Callable[[Method, str], None]] = {
    "has an identity: its source code and weights can be hashed": _identity,
    "fuses every size, from 64x64 through odd ones to 1x1": _sizes,
    "fuses colour": _colour,
    "keeps the order of red, green and blue": _channels,
    "fuses 16-bit images": _deep,
    "fuses a stack of three": _stack,
    "fuses gray as RGB to the same picture": _decision,
    "fuses two constant images to that constant": _constant,
    "is deterministic": _deterministic,
    "does not change its sources": _pure,
    "stays near the values of its sources": _useful,
}
