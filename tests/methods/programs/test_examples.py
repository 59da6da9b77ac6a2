"""The examples of programs work, and those programs that are on the machine keep the contract."""

from __future__ import annotations

import numpy as np
import pytest

from bench.checks.methods import check_method, pair
from bench.core.plugins import load_plugin
from methods import METHODS, fuse
from tests import ROOT

EXAMPLES = ROOT / "examples" / "programs"


def need(name: str) -> None:
    if reason := METHODS[name].program.missing():
        pytest.skip(reason)


@pytest.mark.slow
def test_the_example_of_a_script_keeps_the_contract(own_registries):
    load_plugin(EXAMPLES / "blend.py")
    need("blend")
    assert [r.check for r in check_method(METHODS["blend"]) if not r.passed] == []
    sources = pair(40, 48, colour=True)
    mean = np.mean(np.square(np.asarray(sources, float)), axis=0) ** 0.5
    assert np.abs(fuse("blend", sources, parameters={"power": 2.0}) - mean).max() <= 0.501


@pytest.mark.slow
@pytest.mark.parametrize("colour", [False, True])
def test_the_template_for_matlab_code_runs_in_octave(own_registries, colour):
    load_plugin(EXAMPLES / "octave_fusion.py")
    need("octave-fusion")
    left, right = (image.astype(np.uint16) * 257 - 3 * (image > 0) for image in
                   pair(40, 48, colour=colour))  # fmt: skip
    left, right = left.astype(np.uint16), right.astype(np.uint16)
    fused = fuse("octave-fusion", [left, right, right], parameters={"window": 5})
    assert fused.dtype == np.uint16
    assert np.all((fused == left) | (fused == right))
    for sharp, part in ((left, np.s_[:, :20]), (right, np.s_[:, -20:])):
        assert np.mean(fused[part] == sharp[part]) > 0.95


#: Program -> a colour pair fused must differ by less than so many levels, on average, from a pair's
#: sharp halves put side by side.
NEAR = {"enfuse": 4.0, "focusweave": 4.0, "openfocus-gf": 4.0, "focus-stack": 8.0}


@pytest.mark.slow
@pytest.mark.parametrize("name", NEAR)
def test_shipped_programs_take_the_sharp_halves(name):
    need(name)
    left, right = pair(96, 128, colour=True)
    fused = fuse(name, [left, right]).astype(float)
    sharp = np.concatenate([left[:, :64], right[:, 64:]], axis=1)
    assert np.abs(fused - sharp).mean() < NEAR[name]
    deep = [image.astype(np.uint16) * 257 for image in (left, right)]
    assert np.abs(fuse(name, deep) / 257 - fused).mean() < 1.0


@pytest.mark.slow
@pytest.mark.parametrize("colour", [False, True])
def test_enfuse_clips_what_rings_and_rounds_always_alike(colour):
    need("enfuse")
    rng = np.random.default_rng(0)
    shape = (96, 128, 3) if colour else (96, 128)
    bars = np.repeat(rng.integers(0, 2, (12, 16, *shape[2:])) * 255, 8, 0).repeat(8, 1)
    sources = [bars.astype(np.uint8), np.roll(bars, 4, 1).astype(np.uint8)]
    fused = fuse("enfuse", sources)
    low, high = np.min(sources, axis=0) - 64.0, np.max(sources, axis=0) + 64.0
    assert np.mean((fused < low) | (fused > high)) < 0.01  # a number that overflows is far away
    assert np.array_equal(fuse("enfuse", sources), fused)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["enfuse", "focusweave"])
def test_shipped_programs_keep_the_contract(name):
    need(name)
    assert [f"{r.check}{r.detail}" for r in check_method(METHODS[name]) if not r.passed] == []
