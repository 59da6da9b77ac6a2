"""Show all that is known about one method, metric or dataset.

for example:
  python -m bench show qabf
  python -m bench show published:liu2020
"""

from __future__ import annotations

import argparse
from typing import Any

from bench.cli import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``show``."""
    parser.add_argument(
        "name",
        help="name of a method, metric or dataset in any case, what papers call a metric (QG), or "
        "published:COLLECTION",
    )
    parser.add_argument(
        "--plugin",
        nargs="+",
        default=[],
        metavar="FILE.py",
        help="Python files that register further entries",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Print what is known."""
    from bench.core.plugins import load_plugin
    from bench.engine.describe import facts_of

    for plugin in args.plugin:
        load_plugin(plugin)
    found = facts_of(args.name)
    if args.json:
        console.emit_json(found if len(found) > 1 else found[0])
        return 0
    for facts in found:
        _print(facts)
    return 0


def _print(facts: dict[str, Any]) -> None:
    documentation = facts.pop("documentation")
    facts.pop("golden", None)  # in short what "tested against" spells out
    width = max(map(len, facts))
    for key, value in facts.items():
        console.emit(f"{key.replace('_', ' '):<{width}}  {_text(value)}")
    console.emit(f"\n{documentation}\n")


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={_text(v)}" for key, v in value.items())
    if isinstance(value, list):
        return ", ".join(_text(v) for v in value)
    return str(value)
