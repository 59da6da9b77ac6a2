"""What is said at the start of a run."""

from __future__ import annotations

import importlib.util

import pytest

from bench.core.errors import UsageError
from bench.engine.execute import load_plugins, without_torch
from bench.engine.selection import select_methods


def test_a_missing_torch_is_said_where_it_matters(monkeypatch):
    assert without_torch(select_methods("lp,fcn-s")) == ""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == "torch" else found(n))
    assert without_torch(select_methods("lp")) == ""
    assert "PyTorch is not installed: fcn-s will fail" in without_torch(select_methods("lp,fcn-s"))


def test_a_helper_that_changed_since_a_plugin_was_loaded_is_noticed(tmp_path, own_registries):
    (tmp_path / "helper_of_mine.py").write_text("GAIN = 0.0\n")
    plugin = tmp_path / "plug.py"
    plugin.write_text(PLUGIN)
    load_plugins([plugin])
    load_plugins([plugin])
    (tmp_path / "helper_of_mine.py").write_text("GAIN = 1.0\n")
    with pytest.raises(UsageError, match=r"helper_of_mine.py: changed since it was loaded"):
        load_plugins([plugin])


PLUGIN = """
from helper_of_mine import GAIN
from methods import method

@method("helped", title="Helped", kind="transform", family="spatial", paper="a test")
def helped(sources):
    return GAIN * sources.mean(axis=0)
"""
