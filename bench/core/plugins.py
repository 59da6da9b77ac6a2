"""A user's own files that register methods, metrics and datasets.

The folder of a plug-in becomes a package of a unique name. What the plug-in imports is looked for
in that folder first, as when Python runs the file, also by imports inside functions. So two
plug-ins may have one file name, and each gets its own helper of a name that both use.
"""

from __future__ import annotations

import builtins
import functools
import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.core.errors import BenchError, UsageError
from bench.core.packages import PROJECT_PACKAGES
from bench.core.registry import Registry

#: How the modules of a user's files are called: this, and a hash of their folder.
PLUGIN_PREFIX = "mfif_plugin_"

#: Package -> folder of every plug-in that was loaded.
_folders: dict[str, Path] = {}
#: Module -> the plug-in that it was imported with, and the hash of that file.
_loaded: dict[str, tuple[Path, str]] = {}
#: Helpers that something imported by their plain name -> the package that has them.
_by_name: dict[str, str] = {}


def load_plugin(path: Path | str) -> None:
    """Import a user's Python file, so that its decorators register their entries.

    A file of the project's own packages, or one that is loaded already, is left as it is.

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
    file = path.resolve()
    if any(getattr(module, "__file__", None) == str(file) for module in _modules()):
        return  # a file of the project itself, imported with its package
    name = f"{_package(file.parent)}.{file.stem.replace('.', '_')}"
    content = hashlib.sha256(file.read_bytes()).hexdigest()
    if _loaded.get(name, ("", ""))[1] == content and _has_entries(name):
        return
    before = set(sys.modules)
    try:
        _execute(name, file)
    except BenchError as error:
        raise UsageError(f"plug-in {path}: {error}") from error
    except (Exception, SystemExit) as error:
        raise UsageError(f"plug-in {path}: {type(error).__name__}: {error}") from error
    for module in {name} | (set(sys.modules) - before):
        if module.startswith(PLUGIN_PREFIX):
            _loaded[module] = file, content


def plugin_of(module: str) -> Path | None:
    """The plug-in that a module was imported with; None for modules of other origin."""
    return _loaded[module][0] if module in _loaded else None


def sources_beside(imported: str, importer: str) -> list[tuple[Path, str]]:
    """The files beside a plug-in that an import stands for, each with its module's name.

    Parameters
    ----------
    imported : str
        An absolute name, as the import statement has it.
    importer : str
        Name of the module that imports it.

    Returns
    -------
    list of (Path, str)
        Of ``a.b`` the files of package ``a`` and of ``a.b``; empty unless it lies in the folder
        of the plug-in to which `importer` belongs.
    """
    package = importer.partition(".")[0]
    if package not in _folders:
        return []
    relative = imported.startswith(package + ".")
    parts = imported.split(".")[relative:]
    if not relative and _beside(package, parts[0]) is None:
        return []
    found: list[tuple[Path, str]] = []
    places: Sequence[str] | None = [str(_folders[package])]
    name = package
    for part in parts:
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, places) if places is not None else None
        if spec is None:
            break
        if spec.origin and spec.origin.endswith(".py"):
            found.append((Path(spec.origin), name))
        places = spec.submodule_search_locations
    return found


def _package(folder: Path) -> str:
    """The package that stands for a plug-in's folder, made on first use."""
    name = PLUGIN_PREFIX + hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    if name not in _folders:
        _folders[name] = folder
        module = ModuleType(name, f"The folder {folder}.")
        module.__path__ = [str(folder)]
        sys.modules[name] = module
    for finder, place in ((_InFolder, 0), (_ByName, len(sys.meta_path))):
        if finder not in sys.meta_path:
            sys.meta_path.insert(place, finder)
    return name


