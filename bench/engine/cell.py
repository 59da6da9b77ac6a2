"""One cell: a method on a scene, fused, scored, timed — each result a record in the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from bench.core.errors import BenchError, DataUnavailable, ImageError
from bench.engine.image_folder import ImageFolder
from bench.engine.published import PublishedMethod
from bench.engine.selection import ConfiguredMethod
from bench.store.keys import metric_fingerprint, score_key
from bench.store.library_versions import body
from bench.store.store import Store
from datasets import Scene
from metrics import Metric

Record = dict[str, Any]


class Bench(Protocol):
    """Where the work on one scene is done: a `Workbench` here, or `Supervised` in a child."""

    def fuse(self, method: str, parameters: Mapping[str, Any]) -> tuple[Record, bytes]:
        """Record of a fusion, and the fused image as PNG."""

    def score(self, metric: str, pixels: str, load: Callable[[], NDArray[Any]]) -> Record:
        """One index of the fused image that `load` gives."""

    def seconds(self, method: str, parameters: Mapping[str, Any]) -> float | None:
        """Time one fusion."""

    def close(self) -> None:
        """End."""

    def abandon(self) -> None:
        """End at once, from another thread."""


@dataclass(frozen=True)
class FusionJob:
    """A method on the bench of one scene.

    Attributes
    ----------
    variant : ConfiguredMethod
        Method and parameters.
    bench : Bench
        Where it is run.
    """

    variant: ConfiguredMethod
    bench: Bench

    def fuse(self) -> tuple[Record, bytes]:
        """The record, and the fused image as PNG."""
        return self.bench.fuse(self.variant.method.name, self.variant.parameters)

    def __call__(self) -> float | None:
        """Fuse once more; returns the seconds it took, or None."""
        return self.bench.seconds(self.variant.method.name, self.variant.parameters)


def fuse(task: FusionJob, store: Store, key: str) -> Record:
    """Run a cell and store its image and its record, whose status tells how it ended."""
    record, png = task.fuse()
    if record["status"] == "ok":
        store.put_png(record["pixels"], png)
    record["inputs"] = task.variant.identity
    store.put(key, _with_versions(record, store))
    return record


def adopt(published: PublishedMethod | ImageFolder, scene: Scene, store: Store, key: str) -> Record:
    """Store a fused image that exists already of `scene` as the record of its cell."""
    record: Record = {"status": "ok", "message": "", "inputs": published.identity}
    try:
        record["pixels"] = store.put_image(published.image(scene))
    except (DataUnavailable, ImageError) as error:
        status = "skipped" if isinstance(error, DataUnavailable) else "failed"
        return {"status": status, "message": str(error)}
    store.put(key, record)
    return record


def _with_versions(record: Record, store: Store) -> Record:
    """The record with its library versions in a record of their own, which it names."""
    if isinstance(versions := record.get("libraries"), Mapping):
        record["libraries"] = store.put_once(body(versions))
    return record


@dataclass(frozen=True)
class Scores:
    """What is known of the indexes of one fused image, and what is to be computed.

    Attributes
    ----------
    key : str
        Of their record.
    known : dict
        Metric name to its entry; may hold metrics that are not asked for.
    missing : list of Metric
        Those asked for that have no entry to be believed.
    """

    key: str
    known: dict[str, Record]
    missing: list[Metric]


def look_up(
    metrics: Sequence[Metric],
    store: Store,
    scene: str,
    pixels: str,
    again: Callable[[Record], bool] = lambda entry: False,
) -> Scores:
    """The stored scores of a fused image.

    Parameters
    ----------
    metrics : sequence of Metric
        Which.
    store : Store
        Where they are.
    scene, pixels : str
        Hashes of the scene and of the fused image.
    again : callable
        Told an entry, says whether it is to be computed all the same.
    """
    key = score_key(scene, pixels)
    known: dict[str, Record] = (store.get(key) or {}).get("scores", {})
    missing = []
    for metric in metrics:
        entry = known.get(metric.name, {})
        if entry.get("fingerprint") != metric_fingerprint(metric) or again(entry):
            missing.append(metric)
    return Scores(key, known, missing)


def score(
    bench: Bench, found: Scores, metrics: Sequence[Metric], store: Store, scene: str, pixels: str
) -> dict[str, Record]:
    """Scores of a stored fused image: those `found`, and the missing ones computed.

    Returns
    -------
    dict
        Metric name to ``{"status", "value", "message", "fingerprint"}``.
    """

    def load() -> NDArray[Any]:
        fused = store.get_image(pixels)
        if fused is None:
            raise BenchError(f"{store.root}: fused image {pixels} is missing or damaged")
        return fused

    known = dict(found.known)
    for metric in found.missing:
        entry = bench.score(metric.name, pixels, load)
        entry["fingerprint"] = metric_fingerprint(metric)
        known[metric.name] = _with_versions(entry, store)
    if found.missing:
        store.put(found.key, {"scene": scene, "pixels": pixels, "scores": known})
    return {metric.name: known[metric.name] for metric in metrics}
