"""Score fused images that exist already, whoever made them.

One image: name its sources. Many: --sources says where the sources are (a folder of name_A.*,
name_B.* pairs, or a dataset such as liu2020) and --fused is a folder with METHOD/NAME.* or
NAME_METHOD.* in it; the scores go to standard output, or to --out, as CSV.

for example:
  python -m bench score a.png b.png --fused mine.png
  python -m bench score a.png b.png --fused mine.png --reference truth.png --metrics psnr,ssim
  python -m bench score a.png b.png --fused mine.png --json
  python -m bench score --sources my_pairs --fused my_results --metrics all --jobs 2 --out s.csv
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli import console
from bench.core.errors import UsageError

if TYPE_CHECKING:
    from bench.engine.batch import Row

#: Sources and options may come in any order.
INTERMIXED = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``score``."""
    add = parser.add_argument
    add("files", nargs="*", type=Path, metavar="SOURCE", help="the source images, two or more")
    add("--fused", type=Path, required=True, metavar="PATH", help="the fused image, or a folder")
    add("--reference", type=Path, metavar="FILE", help="the all-in-focus truth, if it is known")
    add(
        "--metrics",
        nargs="+",
        metavar="NAME",
        help="names, a family, paper, or all (default: paper, and psnr and ssim with a truth)",
    )
    add("--plugin", type=Path, nargs="+", default=[], metavar="FILE.py", help="with these too")
    add("--json", action="store_true", help="one JSON object on stdout")
    many = parser.add_argument_group("many images")
    many.add_argument("--sources", metavar="DIR|DATASET", help="where the sources are")
    many.add_argument(
        "--pattern",
        default="",
        metavar="TEXT",
        help="path of a fused image without its ending, with {scene} and {method} "
        "(default: whichever of {method}/{scene}, {scene}_{method}, {method}_{scene} fits)",
    )
    many.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default: 1)")
    many.add_argument("--out", type=Path, metavar="FILE.csv", help="CSV file (default: stdout)")


def run(args: argparse.Namespace) -> int:
    """Print or write the scores."""
    if args.sources and args.files:
        raise UsageError(f"give the source images or --sources, not both (got {args.files[0]})")
    many = {"--pattern": args.pattern, "--out": args.out, "--jobs": args.jobs != 1}
    for option, given in many.items() if not args.sources else [("--reference", args.reference)]:
        if given:
            raise UsageError(
                f"{option} does not go {'with' if args.sources else 'without'} --sources"
            )
    from bench.core.plugins import load_plugin

    for plugin in args.plugin:
        load_plugin(plugin)
    return _many(args) if args.sources else _one(args)


def _one(args: argparse.Namespace) -> int:
    from bench.core.image_io import read_image
    from bench.core.pixels import same_size
    from bench.engine.names import split_names
    from bench.engine.selection import select_metrics
    from metrics import Scorer

    count = len(args.files)
    if count < 2:
        given = args.files[0] if count else "none"
        raise UsageError(f"one source image given ({given}); at least two are needed")
    chosen = select_metrics(args.metrics or ["paper", *(["psnr,ssim"] if args.reference else [])])
    paths = [*args.files, args.fused, *([args.reference] if args.reference else [])]
    images = [read_image(path) for path in paths]
    same_size(images, [str(path) for path in paths])
    scorer = Scorer(images[:count], images[count + 1] if args.reference else None)
    names = [metric.name for metric in chosen]
    asked = split_names(args.metrics or [])
    if "all" in asked:
        names = [name for name in names if name in asked or not scorer.obstacle(name)]
    scores = scorer.scores(images[count], names)
    if args.json:
        console.emit_json({"fused": str(args.fused), "scores": scores})
        return 0
    width = max(len(metric.label) for metric in chosen)
    for metric in (m for m in chosen if m.name in scores):
        arrow = "higher is better" if metric.higher_is_better else "lower is better"
        console.emit(f"{metric.label:<{width}}  {scores[metric.name]:12.6f}  ({arrow})")
    return 0


def _many(args: argparse.Namespace) -> int:
    from bench.engine.batch import find_candidates, score_all
    from bench.engine.names import split_names
    from bench.engine.selection import select_metrics
    from datasets import DATASETS, load_scenes
    from datasets.fetch import fetch

    if args.jobs < 1:
        raise UsageError(f"--jobs {args.jobs}: at least 1")
    named = args.sources.partition(":")[0].partition("/")[0] in DATASETS
    where = args.sources if named and not Path(args.sources).is_dir() else f"folder:{args.sources}"
    scenes = load_scenes(where)
    fetch([file for scene in scenes for file in scene.files])
    names = [m.name for m in select_metrics(args.metrics or ["paper", "psnr", "ssim"])]
    by_name = [name for name in split_names(args.metrics or []) if name in names]
    candidates, strays = find_candidates(args.fused, [s.id for s in scenes], args.pattern)
    if strays:
        more = f" and {len(strays) - 1} more" if len(strays) > 1 else ""
        console.note(f"not scored, fits no scene: {strays[0]}{more}")
    rows: list[Row] = []
    with console.counting("scoring", len(scenes)) as advance:
        for part in score_all(
            scenes, candidates, names, args.jobs, named=by_name, plugins=args.plugin
        ):
            rows += part
            advance()
    unfit = [name for name in names if name not in {row.metric for row in rows}]
    if args.metrics and unfit:
        console.note(f"not defined for any of these scenes: {', '.join(unfit)}")
    missing = [row for row in rows if row.status == "missing"]
    for message in dict.fromkeys(row.message for row in rows if row.status == "failed"):
        console.note(message)
    for method in dict.fromkeys(row.method for row in missing):
        lacks = list(dict.fromkeys(row.scene for row in missing if row.method == method))
        console.note(f"no fused image by {method} of {', '.join(lacks)}")
    _write(rows, args)
    return 0 if all(row.status == "ok" for row in rows) else 1


def _write(rows: list[Row], args: argparse.Namespace) -> None:
    from bench.core.files import write_bytes

    header = ["scene", "method", "metric", "value", "status", "message"]
    if args.json:
        console.emit_json([{key: getattr(row, key) for key in header} for row in rows])
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([getattr(row, key) for key in header] for row in rows)
    if args.out:
        write_bytes(args.out, text.getvalue().encode())
    else:
        sys.stdout.write(text.getvalue())
