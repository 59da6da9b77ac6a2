"""What a run would do: which of its results are stored, and which would be computed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.engine import cell
from bench.engine.runner import AnyWorker, Run
from bench.engine.scene_run import SceneRun
from bench.engine.selection import ConfiguredMethod


@dataclass
class SceneDryRun:
    """What a run would do on one scene.

    Attributes
    ----------
    name : str
        ``dataset/scene``.
    message : str
        Why the scene cannot be read; empty when it can.
    stored, fused : list of str
        Methods whose cells are stored, and those to be fused.
    scores : int
        Scores that are missing of the stored images.
    timings : int
        Timings that are missing of them.
    """

    name: str
    message: str = ""
    stored: list[str] = field(default_factory=list)
    fused: list[str] = field(default_factory=list)
    scores: int = 0
    timings: int = 0

    def __str__(self) -> str:
        if self.message:
            return f"{self.name}: {self.message}"
        parts = [f"{len(self.stored)} stored", f"{len(self.fused)} to fuse"]
        if self.fused:
            parts[-1] += f" ({' '.join(self.fused)})"
        if self.scores:
            parts.append(f"{self.scores} scores of stored images to compute")
        if self.timings:
            parts.append(f"{self.timings} stored to time")
        return f"{self.name}: {', '.join(parts)}"


@dataclass(frozen=True)
class DryRun:
    """What a run would do, scene by scene."""

    scenes: list[SceneDryRun]

    def lines(self) -> Iterator[str]:
        """A line for each scene, and one for them all."""
        yield from map(str, self.scenes)
        stored, fused = (sum(len(getattr(s, k)) for s in self.scenes) for k in ("stored", "fused"))
        scores, timings = (sum(getattr(s, k) for s in self.scenes) for k in ("scores", "timings"))
        yield (
            f"in all: {stored + fused} cells, {stored} stored, {fused} to fuse; of the stored, "
            f"{scores} scores to compute and {timings} to time"
        )


def dry_run(run: Run) -> DryRun:
    """What `run` would do; reads scenes and records, computes and writes nothing."""
    try:
        worker = run.worker()
        return DryRun([_scene(part, worker) for part in run.parts])
    finally:
        run.close()


def _scene(part: SceneRun, worker: AnyWorker) -> SceneDryRun:
    result = SceneDryRun(part.scene.name)
    facts = part.read(worker)
    if facts.status != "ok":
        result.message = facts.message
        return result
    metrics, settings = part.applicable(facts), part.settings
    for method in part.methods:
        key, record = part.stored(method, facts)
        if record is None:
            if settings.rerun.missing:
                result.fused.append(method.name)
            continue
        result.stored.append(method.name)
        if record.status != "ok":
            continue
        found = cell.look_up(
            metrics, settings.store, facts.fingerprint, record.pixels, settings.rerun.again
        )
        result.scores += len(found.missing)
        if isinstance(method, ConfiguredMethod) and settings.repeats:
            result.timings += part.untimed(key)
    return result
