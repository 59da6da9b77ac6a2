"""Plug-ins that have file names, helpers or package names in common do not meet."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.cli.main import main
from bench.core.errors import UsageError
from bench.core.fingerprint import _module_fingerprint, _parsed, function_fingerprint, source_files
from bench.core.plugins import load_plugin, plugin_of
from methods import METHODS, fuse

PLUGIN = """
from methods import method
IMPORT
@method("NAME", title="t", kind="transform", family="spatial", paper="x")
def fn(sources):
    LATE
    return GAIN * sources.max(0)
"""
#: What a plug-in does with its helper, at import and at call time; and the helper's file.
WAYS = {
    "statement": ("from model import GAIN", "pass", "model.py"),
    "at call time": ("", "from model import GAIN", "model.py"),
    "whole module": ("import model", "GAIN = model.GAIN", "model.py"),
    "relative": ("from .model import GAIN", "pass", "model.py"),
    "package": ("from net.part import GAIN", "pass", "net/part.py"),
    "deep": ("import net.part", "GAIN = net.part.GAIN", "net/part.py"),
    "folder": ("from nets.part import GAIN", "pass", "nets/part.py"),
    "inside a package": ("from net import GAIN", "pass", "net/part.py"),
    "named like one of the standard library": ("from queue import GAIN", "pass", "queue.py"),
    "named like one of the project": ("from datasets.x import GAIN", "pass", "datasets/x.py"),
}  # fmt: skip


def write(folder: Path, name: str, way: str, gain: float) -> Path:
    """A plug-in ``my.py`` with its helper, of which the name is the same in every folder."""
    statement, late, helper = WAYS[way]
    file = folder / helper
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.parent != folder and way != "folder":
        (file.parent / "__init__.py").write_text("from .part import *" * (way[:6] == "inside"))
    file.write_text(f"GAIN = {gain}\n")
    text = PLUGIN.replace("NAME", name).replace("IMPORT", statement).replace("LATE", late)
    (folder / "my.py").write_text(text)
    return folder / "my.py"


def level(name: str) -> int:
    return int(fuse(name, [np.full((4, 4), 200, np.uint8)] * 2)[0, 0])


@pytest.mark.parametrize("way", WAYS)
def test_each_plugin_has_its_own_helper(tmp_path, own_registries, way):
    files = [write(tmp_path / name, name, way, gain) for name, gain in (("one", 1), ("half", 0.5))]
    path = list(sys.path)
    for file in files:
        load_plugin(file)
    assert [level("one"), level("half"), level("one")] == [200, 100, 200]
    assert sys.path == path
    assert [plugin_of(METHODS[name].fn.__module__) for name in ("one", "half")] == files
    helpers = [source_files(METHODS[name].fn) for name in ("one", "half")]
    for name, files in zip(("one", "half"), helpers, strict=True):
        assert tmp_path / name / WAYS[way][2] in files
        assert all(file.is_relative_to(tmp_path / name) for file in files)


@pytest.mark.parametrize("way", WAYS)
def test_the_fingerprint_follows_the_plugins_own_helper(tmp_path, own_registries, way):
    def fingerprint(name: str) -> str:
        _module_fingerprint.cache_clear()
        _parsed.cache_clear()
        return function_fingerprint(METHODS[name].fn)

    for name, gain in (("one", 1), ("half", 0.5)):
        load_plugin(write(tmp_path / name, name, way, gain))
    before = fingerprint("one"), fingerprint("half")
    (tmp_path / "half" / WAYS[way][2]).write_text("GAIN = 0.25\n")
    assert fingerprint("one") == before[0]
    assert fingerprint("half") != before[1]


@pytest.mark.parametrize("isolation", ["scene", "none"])
def test_plugins_of_one_name_in_a_run(tmp_path, own_registries, isolation):
    files = [
        str(write(tmp_path / name, name, "at call time", gain))
        for name, gain in (("one", 1), ("half", 0.5))
    ]
    run = ["run", "--plugin", *files, "--methods", "one", "half", "--datasets", "paper/camera"]
    options = ["--metrics", "ie", "--repeats", "0", "--isolation", isolation]
    assert main([*run, *options, "--out", str(tmp_path / "out")]) == 0
    values = pd.read_csv(tmp_path / "out" / "scores.csv").set_index("method")["value"]
    assert values["one"] > values["half"]


def test_a_helper_may_register_the_method(tmp_path, own_registries):
    """The worker loads the file that the user named, not the helper."""
    write(tmp_path, "mine", "statement", 1).rename(tmp_path / "other.py")
    (tmp_path / "named.py").write_text("import other\n")
    run = ["run", "--plugin", str(tmp_path / "named.py"), "--methods", "mine"]
    run += ["--datasets", "paper/camera", "--repeats", "0", "--metrics", "ie"]
    assert main([*run, "--out", str(tmp_path / "out")]) == 0
    assert plugin_of(METHODS["mine"].fn.__module__) == tmp_path / "named.py"
    assert main(["check", str(tmp_path / "named.py")]) == 0


@pytest.mark.parametrize("name", ["methods", "metrics", "datasets", "bench", "model"])
def test_a_plugin_may_be_called_like_what_it_imports(tmp_path, own_registries, name):
    file = write(tmp_path, "mine", "statement", 1)
    (tmp_path / "model.py").rename(tmp_path / "gain.py")
    file.rename(tmp_path / f"{name}.py")
    file = tmp_path / f"{name}.py"
    file.write_text(file.read_text().replace("from model", "from gain"))
    load_plugin(file)
    assert level("mine") == 200


def test_a_folder_called_like_the_project_leaves_the_project_in_reach(tmp_path, own_registries):
    """Of `datasets` the plug-in gets the project's names, and its own where that has none."""
    file = write(tmp_path, "mine", "named like one of the project", 1)
    file.write_text("from datasets import Scene, SceneImages\n" + file.read_text())
    load_plugin(file)
    assert level("mine") == 200
    import datasets

    assert METHODS["mine"].fn.__globals__["Scene"] is datasets.Scene


def test_loading_twice_does_nothing(tmp_path, own_registries):
    file = write(tmp_path, "mine", "statement", 1)
    load_plugin(file)
    load_plugin(file)
    file.write_text(file.read_text() + "# changed\n")
    with pytest.raises(UsageError, match="registered twice"):
        load_plugin(file)


def test_a_helper_by_its_name_at_run_time(tmp_path, own_registries):
    """What `import_module` or a pickle asks for is found, unless two plug-ins have it."""
    late = 'GAIN = importlib.import_module("by_name.part").GAIN'
    text = PLUGIN.replace("IMPORT", "import importlib").replace("LATE", late)
    for name, gain in (("one", 1), ("half", 0.5)):
        (tmp_path / name / "by_name").mkdir(parents=True)
        (tmp_path / name / "by_name" / "__init__.py").touch()
        (tmp_path / name / "by_name" / "part.py").write_text(f"GAIN = {gain}\n")
        (tmp_path / name / "my.py").write_text(text.replace("NAME", name))
    load_plugin(tmp_path / "one" / "my.py")
    assert level("one") == 200
    package = METHODS["one"].fn.__module__.partition(".")[0]
    part = importlib.import_module("by_name.part")
    assert part is sys.modules[f"{package}.by_name.part"]
    load_plugin(tmp_path / "half" / "my.py")
    for name in ("one", "half"):
        with pytest.raises(ImportError, match="lies beside several plug-ins"):
            level(name)
