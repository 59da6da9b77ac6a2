"""Time and peak memory of methods against the number of sources, printed as a table.

``python tests/speed/stack_table.py 4000x3000 --sources 2 4 8 16 32 --methods lp gf fcn-x``

Each cell is a process of its own that fuses a generated colour stack of 8 bits once. Time is CPU
time. Memory is the largest resident size, less what the process held before it had the images
(libraries and weights), so it contains the stack itself: in MB, and as a multiple of the stack in
float32 and in the bytes of its files. A method that holds nothing but its images has 0.25 and 1.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.core import devices
from methods import fuse


@dataclass(frozen=True)
class Cost:
    """CPU seconds, and bytes at the most beyond those of the libraries."""

    seconds: float
    peak: int


def stack(count: int, width: int, height: int) -> list[NDArray[np.uint8]]:
    """Detail at every pixel, in each source sharp in a strip of its own and smooth elsewhere."""
    rng = np.random.default_rng(0)
    sharp = rng.integers(0, 256, (height, width, 3), np.uint8)
    soft = cv2.GaussianBlur(sharp, (0, 0), 4)
    sources = []
    for k in range(count):
        source = soft.copy()
        strip = slice(k * width // count, (k + 1) * width // count)
        source[:, strip] = sharp[:, strip]
        sources.append(source)
    return sources


def resident() -> int:
    """Largest resident size of this process so far, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(method: str, count: int, width: int, height: int, threads: int) -> Cost:
    """Fuse one stack in this process, after a small one that loads libraries and weights."""
    cv2.setNumThreads(threads)
    devices.pin_torch(threads)
    fuse(method, stack(3, 64, 64))
    before = resident()
    sources = stack(count, width, height)
    start = time.process_time()
    fuse(method, sources)
    return Cost(time.process_time() - start, resident() - before)


def apart(method: str, count: int, size: str, threads: int) -> Cost:
    """`measure` in a process of its own."""
    words = [sys.executable, __file__, size, "--methods", method, "--sources", str(count), "--one"]
    words += ["--threads", str(threads)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    return Cost(**json.loads(done.stdout))


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("size", metavar="WIDTHxHEIGHT")
    parser.add_argument("--sources", nargs="+", type=int, default=[2, 4, 8, 16, 32])
    parser.add_argument("--methods", nargs="+", default=["lp", "gf", "fcn-x"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    width, height = map(int, args.size.split("x"))
    if args.one:
        cost = measure(args.methods[0], args.sources[0], width, height, args.threads)
        print(json.dumps(vars(cost)))
        return
    print(f"| sources of {args.size} | " + " | ".join(args.methods) + " |")
    print("|---:" + "|---:" * len(args.methods) + "|")
    for count in args.sources:
        size = 3 * count * width * height
        cells = []
        for method in args.methods:
            cost = apart(method, count, args.size, args.threads)
            float_share, byte_share = cost.peak / (4 * size), cost.peak / size
            shares = f"{float_share:.2f} × float32, {byte_share:.2f} × bytes"
            cells.append(f"{cost.seconds:.1f} s, {cost.peak / 1e6:.0f} MB = {shares}")
        print(f"| {count} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
