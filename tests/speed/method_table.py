"""CPU milliseconds of every method for one 512x512 gray pair on one core, printed as a table.

``python tests/speed/method_table.py [--methods NAME …]``

Each time is the least of some calls after a first one, of this process and of the programs that it
starts. Programs include their starting, reading and writing. A method that cannot run here has the
reason instead.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time

import cv2
import numpy as np
from skimage import data
from threadpoolctl import threadpool_limits

from bench.core.errors import BenchError
from bench.engine.selection import ConfiguredMethod, select_methods
from methods import _fusion as fusion

#: Calls of a quick method, and seconds after which one call must do.
CALLS, LONG = 5, 5.0

#: What torch, when a method imports it, and programs take their number of threads from.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def stack() -> fusion.Sources:
    """A photo, blurred on the right and on the left."""
    truth = data.camera()
    soft = cv2.GaussianBlur(truth, (0, 0), 3)
    left = np.arange(512) < 256
    return fusion.prepare([np.where(left, truth, soft), np.where(left, soft, truth)])


def cpu_seconds() -> float:
    """CPU time so far of this process and of those that it started and that ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def measure(method: ConfiguredMethod, sources: fusion.Sources) -> float:
    """Least CPU seconds of a call."""
    fn = fusion.bind(method.method, method.parameters)
    taken: list[float] = []
    while len(taken) <= CALLS:
        start = cpu_seconds()
        fusion.fuse_prepared(method.method, sources, fn)
        taken.append(cpu_seconds() - start)
        if taken[-1] > LONG:
            break
    return min(taken)


def main(argv: list[str] | None = None) -> None:
    """Print the table, the quickest method first."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = ["all", "dsift", "bf", "mwgf", "mfm", "nsct", "sparse", "rivals", "programs"]
    parser.add_argument("--methods", nargs="+", default=names, metavar="NAME")
    args = parser.parse_args(argv)
    cv2.setNumThreads(1)
    os.environ.update(dict.fromkeys(THREADS, "1"))
    sources, rows, absent = stack(), [], []
    with threadpool_limits(1):
        for method in select_methods(args.methods):
            try:
                rows.append((measure(method, sources), method))
            except BenchError as error:
                absent.append(f"{method.name}: {error}")
            sys.stderr.write(f"{method.name}\n")
    print("| method | family | ms |\n| --- | --- | ---: |")
    for seconds, method in sorted(rows, key=lambda row: row[0]):
        print(
            f"| {method.name} | {method.family} | {1000 * seconds:.{1 if seconds < 0.1 else 0}f} |"
        )
    print(*absent, sep="\n")


if __name__ == "__main__":
    main()
