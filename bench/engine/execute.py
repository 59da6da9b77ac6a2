"""From names and options to a finished run: plug-ins, selection, data, workers."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.devices import check_device
from bench.core.errors import UsageError
from bench.core.fingerprint import file_digest
from bench.core.plugins import load_plugin, plugin_of
from bench.engine.options import WORKERS, RunOptions
from bench.engine.runner import Run, Selection
from bench.engine.scene_run import Progress
from bench.engine.selection import (
    ConfiguredMethod,
    SelectedMethod,
    select_methods,
    select_metrics,
    select_scenes,
)
from bench.engine.worker_imports import check_workers_find, registered_from
from bench.store.store import Store
from datasets.catalog import CataloguedFile
from datasets.fetch import fetch
from methods import NETWORK_FAMILIES

if TYPE_CHECKING:
    from bench.workers.dask_worker import Cluster

Names = str | Sequence[str]

#: Of each plug-in that this process has loaded: the hashes of its files.
_loaded: dict[Path, dict[Path, str]] = {}


def load_plugins(files: Sequence[Path | str]) -> None:
    """Load each plug-in once, however often it is named: a notebook runs again and again.

    Raises
    ------
    UsageError
        A file cannot be loaded, or has changed since it was loaded.
    """
    for file in files:
        path = Path(file).resolve()
        if path.is_file() and registered_from(path):
            for own, digest in _loaded.get(path, {}).items():
                if not own.is_file() or file_digest(own) != digest:
                    name = file if own == path else own
                    raise UsageError(f"plug-in {name}: changed since it was loaded; restart Python")
            continue
        load_plugin(file)
        _loaded[path] = {own: file_digest(own) for own in _files_of(path)}


def _files_of(plugin: Path) -> list[Path]:
    """The file of a plug-in and those beside it that it has imported."""
    names = [name for name in list(sys.modules) if plugin_of(name) == plugin]
    files = [Path(str(getattr(sys.modules[name], "__file__", ""))) for name in names]
    return [plugin, *(file for file in files if file.is_file())]


@contextlib.contextmanager
def network(*, offline: bool) -> Iterator[None]:
    """Use no network within the block if `offline`, as with ``MFIF_OFFLINE=1``."""
    before = os.environ.get("MFIF_OFFLINE")
    if offline:
        os.environ["MFIF_OFFLINE"] = "1"
    try:
        yield
    finally:
        if offline and before is None:
            del os.environ["MFIF_OFFLINE"]
        elif offline:
            os.environ["MFIF_OFFLINE"] = str(before)


def select(options: RunOptions, methods: Names, datasets: Names, metrics: Names) -> Selection:
    """What a run consists of, by name; nothing is read yet."""
    check_device(options.device, here=options.scheduler is None)
    load_plugins(options.plugins)
    scenes = select_scenes(datasets, options.layout)
    chosen = options.selection(scenes, select_methods(methods, scenes), select_metrics(metrics))
    check_workers_find(chosen)
    return chosen


def without_torch(methods: Sequence[SelectedMethod]) -> str:
    """What to say when learned methods are selected and PyTorch is missing; else empty."""
    learned = [method.name for method in methods if method.family in NETWORK_FAMILIES]
    if not learned or importlib.util.find_spec("torch") is not None:
        return ""
    return f"PyTorch is not installed: {', '.join(learned)} will fail; see bench doctor"


def store_of(options: RunOptions, out: Path) -> Store:
    """The folder of the records."""
    return Store(Path(options.store) if options.store else out / "store")


def execute(
    selection: Selection, options: RunOptions, out: Path, store: Store, progress: Progress
) -> Run:
    """Fetch the data, run every cell, write the manifest; returns the finished run."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {out}: cannot be made ({error.strerror})") from None
    fetch([file for scene in selection.scenes for file in scene.files])
    fetch(_weights(selection.methods))
    with _cluster(options) as cluster:
        task = Run(selection, out, store, progress, cluster)
        task.execute()
    return task


def _weights(methods: Sequence[SelectedMethod]) -> list[tuple[str, str]]:
    """Collection and path of the catalogued weights; a cell without its own is skipped later."""
    chosen = [m.method for m in methods if isinstance(m, ConfiguredMethod)]
    files = [f for m in chosen for f in m.weights if isinstance(f, CataloguedFile)]
    return [(file.collection, file.path) for file in files]


def _cluster(options: RunOptions) -> contextlib.AbstractContextManager[Cluster | None]:
    if options.backend == "local":
        return contextlib.nullcontext()
    from bench.workers.dask_worker import connect

    gpu = options.device.startswith("cuda")
    return connect(options.scheduler, options.workers or WORKERS, gpu=gpu)
