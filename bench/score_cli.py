"""Score a fused image that exists already, whoever made it.

for example:
  python -m bench score a.png b.png --fused mine.png
  python -m bench score a.png b.png --fused mine.png --reference truth.png --metrics psnr,ssim
  python -m bench score a.png b.png --fused mine.png --json
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``score``."""
    add = parser.add_argument
    add("sources", nargs="+", type=Path, metavar="SOURCE", help="the source images, two or more")
    add("--fused", type=Path, required=True, metavar="FILE", help="the fused image")
    add("--reference", type=Path, metavar="FILE", help="the all-in-focus truth, if it is known")
    add(
        "--metrics",
        nargs="+",
        metavar="NAME",
        help="names, a family, paper, or all (default: paper, with a reference psnr and ssim)",
    )
    add("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Print the scores."""
    from bench.errors import UsageError
    from bench.images import read_image, same_size
    from bench.plan import select_metrics
    from metrics import Scorer

    if len(args.sources) < 2:
        raise UsageError(f"one source image given ({args.sources[0]}); at least two are needed")
    chosen = select_metrics(args.metrics or ["paper", *(["psnr,ssim"] if args.reference else [])])
    paths = [*args.sources, args.fused, *([args.reference] if args.reference else [])]
    images = [read_image(path) for path in paths]
    same_size(images, [str(path) for path in paths])
    count = len(args.sources)
    scorer = Scorer(images[:count], images[count + 1] if args.reference else None)
    scores = {metric.name: scorer.score(images[count], metric.name) for metric in chosen}
    if args.json:
        console.emit_json({"fused": str(args.fused), "scores": scores})
        return 0
    width = max(len(metric.label) for metric in chosen)
    for metric in chosen:
        arrow = "higher is better" if metric.higher_is_better else "lower is better"
        console.emit(f"{metric.label:<{width}}  {scores[metric.name]:10.6f}  ({arrow})")
    return 0
