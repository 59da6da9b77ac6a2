"""List the methods, the metrics, the datasets, their perturbations, or the scenes of datasets.

for example:
  python -m bench list methods --json
  python -m bench list methods --family multi-scale
  python -m bench list scenes lytro
  python -m bench list scenes liu2020 -liu2020/g_* folder:my_photos
  python -m bench list scenes folder:set --layout 'in_{source}/{scene}' 'reference=gt/{scene}'
"""

from __future__ import annotations

import argparse
from typing import Any

from bench.cli import console
from bench.core.errors import UsageError

#: Files of a scene that its line shows; --json shows all.
MOST_FILES = 3
KINDS = ("methods", "metrics", "datasets", "perturbations", "scenes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``list``."""
    parser.add_argument("kind", choices=KINDS, help="what to list")
    parser.add_argument(
        "names", nargs="*", metavar="DATASET", help="scenes: of which datasets, as in bench run"
    )
    parser.add_argument(
        "--plugin",
        nargs="+",
        default=[],
        metavar="FILE.py",
        help="Python files that register further entries",
    )
    parser.add_argument("--family", help="methods, metrics: only those of this family")
    console.add_layout(parser.add_argument)
    parser.add_argument("--json", action="store_true", help="print a JSON list on stdout")


def run(args: argparse.Namespace) -> int:
    """Print the list."""
    from bench.core.plugins import load_plugin
    from bench.engine.describe import ROWS

    for plugin in args.plugin:
        load_plugin(plugin)
    rows = _scenes(args) if args.kind == "scenes" else list(ROWS[args.kind]())
    if args.kind != "scenes" and (args.names or args.layout):
        given = args.names[0] if args.names else "--layout"
        raise UsageError(f"{given}: only list scenes takes datasets and --layout")
    if args.family:
        rows = _of_family(rows, args.family)
    if args.json:
        console.emit_json(rows)
        return 0
    columns = list(rows[0])
    widths = {c: max(len(c), *(len(_text(row[c])) for row in rows)) for c in columns[:-1]}
    for row in ({c: c.upper() for c in columns}, *rows):
        cells = [f"{_text(row[c]):<{widths[c]}}" for c in columns[:-1]]
        console.emit("  ".join([*cells, _text(row[columns[-1]])]).rstrip())
    return 0


def _of_family(rows: list[dict[str, Any]], family: str) -> list[dict[str, Any]]:
    from methods import FAMILY_ALIASES

    family = FAMILY_ALIASES.get(family, family)
    families = list(dict.fromkeys(row["family"] for row in rows if row.get("family")))
    if not families:
        raise UsageError("--family: only methods and metrics have families")
    if family not in families:
        raise UsageError(f"--family {family}: the families are {', '.join(families)}")
    return [row for row in rows if row["family"] == family]


def _scenes(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The scenes; what the readers of folders remark goes to stderr."""
    from bench.engine.scene_rows import scene_rows

    if not args.names:
        raise UsageError("list scenes needs a dataset, such as lytro or folder:DIR")
    rows, remarks = scene_rows(args.names, args.layout)
    for remark in remarks:
        console.note(remark)
    return rows


def _text(value: object) -> str:
    if isinstance(value, list):
        return " ".join(value[:MOST_FILES]) + (f" … ({len(value)})" if value[MOST_FILES:] else "")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else str(value)
