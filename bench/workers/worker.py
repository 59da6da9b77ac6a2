"""A worker reads one scene after another, and fuses, scores and times its cells.

`LocalWorker` works in this process, `bench.workers.subprocess_worker.SubprocessWorker` in a
subprocess that may be killed, `bench.workers.dask_worker.DaskWorker` on another machine.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bench.core import child_usage
from bench.core.devices import pin_torch, timed
from bench.core.environment import libraries
from bench.core.errors import BenchError, ContractViolation, Skipped
from bench.core.image_io import encode_png
from bench.core.pixels import quantise
from bench.core.precision import Precision
from bench.core.remarks import collect
from bench.store.records import FusionRecord, ScoreRecord
from bench.store.store import pixel_hash
from bench.workers import memory
from bench.workers.reason import reason_of
from bench.workers.scene_loader import SceneFacts, SceneLoader, read_scene
from datasets import Scene, SceneImages
from methods import METHODS, Sources, bind, fuse_prepared
from metrics import GrayImage, Scorer


@dataclass(frozen=True)
class Result:
    """What a worker returns: a record, and the versions that it was computed with.

    Attributes
    ----------
    record : FusionRecord or ScoreRecord
        Without the keys, which the store adds.
    versions : dict of str to str
        Versions of the libraries.
    png : bytes
        The fused image; empty unless there is one.
    """

    record: Any
    versions: dict[str, str]
    png: bytes = b""


@dataclass(frozen=True)
class Seconds:
    """One timed fusion, or why there is none.

    Attributes
    ----------
    taken, cpu : float
        Seconds, and those of the processor in all threads and in programs that were started.
    status, message : str
        ``ok``, or how it ended otherwise.
    """

    taken: float = 0.0
    status: str = "ok"
    message: str = ""
    cpu: float = 0.0


class Worker(Protocol):
    """The interface of all workers; `open` is called first."""

    def open(self, scene: Scene) -> SceneFacts:
        """Read a scene; the other calls are about this one."""

    def fuse(self, method: str, parameters: Mapping[str, Any]) -> Result:
        """Fuse the scene; the record's status tells how that ended."""

    def score(self, metric: str, pixels: str, load: Callable[[], NDArray[Any]]) -> Result:
        """One metric of the fused image with the hash `pixels`; `load` gives it if it is needed."""

    def seconds(self, method: str, parameters: Mapping[str, Any]) -> Seconds:
        """Time one fusion, after a warm-up."""

    def notes(self) -> tuple[str, ...] | None:
        """What the pixels of the scene show; None if that could not be found out."""

    def close(self) -> None:
        """End the work on the scene and free what it takes."""

    def abandon(self) -> None:
        """End at once, called from another thread."""


