"""List what there is: methods, metrics or datasets.

for example:
  python -m bench list methods --json
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from bench.cli import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``list``."""
    parser.add_argument("kind", choices=["methods", "metrics", "datasets"])
    parser.add_argument("--plugin", nargs="+", default=[], metavar="FILE.py", help="with these too")
    parser.add_argument("--json", action="store_true", help="a JSON list on stdout")


def run(args: argparse.Namespace) -> int:
    """Print the list."""
    from bench.core.plugins import load_plugin

    for plugin in args.plugin:
        load_plugin(plugin)
    rows = list(_ROWS[args.kind]())
    if args.json:
        console.emit_json(rows)
        return 0
    columns = list(rows[0])
    widths = {c: max(len(c), *(len(str(row[c])) for row in rows)) for c in columns[:-1]}
    for row in ({c: c.upper() for c in columns}, *rows):
        cells = [f"{row[c]!s:<{widths[c]}}" for c in columns[:-1]]
        console.emit("  ".join([*cells, str(row[columns[-1]])]))
    return 0


def _methods() -> Iterable[dict[str, Any]]:
    from methods import METHODS

    for m in METHODS:
        yield {
            "name": m.name,
            "family": m.family,
            "kind": m.kind,
            "title": m.title,
            "paper": m.paper,
        }
    yield from _published()


def _published() -> Iterable[dict[str, Any]]:
    """What can be run beside the methods: other people's fused images."""
    from bench.engine.published import PUBLISHED_PREFIX, select_published
    from datasets.catalog import collection
    from datasets.standard import PUBLISHED

    for name in PUBLISHED:
        count = len(select_published(PUBLISHED_PREFIX + name))
        yield {
            "name": PUBLISHED_PREFIX + name,
            "family": "published",
            "kind": "images",
            "title": f"fused images of {count} methods as their authors made them, not run here",
            "paper": collection(name).citation,
        }


def _metrics() -> Iterable[dict[str, Any]]:
    from metrics import METRICS

    for m in METRICS:
        better = "higher" if m.higher_is_better else "lower"
        yield {
            "name": m.name,
            "label": m.label,
            "family": m.family,
            "better": better,
            "needs": m.needs,
            "title": m.title,
        }


def _datasets() -> Iterable[dict[str, Any]]:
    from datasets import DATASETS

    for d in DATASETS:
        name = f"{d.name}:{d.argument}" if d.argument_required else d.name
        yield {"name": name, "title": d.title, "licence": d.licence}


_ROWS = {"methods": _methods, "metrics": _metrics, "datasets": _datasets}
