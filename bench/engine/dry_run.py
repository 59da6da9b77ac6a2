"""What a run would do: which of its results are stored, and which would be computed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.engine import cell
from bench.engine.runner import Run
from bench.engine.scene_run import SceneRun
from bench.engine.selection import ConfiguredMethod
from bench.store.keys import timing_key


@dataclass
class SceneForecast:
    """The plan of one scene.

    Attributes
    ----------
    name : str
        ``dataset/scene``.
    trouble : str
        Why it cannot be read; empty when it can.
    stored, fused : list of str
        Methods whose cells are there, and those to be fused.
    scores : int
        Scores that are missing of the images that are there.
    timings : int
        Timings that are missing of them.
    """

    name: str
    trouble: str = ""
    stored: list[str] = field(default_factory=list)
    fused: list[str] = field(default_factory=list)
    scores: int = 0
    timings: int = 0

    def __str__(self) -> str:
        if self.trouble:
            return f"{self.name}: {self.trouble}"
        parts = [f"{len(self.stored)} stored", f"{len(self.fused)} to fuse"]
        if self.fused:
            parts[-1] += f" ({' '.join(self.fused)})"
        if self.scores:
            parts.append(f"{self.scores} scores of stored images to compute")
        if self.timings:
            parts.append(f"{self.timings} stored to time")
        return f"{self.name}: {', '.join(parts)}"


@dataclass(frozen=True)
class Forecast:
    """The plan of a run, scene by scene."""

    scenes: list[SceneForecast]

    def lines(self) -> Iterator[str]:
        """A line for each scene, and one for them all."""
        yield from map(str, self.scenes)
        stored, fused = (sum(len(getattr(s, k)) for s in self.scenes) for k in ("stored", "fused"))
        scores, timings = (sum(getattr(s, k) for s in self.scenes) for k in ("scores", "timings"))
        yield (
            f"in all: {stored + fused} cells, {stored} stored, {fused} to fuse; of the stored, "
            f"{scores} scores to compute and {timings} to time"
        )


def forecast(run: Run) -> Forecast:
    """The plan of `run`; reads scenes and records, computes and writes nothing."""
    try:
        return Forecast([_scene(part) for part in run.parts])
    finally:
        run.close()


def _scene(part: SceneRun) -> SceneForecast:
    plan = SceneForecast(part.scene.name)
    images = part.read()
    if images is None:
        plan.trouble = str(part.about["message"])
        return plan
    metrics = part.applicable(images)
    for entrant in part.entrants:
        key, record = part.stored(entrant)
        if record is None:
            plan.fused.append(entrant.name)
            continue
        plan.stored.append(entrant.name)
        if record["status"] != "ok":
            continue
        fingerprint, pixels = part.about["fingerprint"], record["pixels"]
        found = cell.look_up(metrics, part.store, fingerprint, pixels, part.rerun.again)
        plan.scores += len(found.missing)
        if isinstance(entrant, ConfiguredMethod) and part.repeats:
            plan.timings += part.untimed({"timing": timing_key(key, part.machine)})
    return plan
