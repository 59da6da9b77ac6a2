"""Join the runs of several shards, or of several machines, into one.

Records and images are copied into the store of OUT, each verified on the way; the tables are
those of one run over all cells. The order of the folders is that of the rows.

for example:
  python -m bench run --methods all --datasets mfifb --shard 1/2 --out part1
  python -m bench run --methods all --datasets mfifb --shard 2/2 --out part2
  python -m bench merge part1 part2 --out results
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.cli import console
from bench.core.errors import UsageError


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
        help="their stores, where --store was given (default: DIR/store of each)",
    )


def run(args: argparse.Namespace) -> int:
    """Join, write the tables; 0 when every cell is ok, else 1."""
    from bench.store.merge import merge
    from bench.store.store import Store
    from reports.data.results import load_results
    from reports.tables.run_tables import write_tables

    stores = args.stores or [part / "store" for part in args.parts]
    if len(stores) not in {1, len(args.parts)}:
        raise UsageError("--stores takes one folder for all parts, or one for each")
    if len(stores) < len(args.parts):
        stores *= len(args.parts)
    target = Store(args.out / "store")
    manifest = merge(list(zip(args.parts, map(Store, stores), strict=True)), args.out, target)
    write_tables(load_results(args.out, target), args.out)
    fine = sum(cell["status"] == "ok" for cell in manifest["cells"])
    console.note(f"{len(manifest['cells'])} cells of {len(args.parts)} runs, {fine} ok")
    return 0 if fine == len(manifest["cells"]) else 1
