"""Scores of the fused images in a folder, one row for each scene, method and metric."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from bench.engine.image_folder import ImageFolder
from bench.engine.runner import Run
from bench.store.manifest import CellEntry, SceneEntry
from datasets import Scene
from metrics import Metric


@dataclass(frozen=True)
class ScoreRow:
    """One score.

    Attributes
    ----------
    dataset, scene, method, metric : str
        Names of the data set, the scene, the method and the metric.
    value : float or None
        None unless the status is ``ok``.
    status, message : str
        ``ok``, ``missing`` or ``failed``, and why.
    """

    dataset: str
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
        Metrics that were selected by name: on a scene where one is not defined, its score has
        failed. The other metrics are left out there.
    """
    cells = {(c.dataset, c.scene, c.method): c for part in task.parts for c in part.cells}
    scenes = {(s.dataset, s.scene): s for s in task.scenes}
    metrics = task.selection.metrics
    only = task.selection.only
    for scene in task.selection.scenes:
        facts = scenes.get((scene.dataset, scene.id))
        obstacles = {m.name: _obstacle(m, facts) for m in metrics}
        refused = {m: f"{scene.name}: {why}" for m, why in obstacles.items() if why and m in named}
        defined = [name for name, why in obstacles.items() if not why]
        for method in task.selection.methods:
            if not isinstance(method, ImageFolder):
                continue
            if only is not None and (scene.name, method.name) not in only:
                continue
            cell = cells.get((scene.dataset, scene.id, method.name))
            yield from _rows(scene, method, cell, defined)
            for name, why in refused.items():
                yield ScoreRow(scene.dataset, scene.id, method.name, name, None, "failed", why)


def _rows(
    scene: Scene, method: ImageFolder, cell: CellEntry | None, metrics: Sequence[str]
) -> Iterator[ScoreRow]:
    file = method.files.get(scene.name)
    for name in metrics:
        head = (scene.dataset, scene.id, method.name, name)
        entry = cell.scores.get(name) if cell else None
        if file is None or cell is None:
            yield ScoreRow(*head, None, "missing")
        elif entry is None:
            yield ScoreRow(*head, None, "failed", cell.message)
        elif entry.status != "ok":
            yield ScoreRow(*head, None, "failed", f"{file}: {entry.message}")
        else:
            yield ScoreRow(*head, entry.value, "ok")


def _obstacle(metric: Metric, scene: SceneEntry | None) -> str:
    """Why a metric is not defined for a scene of the run; empty when it is, or is unknown."""
    if scene is None or scene.status != "ok":
        return ""
    return metric.obstacle(scene.sources, (scene.height, scene.width), scene.reference)
