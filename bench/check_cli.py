"""Test a Python file with your method against the contract, before you trust its numbers.

for example:
  python -m bench check my_method.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``check``."""
    parser.add_argument("file", type=Path, metavar="FILE.py", help="registers one method or more")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N (default: cpu)")
    parser.add_argument("--json", action="store_true", help="a JSON list on stdout")


def run(args: argparse.Namespace) -> int:
    """Run the contract suite on every method that the file registers."""
    from bench.contract import check_method
    from bench.errors import UsageError
    from bench.registry import load_plugin
    from bench.timing import check_device
    from methods import METHODS

    check_device(args.device)
    load_plugin(args.file)
    new = [m for m in METHODS if Path(m.fn.__code__.co_filename) == args.file.resolve()]
    if not new:
        raise UsageError(f"{args.file} registers no method (use the decorator methods.method)")
    results = [result for method in new for result in check_method(method, args.device)]
    if args.json:
        console.emit_json([vars(result) for result in results])
    else:
        for result in results:
            mark = "ok  " if result.passed else "FAIL"
            console.emit(f"{mark}  {result.method}: {result.check}{result.detail}")
        failed = sum(not result.passed for result in results)
        console.emit(f"{len(results) - failed} passed, {failed} failed")
    return 0 if all(result.passed for result in results) else 1
