"""Score fused images that exist already.

One image: name its sources. Many: --sources says where the sources are (folders of name_A.*,
name_B.* pairs, or datasets such as liu2020), --fused where the fused images are: folders with
METHOD/NAME.*, NAME_METHOD.* or only NAME.*, the fused/ folder of a run, or NAME=DIR. Names are
understood in upper or lower case, with or without leading zeros and words such as "fusion", and
lytro-01, c_01 and lytro_01 are one picture. Means are printed as a table; --out or --format gives
every score. --claims compares a paper's table with what the images give: each number agrees, agrees
with a variant of the metric, differs (then the command ends with 1), or is missing.

for example:
  python -m bench score a.png b.png --fused mine.png
  python -m bench score a.png b.png --fused mine.png --reference sharp.png --metrics psnr,ssim
  python -m bench score a.png b.png --fused mine.png --json
  python -m bench score --sources my_pairs --fused my_results --metrics all --jobs 2 --out s.csv
  python -m bench score --sources lytro mfifb --fused ours=results/lytro ours=results/mfifb
  python -m bench score --sources lytro --fused ours=results --available --wide --out wide.csv
  python -m bench score --sources lytro --fused my_results --claims table.csv --out checked.md
  python -m bench score --sources lytro --fused results --pattern '{method}/out_{scene}'
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli import console
from bench.core.errors import UsageError

if TYPE_CHECKING:
    from bench.api.folder_scores import FolderScores

#: Sources and options may come in any order.
INTERMIXED = True

#: What ``--format`` offers: a table of means, or every score.
FORMATS = ("table", "csv", "json")

#: The format of a file by its ending.
_BY_ENDING = {".csv": "csv", ".md": "table", ".json": "json"}

#: Scenes without a fused image that are named.
_NAMED = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``score``."""
    add = parser.add_argument
    add("files", nargs="*", type=Path, metavar="SOURCE", help="the source images, two or more")
    add(
        "--fused",
        nargs="+",
        required=True,
        metavar="PATH",
        help="the fused image; or folders, each DIR or NAME=DIR",
    )
    add("--reference", type=Path, metavar="FILE", help="the all-in-focus image, if it is known")
    add(
        "--metrics",
        nargs="+",
        metavar="NAME",
        help="names, also as papers write them (QG, EN), a family, paper, principal, all, q* for "
        "all that match, -qp to leave one out (default: paper, and psnr and ssim with a reference)",
    )
    add(
        "--plugin",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE.py",
        help="Python files that register further metrics or datasets",
    )
    add(
        "--bits",
        type=int,
        metavar="N",
        help="bits of the 16-bit images, which are scaled to 16; 16 leaves them as they are "
        "(default: 8, 10, 12, 14 or 16, what the largest value of a scene needs)",
    )
    add("--json", action="store_true", help="print JSON on stdout")
    _add_many(parser)


