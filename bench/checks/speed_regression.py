"""Compare two stored runs of the benchmarks as ratios, so that a slower machine is no regression.

Each time is divided by that of the calibration kernel in the same run; what is compared is how
many kernels a benchmark takes.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import tabulate

from bench.core.errors import UsageError

#: Name of the benchmark that the others are measured in.
CALIBRATION = "test_calibration"

#: A benchmark that takes this many times as many kernels as before is slower.
FACTOR = 1.5


@dataclass(frozen=True)
class Speed:
    """One benchmark in two runs.

    Attributes
    ----------
    name : str
        Name of the benchmark.
    before, after : float
        Its least time in calibration kernels; NaN where it was not run.
    """

    name: str
    before: float
    after: float

    @property
    def ratio(self) -> float:
        """After over before."""
        return self.after / self.before


def read_speeds(path: Path) -> dict[str, float]:
    """Least time of each benchmark of a pytest-benchmark JSON file, in calibration kernels.

    Raises
    ------
    UsageError
        The file is not such a file, or holds no calibration.
    """
    try:
        entries = json.loads(path.read_bytes())["benchmarks"]
        seconds = {entry["name"]: float(entry["stats"]["min"]) for entry in entries}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: not a file of --benchmark-json ({error!r})") from None
    unit = seconds.pop(CALIBRATION, 0.0)
    if not unit:
        raise UsageError(f"{path}: has no {CALIBRATION}; run all of tests/speed")
    return {name: value / unit for name, value in seconds.items()}


def compare_speeds(before: dict[str, float], after: dict[str, float]) -> list[Speed]:
    """Every benchmark of either run, the slowed ones first."""
    nan = float("nan")
    names = sorted({*before, *after})
    speeds = [Speed(name, before.get(name, nan), after.get(name, nan)) for name in names]
    return sorted(speeds, key=lambda s: -s.ratio if s.ratio == s.ratio else float("inf"))


def slower(speeds: list[Speed], factor: float = FACTOR) -> list[Speed]:
    """Those that take `factor` times as long as before, or longer."""
    return [speed for speed in speeds if speed.ratio >= factor]


def speed_table(speeds: list[Speed]) -> str:
    """The benchmarks as a Markdown table."""

    def number(value: float) -> str:
        return "–" if math.isnan(value) else f"{value:.3f}"

    return tabulate.tabulate(
        [[s.name, *map(number, (s.before, s.after, s.ratio))] for s in speeds],
        ["Benchmark", "Before (kernels)", "After", "Ratio"],
        tablefmt="github",
        colalign=["left", "right", "right", "right"] if speeds else None,
        disable_numparse=True,
    )
