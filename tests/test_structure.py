"""The rooms of the project: who may import whom, and how large a file may be.

`lint-imports` holds the layers (the contract is in pyproject.toml). These tests hold what a
layer cannot say.
"""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
PACKAGES = ("bench", "methods", "metrics", "datasets", "reports")
MOST_LINES = 400
MOST_FILES_OF_BENCH = 5


def name_of(file: Path, root: Path) -> str:
    """Dotted name of a module."""
    return ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def parsed(root: Path) -> dict[str, ast.Module]:
    """{name: syntax tree} of every module of the five packages below `root`."""
    files = (file for package in PACKAGES for file in (root / package).rglob("*.py"))
    return {name_of(file, root): ast.parse(file.read_text(encoding="utf-8")) for file in files}


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker reads."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield from running(node)


def imported(tree: ast.AST) -> Iterator[str]:
    """Dotted name of all that a module imports when it runs, at its top or within a function."""
    for node in running(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("load", "_module")):
            given = [arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)]
            yield from (name for name in given if isinstance(name, str))


def module_of(name: str, trees: dict[str, ast.Module]) -> str:
    """The module that `name` is or belongs to; "" if it is none of the project's."""
    while name and name not in trees:
        name = name.rpartition(".")[0]
    return name


def edges(trees: dict[str, ast.Module]) -> set[tuple[str, str]]:
    """(importer, imported module) within the project."""
    found = {
        (name, module_of(target, trees))
        for name, tree in trees.items()
        for target in imported(tree)
    }
    return {(name, target) for name, target in found if target and target != name}


def private_imports(trees: dict[str, ast.Module]) -> list[str]:
    """Imports of a private module, or of a private name, from outside of its package."""
    found = set()
    for name, tree in trees.items():
        for target in imported(tree):
            parts = target.split(".")
            private = [part for part in parts if part.startswith("_") and not part.endswith("__")]
            if parts[0] not in PACKAGES or not private:
                continue
            package = ".".join(parts[: parts.index(private[0])])
            if package in trees and not is_package(package, trees):
                package = package.rpartition(".")[0]
            if not f"{name}.".startswith(f"{package}."):
                found.add(f"{name} imports {target}")
    return sorted(found)


def is_package(name: str, trees: dict[str, ast.Module]) -> bool:
    """Whether modules lie below `name`."""
    return any(other.startswith(f"{name}.") for other in trees)


def command_imports(trees: dict[str, ast.Module], commands: set[str]) -> list[str]:
    """Imports of a command's module, and of any other one of ``bench.cli`` from outside of it."""
    found = []
    for name, target in edges(trees):
        if not target.startswith("bench.cli."):
            continue
        inside = name.startswith("bench.cli.") or (name, target) == (
            "bench.__main__",
            "bench.cli.main",
        )
        if target in commands or not inside:
            found.append(f"{name} imports {target}")
    return sorted(found)


def circle(trees: dict[str, ast.Module]) -> list[str]:
    """Modules that import each other in a circle; empty where there is none."""
    graph: dict[str, set[str]] = {name: set() for name in trees}
    for name, target in edges(trees):
        graph[name].add(target)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def asserts(trees: dict[str, ast.Module]) -> list[str]:
    """Where there is an ``assert``, which ``python -O`` removes."""
    return [
        f"{name}, line {node.lineno}"
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
    ]


def long_files(root: Path) -> list[str]:
    """Files of more than `MOST_LINES` lines."""
    lengths = {
        file.relative_to(root).as_posix(): len(file.read_text(encoding="utf-8").splitlines())
        for package in PACKAGES
        for file in (root / package).rglob("*.py")
    }
    return [f"{file}: {lines} lines" for file, lines in lengths.items() if lines > MOST_LINES]


@pytest.fixture(scope="module")
def trees():
    return parsed(ROOT)


def none_of(found: list[str]) -> None:
    """Fail with every finding on a line of its own."""
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_no_private_module_of_another_package_is_imported(trees):
    none_of(private_imports(trees))


def test_no_command_is_imported(trees):
    none_of(command_imports(trees, {module for module, _ in COMMANDS.values()}))


def test_there_is_no_import_circle(trees):
    none_of(circle(trees))


def test_nothing_is_asserted_outside_of_tests(trees):
    none_of(asserts(trees))


def test_no_file_is_long():
    none_of(long_files(ROOT))


def test_bench_has_few_files_of_its_own():
    assert len(list((ROOT / "bench").glob("*.py"))) <= MOST_FILES_OF_BENCH


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        (
            "bench/x.py",
            "from methods._base import METHODS",
            "bench.x imports methods._base.METHODS",
        ),
        ("bench/x.py", "import datasets._seeds", "bench.x imports datasets._seeds"),
        ("bench/x.py", "def f():\n  from metrics import _a", "bench.x imports metrics._a"),
        ("bench/x.py", "m = lazy.load('metrics._a')", "bench.x imports metrics._a"),
        ("methods/a/b.py", "from methods.c._d import e", "methods.a.b imports methods.c._d.e"),
        ("methods/learned/nets/x.py", "from methods._filters import one_hot", None),
        ("bench/x.py", "from bench import __version__", None),
        ("bench/x.py", "if TYPE_CHECKING:\n  from methods._base import Method", None),
        ("metrics/x.py", "import _socket", None),
    ],
)
def test_private_imports_are_found(file, text, found, tmp_path):
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text)
    assert private_imports(parsed(tmp_path)) == ([found] if found else [])


def test_imports_of_commands_are_found():
    texts = {
        "bench.__main__": "from bench.cli.main import main",
        "bench.cli.main": "from bench.cli import console",
        "bench.cli.console": "",
        "bench.cli.run": "",
        "bench.cli.score": "def run():\n  from bench.cli.run import f",
        "methods.x": "from bench.cli.console import error",
    }
    trees = {name: ast.parse(text) for name, text in texts.items()}
    assert command_imports(trees, {"bench.cli.run", "bench.cli.score"}) == [
        "bench.cli.score imports bench.cli.run",
        "methods.x imports bench.cli.console",
    ]


def test_circles_and_asserts_are_found():
    texts = {
        "bench.a": "import bench.b",
        "bench.b": "def f():\n  from bench import a",
        "bench.c": "assert 1",
    }
    trees = {name: ast.parse(text) for name, text in texts.items()}
    assert set(circle(trees)) == {"bench.a", "bench.b"}
    assert asserts(trees) == ["bench.c, line 1"]


def test_long_files_are_found(tmp_path):
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "long.py").write_text("\n" * (MOST_LINES + 1))
    (tmp_path / "bench" / "short.py").write_text("\n" * MOST_LINES)
    assert long_files(tmp_path) == [f"bench/long.py: {MOST_LINES + 1} lines"]