def _execute(name: str, file: Path) -> None:
    """Import `file` as the module `name`."""
    importlib.invalidate_caches()
    _beside.cache_clear()
    for top in list(_by_name):  # another plug-in may have a helper of this name now
        del _by_name[top]
        for known in [m for m in sys.modules if m == top or m.startswith(top + ".")]:
            del sys.modules[known]
    loader = _SourceLoader(name, str(file))
    spec = importlib.util.spec_from_file_location(name, file, loader=loader)
    if spec is None:
        raise ImportError("cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise


class _SourceLoader(SourceFileLoader):
    """Runs a module in whose code ``import`` looks beside the plug-in first."""

    def exec_module(self, module: ModuleType) -> None:
        package = module.__name__.partition(".")[0]
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": _importer(package)}
        super().exec_module(module)


class _InFolder:
    """Finds the modules of plug-ins' folders under their unique names."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        top = name.partition(".")[0]
        if top in _by_name and path is not None:
            return ModuleSpec(name, _Alias(f"{_by_name[top]}.{name}"))
        if top not in _folders or path is None:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _SourceLoader(name, spec.loader.path)
        return spec


class _ByName:
    """Finds helpers of plug-ins by their plain names: for ``import_module`` and pickles."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        if path is not None:
            return None
        places = {
            p: f for p, f in _folders.items() if PathFinder.find_spec(f"{p}.{name}", [str(f)])
        }
        if len(places) > 1:
            folders = " and ".join(map(str, places.values()))
            raise ImportError(
                f"module {name!r} lies beside several plug-ins, in {folders}: "
                "an import statement finds the right one, a name at run time does not"
            )
        for package in places:
            _by_name[name] = package
            return ModuleSpec(name, _Alias(f"{package}.{name}"))
        return None


class _Alias(Loader):
    """Loads a module under a second name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.name)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec


@functools.cache
def _importer(package: str) -> Callable[..., ModuleType]:
    """``__import__`` for the modules of a plug-in's folder."""

    def load(
        name: str,
        globals: dict[str, Any] | None = None,
        locals: dict[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        usual = functools.partial(builtins.__import__, name, globals, locals, fromlist, level)
        top = name.partition(".")[0]
        beside = None if level else _beside(package, top)
        if beside is None or beside == (globals or {}).get("__file__"):
            return usual()
        if top in PROJECT_PACKAGES and (ours := _of_project(name, usual, fromlist or ())):
            return ours
        if fromlist:
            return builtins.__import__(f"{package}.{name}", globals, locals, fromlist, 0)
        importlib.import_module(f"{package}.{name}")
        return sys.modules[f"{package}.{top}"]

    return load


def _of_project(
    name: str, load: Callable[[], ModuleType], wanted: Sequence[str]
) -> ModuleType | None:
    """The project's own module, if it has all that is wanted of it."""
    try:
        module = load()
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            return None
        raise
    return module if all(item == "*" or hasattr(module, item) for item in wanted) else None


@functools.cache
def _beside(package: str, top: str) -> str | None:
    """The file or folder of a top-level module in a plug-in's folder; None if it is not there.

    Built-in modules go before it, and so do installed ones before a folder that has no
    ``__init__.py``.
    """
    if top in sys.builtin_module_names:
        return None
    spec = PathFinder.find_spec(f"{package}.{top}", [str(_folders[package])])
    if spec is None:
        return None
    if spec.origin is None:
        usual = PathFinder.find_spec(top)
        imported = top in sys.modules and top not in _by_name
        places = list(spec.submodule_search_locations or ())
        return None if imported or (usual and usual.origin) else places[0]
    ours = Path(__file__).resolve().parents[2]
    if top in PROJECT_PACKAGES and ours == _folders[package]:
        return None
    return spec.origin


def _has_entries(module: str) -> bool:
    """Whether a registry has something that `module` defines."""
    entries = [entry for registry in Registry.known for entry in registry]
    functions = [getattr(e, "fn", None) or getattr(e, "scenes", None) for e in entries]
    return any(fn is not None and inspect.unwrap(fn).__module__ == module for fn in functions)


def _discover_all() -> None:
    """Register the project's own entries first, so that a clash is blamed on the plug-in."""
    for package in ("methods", "metrics", "datasets"):
        importlib.import_module(package)
    for registry in Registry.known:
        registry.discover()


def _modules() -> list[ModuleType]:
    packages = {registry.package for registry in Registry.known}
    return [m for name, m in list(sys.modules.items()) if name.partition(".")[0] in packages]
