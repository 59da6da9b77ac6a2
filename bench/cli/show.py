"""All that is known about one method, metric or dataset.

for example:
  python -m bench show qabf
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bench.cli import console
from bench.core.errors import UnknownName

if TYPE_CHECKING:
    from metrics import Metric


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``show``."""
    parser.add_argument("name", help="a method, metric, dataset or published:COLLECTION")
    parser.add_argument("--plugin", nargs="+", default=[], metavar="FILE.py", help="with these too")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Print what is known."""
    from bench.core.plugins import load_plugin
    from datasets import DATASETS
    from datasets.standard import PUBLISHED
    from methods import METHODS
    from metrics import METRICS

    for plugin in args.plugin:
        load_plugin(plugin)
    registries = (METHODS, METRICS, DATASETS)
    facts = [_facts(r.kind, r[args.name]) for r in registries if args.name in r]
    group, _, member = args.name.partition(":")
    if member and group in ("published", *PUBLISHED):
        facts.append(_published(args.name))
    if not facts:
        names = [name for registry in registries for name in registry.names()]
        raise UnknownName("method, metric or dataset", args.name, names)
    if args.json:
        console.emit_json(facts if len(facts) > 1 else facts[0])
        return 0
    for fact in facts:
        if fact.get("golden"):
            fact["golden"] = _origin(METRICS[args.name])
        _print(fact)
    return 0


def _published(name: str) -> dict[str, Any]:
    """Of ``published:COLLECTION``, ``published:COLLECTION/METHOD`` or ``COLLECTION:METHOD``."""
    from bench.engine.published import PUBLISHED_PREFIX, select_published
    from datasets.catalog import collection

    if not name.startswith(PUBLISHED_PREFIX):
        name = PUBLISHED_PREFIX + name.replace(":", "/", 1)
    rows = select_published(name)
    origin = collection(rows[0].collection)
    scenes = {scene for row in rows for scene in row.files}
    return {
        "is": "published fused images",
        "rows": [row.name for row in rows],
        "scenes": f"{len(scenes)} of {origin.name}",
        "from": f"{origin.home} @ {origin.commit}",
        "licence": origin.licence,
        "citation": origin.citation,
        "documentation": "Images as the methods' authors made them, scored by the indexes here; "
        "nothing of them was run here, so they have no time.",
    }


def _origin(entry: Metric) -> str:
    """Whose values an index is tested against, and the column that holds them."""
    from metrics import GOLDEN_SETS

    return "; ".join(
        f"{column} of {golden}: {GOLDEN_SETS.get(golden, 'a set of its own')}"
        for golden, column in entry.golden_columns
    )


def _facts(kind: str, entry: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {"is": kind}
    text = ""
    for field in dataclasses.fields(entry):
        value = getattr(entry, field.name)
        if isinstance(value, Callable):  # type: ignore[arg-type]
            text = inspect.getdoc(value) or ""
        elif value not in ("", None, {}):
            facts[field.name] = value if isinstance(value, bool | int | float) else _plain(value)
    return facts | {"documentation": text}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    return value if isinstance(value, bool | int | float) else str(value)


def _print(facts: dict[str, Any]) -> None:
    documentation = facts.pop("documentation")
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
