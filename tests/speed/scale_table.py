"""What a run costs by its number of cells, measured and printed as a table.

``python tests/speed/scale_table.py 1000 10000 100000 --isolation none``

Each row is a folder of its own: ``bench run`` of a cheap method in ten variants on scenes of 32x32
pixels with one index, without timing; the same again, when all is stored; ``--dry-run``; ``bench
report leaderboard``. Without processes for the scenes (``--isolation none``) the first run shows
what planning and storing cost by themselves. Seconds are those of the clock; memory is the largest
resident size of the command's own process.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VARIANTS = 10

PLUGIN = """
import numpy as np
from datasets import Scene, SceneImages, dataset
from methods import method

@method("scaled", title="Scaled mean", kind="transform", family="control", paper="a measurement")
def scaled(sources, *, gain=1.0):
    return gain * sources.mean(axis=0)

class Read:
    def __init__(self, seed):
        self.seed = seed
    def __call__(self):
        rng = np.random.default_rng(self.seed)
        return SceneImages(tuple(rng.integers(0, 256, (2, 32, 32), np.uint8)))

@dataset("many", title="Many scenes", citation="none", licence="none", argument="COUNT")
def many(count="1"):
    return [Scene("many", f"{k:06d}", Read(k), "synthetic") for k in range(int(count))]
"""


def command(*arguments: str) -> tuple[float, float]:
    """Seconds and MiB of ``python -m bench`` with these arguments."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"bench {' '.join(arguments)}: exit code {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def row(cells: int, isolation: str) -> list[str]:
    """One row of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plugin = folder / "scale_plugin.py"
        plugin.write_text(PLUGIN)
        out = folder / "out"
        methods = [f"scaled@gain=0.{k:02d}" for k in range(1, VARIANTS + 1)]
        run = ["run", "--plugin", str(plugin), "--methods", *methods, "--metrics", "mi"]
        run += ["--datasets", f"many:{cells // VARIANTS}", "--repeats", "0", "--threads", "1"]
        run += ["--isolation", isolation, "--out", str(out)]
        first, memory = command(*run)
        again, _ = command(*run)
        plan, _ = command(*run, "--dry-run")
        report, report_memory = command("report", "leaderboard", "--out", str(out))
        size = sum(f.stat().st_blocks for f in (out / "store").rglob("*")) * 512 / 2**20
    seconds = [f"{s:.1f} s" for s in (first, again, plan, report)]
    return [str(cells), *seconds, f"{memory:.0f} MB", f"{report_memory:.0f} MB", f"{size:.0f} MB"]


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cells", nargs="+", type=int)
    parser.add_argument("--isolation", choices=("scene", "none"), default="scene")
    args = parser.parse_args()
    head = ["cells", "first run", "again, all stored", "`--dry-run`", "`report leaderboard`"]
    head += ["memory of the run", "of the report", "store"]
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for cells in args.cells:
        print("| " + " | ".join(row(cells, args.isolation)) + " |", flush=True)


if __name__ == "__main__":
    main()
