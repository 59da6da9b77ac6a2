"""The rows of ``list`` and the facts of ``show``."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from bench.core.errors import UnknownName
from bench.core.registry import Registry
from bench.engine.names import METRIC_ALIASES, find
from bench.engine.published import PUBLISHED_PREFIX, is_published, select_published
from datasets import DATASETS
from datasets.catalog import collection, collections
from datasets.grids import GRIDS, Grid
from datasets.papers import paper_of
from datasets.perturbations import PERTURBATIONS, STAGES
from datasets.published import PUBLISHED
from datasets.subsets import SUBSETS, Subset
from methods import METHODS, Method, Program
from metrics import GOLDEN_SETS, METRICS, Metric


def _methods() -> Iterable[dict[str, Any]]:
    for m in METHODS:
        yield {
            "name": m.name,
            "family": m.family,
            "kind": m.kind,
            "stack": m.stack,
            "year": m.year or "",
            "all": "yes" if m.in_all else "no",
            "needs": ", ".join(m.needs),
            "gflop": "" if m.gflop is None else m.gflop,
            "terms": m.terms,
            "title": m.title,
            "paper": m.paper,
        }
    yield from _published_methods()


def _published_methods() -> Iterable[dict[str, Any]]:
    """What can be run beside the methods: other people's fused images."""
    for name in PUBLISHED:
        count = len(select_published(PUBLISHED_PREFIX + name))
        yield {
            "name": PUBLISHED_PREFIX + name,
            "family": "published",
            "kind": "images",
            "stack": "",
            "year": "",
            "all": "no",
            "needs": "images",
            "gflop": "",
            "terms": collection(name).licence,
            "title": f"fused images of {count} method{'s' * (count > 1)} "
            "as their authors made them, not run here",
            "paper": collection(name).citation,
        }


def _metrics() -> Iterable[dict[str, Any]]:
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
    for d in DATASETS:
        name = f"{d.name}:{d.argument}" if d.argument_required else d.name
        yield {
            "name": name,
            "scenes": d.count or None,
            "sources": d.sources or None,
            "reference": d.reference,
            "title": d.title,
            "licence": d.licence,
        }
    for subset in SUBSETS.values():
        whole = DATASETS[subset.dataset]
        yield {
            "name": subset.name,
            "scenes": subset.count,
            "sources": subset.sources,
            "reference": whole.reference,
            "title": f"{subset.title}: {subset.counted}, {subset.dataset}/{subset.scenes}",
            "licence": _licence(subset),
        }
    for grid in GRIDS.values():
        yield {
            "name": grid.name,
            "scenes": None,
            "sources": None,
            "reference": "some",
            "title": grid.title,
            "licence": "that of its scenes",
        }


def _licence(subset: Subset) -> str:
    """The terms of a subset: those of its collection, if it has one of its own."""
    own = collections().get(subset.name)
    return own.licence if own else DATASETS[subset.dataset].licence


def _perturbations() -> Iterable[dict[str, Any]]:
    for p in sorted(PERTURBATIONS, key=lambda p: (STAGES.index(p.stage), p.name)):
        which = "all" if p.first else "second and later"
        yield {"name": p.form, "sources": which, "amount": p.allowed, "title": p.title}


#: Gives the rows of each kind.
ROWS: dict[str, Callable[[], Iterable[dict[str, Any]]]] = {
    "methods": _methods,
    "metrics": _metrics,
    "datasets": _datasets,
    "perturbations": _perturbations,
}


def facts_of(name: str) -> list[dict[str, Any]]:
    """What is known about the method, metric, dataset, perturbation or images of that name.

    Parameters
    ----------
    name : str
        Any case; of a metric also its label, or what papers call it.

    Returns
    -------
    list of dict
        One for each kind that has such a name.

    Raises
    ------
    UnknownName
        Nothing has that name.
    """
    found = []
    registries: list[Registry[Any]] = [METHODS, METRICS, DATASETS, PERTURBATIONS]
    for registry in registries:
        aliases = METRIC_ALIASES if registry is METRICS else {}
        with contextlib.suppress(UnknownName):
            found.append(_facts(registry.kind, find(registry, name.lstrip("+"), aliases)))
    if subset := SUBSETS.get(name.lower()):
        facts = {"is": "subset", **dataclasses.asdict(subset)}
        found.append(
            facts | {"licence": _licence(subset), "documentation": "Scenes of a dataset by name."}
        )
    if grid := GRIDS.get(name.lower()):
        found.append(_grid_facts(grid))
    if is_published(name):
        found.append(_published_facts(name))
    if not found:
        names = [entry for registry in registries for entry in registry.names()]
        raise UnknownName("method, metric, dataset or perturbation", name, names)
    return found


def _grid_facts(grid: Grid) -> dict[str, Any]:
    return {
        "is": "grid of perturbed scenes",
        "name": grid.name,
        "title": grid.title,
        "scenes": list(grid.scenes),
        **{f"+{name}": list(amounts) for name, amounts in grid.amounts.items()},
        "documentation": f"Scenes as they are, and with each perturbation and amount; "
        f"{grid.name}:NAME perturbs the scenes of another selection.",
    }


def _published_facts(name: str) -> dict[str, Any]:
    """Of ``published:COLLECTION``, ``published:COLLECTION/METHOD`` or ``COLLECTION:METHOD``."""
    rows = select_published(name)
    origin = collection(rows[0].collection)
    scenes = Counter(scene.partition("/")[0] for scene in {s for row in rows for s in row.images})
    paper = paper_of(rows[0].name) if len(rows) == 1 else None
    about = {} if paper is None else {
        "title": paper.title,
        "year": paper.year,
        "paper": paper.citation,
        "doi": paper.doi or "not known",
        "bibtex": paper.bibtex,
    }  # fmt: skip
    return {
        "is": "published fused images",
        "rows": [row.name for row in rows],
        **about,
        "scenes": ", ".join(f"{count} of {name}" for name, count in sorted(scenes.items())),
        "from": f"{origin.home} @ {origin.commit}",
        "licence": origin.licence,
        "citation": origin.citation,
        "documentation": "Images as the methods' authors made them, scored by the metrics here; "
        "nothing of them was run here, so they have no time.",
    }


def _origin(entry: Metric) -> str:
    """Whose values a metric is tested against, and the column that holds them."""
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
        elif isinstance(value, Program):
            facts |= value.facts
        elif value not in ("", None, {}):
            facts[field.name] = value if isinstance(value, bool | int | float) else _plain(value)
    if isinstance(entry, Method):
        facts |= {"needs": list(entry.needs), "terms": entry.terms}
    if isinstance(entry, Metric) and entry.golden:
        facts["tested_against"] = _origin(entry)
    return facts | {"documentation": text}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    return value if isinstance(value, bool | int | float) else str(value)