def _add_many(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("many images").add_argument
    add(
        "--sources",
        nargs="+",
        metavar="DIR|DATASET",
        help="folders of source images, or datasets",
    )
    console.add_layout(add)
    add(
        "--pattern",
        default="",
        metavar="TEXT",
        help="path of a fused image without its ending, with {scene}, {method} and *, where names "
        "are not understood (default: by the words of the name)",
    )
    add(
        "--claims",
        type=Path,
        metavar="FILE.csv",
        help="check a paper's table: a row for each method (and scene), a column for each metric; "
        "rows without a scene are means over all",
    )
    add(
        "--available",
        action="store_true",
        help="score only the scenes of which there is a fused image; without this a missing "
        "image is named, and the exit code is 1",
    )
    add(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="scenes scored at the same time (default: 1)",
    )
    add("--store", type=Path, metavar="DIR", help="folder that keeps the scores, for the next call")
    add(
        "--out",
        type=Path,
        metavar="FILE",
        help="file to write instead of stdout: .csv for every score, .md for the means, .json",
    )
    add(
        "--format",
        choices=FORMATS,
        help="table of means, or csv or json with every score (default: by the ending of --out, "
        "else table)",
    )
    add("--wide", action="store_true", help="CSV with a column for each metric")


def run(args: argparse.Namespace) -> int:
    """Print or write the scores."""
    if args.sources and args.files:
        raise UsageError(f"give the source images or --sources, not both (got {args.files[0]})")
    many = {"--pattern": args.pattern, "--out": args.out, "--store": args.store}
    many |= {"--jobs": args.jobs != 1, "--available": args.available, "--layout": args.layout}
    many |= {"--format": args.format, "--wide": args.wide, "--claims": args.claims}
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
    fused, *more = map(Path, args.fused)
    if args.files and more:
        raise UsageError(f"one fused image at a time; many need --sources (got {more[0]})")
    values = api.score(
        [*args.files, *more],  # sources may follow the fused image
        fused,
        metrics=args.metrics,
        reference=args.reference,
        bits=args.bits,
        on_error=failed.__setitem__,
        on_note=console.note,
    )
    for name, reason in failed.items():
        console.error(f"{name}: {reason}")
    if args.json:
        console.emit_json({"fused": str(fused), "scores": values, "failed": failed})
        return 1 if failed else 0
    width = max((len(METRICS[name].label) for name in values), default=0)
    for name, value in values.items():
        arrow = "higher is better" if METRICS[name].higher_is_better else "lower is better"
        console.emit(f"{METRICS[name].label:<{width}}  {value:12.6f}  ({arrow})")
    return 1 if failed else 0


def _many(args: argparse.Namespace) -> int:
    from bench import api

    how = _format(args)
    with console.RunProgress(lines=False) as progress:
        found = api.score_folders(
            args.sources,
            args.fused,
            metrics=args.metrics,
            pattern=args.pattern,
            layout=args.layout,
            available=args.available,
            jobs=args.jobs,
            plugins=args.plugin,
            store=args.store,
            bits=args.bits,
            progress=progress,
        )
    table = found.scores
    for message in table[table.status == "failed"].message.unique():
        console.note(message)
    missing = table[table.status == "missing"]
    for method, scenes in missing.groupby("method", sort=False).scene:
        console.note(f"no fused image by {method} of {_some(scenes.unique().tolist())}")
    _write(_text(found, how, args.wide), args.out)
    return 0 if (table.status == "ok").all() else 1


def _claims(args: argparse.Namespace) -> int:
    from bench import api

    if args.wide:
        raise UsageError("--wide does not go with --claims")
    how = _format(args)
    with console.RunProgress(lines=False) as progress:
        found = api.check_claims(
            args.claims,
            args.sources,
            args.fused,
            metrics=args.metrics,
            pattern=args.pattern,
            layout=args.layout,
            bits=args.bits,
            available=args.available,
            jobs=args.jobs,
            plugins=args.plugin,
            store=args.store,
            progress=progress,
        )
    _write(found.text(how, whole=args.out is not None), args.out)
    for line in found.counts() if args.out or how != "table" else ():
        console.note(line)
    return 1 if found.differs else 0


def _format(args: argparse.Namespace) -> str:
    """What is written: the means, or every score."""
    asked = "json" if args.json else args.format
    if args.json and args.format not in (None, "json"):
        raise UsageError(f"--json does not go with --format {args.format}")
    ending = args.out.suffix.lower() if args.out else ""
    how: str = asked or _BY_ENDING.get(ending) or ("csv" if args.wide else "table")
    if args.out and not asked and ending not in _BY_ENDING:
        raise UsageError(
            f"--out {args.out}: must end with {', '.join(_BY_ENDING)}; or give --format"
        )
    if args.wide and how != "csv":
        raise UsageError(f"--wide is for CSV, not for {how}")
    return how


def _some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _text(found: FolderScores, how: str, wide: bool) -> str:
    if how == "json":
        return console.json_text(found.scores.to_dict("records")) + "\n"
    if how == "table":
        return found.means
    table = found.wide() if wide else found.scores
    return str(table.to_csv(index=False, lineterminator="\n"))


def _write(text: str, out: Path | None) -> None:
    from bench.core.files import write_bytes

    if out is None:
        sys.stdout.write(text)
        return
    try:
        write_bytes(out, text.encode())
    except OSError as error:
        raise UsageError(f"--out {out}: cannot be written ({error.strerror})") from None
