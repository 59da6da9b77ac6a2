"""Score fused images that exist already.

One image: name its sources. Many: --sources says where the sources are (a folder of name_A.*,
name_B.* pairs, or a dataset such as liu2020) and --fused is a folder with METHOD/NAME.* or
NAME_METHOD.* in it, or only NAME.*; the scores go to standard output, or to --out, as CSV.

for example:
  python -m bench score a.png b.png --fused mine.png
  python -m bench score a.png b.png --fused mine.png --reference sharp.png --metrics psnr,ssim
  python -m bench score a.png b.png --fused mine.png --json
  python -m bench score --sources my_pairs --fused my_results --metrics all --jobs 2 --out s.csv
  python -m bench score --sources lytro --fused my_results --claims table.csv --out checked.md
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli import console
from bench.core.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

#: Sources and options may come in any order.
INTERMIXED = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``score``."""
    add = parser.add_argument
    add("files", nargs="*", type=Path, metavar="SOURCE", help="the source images, two or more")
    add("--fused", type=Path, required=True, metavar="PATH", help="the fused image, or a folder")
    add("--reference", type=Path, metavar="FILE", help="the all-in-focus image, if it is known")
    add(
        "--metrics",
        nargs="+",
        metavar="NAME",
        help="names, also as papers write them (QG, EN), a family, paper, all, q* for all that "
        "match, -qp to leave one out (default: paper, and psnr and ssim with a reference)",
    )
    add(
        "--plugin",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE.py",
        help="Python files that register further metrics or datasets",
    )
    add("--json", action="store_true", help="print JSON on stdout")
    many = parser.add_argument_group("many images")
    many.add_argument(
        "--sources", metavar="DIR|DATASET", help="a folder of source images, or a dataset"
    )
    many.add_argument(
        "--pattern",
        default="",
        metavar="TEXT",
        help="path of a fused image without its ending, with {scene} and {method} (default: "
        "whichever of {method}/{scene}, {scene}, {scene}_{method}, {method}_{scene}, "
        "{scene}/{method} fits)",
    )
    many.add_argument(
        "--claims",
        type=Path,
        metavar="FILE.csv",
        help="check a paper's table: a row for each method (and scene), a column for each metric; "
        "rows without a scene are means",
    )
    many.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="scenes scored at the same time (default: 1)",
    )
    many.add_argument(
        "--store", type=Path, metavar="DIR", help="folder that keeps the scores, for the next call"
    )
    many.add_argument(
        "--out", type=Path, metavar="FILE.csv", help="CSV file for the scores (default: stdout)"
    )


def run(args: argparse.Namespace) -> int:
    """Print or write the scores."""
    if args.sources and args.files:
        raise UsageError(f"give the source images or --sources, not both (got {args.files[0]})")
    many = {"--pattern": args.pattern, "--out": args.out, "--store": args.store}
    many["--claims"] = args.claims
    many["--jobs"] = args.jobs != 1
    for option, given in many.items() if not args.sources else [("--reference", args.reference)]:
        if given:
            raise UsageError(
                f"{option} does not go {'with' if args.sources else 'without'} --sources"
            )
    if args.claims:
        return _claims(args)
    return _many(args) if args.sources else _one(args)


def _one(args: argparse.Namespace) -> int:
    from bench import api
    from bench.engine.execute import load_plugins
    from metrics import METRICS

    load_plugins(args.plugin)
    failed: dict[str, str] = {}
    values = api.score(
        args.files,
        args.fused,
        metrics=args.metrics,
        reference=args.reference,
        on_error=failed.__setitem__,
    )
    for name, reason in failed.items():
        console.error(f"{name}: {reason}")
    if args.json:
        console.emit_json({"fused": str(args.fused), "scores": values, "failed": failed})
        return 1 if failed else 0
    width = max((len(METRICS[name].label) for name in values), default=0)
    for name, value in values.items():
        arrow = "higher is better" if METRICS[name].higher_is_better else "lower is better"
        console.emit(f"{METRICS[name].label:<{width}}  {value:12.6f}  ({arrow})")
    return 1 if failed else 0


def _many(args: argparse.Namespace) -> int:
    from bench import api

    with console.RunProgress(lines=False) as progress:
        table = api.score_folder(
            args.sources,
            args.fused,
            metrics=args.metrics,
            pattern=args.pattern,
            jobs=args.jobs,
            plugins=args.plugin,
            store=args.store,
            progress=progress,
        )
    failed = table[table.status == "failed"]
    for message in failed.message.unique():
        console.note(message)
    missing = table[table.status == "missing"]
    for method, scenes in missing.groupby("method", sort=False).scene:
        console.note(f"no fused image by {method} of {', '.join(scenes.unique())}")
    _write(table, args)
    return 0 if (table.status == "ok").all() else 1


def _claims(args: argparse.Namespace) -> int:
    from bench import api
    from bench.cli.claims_output import check_ending, show_claims

    check_ending(args.out)
    with console.RunProgress(lines=False) as progress:
        table = api.check_claims(
            args.claims,
            args.sources,
            args.fused,
            metrics=args.metrics,
            pattern=args.pattern,
            jobs=args.jobs,
            plugins=args.plugin,
            store=args.store,
            progress=progress,
        )
    return show_claims(table, args.out, as_json=args.json)


def _write(table: pd.DataFrame, args: argparse.Namespace) -> None:
    from bench.core.files import write_bytes

    if args.json:
        console.emit_json(table.to_dict("records"))
        return
    text = table.to_csv(index=False, lineterminator="\n")
    if args.out:
        write_bytes(args.out, text.encode())
    else:
        sys.stdout.write(text)
