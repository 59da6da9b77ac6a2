"""Every registered method and index keeps the contract that a stranger's is held to."""

from __future__ import annotations

import pytest

from bench.cli import main
from bench.contract import check_method
from bench.contract_metrics import CHECKS, check_metric
from methods import METHODS
from metrics import METRICS

#: Clauses that a registered index does not keep, as its docstring says: signed, and best at 0.
KNOWN = {"qsf_zheng": {"puts a perfect result before blur and noise"}}

PLUGIN = '''
import numpy as np
from metrics import metric

@metric("nearness", label="N", title="Nearness to the mean of the sources", family="structural",
        higher_is_better=True, bounds=(0, 1), needs="sources", paper="an example", formula="1 - d")
def nearness(sources, fused):
    """1 less the mean difference."""
    mean = np.mean([source.gray for source in sources], axis=0)
    return 1 - np.abs(fused.gray - mean).mean() / 255
'''
RETURN = "return 1 - np.abs"


@pytest.mark.parametrize("name", METHODS.names())
def test_methods(name):
    failed = [f"{r.check}{r.detail}" for r in check_method(METHODS[name]) if not r.passed]
    assert not failed


@pytest.mark.parametrize("name", METRICS.names())
def test_metrics(name):
    failed = {r.check: r.detail for r in check_metric(METRICS[name]) if not r.passed}
    assert set(failed) == KNOWN.get(name, set()), failed


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ((), ""),
        (("bounds=(0, 1)", "bounds=(0, 0.4)"), "within its bounds"),
        (("mean = ", "assert fused.gray.any()\n    mean = "), "constant"),
        (("mean = ", "assert len(fused.gray) % 2 == 0\n    mean = "), "every size"),
        (("np.mean([source.gray for source in sources], axis=0)", "sources[0].gray"), "order"),
        ((RETURN, "assert len(sources) == 2\n    return 1 - np.abs"), "three sources"),
        ((RETURN, "return np.abs"), "perfect result"),
        ((RETURN, "return np.random.default_rng().random() * np.abs"), "determ"),
        (("needs=", 'variant_of="qabf_tang", needs='), "variant"),
        (("needs=", 'variant_of="nothing", needs='), "variant"),
    ],
)
def test_each_breach_of_an_index_is_found(tmp_path, capsys, own_registries, change, clause):
    file = tmp_path / "mine.py"
    file.write_text(PLUGIN.replace(*change) if change else PLUGIN)
    assert main(["check", str(file)]) == (1 if change else 0)
    lines = capsys.readouterr().out.splitlines()
    failed = [line for line in lines if line.startswith("FAIL")]
    assert bool(failed) == bool(change)
    assert any(clause in line for line in failed) or not clause
    assert lines[-1].startswith(f"{len(CHECKS) - len(failed)} passed")
