"""More machines: the same work on one scene, done by the workers of a dask.distributed cluster.

This process keeps the store and the order, and reads the scenes. A machine of the cluster gets a
scene's images once and gives back records and images through the network, so that it needs
neither the store nor a shared disk. There the work is done in a subprocess as in a local run:
dask cannot stop a running task, and would restart its whole worker for a crash.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import inspect
import os
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bench.core.errors import EnvironmentFault
from bench.core.fingerprint import source_files
from bench.core.plugins import plugin_of
from bench.workers.main_module import main_not_imported
from bench.workers.process import Limits, Setup
from bench.workers.scene_loader import SceneFacts
from bench.workers.subprocess_worker import SubprocessWorker
from bench.workers.worker import Result, Seconds
from datasets import Scene, SceneImages
from methods import METHODS, Method
from metrics import METRICS

#: The name of a plug-in's file, and the content of that, its helpers and weights by relative path.
Plugin = tuple[str, dict[str, bytes]]

#: Answered by a worker that was asked to score an image which it does not have.
NEEDS_IMAGE = "needs the image"
#: How often a request is tried when its worker ends.
TRIES = 4
#: Seconds to wait for the first worker.
PATIENCE = 60.0
#: What dask's workers call their graphics cards, by convention.
GPU = "GPU"
#: Daemonic workers, dask's default, may not start processes.
SETTINGS = {"distributed.worker.daemon": False}


@dataclasses.dataclass
class Cluster:
    """A connection to workers.

    Attributes
    ----------
    client : distributed.Client
        The connection.
    slots : int
        Number of scenes that can be worked on at the same time.
    remote : bool
        Whether its machines are not this one.
    """

    client: Any
    slots: int
    remote: bool = False

    def worker(
        self, reader: SubprocessWorker, setup: Setup, limits: Limits, fresh: bool
    ) -> DaskWorker:
        """A worker on whichever machine is free."""
        return DaskWorker(self.client, reader, setup, limits, fresh)


@contextlib.contextmanager
def connect(scheduler: str | None, workers: int, *, gpu: bool = False) -> Iterator[Cluster]:
    """Connect to a running scheduler, or start workers on this machine for the block.

    Parameters
    ----------
    scheduler : str or None
        Address of the scheduler, such as ``tcp://host:8786``.
    workers : int
        How many to start without a scheduler.
    gpu : bool
        Whether to use only workers with the resource `GPU`; those started here have it.

    Raises
    ------
    EnvironmentFault
        dask.distributed is not installed, the scheduler cannot be reached, or it has no worker
        that can be used.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise EnvironmentFault(
            f"--backend dask needs dask.distributed ({error}): install mfif-bench[dask]"
        ) from error
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(SETTINGS))
        try:
            if scheduler is None:
                stack.enter_context(main_not_imported())  # dask may start workers again later
                cluster = LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    dashboard_address=None,
                    resources={GPU: 1} if gpu else {},
                )
                target = stack.enter_context(cluster)
            else:
                target = scheduler
            client = stack.enter_context(Client(target, timeout=PATIENCE))
            client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, ValueError) as error:
            raise EnvironmentFault(f"scheduler {scheduler or 'local'}: {error}") from error
        yield Cluster(client, _slots(client, gpu), remote=scheduler is not None)


def _slots(client: Any, gpu: bool) -> int:
    """Scenes that the workers, or those with a GPU, can take at the same time."""
    found = client.scheduler_info(n_workers=-1)["workers"].values()
    if not gpu:
        return max(1, sum(worker["nthreads"] for worker in found))
    slots = sum(min(worker["nthreads"], int(worker["resources"].get(GPU, 0))) for worker in found)
    if not slots:
        raise EnvironmentFault(
            f"none of {len(found)} workers has a GPU; start them with `dask worker ADDRESS "
            f"--resources {GPU}=1`"
        )
    return slots


