"""Compare scores with committed ones; exit 1 if one is worse, missing or invalid.

Without --out the small fixed suite is run first: every method on the scenes that need no data.
--update writes the baseline anew and lists what changed, for the changelog. To compare runs of
several machines, run them with --precision fp32, as the fixed suite is: then learned methods are
held to the tolerance of the others (1e-3); otherwise to 2e-2.

for example:
  python -m bench regress --baseline reports/baselines/paper.csv
  python -m bench regress --baseline mine.csv --out results --junit regress.xml --summary $FILE
  pytest tests/speed --benchmark-enable --benchmark-json new.json
  python -m bench regress --timing old.json new.json
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench.cli import console
from bench.core.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``regress``."""
    add = parser.add_argument
    add("--baseline", type=Path, metavar="FILE.csv", help="the committed scores")
    add("--out", type=Path, metavar="DIR", help="a finished run (default: run the fixed suite)")
    add(
        "--store",
        type=Path,
        metavar="DIR",
        help="its store (default: the one that it used)",
    )
    add("--update", action="store_true", help="write the baseline from the run")
    add("--junit", type=Path, metavar="FILE.xml", help="write the comparison as JUnit XML")
    add("--summary", type=Path, metavar="FILE.md", help="append the comparison as Markdown")
    add(
        "--timing",
        nargs=2,
        type=Path,
        metavar=("OLD.json", "NEW.json"),
        help="compare two stored runs of the benchmarks instead, in calibration kernels",
    )


def run(args: argparse.Namespace) -> int:
    """Compare, and print which scores moved."""
    if bool(args.timing) == bool(args.baseline):
        raise UsageError("give either --baseline or --timing")
    return _speeds(*args.timing) if args.timing else _scores(args)


def _speeds(old: Path, new: Path) -> int:
    from bench.checks import speed_regression as speed

    speeds = speed.compare_speeds(speed.read_speeds(old), speed.read_speeds(new))
    console.emit(speed.speed_table(speeds))
    late = speed.slower(speeds)
    for each in late:
        console.note(
            f"slower: {each.name} takes {each.ratio:.2f} times as long (limit {speed.FACTOR})"
        )
    return 1 if late else 0


def _scores(args: argparse.Namespace) -> int:
    from bench.checks.fixed_suite import run_fixed_suite
    from bench.checks.regression import check_baseline, regress
    from reports.data.results import load_results

    check_baseline(args.baseline, update=args.update)
    with tempfile.TemporaryDirectory() as scratch:
        out = args.out or run_fixed_suite(Path(scratch))
        results = load_results(out, args.store)
    found = regress(
        results.scores,
        results.failures,
        results.manifest,
        args.baseline,
        update=args.update,
        junit_to=args.junit,
        summary_to=args.summary,
    )
    console.emit(found.text)
    for note in found.notes:
        console.note(note)
    return 1 if found.failed else 0
