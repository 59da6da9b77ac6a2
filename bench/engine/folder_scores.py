"""Scores of the fused images in a folder, one row for each scene, method and metric."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.engine.image_folder import ImageFolder
from bench.engine.runner import Run
from datasets import Scene
from metrics import Metric


@dataclass(frozen=True)
class ScoreRow:
    """One score.

    Attributes
    ----------
    scene, method, metric : str
        Of what.
    value : float or None
        None unless the status is ``ok``.
    status, message : str
        ``ok``, ``missing`` or ``failed``, and why.
    """

    scene: str
    method: str
    metric: str
    value: float | None
    status: str
    message: str = ""


def score_rows(task: Run, named: Collection[str]) -> Iterator[ScoreRow]:
    """The rows of a finished run over image folders, in the order of its selection.

    Parameters
    ----------
    task : Run
        The run.
    named : collection of str
        Metrics that were asked for by name: where one is not defined, its score has failed.
        The others are left out there.
    """
    cells = {(c["dataset"], c["scene"], c["method"]): c for c in task.cells}
    scenes = {(s["dataset"], s["scene"]): s for s in task.scenes}
    metrics = task.selection.metrics
    for scene in task.selection.scenes:
        facts = scenes.get((scene.dataset, scene.id), {})
        obstacles = {m.name: _obstacle(m, facts) for m in metrics}
        refused = {m: f"{scene.name}: {why}" for m, why in obstacles.items() if why and m in named}
        defined = [name for name, why in obstacles.items() if not why]
        for method in task.selection.methods:
            if not isinstance(method, ImageFolder):
                continue
            cell = cells.get((scene.dataset, scene.id, method.name), {})
            yield from _rows(scene, method, cell, defined)
            for name, why in refused.items():
                yield ScoreRow(scene.id, method.name, name, None, "failed", why)


def _rows(
    scene: Scene, method: ImageFolder, cell: Mapping[str, Any], metrics: Sequence[str]
) -> Iterator[ScoreRow]:
    file = method.files.get(scene.name)
    for name in metrics:
        head = (scene.id, method.name, name)
        entry = cell.get("scores", {}).get(name)
        if file is None:
            yield ScoreRow(*head, None, "missing")
        elif entry is None:
            yield ScoreRow(*head, None, "failed", str(cell.get("message", "")))
        elif entry["status"] != "ok":
            yield ScoreRow(*head, None, "failed", f"{file}: {entry['message']}")
        else:
            yield ScoreRow(*head, entry["value"], "ok")


def _obstacle(metric: Metric, scene: Mapping[str, Any]) -> str:
    """Why a metric is not defined for a scene of the run; empty when it is, or is unknown."""
    if scene.get("status") != "ok":
        return ""
    size = (scene["height"], scene["width"])
    return metric.obstacle(scene["sources"], size, scene["reference"])
