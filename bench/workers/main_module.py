"""Worker processes never import the user's script, so it needs no main guard."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

_guard = threading.Lock()
_hidden: list[dict[str, Any]] = []
_depth = 0


@contextlib.contextmanager
def main_not_imported() -> Iterator[None]:
    """Within the block, processes are started without importing ``__main__`` again.

    `multiprocessing` tells a new process where to find the main module; without a file and a
    spec it tells nothing. Workers get plug-ins by their paths instead. Blocks of several threads
    may overlap.
    """
    global _depth
    names: dict[str, Any] = vars(sys.modules["__main__"])
    with _guard:
        if _depth == 0:
            _hidden.append({n: names.pop(n) for n in ("__file__", "__spec__") if n in names})
            names["__spec__"] = None
        _depth += 1
    try:
        yield
    finally:
        with _guard:
            _depth -= 1
            if _depth == 0:
                names.update(_hidden.pop())
