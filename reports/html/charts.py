"""Charts of the HTML report as inline SVG: a few kilobytes each, sharp, readable without scripts.

Colours are left to the page's style sheet (classes ``f0`` to ``f9`` by family), so that one
drawing serves light and dark; families differ in shape as well. Every mark has a title that
browsers show and screen readers read.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd
from markupsafe import Markup

#: Advance of a character at the charts' font size of 12, roughly.
CHARACTER = 6.6
ROW = 20

#: Class of the baselines.
BASELINE = 0

#: Characters of a name that a chart shows; the mark's title has all.
LONGEST = 32
WIDTH = 760


#: Corners of the marks by class, about the origin; a class without corners is a circle.
SHAPES: dict[int, tuple[tuple[float, float], ...]] = {
    1: ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    2: ((0, -1.3), (1.2, 0.9), (-1.2, 0.9)),
    3: ((0, -1.4), (1.4, 0), (0, 1.4), (-1.4, 0)),
    4: ((0, -1.3), (1.3, -0.3), (0.8, 1.1), (-0.8, 1.1), (-1.3, -0.3)),
    5: ((0, 1.3), (1.2, -0.9), (-1.2, -0.9)),
    6: ((-1.2, -1.2), (1.2, -1.2), (-1.2, 1.2), (1.2, 1.2)),
    7: ((-1.2, -1.2), (1.2, 1.2), (1.2, -1.2), (-1.2, 1.2)),
    8: ((1.3, 0), (-0.9, 1.2), (-0.9, -1.2)),
    9: ((-1.3, 0), (0.9, -1.2), (0.9, 1.2)),
}


class Point(NamedTuple):
    """A method in the scatter: its class, seconds, score and title."""

    name: str
    group: int
    seconds: float
    value: float


def scatter(points: Sequence[Point], label: str, *, higher_is_better: bool) -> Markup:
    """Speed against quality: seconds on a log axis, better always up, the Pareto front dashed.

    Parameters
    ----------
    points : sequence of Point
        At least one; seconds above 0.
    label : str
        Label of the vertical axis.
    higher_is_better : bool
        If not, the axis is turned over.
    """
    left, right, top, bottom, height = 66, 20, 16, 46, 440
    logs = [math.log10(p.seconds) for p in points]
    x0, x1 = math.floor(min(logs) - 0.05), math.ceil(max(logs) + 0.05)
    ticks = nice_ticks(min(p.value for p in points), max(p.value for p in points))
    y0, y1 = ticks[0], ticks[-1]

    def x(seconds: float) -> float:
        return left + (math.log10(seconds) - x0) / (x1 - x0) * (WIDTH - left - right)

    def y(value: float) -> float:
        part = (value - y0) / (y1 - y0)
        return top + (1 - part if higher_is_better else part) * (height - top - bottom)

    parts = [svg_line(left, y(t), WIDTH - right, y(t), "grid") for t in ticks]
    parts += [svg_text(left - 8, y(t) + 4, f"{t:g}", "end") for t in ticks]
    for power in range(x0, x1 + 1):
        parts += [svg_line(x(10**power), top, x(10**power), height - bottom, "grid")]
        parts += [svg_text(x(10**power), height - bottom + 18, _seconds(power), "middle")]
    parts.append(
        svg_text((left + WIDTH - right) / 2, height - 6, "median time per scene", "middle")
    )
    middle = (top + height - bottom) / 2
    parts.append(
        Markup(
            '<text transform="translate(14 {:.1f}) rotate(-90)" text-anchor="middle">{}</text>'
        ).format(middle, label)
    )
    front = _front(points, higher_is_better)
    if len(front) > 1:
        path = " ".join(f"{x(p.seconds):.1f},{y(p.value):.1f}" for p in front)
        parts.append(Markup('<polyline class="front" points="{}"/>').format(path))
    places = [(x(p.seconds), y(p.value)) for p in points]
    for point, (px, py) in zip(points, places, strict=True):
        title = f"{point.name}: {point.value:.4g}, {point.seconds:.3g} s"
        parts.append(_mark(px, py, point.group, title))
    line = [(x(p.seconds), y(p.value)) for p in front]
    parts += _labels([p.name for p in points], places, (left, WIDTH - right), line)
    return svg(WIDTH, height, f"Speed against {label}", parts)


def distribution(
    ranks: pd.DataFrame, groups: Mapping[str, int], critical_difference: float
) -> Markup:
    """Ranks over scenes: range, quartiles, median and mean of each method, best mean first.

    Parameters
    ----------
    ranks : DataFrame
        One row a scene, one column a method.
    groups : mapping
        Class of each method.
    critical_difference : float
        Drawn as a band from the best mean; none where it is NaN.
    """
    means = ranks.mean().sort_values(kind="stable")
    left = _gutter(means.index)
    top, bottom, right = 28, 8, 20
    height = top + ROW * len(means) + bottom
    count = len(means)

    def x(rank: float) -> float:
        return left + (rank - 1) / max(count - 1, 1) * (WIDTH - left - right)

    parts = []
    if critical_difference == critical_difference:
        end = min(x(means.iloc[0] + critical_difference), WIDTH - right)
        band = '<rect class="band" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>'
        parts.append(
            Markup(band).format(x(means.iloc[0]), top, end - x(means.iloc[0]), ROW * count)
        )
    for tick in _rank_ticks(count):
        parts += [svg_line(x(tick), top, x(tick), top + ROW * count, "grid")]
        parts += [svg_text(x(tick), top - 8, f"{tick:g}", "middle")]
    for row, (name, mean) in enumerate(means.items()):
        middle = top + ROW * (row + 0.5)
        low, first, median, third, high = ranks[name].quantile([0, 0.25, 0.5, 0.75, 1])
        title = f"{name}: mean rank {mean:.2f}, median {median:g}, from {low:g} to {high:g}"
        parts += [
            Markup('<g class="f{}"><title>{}</title>').format(groups[str(name)], title),
            svg_text(left - 10, middle + 4, str(name), "end"),
            svg_line(x(low), middle, x(high), middle, "whisker"),
            Markup('<rect class="box" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}"/>').format(
                x(first), middle - 6, max(x(third) - x(first), 1), 12
            ),
            svg_line(x(median), middle - 6, x(median), middle + 6, "median"),
            _mark(x(mean), middle, 0, "", 4, "mean"),
            Markup("</g>"),
        ]
    return svg(WIDTH, height, "Distribution of ranks over scenes", parts)


def critical(means: pd.Series, groups: Mapping[str, int], critical_difference: float) -> Markup:
    """Demšar's diagram: mean ranks on a line; bars join methods that are not told apart.

    Parameters
    ----------
    means : Series
        Mean rank by method.
    groups : mapping
        Class of each method.
    critical_difference : float
        Nemenyi's; not NaN.
    """
    means = means.sort_values(kind="stable")
    names, count = list(means.index), len(means)
    gutter = _gutter(names)
    low, high = math.floor(means.iloc[0]), max(math.ceil(means.iloc[-1]), 2)

    def x(rank: float) -> float:
        return gutter + (rank - low) / max(high - low, 1) * (WIDTH - 2 * gutter)

    bars = cliques([float(m) for m in means], critical_difference)
    axis, half = 60, (count + 1) // 2
    start = axis + 16 + 8 * len(bars)
    height = start + ROW * half + 8
    span = x(low + critical_difference) - x(low)
    text = f"critical difference {critical_difference:.2f}"
    if x(low) + span + 8 + CHARACTER * len(text) < WIDTH:
        parts = [
            svg_line(x(low), 14, x(low) + span, 14, "clique"),
            svg_text(x(low) + span + 8, 18, text, "start"),
        ]
    else:  # as long as the axis or longer
        parts = [svg_text(x(low), 18, text, "start")]
    parts.append(svg_line(x(low), axis, x(high), axis, "axis"))
    for tick in _rank_ticks(high, low):
        parts += [svg_line(x(tick), axis - 6, x(tick), axis, "axis")]
        parts += [svg_text(x(tick), axis - 12, f"{tick:g}", "middle")]
    for row, (first, last) in enumerate(bars):
        level = axis + 12 + 8 * row
        ends = x(means.iloc[first]) - 4, x(means.iloc[last]) + 4
        parts.append(svg_line(ends[0], level, ends[1], level, "clique"))
    for k, name in enumerate(names):
        near = k < half
        y = start + ROW * ((k if near else count - 1 - k) + 0.5)
        side = gutter - 8 if near else WIDTH - gutter + 8
        path = f"{x(means[name]):.1f},{axis} {x(means[name]):.1f},{y:.1f} {side},{y:.1f}"
        parts += [
            Markup('<g class="f{}"><title>{}: mean rank {:.2f}</title>').format(
                groups[str(name)], name, means[name]
            ),
            Markup('<polyline class="leader" points="{}"/>').format(path),
            svg_text(side + (-4 if near else 4), y + 4, str(name), "end" if near else "start"),
            Markup("</g>"),
        ]
    return svg(WIDTH, height, "Critical-difference diagram", parts)


def cliques(means: Sequence[float], critical_difference: float) -> list[tuple[int, int]]:
    """Longest runs of sorted mean ranks that span no more than the critical difference.

    Examples
    --------
    >>> from reports.html.charts import cliques
    >>> cliques([1.0, 1.5, 2.2, 4.0], 1.0)
    [(0, 1), (1, 2)]
    """
    found: list[tuple[int, int]] = []
    for first in range(len(means)):
        last = max(k for k in range(len(means)) if means[k] - means[first] <= critical_difference)
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def legend_mark(group: int) -> Markup:
    """The shape and colour of a family, for a legend."""
    mark = _mark(8, 8, group, "")
    return Markup('<svg class="key" width="16" height="16" aria-hidden="true">{}</svg>').format(
        mark
    )


def _front(points: Sequence[Point], higher_is_better: bool) -> list[Point]:
    """The Pareto front, fastest first: no other method is faster and better; without baselines."""
    front: list[Point] = []
    sign = 1 if higher_is_better else -1
    rivals = [p for p in points if p.group != BASELINE]
    for point in sorted(rivals, key=lambda p: (p.seconds, -sign * p.value)):
        if not front or sign * point.value > sign * front[-1].value:
            front.append(point)
    return front


def _labels(
    names: Sequence[str],
    places: Sequence[tuple[float, float]],
    span: tuple[float, float],
    line: Sequence[tuple[float, float]],
) -> list[Markup]:
    """Names beside their marks where they cover nothing; without room only the title says it.

    They cover neither each other, nor marks, nor the `line`.
    """
    taken = [(px - 6, py - 6, px + 6, py + 6) for px, py in places]
    crossed = [(px - 1, py - 1, px + 1, py + 1) for px, py in _along(line)]
    parts = []
    for name, (px, py) in zip(names, places, strict=True):
        width = CHARACTER * len(_short(name))
        for dx, dy, anchor in _AROUND:
            x, y = px + dx, py + dy
            low = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
            box = (low, y - 10, low + width, y + 3)
            inside = span[0] <= box[0] and box[2] <= span[1]
            own = (px - 6, py - 6, px + 6, py + 6)
            others = (t for t in (*taken, *crossed) if t != own)
            if inside and not any(_overlap(box, other) for other in others):
                taken.append(box)
                parts.append(svg_text(x, y, name, anchor))
                break
    return parts


def _along(line: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points on a line of straight pieces, two pixels apart."""
    found = []
    for (x0, y0), (x1, y1) in itertools.pairwise(line):
        steps = max(int(math.hypot(x1 - x0, y1 - y0) / 2), 1)
        found += [(x0 + (x1 - x0) * k / steps, y0 + (y1 - y0) * k / steps) for k in range(steps)]
    return found


