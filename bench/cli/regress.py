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
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli import console
from bench.core.errors import UsageError

if TYPE_CHECKING:
    from bench.checks.regression import Change


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``regress``."""
    add = parser.add_argument
    add("--baseline", type=Path, metavar="FILE.csv", help="the committed scores")
    add("--out", type=Path, metavar="DIR", help="a finished run (default: run the fixed suite)")
    add("--store", type=Path, metavar="DIR", help="store of that run (default: OUT/store)")
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
    """Compare, and say what moved."""
    if bool(args.timing) == bool(args.baseline):
        raise UsageError("give either --baseline or --timing")
    return _speeds(*args.timing) if args.timing else _scores(args)


def _speeds(old: Path, new: Path) -> int:
    from bench.checks.speed_regression import FACTOR, compare_speeds, read_speeds, slower
    from reports.tables.formats import Cell, to_markdown

    speeds = compare_speeds(read_speeds(old), read_speeds(new))
    rows = [
        [Cell(speed.name)]
        + [
            Cell("–" if math.isnan(x) else f"{x:.3f}")
            for x in (speed.before, speed.after, speed.ratio)
        ]
        for speed in speeds
    ]
    console.emit(to_markdown(["Benchmark", "Before (kernels)", "After", "Ratio"], rows))
    late = slower(speeds)
    for speed in late:
        console.note(f"slower: {speed.name} takes {speed.ratio:.2f} times as long (limit {FACTOR})")
    return 1 if late else 0


def _scores(args: argparse.Namespace) -> int:
    from bench.checks.regression import (
        compare,
        failed,
        junit,
        make_baseline,
        read_baseline,
        verdict,
    )
    from bench.core.files import write_bytes
    from bench.store.store import Store
    from reports.data.results import load_results

    with tempfile.TemporaryDirectory() as scratch:
        out = args.out or _fixed_suite(Path(scratch))
        results = load_results(out, Store(args.store or out / "store"))
    fresh = args.update and not args.baseline.exists()
    baseline = make_baseline(results.scores, results.manifest) if fresh else None
    if baseline is None:
        baseline = read_baseline(args.baseline)
    changes = compare(baseline, results.scores, results.manifest, results.failures)
    text = verdict(changes, len(baseline)) + _table(changes)
    console.emit(text)
    if args.summary:
        with args.summary.open("a", encoding="utf-8") as file:
            file.write(f"### Scores against {args.baseline.name}\n\n{text}\n")
    if args.junit:
        write_bytes(args.junit, junit(changes, baseline))
    if args.update:
        table = make_baseline(results.scores, results.manifest)
        write_bytes(args.baseline, table.to_csv(index=False, lineterminator="\n").encode())
        console.note(f"{args.baseline}: written; list the changes under 'Numbers changed'")
        return 0
    if results.manifest.get("precision", "fp32") != "fp32" and failed(changes):
        form = results.manifest["precision"]
        console.note(f"learned methods computed in {form} here: compare with --precision fp32")
    if any(change.kind in ("better", "new") for change in changes):
        console.note("what is better or new is no failure: --update takes it into the baseline")
    return 1 if failed(changes) else 0


def _fixed_suite(scratch: Path) -> Path:
    """Run every method on the scenes of the paper as they are without data and network."""
    out = scratch / "run"
    hidden = {"MFIF_DATA", "MFIF_OFFLINE", "XDG_CACHE_HOME"}
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    environment["XDG_CACHE_HOME"] = str(scratch / "cache")
    command = [sys.executable, "-m", "bench", "run", "--offline", "--repeats", "0"]
    command += ["--precision", "fp32"]  # else the processor would have a say
    done = subprocess.run([*command, "--out", str(out)], env=environment, check=False)
    if done.returncode not in (0, 1):
        raise UsageError(f"the fixed suite ended with exit code {done.returncode}")
    return out


def _table(changes: list[Change]) -> str:
    from reports.tables.formats import Cell, to_markdown

    if not changes:
        return ""
    rows = [
        [
            Cell(change.name),
            Cell(change.kind),
            *(Cell(_number(value)) for value in (change.before, change.after)),
            Cell(_number(change.difference, "+")),
            Cell(change.remark),
        ]
        for change in changes
    ]
    headers = ["Score", "Change", "Before", "After", "Difference", "Remark"]
    return f"\n\n{to_markdown(headers, rows, left=(0, 1, 5))}"


def _number(value: float, sign: str = "") -> str:
    return "–" if math.isnan(value) else f"{value:{sign}.6f}"
