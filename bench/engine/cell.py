"""One cell: a method on a scene, fused and scored — each result a record in the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import BenchError, DataUnavailable, ImageError
from bench.core.image_io import encode_png
from bench.core.jpeg import through_jpeg
from bench.engine.fused_bits import at_scale_of
from bench.engine.image_folder import ImageFolder
from bench.engine.published import PublishedMethod, compression_of
from bench.engine.selection import ConfiguredMethod
from bench.store.keys import score_key
from bench.store.library_versions import environment_id
from bench.store.records import FusionRecord, ScoreRecord, scores_body, scores_from
from bench.store.store import Store, is_hash, pixel_hash
from bench.workers.worker import Worker
from datasets import Scene
from metrics import Metric


def find(store: Store, key: str) -> FusionRecord | None:
    """The record of a cell; None if it or its fused image is missing or corrupted."""
    record = FusionRecord.from_body(store.get(key))
    if record is None or record.status != "ok":
        return record
    png = store.png(record.pixels) if is_hash(record.pixels) else None
    if png is None or hashlib.sha256(png).hexdigest() != record.file:
        return None
    return record


def fuse(
    method: ConfiguredMethod, worker: Worker, store: Store, key: str, machine: str
) -> FusionRecord:
    """Run a cell; store its image and its record, whose status tells how it ended."""
    result = worker.fuse(method.method.name, method.parameters)
    record: FusionRecord = result.record
    if record.status == "ok":
        store.put_png(record.pixels, result.png)
    record.machine = machine
    record.inputs = store.put_once({"inputs": method.identity})
    record.environment = _environment(store, result.versions)
    store.put(key, record.to_body())
    return record


def adopt(
    published: PublishedMethod | ImageFolder,
    scene: Scene,
    store: Store,
    key: str,
    sources: Callable[[], Sequence[NDArray[Any]]],
    bits: int = 0,
) -> FusionRecord:
    """Store a fused image of `scene` that exists already as the record of its cell."""
    try:
        stored = published.image(scene)
        image = at_scale_of(stored, sources(), bits) if bits else stored
        facts = compression_of(published.path(scene), image, sources)
    except (DataUnavailable, ImageError) as error:
        status = "skipped" if isinstance(error, DataUnavailable) else "failed"
        return FusionRecord(status, str(error))
    record = _kept(store, image)
    if facts:
        record.compression, record.subsampling = facts.label, facts.subsampling
    scaled = f"its fused image has {bits} bits too and was scaled as the sources were"
    record.note = "; ".join(filter(None, [published.note(scene), scaled * (image is not stored)]))
    record.inputs = store.put_once({"inputs": published.identity})
    store.put(key, record.to_body())
    return record


def derive(lossless: FusionRecord, quality: int, subsampling: str, store: Store) -> FusionRecord:
    """Store a fused image once more as JPEG of that quality gives it back; nothing is fused."""
    image = store.get_image(lossless.pixels)
    if image is None:
        raise BenchError(f"{store.root}: fused image {lossless.pixels} is missing or damaged")
    try:
        if image.dtype == np.uint16:  # a JPEG image has 8 bits
            image = ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
        lossy = through_jpeg(image, quality, subsampling)
    except ImageError as error:
        return FusionRecord("failed", str(error))
    record = _kept(store, lossy)
    record.compression, record.subsampling = f"jpeg{quality}", subsampling
    return record


def _kept(store: Store, image: NDArray[Any]) -> FusionRecord:
    """The record of an image that exists, whose PNG file is stored."""
    png = encode_png(image)
    record = FusionRecord("ok", pixels=pixel_hash(image), file=hashlib.sha256(png).hexdigest())
    store.put_png(record.pixels, png)
    return record


def _environment(store: Store, versions: Mapping[str, str]) -> str:
    return environment_id(store, dict(versions)) if versions else ""


@dataclass(frozen=True)
class Scores:
    """The known scores of one fused image, and those to compute.

    Attributes
    ----------
    key : str
        Key of the scores' record.
    known : dict of str to ScoreRecord
        Stored scores by metric; may hold metrics that were not selected.
    missing : list of Metric
        The selected ones that have no current score.
    """

    key: str
    known: dict[str, ScoreRecord]
    missing: list[Metric]


def look_up(
    metrics: Mapping[str, tuple[Metric, str]],
    store: Store,
    scene: str,
    pixels: str,
    again: Callable[[str], bool] = lambda status: False,
) -> Scores:
    """The stored scores of a fused image.

    Parameters
    ----------
    metrics : mapping of str to (Metric, str)
        Which, by name, each with the fingerprint of its code.
    store : Store
        Where they are.
    scene, pixels : str
        Hashes of the scene and of the fused image.
    again : callable
        Whether a stored score of that status is computed again.
    """
    key = score_key(scene, pixels)
    known = scores_from(store.get(key))
    missing = []
    for name, (metric, fingerprint) in metrics.items():
        score = known.get(name)
        if score is None or score.fingerprint != fingerprint or again(score.status):
            missing.append(metric)
    return Scores(key, known, missing)


def score(
    worker: Worker,
    found: Scores,
    metrics: Mapping[str, tuple[Metric, str]],
    store: Store,
    scene: str,
    pixels: str,
) -> dict[str, ScoreRecord]:
    """Scores of a stored fused image: those `found`, and the missing ones computed."""

    def load() -> NDArray[Any]:
        fused = store.get_image(pixels)
        if fused is None:
            raise BenchError(f"{store.root}: fused image {pixels} is missing or damaged")
        return fused

    known = dict(found.known)
    for metric in found.missing:
        result = worker.score(metric.name, pixels, load)
        record: ScoreRecord = result.record
        record.fingerprint = metrics[metric.name][1]
        record.environment = _environment(store, result.versions)
        known[metric.name] = record
    if found.missing:
        store.put(found.key, scores_body(scene, pixels, known))
    return {name: known[name] for name in metrics}


def unscored(found: Scores, metrics: Sequence[str], message: str) -> dict[str, ScoreRecord]:
    """The known scores, and ``skipped`` with `message` for the missing ones."""
    missing = {metric.name for metric in found.missing}
    return {
        name: ScoreRecord("skipped", message) if name in missing else found.known[name]
        for name in metrics
    }
