"""Worker processes never import the user's script, so it needs no main guard."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

_guard = threading.RLock()


@contextlib.contextmanager
def main_not_imported() -> Iterator[None]:
    """Within the block, processes are started without importing ``__main__`` again.

    `multiprocessing` tells a new process where to find the main module; without a file and a
    spec it tells nothing. Workers get plug-ins by their paths instead.
    """
    names: dict[str, Any] = vars(sys.modules["__main__"])
    with _guard:
        hidden: dict[str, Any] = {
            name: names[name] for name in ("__file__", "__spec__") if name in names
        }
        names.pop("__file__", None)
        names["__spec__"] = None
        try:
            yield
        finally:
            names.update(hidden)
