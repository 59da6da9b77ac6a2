"""The metrics: pure functions on luminance images of whole numbers 0..255.

Each is registered with what is known about it — direction, bounds, what it needs, citation —
by the decorator `metric`, and can be called by itself on arrays. `Scorer` applies several to
several fused images of one scene and computes what they share only once.
"""

from __future__ import annotations

from metrics._base import GOLDEN_SETS, METRICS, ROUNDING, Metric, metric
from metrics._parts import GrayImage, Plane, shared
from metrics._scorer import Scorer

__all__ = [
    "GOLDEN_SETS",
    "METRICS",
    "ROUNDING",
    "GrayImage",
    "Metric",
    "Plane",
    "Scorer",
    "metric",
    "shared",
]
