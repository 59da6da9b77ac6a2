"""Every registered method keeps the contract that a stranger's is held to."""

from __future__ import annotations

import pytest

from bench.contract import check_method
from methods import METHODS


@pytest.mark.parametrize("name", METHODS.names())
def test_contract(name):
    failed = [f"{r.check}{r.detail}" for r in check_method(METHODS[name]) if not r.passed]
    assert not failed
