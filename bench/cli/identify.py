"""Find which variant of a metric gives a published number.

Papers seldom say which code computed a number. This tries our metrics and their variants of
public codes, other units (percent, nats, images scaled to 0..1, mean instead of sum), rules that
make colour gray, JPEG, swapped channels, borders and sizes; the likeliest first. Several values
are looked for together: what explains all of them is no accident. The digits of a value say how
it was rounded: 0.719 matches far more by chance than 0.7190. Ends with 0 if one hypothesis
explains all the values, else with 1 and what comes nearest.

for example:
  python -m bench identify a.png b.png --fused mine.png --value Xydeas=0.7198 --value EN=7.02
  python -m bench identify a.png b.png --fused mine.png --value 0.7198 --json
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.cli import console

#: Sources and options may come in any order.
INTERMIXED = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``identify``."""
    add = parser.add_argument
    add("files", nargs="+", type=Path, metavar="SOURCE", help="the source images, two or more")
    add("--fused", type=Path, required=True, metavar="FILE", help="the fused image")
    add(
        "--value",
        action="append",
        required=True,
        metavar="NAME=NUMBER",
        help="a metric as the paper calls it, and its value with all printed digits; may be given "
        "several times; NUMBER alone is a value of any metric",
    )
    add("--reference", type=Path, metavar="FILE", help="the all-in-focus image, if it is known")
    add("--every", action="store_true", help="go on after the values are explained")
    add(
        "--plugin",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE.py",
        help="Python files that register further metrics",
    )
    add("--json", action="store_true", help="print JSON on stdout")


def run(args: argparse.Namespace) -> int:
    """Print what was found; 1 if nothing explains all values."""
    from bench import api
    from bench.engine.execute import load_plugins

    load_plugins(args.plugin)
    with console.StepProgress() as progress:
        result = api.identify(
            args.files,
            args.fused,
            args.value,
            reference=args.reference,
            every=args.every,
            observe=progress,
        )
    if args.json:
        console.emit_json(result.facts())
    else:
        for line in result.lines():
            console.emit(line)
    return 0 if result.found else 1
