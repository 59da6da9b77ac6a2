"""Join the runs of several shards, or of several machines, into one.

Records and images are copied into the store of OUT, each verified on the way; then the ordinary
run over all their cells uses the records that fit and computes the other cells: those of other
pixels, of other code or of another number format than this machine uses. Timings of other machines
appear in no table. The order of the folders is the order of the rows.

for example:
  python -m bench run --methods all --datasets mfifb --shard 1/2 --out part1
  python -m bench run --methods all --datasets mfifb --shard 2/2 --out part2
  python -m bench merge part1 part2 --out results
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.cli import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``merge``."""
    parser.add_argument("parts", nargs="+", type=Path, metavar="DIR", help="output folders of runs")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the joined run"
    )
    parser.add_argument(
        "--stores",
        nargs="+",
        type=Path,
        metavar="DIR",
        help="their stores (default: those that the runs used)",
    )
    parser.add_argument(
        "--plugin",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE.py",
        help="plug-ins of the runs (default: the files that the runs used)",
    )


def run(args: argparse.Namespace) -> int:
    """Join, write the tables; 0 when every cell is ok, else 1."""
    from bench import api

    with console.RunProgress(lines=False) as progress:
        results = api.merge(
            args.parts,
            args.out,
            stores=args.stores or (),
            plugins=args.plugin,
            progress=progress,
        )
    cells = results.manifest.cells
    fine = sum(cell.status == "ok" for cell in cells)
    console.note(f"{len(cells)} cells of {len(args.parts)} runs, {fine} ok")
    return 0 if fine == len(cells) else 1
