"""Compare two finished runs: what changed, and whether it is significant.

Differences of methods, weights, metrics, data, versions and machine; then every score that
moved, tested over the scenes that both runs finished on the same pixels (Wilcoxon's
signed-rank test, Holm's correction over all methods and metrics that moved).

for example:
  python -m bench compare results/before results/after
  python -m bench compare results/before results/after --json
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.cli import console
from bench.core.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``compare``."""
    add = parser.add_argument
    add("before", type=Path, metavar="RUN_A", help="output folder of a run")
    add("after", type=Path, metavar="RUN_B", help="output folder of another")
    add(
        "--alpha",
        type=float,
        default=0.05,
        metavar="P",
        help="level of the tests (default: %(default)s)",
    )
    add("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print the comparison."""
    from reports.data.results import load_results
    from reports.data.run_comparison import compare_runs
    from reports.tables.run_comparison import comparison_json, comparison_text

    if not 0 < args.alpha < 1:
        raise UsageError(f"--alpha must lie between 0 and 1, got {args.alpha:g}")
    before, after = load_results(args.before), load_results(args.after)
    found = compare_runs(before, after, alpha=args.alpha)
    if args.json:
        console.emit(comparison_json(found))
    else:
        heads = zip("AB", (args.before, args.after), (before, after), strict=True)
        for letter, folder, results in heads:
            console.emit(f"{letter}: {folder}, finished {results.manifest.finished}")
        console.emit(f"\n{comparison_text(found, after.manifest)}")
    return 0