_AROUND = (
    (9.0, 4.0, "start"),
    (-9.0, 4.0, "end"),
    (0.0, -9.0, "middle"),
    (0.0, 18.0, "middle"),
    (8.0, -8.0, "start"),
    (8.0, 15.0, "start"),
    (-8.0, -8.0, "end"),
    (-8.0, 15.0, "end"),
    (4.0, -18.0, "start"),
    (4.0, 26.0, "start"),
    (-4.0, -18.0, "end"),
    (-4.0, 26.0, "end"),
)


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def nice_ticks(low: float, high: float) -> list[float]:
    """Round ticks around a range."""
    span = high - low or abs(high) or 1.0
    step = 10.0 ** math.floor(math.log10(span / 4))
    step *= next(f for f in (1.0, 2.0, 2.5, 5.0, 10.0) if span / (f * step) <= 6)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(k * step, 10) for k in range(first, max(last, first + 1) + 1)]


def _rank_ticks(high: int, low: int = 1) -> list[int]:
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 1000) if (high - low) / s <= 16)
    round_ones = (t for t in range(low, high + 1) if t % step == 0)
    return [low, *(t for t in round_ones if t - low > 0.6 * step)]


def _gutter(names: Sequence[object] | pd.Index) -> float:
    return max(CHARACTER * len(_short(name)) for name in names) + 16


