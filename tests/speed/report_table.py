"""What a leaderboard of a large run costs, measured and printed as a table.

``python tests/speed/report_table.py 10x10000x1 48x1000x34``

Each row is a manifest of METHODSxSCENESxMETRICS random scores, as ``bench run`` would have left it,
and ``bench report leaderboard`` of it. Seconds are those of the clock; memory is the largest
resident size of the command's process.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from pathlib import Path

import numpy as np
from scale_table import command

from bench.core.environment import describe
from bench.store.manifest import (
    CellEntry,
    MethodEntry,
    MetricEntry,
    RunManifest,
    SceneEntry,
    Score,
    save_manifest,
)
from metrics import METRICS


def fingerprint(*parts: object) -> str:
    """As long as a real one."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def manifest(methods: int, scenes: int, metrics: int, store: Path) -> RunManifest:
    """Random scores, as ``bench run`` would have left them."""
    chosen = sorted(METRICS, key=lambda metric: metric.name != "psnr")[:metrics]
    rng = np.random.default_rng(0)
    cells = [
        CellEntry(
            dataset="many",
            scene=f"{scene:06d}",
            method=f"method-{method:02d}",
            status="ok",
            pixels=fingerprint("pixels", scene, method),
            scores={
                metric.name: Score("ok", float(rng.normal(method)), "", metric.name)
                for metric in chosen
            },
        )
        for scene in range(scenes)
        for method in range(methods)
    ]
    return RunManifest(
        complete=True,
        started="never",
        finished="never",
        **describe("cpu", 1),
        device="cpu",
        precision="fp32",
        precision_asked="fp32",
        threads=1,
        repeats=0,
        store=str(store),
        plugins=[],
        environments=[],
        methods=[
            MethodEntry(f"method-{method:02d}", "invented", "spatial") for method in range(methods)
        ],
        metrics=[MetricEntry(m.name, m.label, m.higher_is_better) for m in chosen],
        scenes=[SceneEntry("many", f"{scene:06d}") for scene in range(scenes)],
        cells=cells,
    )


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="+", metavar="METHODSxSCENESxMETRICS")
    args = parser.parse_args()
    print(
        "| methods | scenes | metrics | scores | `report leaderboard` | memory |\n"
        + "|---" * 6
        + "|"
    )
    for run in args.runs:
        methods, scenes, metrics = (int(number) for number in run.split("x"))
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder, "store")
            store.mkdir()
            save_manifest(manifest(methods, scenes, metrics, store), Path(folder))
            seconds, memory = command("report", "leaderboard", "--out", folder)
        scores = methods * scenes * metrics
        print(
            f"| {methods} | {scenes} | {metrics} | {scores} | {seconds:.1f} s | {memory:.0f} MB |"
        )


if __name__ == "__main__":
    main()
