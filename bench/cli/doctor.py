"""Verify and repair a store, and check the environment.

Damaged records and images, and what interrupted writes have left, are removed; the next run
computes them again. Valid records and images are not changed.

for example:
  python -m bench doctor
  python -m bench doctor --store results/store
  python -m bench doctor --store results/store --dry-run
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench.cli import console
from bench.core.errors import EnvironmentFault, UsageError

MARKS = {"ok": "ok   ", "note": "note ", "fault": "FAULT"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``doctor``."""
    parser.add_argument(
        "--store", type=Path, metavar="DIR", help="the store to verify and repair: OUT/store"
    )
    parser.add_argument("--dry-run", action="store_true", help="verify only, change nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print what was found; 0 all well, 1 damage in the store, 4 a fault of the environment."""
    from bench.checks.environment import check_environment
    from bench.store.repair import examine
    from bench.store.store import Store

    if args.store and not args.store.is_dir():
        raise UsageError(f"--store {args.store}: no such folder")
    checks = list(check_environment(args.store or Path()))
    findings: dict[str, Any] = {"environment": [vars(check) for check in checks]}
    lines = [f"{MARKS[check.verdict]} {check.name}: {check.detail}" for check in checks]
    damaged = False
    if args.store:
        report = examine(Store(args.store), repair=not args.dry_run)
        damaged = bool(report.damaged)
        done = "found" if args.dry_run else "removed"
        lines += [f"{done}: {file}" for file in (*report.damaged, *report.leftover)]
        lines.append(
            f"{MARKS['fault' if damaged else 'ok']} store: {report.records} records and "
            f"{report.images} images are whole; {done} {len(report.damaged)} damaged records and "
            "images and "
            f"{len(report.leftover)} leftovers; {report.lost_images} cells have no image any more"
        )
        files = {k: list(map(str, getattr(report, k))) for k in ("damaged", "leftover")}
        findings |= {"store": {**vars(report), **files}}
    if args.json:
        console.emit_json(findings)
    else:
        console.emit("\n".join(lines))
    if any(check.verdict == "fault" for check in checks):
        return EnvironmentFault.exit_code
    return 1 if damaged else 0
