"""Write the tables of a finished run again, from its records alone.

for example:
  python -m bench report tables --out results
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``report``."""
    add = parser.add_argument
    add("what", choices=["tables"], help="tables: scores.csv, timing.csv and tables/*.{csv,md}")
    add(
        "--out",
        type=Path,
        default=Path("results"),
        metavar="DIR",
        help="output folder of the run (default: results)",
    )
    add("--store", type=Path, metavar="DIR", help="its store (default: OUT/store)")


def run(args: argparse.Namespace) -> int:
    """Write the report and print the names of its files."""
    from bench.store import Store
    from reports.results import load_results
    from reports.tables import write_tables

    results = load_results(args.out, Store(args.store or args.out / "store"))
    for path in write_tables(results, args.out):
        console.emit(str(path))
    return 0
