"""Checks of the contract of a metric, for the project's metrics and for plug-ins."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.checks.methods import Broken, CheckResult, attempt, pair
from bench.workers.reason import reason_of
from metrics import METRICS, ROUNDING, Metric

Array = NDArray[Any]

#: Height and width of the images, unless a metric needs more.
LEAST = 192


def check_metric(metric: Metric) -> list[CheckResult]:
    """Run every check that applies to `metric`.

    Parameters
    ----------
    metric : Metric
        A registered metric.

    Returns
    -------
    list of CheckResult
        In the order of `CHECKS`.

    Examples
    --------
    >>> from bench.checks.metrics import check_metric
    >>> from metrics import METRICS
    >>> all(result.passed for result in check_metric(METRICS["mi"]))
    True
    """
    chosen = {name: check for name, (check, needs) in CHECKS.items() if metric.needs in needs}
    return [attempt(metric.name, name, check, metric) for name, check in chosen.items()]


def _bounded(metric: Metric, sources: Sequence[Array], fused: Array, reference: Array) -> float:
    """The metric of a fused image, of what it needs; a number within its bounds."""
    first = {"fused": (), "sources": (sources,), "reference": (reference,)}[metric.needs]
    value = metric.fn(*first, fused)
    low, high = metric.bounds
    if not low - ROUNDING <= value <= high + ROUNDING:  # also refuses NaN
        raise Broken(f"{value!r} is not in [{low:g}, {high:g}]")
    return value


def _side(metric: Metric) -> int:
    return max(LEAST, metric.smallest + 3)


def _mean(sources: Sequence[Array]) -> Array:
    return np.mean(sources, axis=0).astype(np.uint8)


def _noise(shape: tuple[int, ...]) -> Array:
    return np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)


def _bounds(metric: Metric) -> None:
    side = _side(metric)
    sources = pair(side, side)
    for fused in (_mean(sources), sources[0], 255 - sources[0], _noise((side, side))):
        _bounded(metric, sources, fused, sources[1])


def _constant(metric: Metric) -> None:
    side = _side(metric)
    flat = [np.full((side, side), level, np.uint8) for level in (0, 128, 255)]
    textured = pair(side, side)[0]
    for sources in ([flat[0], flat[0]], [flat[1], flat[2]], [flat[1], textured]):
        for fused in (*flat, textured):
            _bounded(metric, sources, fused, sources[0])


def _sizes(metric: Metric) -> None:
    side = _side(metric)
    least = metric.smallest
    for height, width in ((least, least), (side - 1, side - 3), (side, side + 47)):
        a, b = pair(height, width)
        try:
            _bounded(metric, [a, b], _mean([a, b]), b)
        except Exception as error:
            raise Broken(f"{width}x{height}: {reason_of(error)}") from error


def _order(metric: Metric) -> None:
    side = _side(metric)
    a, b = pair(side, side)
    fused = np.where(np.arange(side) < side // 3, a, b)
    one, other = (_bounded(metric, sources, fused, a) for sources in ([a, b], [b, a]))
    if metric.symmetric and not math.isclose(one, other, rel_tol=ROUNDING, abs_tol=ROUNDING):
        raise Broken(f"declared symmetric, but {one:.12g} became {other:.12g}")


def _stack(metric: Metric) -> None:
    side = _side(metric)
    sources = [*pair(side, side), pair(side, side, seed=1)[0]]
    if metric.stack == "native":
        _bounded(metric, sources, _mean(sources), sources[0])


def _direction(metric: Metric) -> None:
    """Blur and noise must not beat the very image that they were made of."""
    import cv2

    side = _side(metric)
    sharp = pair(side, side)[0]
    ideal = _bounded(metric, [sharp, sharp], sharp, sharp)
    worse = {"blurred": cv2.GaussianBlur(sharp, (0, 0), 4), "noise": _noise(sharp.shape)}
    for what, fused in worse.items():
        value = _bounded(metric, [sharp, sharp], fused, sharp)
        if (value - ideal) * (1 if metric.higher_is_better else -1) >= 0:
            raise Broken(f"a perfect result has {ideal:.6g}, a {what} one {value:.6g}")


def _deterministic(metric: Metric) -> None:
    side = _side(metric)
    sources = pair(side, side)
    one, other = (_bounded(metric, sources, _mean(sources), sources[0]) for _ in range(2))
    if one != other:
        raise Broken(f"{one!r} became {other!r} on the same images")


def _variant(metric: Metric) -> None:
    if (base := metric.variant_of) and METRICS[base].variant_of:
        raise Broken(f"{base} is a variant itself, of {METRICS[base].variant_of}")


_ALL = ("fused", "sources", "reference")

#: Clause of the contract -> its check, and what a metric needs for it to apply.
CHECKS: dict[str, tuple[Callable[[Metric], None], Sequence[str]]] = {
    "is a variant of a known metric, or of none": (_variant, _ALL),
    "gives a number within its bounds": (_bounds, _ALL),
    "gives a number for constant images": (_constant, _ALL),
    "gives a number for every size from its smallest on": (_sizes, _ALL),
    "is symmetric in the sources if it is declared so": (_order, ("sources",)),
    "takes three sources, or is declared for two": (_stack, ("sources",)),
    "scores a perfect result better than blur and noise": (_direction, ("sources", "reference")),
    "is deterministic": (_deterministic, _ALL),
}
