"""What is done with one scene: fuse, score, time. It knows no store and no other scene.

The same object works in this process or, under a supervisor, in a child that may be killed at
any moment (see `bench.workers.subprocess_worker`); what it finds out is in what its methods
return.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.devices import pin_torch, timed
from bench.core.environment import libraries
from bench.core.errors import BenchError, ContractViolation, Skipped
from bench.core.image_io import encode_png
from bench.core.pixels import quantise
from bench.core.plugins import PLUGIN_PREFIX
from bench.core.precision import Precision
from bench.store.store import pixel_hash
from bench.workers import memory
from datasets import SceneImages
from methods import METHODS, Sources, bind, fuse_prepared
from metrics import Plane, Scorer

Record = dict[str, Any]


class Workbench:
    """Works on the images of one scene.

    Parameters
    ----------
    images : SceneImages
        The scene.
    device : str
        Where learned methods run.
    threads : int
        That torch is held to; the other libraries are pinned by the caller.
    precision : {'auto', 'fp32', 'bf16'}
        In which learned methods compute.
    """

    def __init__(
        self, images: SceneImages, device: str, threads: int, precision: Precision = "auto"
    ) -> None:
        self._images = images
        self._device = device
        self._threads = threads
        self._precision = precision
        self._scorer: Scorer | None = None
        self._fused: tuple[str, NDArray[Any] | Plane] | None = None
        self._warm: set[str] = set()

    def fuse(self, method: str, parameters: Mapping[str, Any]) -> tuple[Record, bytes]:
        """Fuse; returns the record and, when its status is ``ok``, the image as PNG.

        An error of the method becomes the record's status.
        """
        record: Record = {"status": "ok", "message": "", "libraries": libraries()}
        data = b""
        with memory.peak() as peak:
            try:
                fused, record["first_s"] = self._timed(method, parameters)
                image = quantise(fused, self._dtype())
                record["pixels"], data = pixel_hash(image), encode_png(image)
                self._fused = record["pixels"], image
            except Skipped as reason:
                record |= {"status": "skipped", "message": str(reason)}
            except ContractViolation as error:
                record |= {"status": "invalid", "message": str(error)}
            except MemoryError as error:
                record |= {"status": "oom", "message": str(error) or "out of memory"}
            except (Exception, SystemExit) as error:
                record |= {"status": "failed", "message": reason_of(error)}
        return record | {"peak_bytes": peak.bytes}, data

    def hold(self, pixels: str, image: NDArray[Any]) -> None:
        """Take a fused image, known by the hash of its pixels, to score it next."""
        self._fused = pixels, image

    def score(
        self, metric: str, pixels: str, load: Callable[[], NDArray[Any]] | None = None
    ) -> Record:
        """One index of a fused image.

        Parameters
        ----------
        metric : str
            The index.
        pixels : str
            The image's hash.
        load : callable, optional
            Gives the image; called unless it is the one that was fused, held or scored last.
        """
        if load is not None and (self._fused is None or self._fused[0] != pixels):
            self.hold(pixels, load())
        try:
            value = float(self._scene().score(self._plane(pixels), metric))
        except ContractViolation as error:
            return _no_value("invalid", str(error))
        except MemoryError as error:
            return _no_value("oom", str(error) or f"{metric}: out of memory")
        except (Exception, SystemExit) as error:
            return _no_value("failed", reason_of(error))
        return {"status": "ok", "value": value, "message": "", "libraries": libraries()}

    def close(self) -> None:
        """Nothing is left behind."""

    def abandon(self) -> None:
        """Nothing can be ended early in this process."""

    def seconds(self, method: str, parameters: Mapping[str, Any]) -> float | None:
        """Time one fusion, of a method that has run before; None when it fails."""
        try:
            if _call_name(method, parameters) not in self._warm:
                self._timed(method, parameters)
            return self._timed(method, parameters)[1]
        except (Exception, SystemExit):
            return None

    def _timed(self, method: str, parameters: Mapping[str, Any]) -> tuple[NDArray[Any], float]:
        """Fuse sources of its own, so that a method which writes into them harms no other."""
        pin_torch(self._threads)
        entry = METHODS[method]
        sources = Sources.of(self._images.sources)
        reference = self._images.reference
        call = bind(entry, parameters, self._device, self._precision, reference)
        result = timed(lambda: fuse_prepared(entry, sources, call), self._device)
        self._warm.add(_call_name(method, parameters))
        return result

    def _dtype(self) -> type:
        deep = all(source.dtype == np.uint16 for source in self._images.sources)
        return np.uint16 if deep else np.uint8

    def _scene(self) -> Scorer:
        if self._scorer is None:
            self._scorer = Scorer(self._images.sources, self._images.reference)
        return self._scorer

    def _plane(self, pixels: str) -> Plane:
        """The fused image as indexes see it, with what they have computed of it already."""
        if self._fused is None or self._fused[0] != pixels:
            raise BenchError(f"the fused image {pixels} is not here")
        plane = self._fused[1]
        if not isinstance(plane, Plane):
            plane = Plane.of(plane)
            self._fused = pixels, plane
        return plane


def _call_name(method: str, parameters: Mapping[str, Any]) -> str:
    return f"{method} {sorted(parameters.items())}"


def _no_value(status: str, message: str) -> Record:
    return {"status": status, "value": None, "message": message}


def reason_of(error: BaseException) -> str:
    """An expected error's sentence; of an unexpected one its type and place too.

    The place is in the user's own file, if the error passed through one, or else the deepest.
    """
    if isinstance(error, BenchError):
        return str(error)
    walk = list(traceback.walk_tb(error.__traceback__))
    own = [k for k, (frame, _) in enumerate(walk) if _is_plugin(frame)]
    frames = list(traceback.extract_tb(error.__traceback__))
    if own:
        frames = frames[: own[-1] + 1]
    text = " ".join(str(error).split())
    where = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text}{where}"


def _is_plugin(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith(PLUGIN_PREFIX)
