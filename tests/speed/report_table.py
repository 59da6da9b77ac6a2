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


def name(*parts: object) -> str:
    """A fingerprint as good as any."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def manifest(methods: int, scenes: int, count: int) -> RunManifest:
    """Random scores, and beside them hashes as long as real ones."""
    metrics = sorted(METRICS, key=lambda metric: metric.name != "psnr")[:count]
    rng = np.random.default_rng(0)

    def cell(scene: int, method: int) -> CellEntry:
        scores = {
            metric.name: Score("ok", float(rng.normal(method)), "", name(metric.name))
            for metric in metrics
        }
        return CellEntry(
            "many",
            f"{scene:06d}",
            f"method-{method:02d}",
            "ok",
            pixels=name("pixels", scene, method),
            scores=scores,
        )

    return RunManifest(
        complete=True,
        started="never",
        finished="never",
        mfif_bench="",
        command=["an", "invented", "run"],
        git={},
        machine={},
        device="cpu",
        precision="fp32",
        precision_asked="auto",
        threads=1,
        repeats=0,
        store="",
        plugins=[],
        environments=[],
        methods=[MethodEntry(f"method-{m:02d}", "", "spatial") for m in range(methods)],
        metrics=[MetricEntry(m.name, m.label, m.higher_is_better) for m in metrics],
        scenes=[SceneEntry("many", f"{scene:06d}") for scene in range(scenes)],
        cells=[cell(scene, method) for scene in range(scenes) for method in range(methods)],
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
        methods, scenes, count = (int(number) for number in run.split("x"))
        with tempfile.TemporaryDirectory() as folder:
            save_manifest(manifest(methods, scenes, count), Path(folder))
            Path(folder, "store").mkdir()
            seconds, memory = command("report", "leaderboard", "--out", folder)
        scores = methods * scenes * count
        print(f"| {methods} | {scenes} | {count} | {scores} | {seconds:.1f} s | {memory:.0f} MB |")


if __name__ == "__main__":
    main()
