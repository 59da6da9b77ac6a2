"""Peak memory and time of methods and metrics on large colour images, printed as a table.

``python tests/speed/memory_table.py 6000x4000 4000x3000 --methods lp gf --metrics fmi``

Each is run once in a process of its own on a generated colour pair; ``--methods all`` and
``--metrics all`` name every one. Peak memory is what ``--memory`` of a run counts: the largest
resident size of that process, libraries included.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import cv2
import numpy as np

from bench.engine.selection import select_methods, select_metrics
from bench.workers import memory
from bench.workers.process import Limits, Setup, WorkerFailure, WorkerProcess, preload
from datasets import SceneImages

LIMITS = Limits(seconds=3600)


def pair(width: int, height: int) -> SceneImages:
    """Noise at many scales in colour, blurred to the right in one and to the left in the other."""
    rng = np.random.default_rng(0)
    truth = np.zeros((height, width, 3), np.float32)
    for side in (8, 32, 128, 512):
        coarse = rng.random((height // side + 2, width // side + 2, 3), np.float32)
        truth += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    truth += rng.random((height, width, 1), np.float32)
    sharp = cv2.normalize(truth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    soft = cv2.GaussianBlur(sharp, (0, 0), 4)
    first, second = sharp.copy(), soft
    first[:, width // 2 :] = soft[:, width // 2 :]
    second = np.concatenate([soft[:, : width // 2], sharp[:, width // 2 :]], axis=1)
    return SceneImages((first, second), sharp)


def run(setup: Setup, scene: SceneImages, request: str, *arguments: Any, fused: Any = None) -> str:
    """One cell of the table."""
    process = WorkerProcess(setup)
    try:
        process.ask("open", (scene,), LIMITS)
        if fused is not None:
            process.ask("hold", ("it", fused), LIMITS)
        start = time.perf_counter()
        record = process.ask(request, arguments, LIMITS).record
        seconds = time.perf_counter() - start
        if record.status != "ok":
            return f"{record.status}: {record.message}"
        most = memory.most(process.pid)
        return f"{memory.format_size(most)}, {getattr(record, 'first_s', seconds):.1f} s"
    except WorkerFailure as failure:
        return f"{failure.status}: {failure.message}"
    finally:
        process.close()


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sizes", nargs="+", metavar="WIDTHxHEIGHT")
    parser.add_argument("--methods", nargs="*", default=[])
    parser.add_argument("--metrics", nargs="*", default=[])
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    preload(["torch"])
    print("|  | " + " | ".join(args.sizes) + " |\n|---|" + "---|" * len(args.sizes))
    sizes = [tuple(map(int, size.split("x"))) for size in args.sizes]
    scenes = [pair(*size) for size in sizes]
    setup = Setup(threads=args.threads)
    for variant in select_methods(args.methods) if args.methods else []:
        name, parameters = variant.method.name, variant.parameters
        row = [run(setup, scene, "fuse", name, parameters) for scene in scenes]
        print(f"| {variant.name} | {' | '.join(row)} |", flush=True)
    for metric in select_metrics(args.metrics) if args.metrics else []:
        fused = [cv2.addWeighted(*s.sources[:1], 0.5, s.sources[1], 0.5, 0) for s in scenes]
        row = [
            run(setup, scene, "score", metric.name, "it", fused=image)
            for scene, image in zip(scenes, fused, strict=True)
        ]
        print(f"| {metric.name} | {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
