"""The project's packages, and whether `import` finds them.

`datasets` and `metrics` are names that other distributions use too.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from bench.core.errors import EnvironmentFault

#: The packages of the project.
PROJECT_PACKAGES = ("bench", "methods", "metrics", "datasets", "reports")

#: Packages whose ``__init__.py`` imports ``_base``: if it does not, another distribution has
#: overwritten the file.
_WITH_BASE = ("methods", "metrics", "datasets")


def check_packages() -> None:
    """Raise `EnvironmentFault` unless `import` finds all of the project's packages."""
    for package in PROJECT_PACKAGES:
        if fault := misplaced(package):
            raise EnvironmentFault(fault)


def misplaced(name: str) -> str:
    """Why ``import name`` does not find the project's package; empty when it does.

    Nothing is imported.

    Examples
    --------
    >>> from bench.core.packages import misplaced
    >>> misplaced("datasets")
    ''
    """
    ours = Path(__file__).resolve().parents[2] / name
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    places = list(spec.submodule_search_locations or [spec.origin or ""]) if spec else []
    advice = (
        "another distribution of that name is installed, or a folder of that name is found first; "
        "use an environment of its own"
    )
    if not any(Path(place).resolve() == ours for place in places):
        return f"`import {name}` finds {places[0] if places else 'nothing'}, not {ours}: {advice}"
    start = ours / "__init__.py"
    if name in _WITH_BASE and f"from {name}._base import" not in start.read_text(
        "utf-8", "replace"
    ):
        return f"{start} is not MFIF-Bench's: {advice}"
    return ""