def _seconds(power: int) -> str:
    if power >= 0:
        return f"{10**power} s"
    return f"{10 ** (power + 3)} ms" if power >= -3 else f"{10 ** (power + 6):g} µs"


def _mark(x: float, y: float, group: int, title: str, r: float = 5, extra: str = "") -> Markup:
    """The shape of a family, see `SHAPES`; a circle where it has none."""
    corners = SHAPES.get(group)
    inner = Markup("<title>{}</title>").format(title) if title else ""
    name = extra or f"mark f{group}"
    if corners is None:
        return Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}">{}</circle>').format(
            name, x, y, r, inner
        )
    path = " ".join(f"{x + r * dx:.1f},{y + r * dy:.1f}" for dx, dy in corners)
    return Markup('<polygon class="{}" points="{}">{}</polygon>').format(name, path, inner)


def svg_line(x1: float, y1: float, x2: float, y2: float, name: str) -> Markup:
    """A line of the class `name`."""
    line = '<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>'
    return Markup(line).format(name, x1, y1, x2, y2)


def svg_text(x: float, y: float, text: str, anchor: str) -> Markup:
    """A text, cut to `LONGEST` characters."""
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        x, y, anchor, _short(text)
    )


def _short(name: object) -> str:
    text = str(name)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def svg(width: float, height: float, label: str, parts: Sequence[Markup]) -> Markup:
    """The drawing that holds the parts; `label` says what it shows."""
    head = '<svg class="chart" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">'
    return Markup(head).format(width, height, label) + Markup("").join(parts) + Markup("</svg>")
