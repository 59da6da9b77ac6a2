"""A finished run as tables of pandas: one row a score, one row a timing, one row a failure.

Everything comes from the run's manifest and the timing records of its store.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.core.errors import DataUnavailable
from bench.engine.timing import summary
from bench.store.store import MANIFEST, Store

KEYS = ["dataset", "scene", "method"]


@dataclass(frozen=True)
class Results:
    """What a run gave.

    Attributes
    ----------
    manifest : dict
        ``run.json``.
    scores : DataFrame
        ``dataset, scene, method, metric, value, status``: every metric of the run on every
        cell on which it is defined; the value is empty unless the status is ``ok``.
    timing : DataFrame
        Seconds by cell; empty where nothing was timed.
    failures : DataFrame
        ``dataset, scene, method, metric, status, message`` of all that is not ok.
    """

    manifest: dict[str, Any]
    scores: pd.DataFrame
    timing: pd.DataFrame
    failures: pd.DataFrame


def load_results(out: Path | str, store: Store | None = None) -> Results:
    """Read the run in folder `out`.

    Parameters
    ----------
    out : path-like
        Output folder of ``bench run``.
    store : Store, optional
        Its store; ``out/store`` unless given.

    Raises
    ------
    DataUnavailable
        There is no readable manifest in `out`.
    """
    out = Path(out)
    store = store or Store(out / "store")
    try:
        manifest = json.loads((out / MANIFEST).read_bytes())
        scores, failures = _scores(manifest)
        return Results(manifest, scores, _timing(manifest, store), failures)
    except (OSError, ValueError, RecursionError) as error:
        raise DataUnavailable(f"{out / MANIFEST}: no finished run to report ({error})") from None
    except (LookupError, TypeError, AttributeError) as error:
        raise DataUnavailable(f"{out / MANIFEST}: not the manifest of a run ({error!r})") from None


def _scores(manifest: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    columns = [*KEYS, "metric", "value", "status"]
    table: dict[str, list[Any]] = {column: [] for column in columns}  # rows would take far more
    failures = []
    names = [metric["name"] for metric in manifest["metrics"]]
    for cell in manifest["cells"]:
        head = {key: cell[key] for key in KEYS}
        fused = "pixels" in cell
        if not fused:
            failures.append(
                head | {"metric": "", "status": cell["status"], "message": cell["message"]}
            )
        for name in cell["scores"] if fused else names:
            entry = cell["scores"].get(name) or {"value": None, "status": cell["status"]}
            row = (*head.values(), name, entry["value"], entry["status"])
            for column, value in zip(columns, row, strict=True):
                table[column].append(value)
            if fused and entry["status"] != "ok":
                failures.append(
                    head | {"metric": name, "status": entry["status"], "message": entry["message"]}
                )
    scores = pd.DataFrame(table).astype({"value": float})
    return scores, pd.DataFrame(failures, columns=[*KEYS, "metric", "status", "message"])


def _timing(manifest: dict[str, Any], store: Store) -> pd.DataFrame:
    sizes = {(s["dataset"], s["scene"]): s for s in manifest["scenes"]}
    rows = []
    for cell in manifest["cells"]:
        record = store.get(cell["timing"]) if "timing" in cell else None
        if record is None:
            continue
        scene = sizes[cell["dataset"], cell["scene"]]
        rows.append(
            {key: cell[key] for key in KEYS}
            | {key: scene[key] for key in ("width", "height", "channels", "sources")}
            | {key: manifest.get(key, "") for key in ("device", "precision", "threads")}
            | {"repeats": len(record["seconds"]), **summary(record["seconds"])}
            | {"first_s": record["first_s"], "peak_mb": cell.get("peak_bytes", 0) / 2**20}
            | {"contended": bool(record["contended"])}
        )
    columns = [*KEYS, "width", "height", "channels", "sources", "device"]
    columns += ["precision", "threads", "repeats"]
    columns += ["median_s", "iqr_s", "min_s", "first_s", "peak_mb", "contended"]
    return pd.DataFrame(rows, columns=columns).astype({"contended": bool})
