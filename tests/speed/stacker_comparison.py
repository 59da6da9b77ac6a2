"""CPU time and peak memory of our methods beside a focus stacker of the shelf, printed as a table.

``python tests/speed/stacker_comparison.py --size 4000x3000``

Every row is a process of its own that reads the same two TIFF files, fuses them and writes a TIFF
file; ``enfuse`` (Debian's package of that name) is left out where it is not installed. CPU time is
that of all threads, in user and system mode, the smallest of several runs; *fusing* leaves out
what a program needs to start, to load weights, to read and to write, which for enfuse cannot be
told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bench.engine.selection import select_methods

#: Focus by local contrast, each pixel of one source, as its manual advises for focus stacks.
ENFUSE = ["--exposure-weight=0", "--saturation-weight=0", "--contrast-weight=1", "--hard-mask"]

OURS = """
import json, sys, time
import cv2
from methods import _fusion as fusion
method, how, threads, first, second, out = sys.argv[1:]
how = json.loads(how)
cv2.setNumThreads(int(threads))
from bench.core import devices as timing
timing.pin_torch(int(threads))
from bench.images import read_image
sources = [read_image(first), read_image(second)]
small = [source[:64, :64] for source in sources]
fusion.fuse(method, small, parameters=how)  # imports and weights
start = time.process_time()
fused = fusion.fuse(method, sources, parameters=how)
print(time.process_time() - start)
cv2.imwrite(out, fused[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 1])
"""


@dataclass(frozen=True)
class Cost:
    """What a process took: CPU seconds in all and of the fusion, and MiB at the most."""

    cpu: float
    fusing: float
    peak: float


def measure(command: list[str], threads: int, repeats: int) -> Cost:
    """The least CPU time of some runs, and the most memory."""
    runs = [_once(command, threads) for _ in range(repeats)]
    return Cost(
        min(run.cpu for run in runs),
        min(run.fusing for run in runs),
        max(run.peak for run in runs),
    )


def _once(command: list[str], threads: int) -> Cost:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, str(threads))}
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        words = said.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}\n{words}")
    cpu = usage.ru_utime + usage.ru_stime
    fusing = float(words.split()[-1]) if command[0] == sys.executable else cpu
    return Cost(cpu, fusing, usage.ru_maxrss / 1024)


def write_pair(folder: Path, width: int, height: int) -> list[str]:
    """A colour scene with detail at many scales, sharp at the left and at the right."""
    rng = np.random.default_rng(0)
    truth = np.zeros((height, width, 3), np.float32)
    for side in (4, 16, 64, 256):
        coarse = rng.random((height // side + 2, width // side + 2, 3), np.float32)
        truth += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    sharp = cv2.normalize(truth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    soft = cv2.GaussianBlur(sharp, (0, 0), 5)
    left = np.arange(width)[None, :, None] < width // 2
    files = []
    for name, image in (("a", np.where(left, sharp, soft)), ("b", np.where(left, soft, sharp))):
        files.append(str(folder / f"{name}.tif"))
        cv2.imwrite(files[-1], image, [cv2.IMWRITE_TIFF_COMPRESSION, 1])
    return files


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", default="4000x3000", metavar="WIDTHxHEIGHT")
    usual = ["lp", "gf", "fcn-x", "fcn-x@shrink=1", "fcn-s", "fcn-s@shrink=3"]
    parser.add_argument("--methods", nargs="+", default=usual)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    width, height = map(int, args.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        files = write_pair(Path(name), width, height)
        out = str(Path(name, "fused.tif"))
        costs: dict[str, Cost] = {}
        if program := shutil.which("enfuse"):
            command = [program, *ENFUSE, "-o", out, *files]
            costs["enfuse"] = measure(command, args.threads, args.repeats)
        for variant in select_methods(args.methods):
            how = [variant.method.name, json.dumps(dict(variant.parameters))]
            command = [sys.executable, "-c", OURS, *how, str(args.threads), *files, out]
            costs[variant.name] = measure(command, args.threads, args.repeats)
    print(f"{width}x{height} colour, {args.threads} thread(s), least of {args.repeats} runs\n")
    print("| | CPU s, whole process | fusing | of enfuse's | fusing, of enfuse's | peak MB |")
    print("|---|---:|---:|---:|---:|---:|")
    theirs = costs["enfuse"].cpu if "enfuse" in costs else float("nan")
    for row, cost in costs.items():
        print(
            f"| {row} | {cost.cpu:.2f} | {'' if row == 'enfuse' else f'{cost.fusing:.2f}'} "
            f"| {cost.cpu / theirs:.2f} | {cost.fusing / theirs:.2f} | {cost.peak:.0f} |"
        )


if __name__ == "__main__":
    main()
