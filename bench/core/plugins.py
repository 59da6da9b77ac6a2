"""A user's own files that register methods, metrics and datasets."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from bench.core.errors import BenchError, UsageError
from bench.core.registry import Registry

#: How the module of a user's file is called.
PLUGIN_PREFIX = "mfif_plugin_"


def load_plugin(path: Path | str) -> None:
    """Import a user's Python file, so that its decorators register their entries.

    A file that lies in one of the project's own packages is there already.

    Parameters
    ----------
    path : path-like
        A ``.py`` file.

    Raises
    ------
    UsageError
        The file does not exist, is no Python file, or fails while it is imported.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"plug-in {path}: no such file")
    if path.suffix != ".py":
        raise UsageError(f"plug-in {path}: not a Python file (its name does not end in .py)")
    _discover_all()
    if any(getattr(module, "__file__", None) == str(path.resolve()) for module in _modules()):
        return  # a file of the project itself, imported with its package
    name = PLUGIN_PREFIX + path.stem
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise UsageError(f"plug-in {path}: cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if (folder := str(path.resolve().parent)) not in sys.path:
        sys.path.append(folder)  # modules beside it, as when it is run
    try:
        spec.loader.exec_module(module)
    except BenchError as error:
        raise UsageError(f"plug-in {path}: {error}") from error
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UsageError(f"plug-in {path}: {type(error).__name__}: {error}") from error


def _discover_all() -> None:
    """Register the project's own entries first, so that a clash is blamed on the plug-in."""
    for package in ("methods", "metrics", "datasets"):
        importlib.import_module(package)
    for registry in Registry.known:
        registry.discover()


def _modules() -> list[ModuleType]:
    packages = {registry.package for registry in Registry.known}
    return [m for name, m in list(sys.modules.items()) if name.partition(".")[0] in packages]
