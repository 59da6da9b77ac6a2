"""What a leaderboard of a large run costs, measured and printed as a table.

``python tests/speed/report_table.py 10x10000x1 48x1000x34``

Each row is a manifest of METHODSxSCENESxINDEXES random scores, as ``bench run`` would have left it,
and ``bench report leaderboard`` of it. Seconds are those of the clock; memory is the largest
resident size of the command's process.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scale_table import command

from bench.store.store import MANIFEST
from metrics import METRICS


def name(*parts: object) -> str:
    """A fingerprint as good as any."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def manifest(methods: int, scenes: int, indexes: int) -> dict[str, Any]:
    """What is read of ``run.json``, and beside it hashes as long as real ones."""
    metrics = sorted(METRICS, key=lambda metric: metric.name != "psnr")[:indexes]
    rng = np.random.default_rng(0)
    cells = [
        {
            "dataset": "many",
            "scene": f"{scene:06d}",
            "method": f"method-{method:02d}",
            "key": name("cell", scene, method),
            "status": "ok",
            "message": "",
            "pixels": name("pixels", scene, method),
            "scores": {
                metric.name: {
                    "status": "ok",
                    "value": float(rng.normal(method)),
                    "message": "",
                    "fingerprint": name(metric.name),
                }
                for metric in metrics
            },
        }
        for scene in range(scenes)
        for method in range(methods)
    ]
    return {
        "command": ["an", "invented", "run"],
        "finished": "never",
        "device": "cpu",
        "threads": 1,
        "machine": {},
        "methods": [{"name": f"method-{method:02d}"} for method in range(methods)],
        "metrics": [
            {"name": m.name, "label": m.label, "higher_is_better": m.higher_is_better}
            for m in metrics
        ],
        "scenes": [{"dataset": "many", "scene": f"{scene:06d}"} for scene in range(scenes)],
        "cells": cells,
    }


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="+", metavar="METHODSxSCENESxINDEXES")
    args = parser.parse_args()
    print(
        "| methods | scenes | indexes | scores | `report leaderboard` | memory |\n"
        + "|---" * 6
        + "|"
    )
    for run in args.runs:
        methods, scenes, indexes = (int(number) for number in run.split("x"))
        with tempfile.TemporaryDirectory() as folder:
            text = json.dumps(manifest(methods, scenes, indexes))
            Path(folder, MANIFEST).write_text(text)
            seconds, memory = command("report", "leaderboard", "--out", folder)
        scores = methods * scenes * indexes
        print(
            f"| {methods} | {scenes} | {indexes} | {scores} | {seconds:.1f} s | {memory:.0f} MB |"
        )


if __name__ == "__main__":
    main()
