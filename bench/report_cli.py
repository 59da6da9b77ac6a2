"""Write the reports of a finished run, from its records alone.

tables        scores.csv, timing.csv, Tables 1-4 and means: what a run writes by itself
leaderboard   ranks with intervals and tests, null baselines, agreement with truth;
              Markdown, CSV and LaTeX in OUT/leaderboard

for example:
  python -m bench report tables --out results
  python -m bench report leaderboard --out results --dataset liu2020
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``report``."""
    add = parser.add_argument
    add("what", choices=["tables", "leaderboard"])
    add(
        "--out",
        type=Path,
        default=Path("results"),
        metavar="DIR",
        help="output folder of the run (default: results)",
    )
    add("--store", type=Path, metavar="DIR", help="its store (default: OUT/store)")
    add("--dataset", default="", metavar="NAME", help="leaderboard: only this dataset's scenes")
    add("--to", type=Path, metavar="DIR", help="leaderboard: folder (default: OUT/leaderboard)")


def run(args: argparse.Namespace) -> int:
    """Write the report and print the names of its files."""
    from bench.store import Store
    from reports.results import load_results

    results = load_results(args.out, Store(args.store or args.out / "store"))
    if args.what == "tables":
        from reports.tables import write_tables

        written = write_tables(results, args.out)
    else:
        from reports.leaderboard_files import write_leaderboard

        written = write_leaderboard(results, args.to or args.out / "leaderboard", args.dataset)
    for path in written:
        console.emit(str(path))
    return 0
