"""List the methods, the metrics or the datasets.

for example:
  python -m bench list methods --json
"""

from __future__ import annotations

import argparse

from bench.cli import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``list``."""
    parser.add_argument("kind", choices=["methods", "metrics", "datasets"], help="what to list")
    parser.add_argument(
        "--plugin",
        nargs="+",
        default=[],
        metavar="FILE.py",
        help="Python files that register further entries",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list on stdout")


def run(args: argparse.Namespace) -> int:
    """Print the list."""
    from bench.core.plugins import load_plugin
    from bench.engine.describe import ROWS

    for plugin in args.plugin:
        load_plugin(plugin)
    rows = list(ROWS[args.kind]())
    if args.json:
        console.emit_json(rows)
        return 0
    columns = list(rows[0])
    widths = {c: max(len(c), *(len(str(row[c])) for row in rows)) for c in columns[:-1]}
    for row in ({c: c.upper() for c in columns}, *rows):
        cells = [f"{row[c]!s:<{widths[c]}}" for c in columns[:-1]]
        console.emit("  ".join([*cells, str(row[columns[-1]])]))
    return 0
