"""What a printed number may be: a metric, what it was compared with, and the unit of print.

Only units are tried that papers and public codes use; each has its name in the output.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import fmean

from bench.engine.claims.printed import PrintedValue, family_of
from bench.engine.claims.unrounded import UnroundedView
from bench.engine.claims.view import View
from metrics import METRICS, Metric

#: What each departure from "this metric as it is" counts when explanations are ranked.
COST_UNIT = 0.5
COST_VARIANT = 1.0
COST_AGAINST = 1.0
COST_OTHER_METRIC = 3.0
#: Not exact to the last digit, but within the known difference to public codes.
COST_INEXACT = 1.0

#: Metrics of different names that papers print under one.
RELATED = {"psnr": ("psnr_tang", "mse_tang"), "psnr_tang": ("psnr",), "mse_tang": ("psnr",)}

#: Peak signal-to-noise ratio of images scaled to 0..1 under a peak of 255, above the right one.
PEAK_ERROR_DB = 20 * math.log10(255)


@dataclass(frozen=True)
class Unit:
    """Another way to print a metric: ``factor * value + offset``.

    Attributes
    ----------
    text : str
        What output calls it; empty for the value as it is.
    factor, offset : float
        The arithmetic.
    metrics : tuple of str
        The metrics that are printed so.
    """

    text: str = ""
    factor: float = 1.0
    offset: float = 0.0
    metrics: tuple[str, ...] = ()


PLAIN = Unit()
PERCENT = Unit("in percent", 100.0)

UNITS = (
    Unit("mean over the two sources", 0.5, metrics=("mi_raw", "vif_tang", "scd", "qte")),
    Unit("sum over the two sources", 2.0, metrics=("ce", "cc", "fmi", "fmi_pixel", "mse_tang")),
    Unit("without the factor 2", 0.5, metrics=("mi",)),
    Unit("in nats", math.log(2), metrics=("mi_raw", "ce")),
    Unit("in nats, mean over the two sources", math.log(2) / 2, metrics=("mi_raw",)),
    Unit("in base 10", math.log10(2), metrics=("ie", "mi_raw")),
    Unit(
        "of images scaled to 0..1",
        1 / 255,
        metrics=("ag", "ag_tang", "ei", "sd", "sd_global", "sf", "sf_tang"),
    ),
    Unit("in squared gray levels", 255.0**2, metrics=("mse_tang",)),
    Unit("with the right peak", offset=-PEAK_ERROR_DB, metrics=("psnr_tang",)),
    Unit("images scaled to 0..1, peak 255", offset=PEAK_ERROR_DB, metrics=("psnr",)),
    Unit("without its sign", -1.0, metrics=("qsf_zheng",)),
)

#: With what a metric that needs a reference is compared when a paper has none.
SOURCES: dict[str, Callable[[list[float]], float]] = {
    "mean over the sources": fmean,
    "sum over the sources": math.fsum,
}


@dataclass(frozen=True)
class Candidate:
    """One thing that a printed number may be.

    Attributes
    ----------
    metric : Metric
        The metric.
    against : str
        What takes the place of the reference: empty for the reference itself, ``source 1``, or
        a key of `SOURCES`.
    unit : Unit
        How it is printed.
    cost : float
        How far it is from the metric that was named.
    """

    metric: Metric
    against: str
    unit: Unit
    cost: float

    @property
    def text(self) -> str:
        """What output calls it: ``qabf_liu2012, in percent``."""
        against = f"against {self.against}" if self.against.startswith("source") else self.against
        return ", ".join(filter(None, [self.metric.name, against, self.unit.text]))

    def value(self, view: View | UnroundedView) -> float:
        """The number that it gives on `view`; NaN where it is not defined."""
        name = self.metric.name
        if not self.against:
            value = view.value(name)
        else:
            value = self.of_sources([view.value(name, against=k) for k in range(view.count)])
        return self.unit.factor * value + self.unit.offset

    def of_sources(self, values: list[float]) -> float:
        """What is printed of the values with each source as the reference."""
        if self.against in SOURCES:
            return SOURCES[self.against](values)
        return values[int(self.against.split()[-1]) - 1]


def candidates(value: PrintedValue, sources: int, reference: bool) -> list[Candidate]:
    """What `value` may be by its name: the metric, its variants, units; the likeliest first.

    Parameters
    ----------
    value : PrintedValue
        Without a name, every metric counts as named.
    sources : int
        Number of sources.
    reference : bool
        Whether there is a reference.
    """
    if value.metric is None:
        found = [c for m in METRICS for c in _of(m, sources, reference, 0.0)]
    else:
        found = list(_of(value.metric, sources, reference, 0.0))
        for metric in family_of(METRICS, value.metric)[1:]:
            found += _of(metric, sources, reference, COST_VARIANT)
        for name in RELATED.get(value.metric.name, ()):
            found += _of(METRICS[name], sources, reference, COST_VARIANT)
    return sorted(dict.fromkeys(found), key=lambda candidate: candidate.cost)


def other_candidates(value: PrintedValue, sources: int, reference: bool) -> list[Candidate]:
    """The metrics that `value` would not be by its name, as they are."""
    named = {candidate.metric for candidate in candidates(value, sources, reference)}
    return [
        candidate
        for metric in METRICS
        if metric not in named
        for candidate in _of(metric, sources, reference, COST_OTHER_METRIC)
    ]


def _of(metric: Metric, sources: int, reference: bool, cost: float) -> Iterator[Candidate]:
    units = [PLAIN, *(unit for unit in UNITS if metric.name in unit.metrics)]
    if metric.bounds[0] >= -1 and metric.bounds[1] <= 2:
        units.append(PERCENT)
    if metric.needs != "reference":
        against = {"": 0.0}
    else:
        against = {"": 0.0} if reference else {}
        against |= dict.fromkeys(SOURCES, COST_AGAINST)
        against |= {f"source {k + 1}": COST_AGAINST for k in range(sources)}
    for what, more in against.items():
        for unit in units:
            yield Candidate(metric, what, unit, cost + more + (COST_UNIT if unit.text else 0.0))
