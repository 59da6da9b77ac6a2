"""One cell: a method on a scene, fused, scored, timed — each result a record in the store."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import fusion
from bench.errors import BenchError, ContractViolation, DataUnavailable, ImageError, Skipped
from bench.images import quantise
from bench.plan import Variant, metric_fingerprint, score_key
from bench.published import Published
from bench.store import Store
from bench.timing import timed
from datasets import Scene, SceneImages
from metrics import Metric, Plane, Scorer

Record = dict[str, Any]


@dataclass(frozen=True)
class FusionJob:
    """A method bound to the sources of one scene.

    Attributes
    ----------
    variant : Variant
        Method and parameters.
    stack : ndarray
        The prepared sources.
    dtype : type
        Of the fused image.
    device : str
        Where learned methods run.
    """

    variant: Variant
    stack: NDArray[np.float32]
    dtype: type
    device: str

    def __call__(self) -> NDArray[Any]:
        """Fuse: the part that is timed."""
        method = self.variant.method
        call = fusion.call(method, self.variant.parameters, self.device)
        return fusion.run(method, self.stack, call)


def job(variant: Variant, images: SceneImages, device: str) -> FusionJob:
    """The fusion of a scene by a method, ready to be run."""
    deep = all(source.dtype == np.uint16 for source in images.sources)
    stack = fusion.prepare(images.sources)
    return FusionJob(variant, stack, np.uint16 if deep else np.uint8, device)


def fuse(task: FusionJob, store: Store, key: str) -> Record:
    """Run a cell and store its record; an error becomes the record's status."""
    fused: NDArray[Any] | None = None
    record: Record = {"status": "ok", "message": "", "inputs": task.variant.identity}
    try:
        fused, record["first_s"] = timed(task, task.device)
        record["pixels"] = store.put_image(quantise(fused, task.dtype))
    except KeyboardInterrupt:
        raise
    except Skipped as reason:
        record |= {"status": "skipped", "message": str(reason)}
    except ContractViolation as error:
        record |= {"status": "invalid", "message": str(error)}
    except MemoryError as error:
        record |= {"status": "oom", "message": str(error) or "out of memory"}
    except Exception as error:
        if fused is not None:
            raise  # the store failed, not the method
        record |= {"status": "failed", "message": _reason(error)}
    store.put(key, record)
    return record


def adopt(published: Published, scene: Scene, store: Store, key: str) -> Record:
    """Store a published fused image of `scene` as the record of its cell."""
    record: Record = {"status": "ok", "message": "", "inputs": published.identity}
    try:
        record["pixels"] = store.put_image(published.image(scene))
    except (DataUnavailable, ImageError) as error:
        status = "skipped" if isinstance(error, DataUnavailable) else "failed"
        return {"status": status, "message": str(error)}
    store.put(key, record)
    return record


def score(
    scorer: Callable[[], Scorer],
    metrics: list[Metric],
    store: Store,
    scene: str,
    pixels: str,
) -> dict[str, Record]:
    """Scores of a stored fused image: those in the store, and the missing ones computed.

    Parameters
    ----------
    scorer : callable
        Gives the scene's `Scorer`; called only when something is to be computed.
    metrics : list of Metric
        Which.
    store : Store
        Where the image is and the scores go.
    scene, pixels : str
        Hashes of the scene and of the fused image.

    Returns
    -------
    dict
        Metric name to ``{"status", "value", "message", "fingerprint"}``.
    """
    key = score_key(scene, pixels)
    known: dict[str, Record] = (store.get(key) or {}).get("scores", {})
    marks = {metric.name: metric_fingerprint(metric) for metric in metrics}
    missing = [m for m in metrics if known.get(m.name, {}).get("fingerprint") != marks[m.name]]
    if missing:
        fused = store.get_image(pixels)
        if fused is None:
            raise BenchError(f"{store.root}: fused image {pixels} is missing or damaged")
        plane = Plane.of(fused)
        fresh = {m.name: _score_one(scorer(), plane, m) for m in missing}
        known |= {name: {**entry, "fingerprint": marks[name]} for name, entry in fresh.items()}
        store.put(key, {"scene": scene, "pixels": pixels, "scores": known})
    return {metric.name: known[metric.name] for metric in metrics}


def _score_one(scorer: Scorer, fused: Plane, metric: Metric) -> Record:
    try:
        value = float(scorer.score(fused, metric.name))
    except Exception as error:
        return {"status": "failed", "value": None, "message": _reason(error)}
    if np.isnan(value):
        return {"status": "invalid", "value": None, "message": f"{metric.name} is NaN"}
    return {"status": "ok", "value": value, "message": ""}


def _reason(error: Exception) -> str:
    """An expected error's sentence; of an unexpected one its type and place too."""
    if isinstance(error, BenchError):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text} ({frame.filename.rsplit('/', 1)[-1]}:{frame.lineno})"
