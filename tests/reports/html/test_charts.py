"""The charts of the HTML report: what they show, and that nothing in them covers a text."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pandas as pd

from reports.html.charts import CHARACTER, WIDTH, Point, cliques, critical, scatter

HOSTILE = "<script>alert(1)</script>"


def test_scatter_puts_the_better_up_and_escapes():
    points = [Point("a", 1, 0.1, 1.0), Point(HOSTILE, 2, 0.1, 2.0)]
    for higher in (True, False):
        chart = str(scatter(points, "score", higher_is_better=higher))
        assert "<script" not in chart
        heights = [float(y) for y in re.findall(r'y="([\d.]+)" text-anchor="start"', chart)]
        assert len(heights) == 2
        assert (heights[1] < heights[0]) == higher


def test_one_method_alone_has_a_chart():
    assert "<circle" in scatter([Point("a", 0, 1.0, 0.0)], "x", higher_is_better=True)


def test_cliques_are_the_longest_runs():
    assert cliques([1, 2, 3], 0.5) == []
    assert cliques([1, 2, 3], 5) == [(0, 2)]


def test_ticks_and_texts_of_ranks_do_not_touch():
    means = pd.Series({f"method-{k}": 4.4 + k for k in range(90)})
    groups = dict.fromkeys(means.index, 1)
    for difference in (5.0, 88.0, 500.0):
        chart = str(critical(means, groups, difference))
        assert f"critical difference {difference:.2f}" in chart
        texts = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)">([^<]+)', chart)
        boxes = [box_of(float(x), float(y), anchor, text) for x, y, anchor, text in texts]
        for one, other in itertools.combinations(boxes, 2):
            assert not (one[0] < other[1] and other[0] < one[1] and abs(one[2] - other[2]) < 10)
        assert all(low >= 0 and high <= WIDTH for low, high, _ in boxes)
        assert all(float(x) <= WIDTH for x in re.findall(r'x2="([\d.]+)"', chart))


def box_of(x, y, anchor, text):
    """Left, right and baseline of a text of a chart."""
    width = CHARACTER * len(text)
    low = x - {"start": 0, "middle": width / 2, "end": width}[anchor]
    return low, low + width, y


def test_names_in_the_scatter_cover_nothing():
    rng = np.random.default_rng(1)
    seconds, values = 10 ** rng.uniform(-2, 1, 40), rng.uniform(0.6, 0.9, 40)
    points = [
        Point(f"m-{k}", 1 + k % 8, s, v)
        for k, (s, v) in enumerate(zip(seconds, values, strict=True))
    ]
    chart = str(scatter(points, "score", higher_is_better=True))
    texts = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)">(m-\d+)', chart)
    boxes = [box_of(float(x), float(y), anchor, text) for x, y, anchor, text in texts]
    assert len(boxes) > 30
    for one, other in itertools.combinations(boxes, 2):
        assert not (one[0] < other[1] and other[0] < one[1] and abs(one[2] - other[2]) < 10)
    corners = re.search(r'class="front" points="([^"]+)"', chart)[1].split()
    front = np.array([[float(n) for n in corner.split(",")] for corner in corners])
    for (x0, y0), (x1, y1) in itertools.pairwise(front):
        part = np.linspace(0, 1, 500)
        xs, ys = x0 + part * (x1 - x0), y0 + part * (y1 - y0)
        for low, high, base in boxes:
            assert not ((xs > low) & (xs < high) & (ys > base - 9) & (ys < base + 2)).any()
