"""``python -m methods.learned.evaluate``: mean PSNR on pairs made of photos never trained on.

The photos are the ``held-out`` part of the data folder (`methods.learned.pools.list_photos`);
the pairs are those of the datasets ``synthetic`` and ``synthetic-lens``. Beside them stands the
one scene of real depth with truth, ``synthetic/motorcycle``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import BenchError, UsageError
from bench.fusion import fuse
from bench.images import to_gray255
from datasets.base import SceneImages
from methods.learned.pools import list_photos

#: A fused image equal to the truth counts as this many dB.
EXACT = 99.0

#: Not a method: at every pixel the source that is closer to the truth. No choice of pixels is
#: better.
ORACLE = "oracle"

#: Region blur, a lens, and depth as it was measured.
KINDS = ("region", "lens", "depth")

DEFAULT = "oracle,average,sobel,lp,gf,fcn,fcn-w,fcn-x,fcn-x-hard,fcn-s,fcn-s-hard,cnn,srcnn"


def psnr(image: Any, truth: Any) -> float:
    """Peak signal-to-noise ratio of 8-bit images in dB, at most `EXACT`."""
    error = float(np.mean((image.astype(np.float64) - truth) ** 2))
    return EXACT if error == 0 else min(EXACT, 10 * np.log10(255**2 / error))


def held_out(folder: Path, kind: str) -> list[Callable[[], SceneImages]]:
    """Readers of the pairs of one kind: one per held-out photo, or the motorcycle."""
    from functools import partial

    from datasets._depth import motorcycle_images
    from datasets._seeds import generator
    from datasets.synthetic import RADIUS, SIGMA, lens_images, region_images

    if kind == "depth":
        return [motorcycle_images]
    readers: list[Callable[[], SceneImages]] = []
    for file in list_photos(folder, "held-out"):
        name = file.stem
        if kind == "region":
            sigma = round(float(generator("synthetic", name, "sigma").uniform(*SIGMA)), 2)
            readers.append(partial(region_images, name, file, sigma))
        else:
            rng = generator("synthetic-lens", name, "lens")
            behind, before = (round(float(r), 2) for r in rng.uniform(*RADIUS, 2))
            kernel: Any = "disk" if rng.random() < 0.7 else "gaussian"
            readers.append(partial(lens_images, name, file, (behind, before), kernel))
    return readers


def oracle(sources: Sequence[Any], truth: Any) -> Any:
    """Every pixel from the source with the least error there."""
    error = np.stack([(s.astype(np.float64) - truth) ** 2 for s in sources])
    error = error.sum(axis=-1, keepdims=True) if error.ndim == 4 else error
    return np.take_along_axis(np.stack(sources), error.argmin(axis=0)[None], axis=0)[0]


def score(method: str, readers: Sequence[Callable[[], SceneImages]], *, gray: bool) -> float:
    """Mean PSNR of a method over scenes, on luminance if `gray`."""
    values = []
    for read in readers:
        images = read()
        sources, truth = list(images.sources), images.reference
        if gray:
            sources = [to_gray255(source).astype(np.uint8) for source in sources]
            truth = to_gray255(truth)  # type: ignore[arg-type]
        fused = oracle(sources, truth) if method == ORACLE else fuse(method, sources)
        values.append(psnr(fused, truth))
    return float(np.mean(values))


def main(argv: list[str] | None = None) -> int:
    """Print one JSON object: kind of pair, gray or colour, method, mean PSNR."""
    parser = argparse.ArgumentParser(prog="python -m methods.learned.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="BSDS500, or a folder of photos")
    parser.add_argument("--methods", default=DEFAULT)
    parser.add_argument("--every", type=int, default=1, help="take every n-th photo")
    parser.add_argument("--images", choices=("gray", "colour", "both"), default="both")
    args = parser.parse_args(argv)
    wanted = [False, True] if args.images == "both" else [args.images == "gray"]
    table: dict[str, dict[str, dict[str, float]]] = {}
    counts: dict[str, int] = {}
    try:
        from bench.train_cli import data_folder

        if args.every < 1:
            raise UsageError(f"--every must be positive, got {args.every}")
        folder = data_folder(args.data)
        for method in args.methods.split(","):
            for kind in KINDS:
                readers = held_out(folder, kind)[:: args.every]
                counts[kind] = len(readers)
                for gray in wanted:
                    value = score(method, readers, gray=gray)
                    colour = "gray" if gray else "colour"
                    table.setdefault(kind, {}).setdefault(colour, {})[method] = round(value, 2)
                    sys.stderr.write(f"{kind} {colour} {method} {value:.2f} dB\n")
    except BenchError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    sys.stdout.write(json.dumps({"pairs": counts, "psnr": table}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