class DaskWorker:
    """A `bench.workers.worker.Worker` on whichever machine of the cluster is free.

    Parameters
    ----------
    client : distributed.Client
        Connection to the cluster.
    reader : SubprocessWorker
        Reads scenes here.
    setup : Setup
        Device, threads, plug-ins and number format.
    limits : Limits
        Limits of one fusion, or of one score.
    fresh : bool
        Whether every fusion gets a process of its own.
    """

    #: A cluster asks for many scenes at once, and all are read on this machine.
    _room = threading.Semaphore(os.cpu_count() or 1)

    def __init__(
        self, client: Any, reader: SubprocessWorker, setup: Setup, limits: Limits, fresh: bool
    ) -> None:
        self._client = client
        self._reader = reader
        self._plugins = [_folder_of(path) for path in setup.plugins]
        self._options = (limits, fresh)
        self._gpu = setup.device.startswith("cuda")
        self._setup = dataclasses.replace(setup, plugins=(), environment={})
        self._abandoned = threading.Event()
        self._reset()

    def _reset(self) -> None:
        self._token = uuid.uuid4().hex
        self._sent: Any = None
        self._where = ""

    def open(self, scene: Scene) -> SceneFacts:
        """Read a scene on this machine; it is sent when there is something to do on it."""
        self._leave()
        with self._room:
            return self._reader.open(scene)

    def fuse(self, method: str, parameters: Mapping[str, Any]) -> Result:
        """See `Worker.fuse`."""
        result: Result = self._ask("fuse", method, dict(parameters))
        return result

    def score(self, metric: str, pixels: str, load: Callable[[], NDArray[Any]]) -> Result:
        """See `Worker.score`; the image is sent if the other machine does not have it."""
        answer = self._ask("score", metric, pixels, None)
        if answer == NEEDS_IMAGE:
            image = self._client.scatter(load(), hash=False)
            answer = self._ask("score", metric, pixels, image)
        result: Result = answer
        return result

    def seconds(self, method: str, parameters: Mapping[str, Any]) -> Seconds:
        """See `Worker.seconds`."""
        taken: Seconds = self._ask("seconds", method, dict(parameters))
        return taken

    def notes(self) -> tuple[str, ...] | None:
        """See `Worker.notes`; found out on this machine, which has read the scene."""
        with self._room:
            return self._reader.notes()

    def close(self) -> None:
        """End the processes of the scene, here and on the other machines."""
        self._leave()
        self._reader.close()

    def _leave(self) -> None:
        if self._sent is not None:
            with contextlib.suppress(Exception):  # they end with the dask worker anyway
                self._client.run(_forget, self._token)
        self._reset()

    def abandon(self) -> None:
        """End at once, called from another thread."""
        self._abandoned.set()
        self._reader.abandon()
        with contextlib.suppress(Exception):
            self._client.run(_forget, self._token)

    def _ask(self, name: str, *arguments: Any) -> Any:
        if self._abandoned.is_set():
            raise KeyboardInterrupt
        left = TRIES
        while True:
            left -= 1
            try:
                self._where, answer = self._submit(name, arguments).result()
                return answer
            except Exception as error:
                if self._abandoned.is_set():
                    raise KeyboardInterrupt from error
                if not left:
                    raise EnvironmentFault(f"no worker answered: {error}") from error
                self._sent, self._where = None, ""  # the next worker needs the scene

    def _submit(self, name: str, arguments: tuple[Any, ...]) -> Any:
        if self._sent is None:
            # A new key each time: while the workers delete the old data, dask would take equal
            # data for present, and a task that needs it would wait for ever.
            self._sent = self._client.scatter((self._setup, self._reader.images()), hash=False)
        return self._client.submit(
            _work,
            self._token,
            self._sent,
            self._plugins,
            self._options,
            name,
            *arguments,
            pure=False,
            retries=1,
            workers=[self._where] if self._where else None,
            allow_other_workers=bool(self._where),
            resources={GPU: 1} if self._gpu else None,
        )


