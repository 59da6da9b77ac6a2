"""MFIF-Bench: a benchmark of multi-focus image fusion.

The public functions, which are imported when they are first used; the command line calls the
same ones.

Examples
--------
>>> import bench
>>> a, b = "a.png", "b.png"
>>> fused = bench.fuse("fcn-x", [a, b])  # doctest: +SKIP
>>> bench.score([a, b], fused, metrics="qabf,mi")  # doctest: +SKIP
>>> results = bench.run("all", "lytro", out="results")  # doctest: +SKIP
>>> results.scores.groupby("method").value.mean()  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["Skipped", "__version__", "align", "fuse", "load_results", "run", "score"]

__version__ = "0.1.0"

_WHERE = {
    "Skipped": "bench.core.errors",
    "align": "bench.api",
    "fuse": "bench.api",
    "load_results": "reports.data.results",
    "run": "bench.api",
    "score": "bench.api",
}


def __getattr__(name: str) -> Any:
    if name == "errors":
        return importlib.import_module("bench.errors")
    if name not in _WHERE:
        raise AttributeError(f"module 'bench' has no attribute {name!r}")
    from bench.core.packages import check_packages

    check_packages()  # a foreign `datasets` would end in an error that explains nothing
    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
