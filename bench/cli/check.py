"""Test a Python file with your method or metric against the contract, before you use its numbers.

for example:
  python -m bench check my_method.py
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.cli import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``check``."""
    parser.add_argument(
        "file", type=Path, metavar="FILE.py", help="Python file that registers methods or metrics"
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N (default: cpu)")
    parser.add_argument("--json", action="store_true", help="print a JSON list on stdout")


def run(args: argparse.Namespace) -> int:
    """Run the contract suites on every method and metric that the file registers."""
    from bench.checks.methods import check_method
    from bench.checks.metrics import check_metric
    from bench.core.devices import check_device
    from bench.core.errors import UsageError
    from bench.core.plugins import load_plugin
    from methods import METHODS
    from metrics import METRICS

    check_device(args.device)
    load_plugin(args.file)
    results = [r for m in METHODS if _of(args.file, m.fn) for r in check_method(m, args.device)]
    results += [r for m in METRICS if _of(args.file, m.fn) for r in check_metric(m)]
    if not results:
        raise UsageError(
            f"{args.file} registers no method and no metric (use the decorators methods.method "
            "and metrics.metric)"
        )
    if args.json:
        console.emit_json([vars(result) for result in results])
    else:
        for result in results:
            mark = "ok  " if result.passed else "FAIL"
            console.emit(f"{mark}  {result.name}: {result.check}{result.detail}")
        failed = sum(not result.passed for result in results)
        console.emit(f"{len(results) - failed} passed, {failed} failed")
    return 0 if all(result.passed for result in results) else 1


def _of(file: Path, fn: Callable[..., Any]) -> bool:
    """Whether `fn` was registered by `file`, or by a helper that it imports."""
    from bench.core.plugins import plugin_of

    fn = inspect.unwrap(fn)
    return file.resolve() in (Path(fn.__code__.co_filename), plugin_of(fn.__module__))