#: On a dask worker: the subprocess worker of each token, until `_forget` closes it, and the
#: hashes of the fused images that it holds.
_workers: dict[str, tuple[SubprocessWorker, set[str]]] = {}
_guard = threading.Lock()


def _work(
    token: str,
    sent: tuple[Setup, SceneImages],
    plugins: Sequence[Plugin],
    options: tuple[Limits, bool],
    name: str,
    *arguments: Any,
) -> tuple[str, Any]:
    """On a dask worker: do one request; returns the worker's address and the answer."""
    try:
        return _answer(token, sent, plugins, options, name, *arguments)
    except KeyboardInterrupt:  # which would end the whole dask worker, and others' work on it
        raise EnvironmentFault("the run was interrupted") from None


def _answer(
    token: str,
    sent: tuple[Setup, SceneImages],
    plugins: Sequence[Plugin],
    options: tuple[Limits, bool],
    name: str,
    *arguments: Any,
) -> tuple[str, Any]:
    from distributed import get_worker

    address = str(get_worker().address)
    with _guard:
        if token not in _workers:
            files = [_local_copy(plugin) for plugin in plugins]
            here = dataclasses.replace(sent[0], plugins=files, environment=dict(os.environ))
            _workers[token] = SubprocessWorker(here, *options), set()
            facts = _workers[token][0].open(sent[1])
            if facts.status != "ok":
                del _workers[token]
                raise EnvironmentFault(f"{address}: {facts.message}")
        worker, had = _workers[token]
    if name != "score":
        answer = getattr(worker, name)(*arguments)
        if name == "fuse":
            had.clear()
            had.add(answer.record.pixels)
        return address, answer
    metric, pixels, image = arguments
    if image is None and pixels not in had:
        return address, NEEDS_IMAGE
    try:
        answer = worker.score(metric, pixels, lambda: _sent(image))
    except _NotSent:
        return address, NEEDS_IMAGE
    had.clear()
    had.add(pixels)
    return address, answer


class _NotSent(Exception):
    """The process that held the image has ended, and the request brought no image."""


def _sent(image: NDArray[Any] | None) -> NDArray[Any]:
    if image is None:
        raise _NotSent
    return image


def _forget(token: str) -> None:
    """On a dask worker: end the process of a scene."""
    with _guard:
        entry = _workers.pop(token, None)
    if entry is not None:
        entry[0].abandon()
        entry[0].close()


@functools.cache
def _folder() -> Path:
    """On a dask worker: a folder for plug-ins that no other user can write to."""
    return Path(tempfile.mkdtemp(prefix="mfif-plugins-"))


def _folder_of(plugin: Path) -> Plugin:
    """A plug-in with the helpers and weights of its methods and metrics, by relative path.

    What lies outside of that folder must be on the worker's machine already.
    """
    home = plugin.resolve().parent
    needed = {plugin.resolve()}
    for entry in (*METHODS, *METRICS):
        if plugin_of(inspect.unwrap(entry.fn).__module__) == plugin.resolve():
            needed.update(source_files(entry.fn))
            weights = entry.weights if isinstance(entry, Method) else ()
            needed.update(file for file in weights if isinstance(file, Path))
    files = [f for f in needed if f.is_file() and f.resolve().is_relative_to(home)]
    return plugin.name, {str(f.resolve().relative_to(home)): f.read_bytes() for f in files}


def _local_copy(plugin: Plugin) -> Path:
    """On a dask worker: a plug-in and what it needs, in a folder of their content."""
    name, files = plugin
    digest = hashlib.sha256()
    for place, data in sorted(files.items()):
        digest.update(f"{place} {len(data)} ".encode() + data)
    home = _folder() / digest.hexdigest()[:16]
    for place, data in files.items():
        if not (path := home / place).is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(0o700)  # it may be a program
    return home / name