class LocalWorker:
    """Works in this process.

    Parameters
    ----------
    device : str
        Device of learned methods.
    threads : int
        Threads of torch; the caller limits the other libraries.
    precision : {'auto', 'fp32', 'bf16'}
        Number format of learned methods.
    """

    def __init__(self, device: str, threads: int, precision: Precision = "auto") -> None:
        self._device = device
        self._threads = threads
        self._precision = precision
        self._forget()

    def _forget(self) -> None:
        self._images: SceneImages | None = None
        self._scorer: Scorer | None = None
        self._fused: tuple[str, NDArray[Any] | GrayImage] | None = None
        self._warm: set[str] = set()

    def open(self, scene: Scene | SceneLoader | SceneImages) -> SceneFacts:
        """See `Worker.open`."""
        self._forget()
        facts, self._images = read_scene(scene)
        return facts

    def images(self) -> SceneImages:
        """The images of the open scene."""
        if self._images is None:
            raise BenchError("no scene is open")
        return self._images

    def fuse(self, method: str, parameters: Mapping[str, Any]) -> Result:
        """See `Worker.fuse`."""
        record, png = FusionRecord("ok"), b""
        with memory.peak() as peak, child_usage.collect() as children, collect() as remarks:
            try:
                fused, record.first_s = self._timed(method, parameters)
                image = quantise(fused, self._dtype())
                record.pixels, png = pixel_hash(image), encode_png(image)
                record.file = hashlib.sha256(png).hexdigest()
                self._fused = record.pixels, image
            except (Exception, SystemExit) as error:
                record = FusionRecord(*_status_of(error))
        record.peak_bytes = peak.bytes + children.peak_bytes
        record.note = "; ".join(remarks)
        return Result(record, libraries(), png)

    def hold(self, pixels: str, image: NDArray[Any]) -> None:
        """Take a fused image, known by the hash of its pixels, to score it next."""
        self._fused = pixels, image

    def score(
        self, metric: str, pixels: str, load: Callable[[], NDArray[Any]] | None = None
    ) -> Result:
        """See `Worker.score`; `load` is called unless the image was fused, held or scored last."""
        if load is not None and (self._fused is None or self._fused[0] != pixels):
            self.hold(pixels, load())
        try:
            value = float(self._scene_scorer().score(self._fused_image(pixels), metric))
            record = ScoreRecord("ok", value=value)
        except (Exception, SystemExit) as error:
            record = ScoreRecord(*_status_of(error))
        return Result(record, libraries())

    def warm(self, method: str, parameters: Mapping[str, Any]) -> Seconds:
        """Fuse once, untimed, unless that was done before; how it ended."""
        try:
            if _call_name(method, parameters) not in self._warm:
                self._timed(method, parameters)
        except (Exception, SystemExit) as error:
            return Seconds(0.0, *_status_of(error))
        return Seconds()

    def seconds(self, method: str, parameters: Mapping[str, Any]) -> Seconds:
        """See `Worker.seconds`."""
        if (warmed := self.warm(method, parameters)).status != "ok":
            return warmed
        before = time.process_time()
        with child_usage.collect() as children:
            try:
                taken = self._timed(method, parameters)[1]
            except (Exception, SystemExit) as error:
                return Seconds(0.0, *_status_of(error))
        return Seconds(taken, cpu=time.process_time() - before + children.cpu_s)

    def notes(self) -> tuple[str, ...] | None:
        """See `Worker.notes`."""
        from datasets.notes import scene_notes

        try:
            return scene_notes(self.images())
        except MemoryError:
            return None

    def close(self) -> None:
        """Forget the scene."""
        self._forget()

    def abandon(self) -> None:
        """Does nothing: work in this process cannot be stopped."""

    def _timed(self, method: str, parameters: Mapping[str, Any]) -> tuple[NDArray[Any], float]:
        """Fuse a new `Sources`, so that a method that changes them affects no other."""
        pin_torch(self._threads)
        entry = METHODS[method]
        images = self.images()
        sources = Sources.of(images.sources)
        call = bind(entry, parameters, self._device, self._precision, images.reference)
        result = timed(lambda: fuse_prepared(entry, sources, call), self._device)
        self._warm.add(_call_name(method, parameters))
        return result

    def _dtype(self) -> type:
        deep = all(source.dtype == np.uint16 for source in self.images().sources)
        return np.uint16 if deep else np.uint8

    def _scene_scorer(self) -> Scorer:
        if self._scorer is None:
            self._scorer = Scorer(self.images().sources, self.images().reference)
        return self._scorer

    def _fused_image(self, pixels: str) -> GrayImage:
        """The fused image as metrics see it, with the parts that they have computed already."""
        if self._fused is None or self._fused[0] != pixels:
            raise BenchError(f"the worker does not hold the fused image {pixels}")
        image = self._fused[1]
        if not isinstance(image, GrayImage):
            image = GrayImage.of(image)
            self._fused = pixels, image
        return image


def _status_of(error: BaseException) -> tuple[str, str]:
    """Status and message of a request that an error ended."""
    if isinstance(error, Skipped):
        return "skipped", str(error)
    if isinstance(error, ContractViolation):
        return "invalid", str(error)
    if isinstance(error, MemoryError):
        return "oom", str(error) or "out of memory"
    return "failed", reason_of(error)


def _call_name(method: str, parameters: Mapping[str, Any]) -> str:
    return f"{method} {sorted(parameters.items())}"
