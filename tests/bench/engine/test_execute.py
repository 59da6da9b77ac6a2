"""What is said at the start of a run."""

from __future__ import annotations

import importlib.util

from bench.engine.execute import without_torch
from bench.engine.selection import select_methods


def test_a_missing_torch_is_said_where_it_matters(monkeypatch):
    assert without_torch(select_methods("lp,fcn-s")) == ""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == "torch" else found(n))
    assert without_torch(select_methods("lp")) == ""
    assert "PyTorch is not installed: fcn-s will fail" in without_torch(select_methods("lp,fcn-s"))
