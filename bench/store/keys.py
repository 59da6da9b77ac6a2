"""The keys of records: hashes of all that a result depends on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.core.fingerprint import digest, function_fingerprint, modules_fingerprint
from metrics import Metric

#: The project's own code that every score depends on.
SCORING = ("metrics._parts",)

#: Hexadecimal digits of a metric's fingerprint: it stands beside every score.
SHORT = 16


def metric_fingerprint(metric: Metric) -> str:
    """Hash of the code that a stored score must have been computed with to be used."""
    code = [function_fingerprint(metric.fn), modules_fingerprint(SCORING)]
    return digest([metric.name, metric.version, *code])[:SHORT]


def score_key(scene: str, fused: str) -> str:
    """Key of the scores of one fused image of one scene, both given by their pixels' hash."""
    return digest({"kind": "scores", "scene": scene, "fused": fused})


def machine_id(machine: Mapping[str, Any]) -> str:
    """Identifies what timings depend on; see `bench.core.environment.machine`."""
    return digest(machine)


def timing_key(cell: str, machine: str) -> str:
    """Key of the timing of a cell on the machine of that id."""
    return digest({"kind": "timing", "cell": cell, "machine": machine})
