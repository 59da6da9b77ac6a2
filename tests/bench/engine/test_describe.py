"""What ``list methods`` says of each method: what it needs, on which terms, at which cost."""

from __future__ import annotations

import pytest

from bench.engine.describe import ROWS
from datasets.catalog import CataloguedFile
from methods import METHODS, NETWORK_FAMILIES


@pytest.fixture(scope="module")
def rows():
    return {row["name"]: row for row in ROWS["methods"]()}


@pytest.mark.parametrize("name", METHODS.names())
def test_a_row_says_what_the_method_needs_and_on_which_terms(rows, name):
    method, row = METHODS[name], rows[name]
    fetched = [file for file in method.weights if isinstance(file, CataloguedFile)]
    assert ("download of" in row["needs"]) == bool(fetched)
    assert ("PyTorch" in row["needs"]) == (method.family in NETWORK_FAMILIES)
    assert ("the reference" in row["needs"]) == method.needs_reference
    assert bool(row["terms"]) == bool(fetched or method.program)
    if method.program:
        assert method.program.name in row["needs"]


@pytest.mark.parametrize("name", [m.name for m in METHODS if m.family in NETWORK_FAMILIES])
def test_the_row_of_a_network_has_its_cost(rows, name):
    assert rows[name]["gflop"] > 0


def test_rows_of_one_table_have_the_same_columns():
    for make in ROWS.values():
        assert len({tuple(row) for row in make()}) == 1
