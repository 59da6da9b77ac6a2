"""A number as it is printed, which says how exactly it is known."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.core.errors import UsageError
from bench.core.registry import Registry
from bench.engine.names import METRIC_ALIASES, find
from metrics import METRICS, Metric

#: A number with a point, an exponent or neither; ``%`` says that it is a percentage.
NUMBER = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?\s*(%?)")

#: The most that a metric's known difference to public codes may explain: beyond it the codes
#: differ in a way that has a variant of its own.
MOST_TOLERANCE = 5e-4

#: Arithmetic in double precision, relative to the value.
EPSILON = 1e-12


@dataclass(frozen=True)
class PrintedValue:
    """A value of a metric as somebody has printed it.

    Attributes
    ----------
    name : str
        What the metric was called; empty when that is not known.
    text : str
        The number as printed.
    value : float
        The number.
    half_width : float
        Half a unit of its last digit: what rounding may have taken.
    """

    name: str
    text: str
    value: float
    half_width: float

    @property
    def metric(self) -> Metric | None:
        """The metric of that name; None when no name is given."""
        return find(METRICS, self.name, METRIC_ALIASES) if self.name else None

    @property
    def rounding(self) -> float:
        """The largest difference that the rounding of print and of arithmetic explain."""
        return self.half_width + EPSILON * max(1.0, abs(self.value))

    def allowed(self, metric: Metric) -> float:
        """The largest difference between the number and a value of `metric` that gives it.

        The rounding of the print, and the difference to public codes that the metric has where
        it is tested against values of theirs.
        """
        own = min(metric.tolerance, MOST_TOLERANCE) if metric.golden else 0.0
        return self.rounding + own

    def __str__(self) -> str:
        name = self.name or "a metric that is not named"
        return f"{name} = {self.text} (+-{self.half_width:.2g})"


def printed(name: str, text: str | float) -> PrintedValue:
    """A printed number; trailing zeros count as digits, so give text where there are some.

    Raises
    ------
    UsageError
        The text is not a number.

    Examples
    --------
    >>> from bench.engine.claims.printed import printed
    >>> printed("QG", "0.7190").half_width
    5e-05
    >>> printed("QG", "71.9 %").value
    0.719
    """
    shown = (repr(float(text)) if isinstance(text, int | float) else text).strip()
    match = NUMBER.fullmatch(shown.replace("\N{MINUS SIGN}", "-"))
    if not match or not (match[2] or match[3]):
        raise UsageError(f"{name or 'value'}: {shown!r} is not a number such as 0.7198")
    sign, whole, decimals, exponent, percent = match.groups()
    shift = int(exponent or 0) - (2 if percent else 0)
    value = float(f"{sign}{whole or 0}.{decimals or 0}e{shift}")
    half_width = float(f"5e{shift - len(decimals or '') - 1}")
    if not math.isfinite(value):
        raise UsageError(f"{name or 'value'}: {shown!r} is too large")
    return PrintedValue(name.strip(), shown, value, half_width)


def printed_values(values: Mapping[str, str | float] | Sequence[str]) -> list[PrintedValue]:
    """The values of ``NAME=NUMBER`` texts, or of a mapping; ``NUMBER`` alone has no name.

    Raises
    ------
    UsageError
        Nothing is given, or not a number.
    UnknownName
        A name that is not that of a metric.
    """
    if isinstance(values, str):
        values = [values]
    pairs = (
        list(values.items())
        if isinstance(values, Mapping)
        else [(name, number) for name, _, number in (text.rpartition("=") for text in values)]
    )
    found = [printed(name, number) for name, number in pairs]
    if not found:
        raise UsageError("no value is given; write NAME=NUMBER, such as Xydeas=0.7198")
    for one in found:
        _ = one.metric  # raises where there is none of that name
    return found


def family_of(registry: Registry[Metric], metric: Metric) -> list[Metric]:
    """`metric`, and the others that are variants of the same definition."""
    root = metric.variant_of or metric.name
    return [metric, *(m for m in registry if m != metric and root in (m.name, m.variant_of))]
