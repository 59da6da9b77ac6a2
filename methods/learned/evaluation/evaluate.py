"""``python -m methods.learned.evaluation.evaluate``: mean PSNR on held-out pairs.

`methods.learned.evaluation.heldout` says what pairs there are.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.core.errors import BenchError, UsageError
from bench.core.pixels import to_gray255
from bench.core.precision import PRECISIONS, Precision
from bench.engine.selection import ConfiguredMethod, select_methods, split_names
from methods._fusion import fuse
from methods.learned.evaluation.heldout import KINDS, LARGE, Reader, held_out

#: A fused image equal to the truth counts as this many dB.
EXACT = 99.0

#: Makes an image of sources and their truth.
Fusion = Callable[[Sequence[Any], Any], Any]

#: Not a method: at every pixel the source that is closer to the truth. No choice of pixels is
#: better.
ORACLE = "oracle"

#: What the pairs are fused and scored in.
COLOURS = ("gray", "colour")

DEFAULT = "oracle,average,sobel,lp,gf,fcn,fcn-w,fcn-x,fcn-x-hard,fcn-s,fcn-s-hard,cnn,srcnn"


def psnr(image: Any, truth: Any) -> float:
    """Peak signal-to-noise ratio of 8-bit images in dB, at most `EXACT`."""
    error = float(np.mean((image.astype(np.float64) - truth) ** 2))
    return EXACT if error == 0 else min(EXACT, 10 * np.log10(255**2 / error))


def oracle(sources: Sequence[Any], truth: Any) -> Any:
    """Every pixel from the source with the least error there."""
    error = np.stack([(s.astype(np.float64) - truth) ** 2 for s in sources])
    error = error.sum(axis=-1, keepdims=True) if error.ndim == 4 else error
    return np.take_along_axis(np.stack(sources), error.argmin(axis=0)[None], axis=0)[0]


def score(fusion: Fusion, readers: Sequence[Reader], *, gray: bool) -> float:
    """Mean PSNR of a way of fusing over scenes, on luminance if `gray`."""
    values = []
    for read in readers:
        images = read()
        sources, truth = list(images.sources), images.reference
        if gray:
            sources = [to_gray255(source).astype(np.uint8) for source in sources]
            truth = to_gray255(truth)  # type: ignore[arg-type]
        values.append(psnr(fusion(sources, truth), truth))
    return float(np.mean(values))


def fusions(names: str, precision: Precision = "auto") -> dict[str, Fusion]:
    """Ways of fusing by what `bench run` calls them, and the oracle, in the order of the names.

    Raises
    ------
    UnknownName, UsageError
        No method of that name, or no such parameter; published images, which are there for
        their own scenes only.
    """
    found: dict[str, Fusion] = {}
    for name in split_names([names]):
        if name == ORACLE:
            found[ORACLE] = oracle
            continue
        for variant in select_methods([name]):
            if not isinstance(variant, ConfiguredMethod):
                raise UsageError(f"{name}: published images are of other scenes than these")
            found[variant.name] = _by(variant, precision)
    return found


def _by(variant: ConfiguredMethod, precision: Precision) -> Fusion:
    method, settings = variant.method, variant.parameters
    return lambda sources, _: fuse(method, sources, parameters=settings, precision=precision)


def main(argv: list[str] | None = None) -> int:
    """Print one JSON object: kind of pair, gray or colour, method, mean PSNR."""
    parser = argparse.ArgumentParser(
        prog="python -m methods.learned.evaluation.evaluate", description=__doc__
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="BSDS500, or a folder of photos")
    parser.add_argument("--methods", default=DEFAULT)
    parser.add_argument("--every", type=int, default=1, help="take every n-th photo")
    parser.add_argument(
        "--kinds",
        default=",".join(KINDS),
        help=f"of {', '.join((*KINDS, *LARGE))} (default: {', '.join(KINDS)})",
    )
    parser.add_argument("--images", choices=(*COLOURS, "both"), default="both")
    parser.add_argument("--precision", choices=PRECISIONS, default="fp32")
    args = parser.parse_args(argv)
    wanted = [False, True] if args.images == "both" else [args.images == "gray"]
    table: dict[str, dict[str, dict[str, float]]] = {}
    counts: dict[str, int] = {}
    try:
        from bench.cli.train import data_folder

        if args.every < 1:
            raise UsageError(f"--every must be positive, got {args.every}")
        folder = data_folder(args.data)
        pairs = {kind: held_out(folder, kind)[:: args.every] for kind in args.kinds.split(",")}
        for method, fusion in fusions(args.methods, args.precision).items():
            for kind, readers in pairs.items():
                counts[kind] = len(readers)
                for gray in wanted:
                    value = score(fusion, readers, gray=gray)
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
