"""Check that worker processes find what is selected: they import the project and plug-ins only."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.core.errors import UsageError
from bench.core.plugins import PLUGIN_PREFIX
from bench.core.registry import Registry
from bench.engine.runner import Selection
from bench.engine.selection import ConfiguredMethod
from datasets import DATASETS
from datasets.perturbations import split_dataset


def check_workers_find(selection: Selection) -> None:
    """Raise `UsageError` if a method, metric or dataset is known in this process only.

    That is what a script, a notebook or an imported module registers. Without isolation there
    are no workers, and everything is found.
    """
    if selection.isolation == "none":
        return
    ours = {registry.package for registry in Registry.known}
    for what, fn in _functions(selection):
        module = str(getattr(inspect.unwrap(fn), "__module__", "") or "")
        if not module or module.startswith(PLUGIN_PREFIX) or module.partition(".")[0] in ours:
            continue
        where = "this script or notebook" if module == "__main__" else f"the module {module}"
        raise UsageError(
            f"{what} is registered in {where}, which worker processes do not import: put it in a "
            'file of its own and pass plugins=["FILE.py"], or pass isolation="none"'
        )


def _functions(selection: Selection) -> Iterator[tuple[str, Callable[..., Any]]]:
    for method in selection.methods:
        if isinstance(method, ConfiguredMethod):
            yield f"method {method.method.name!r}", method.method.fn
    for metric in selection.metrics:
        yield f"metric {metric.name!r}", metric.fn
    for name in sorted({split_dataset(scene.dataset)[0] for scene in selection.scenes}):
        if name in DATASETS:
            yield f"dataset {name!r}", DATASETS[name].scenes
    for change in {change.name: change for s in selection.scenes for change in s.changes}.values():
        yield from ((f"the function of {change.name!r}", fn) for fn in change.functions)


def registered_from(file: Path) -> bool:
    """Whether an entry of a registry is defined in `file`: it has been loaded then."""
    path = str(file.resolve())
    for registry in Registry.known:
        for entry in registry:
            fn = getattr(entry, "fn", None) or getattr(entry, "scenes", None)
            code = getattr(inspect.unwrap(fn), "__code__", None) if fn else None
            if code is not None and code.co_filename == path:
                return True
    return False
