"""Milliseconds of the learned methods on a 512 x 512 pair; printed, not asserted."""

from __future__ import annotations

import numpy as np
import pytest

from methods import METHODS
from methods._fusion import fuse

pytestmark = pytest.mark.slow

LEARNED = [m.name for m in METHODS if m.takes_device]


@pytest.mark.parametrize("name", LEARNED)
def test_fuse_512(benchmark, name):
    sources = list(np.random.default_rng(0).integers(0, 256, (2, 512, 512)).astype(np.uint8))
    fused = benchmark.pedantic(fuse, (name, sources), rounds=3, warmup_rounds=1)
    assert fused.shape == (512, 512)
