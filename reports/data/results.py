"""A finished run as tables of pandas: one row a score, one row a timing, one row a failure.

Everything comes from the run's manifest and the timing records of its store.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.core.errors import DataUnavailable
from bench.engine.timing import summary
from bench.store.manifest import PROGRAM_FAMILY, CellEntry, RunManifest, Score, load_manifest
from bench.store.records import TimingRecord
from bench.store.store import Store

KEYS = ["dataset", "scene", "method"]

#: In failures, stands in place of a metric's name where the timing of a cell failed.
TIME = "time"


@dataclass(frozen=True, repr=False)
class Results:
    """The results of a run.

    Attributes
    ----------
    manifest : RunManifest
        What was run.
    store : Store
        Holds the fused images and the timings.
    scores : DataFrame
        ``dataset, scene, method, metric, value, status, compression``: every metric of the run on
        every cell on which it is defined; the value is empty unless the status is ``ok``, the
        compression (``jpeg75``) unless the image is or was JPEG.
    timing : DataFrame
        Seconds by cell; empty where nothing was timed.
    failures : DataFrame
        ``dataset, scene, method, metric, status, message`` of all that is not ok; the metric is
        empty where the fusion failed, and ``time`` where its timing did.
    """

    manifest: RunManifest
    store: Store
    scores: pd.DataFrame
    timing: pd.DataFrame
    failures: pd.DataFrame

    def __repr__(self) -> str:
        """How many cells, scores and failures there are, and where."""
        cells = len(self.manifest.cells)
        return (
            f"Results({cells} cells, {len(self.scores)} scores, {len(self.failures)} failures; "
            f"store {self.store.root})"
        )


def load_results(out: Path | str, store: Store | Path | str | None = None) -> Results:
    """Read the run in folder `out`.

    Parameters
    ----------
    out : path-like
        Output folder of ``bench run``.
    store : Store or path-like, optional
        Its store. Unless given, the one that the run used, or ``out/store`` if that is missing.

    Returns
    -------
    Results
        With the data frames ``scores``, ``timing`` and ``failures``.

    Raises
    ------
    DataUnavailable
        There is no readable manifest in `out`, or its store is missing or belongs to another run.
    """
    out = Path(out)
    manifest = load_manifest(out)
    if not isinstance(store, Store):
        store = Store(store_folder(manifest, out, store))
    _check_store(manifest, store)
    scores, failures = _scores(manifest)
    timings = _timings(manifest, store)
    untimed = [
        _head(cell) | {"metric": TIME, "status": timing.status, "message": timing.message}
        for cell, timing in timings
        if timing.status != "ok"
    ]
    columns = [*KEYS, "metric", "status", "message"]
    return Results(
        manifest,
        store,
        scores,
        _timing_table(manifest, timings),
        pd.DataFrame([*failures, *untimed], columns=columns),
    )


def store_folder(manifest: RunManifest, out: Path, given: Path | str | None = None) -> Path:
    """Where the store of a run is: as `given`, as the run used it, or in its output folder."""
    if given is not None:
        return Path(given)
    candidates = [Path(manifest.store)] if manifest.store else []
    for folder in [*candidates, out / "store"]:
        if folder.is_dir():
            return folder
    looked = " and ".join(str(folder) for folder in [*candidates, out / "store"])
    raise DataUnavailable(f"{out}: the run's store is missing ({looked}); name it with --store")


def _check_store(manifest: RunManifest, store: Store) -> None:
    """Raise `DataUnavailable` unless the store has any of the run's records."""
    if not store.root.is_dir():
        raise DataUnavailable(f"--store {store.root}: no such folder")
    keys = [cell.key for cell in manifest.cells if cell.key and cell.pixels]
    if keys and all(store.get(key) is None for key in keys):
        raise DataUnavailable(f"--store {store.root}: holds no record of this run")


def _head(cell: CellEntry) -> dict[str, str]:
    return {"dataset": cell.dataset, "scene": cell.scene, "method": cell.method}


def _scores(manifest: RunManifest) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    columns = [*KEYS, "metric", "value", "status", "compression"]
    table: dict[str, list[Any]] = {column: [] for column in columns}  # rows would take far more
    failures: list[dict[str, Any]] = []
    for cell in manifest.cells:
        head = _head(cell)
        if not cell.pixels:
            failures.append(head | {"metric": "", "status": cell.status, "message": cell.message})
        for name in cell.scores if cell.pixels else manifest.metric:
            score = cell.scores.get(name) or Score(cell.status)
            row = (*head.values(), name, score.value, score.status, cell.compression)
            for column, value in zip(columns, row, strict=True):
                table[column].append(value)
            if cell.pixels and score.status != "ok":
                failures.append(
                    head | {"metric": name, "status": score.status, "message": score.message}
                )
    return pd.DataFrame(table).astype({"value": float}), failures


def _timings(manifest: RunManifest, store: Store) -> list[tuple[CellEntry, TimingRecord]]:
    found = ((c, TimingRecord.from_body(store.get(c.timing))) for c in manifest.cells if c.timing)
    return [(cell, timing) for cell, timing in found if timing is not None]


def _timing_table(
    manifest: RunManifest, timings: list[tuple[CellEntry, TimingRecord]]
) -> pd.DataFrame:
    rows = [_timing_row(manifest, cell, timing) for cell, timing in timings if timing.seconds]
    columns = [*KEYS, "width", "height", "channels", "sources", "device"]
    columns += ["precision", "threads", "repeats"]
    columns += ["median_s", "iqr_s", "min_s", "first_s", "cpu_s", "peak_mb", "contended"]
    columns += ["includes_start"]
    return pd.DataFrame(rows, columns=columns).astype({"contended": bool, "includes_start": bool})


def _timing_row(manifest: RunManifest, cell: CellEntry, timing: TimingRecord) -> dict[str, Any]:
    """One row; the first call and the peak are those of this machine, or empty.

    The time of a program includes its start, and its sources and its image as files.
    """
    scene, method = manifest.scene[cell.place], manifest.method[cell.method]
    return (
        _head(cell)
        | {key: getattr(scene, key) for key in ("width", "height", "channels", "sources")}
        | {
            "device": manifest.device,
            "precision": manifest.precision if method.takes_precision else "",
            "threads": manifest.threads,
            "repeats": len(timing.seconds),
        }
        | summary(timing.seconds)
        | {
            "first_s": math.nan if timing.first_s is None else timing.first_s,
            "cpu_s": statistics.median(timing.cpu) if timing.cpu else math.nan,
            "peak_mb": timing.peak_bytes / 2**20 if timing.peak_bytes else math.nan,
            "contended": timing.contended,
            "includes_start": method.family == PROGRAM_FAMILY,
        }
    )
