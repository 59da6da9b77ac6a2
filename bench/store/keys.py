"""The keys of records: hashes of all that a result depends on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.core.fingerprint import digest, function_fingerprint, modules_fingerprint
from metrics import Metric

SCORING = ("metrics._parts",)


def metric_fingerprint(metric: Metric) -> str:
    """What a stored score must have been made with to be believed."""
    code = [function_fingerprint(metric.fn), modules_fingerprint(SCORING)]
    return digest([metric.name, metric.version, *code])


def score_key(scene: str, fused: str) -> str:
    """Key of the scores of one fused image of one scene, both given by their pixels' hash."""
    return digest({"kind": "scores", "scene": scene, "fused": fused})


def timing_key(cell: str, machine: Mapping[str, Any]) -> str:
    """Key of the timing of a cell on a machine."""
    return digest({"kind": "timing", "cell": cell, "machine": machine})
