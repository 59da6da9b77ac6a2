"""Milliseconds per method for a 512x512 gray pair on one core.

``python -m pytest tests/speed/test_speed_methods.py --benchmark-enable``
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data
from threadpoolctl import threadpool_limits

from methods import METHODS
from methods import _fusion as fusion
from tests.support.weights import QUICK, sweep

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def one_core():
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        yield
    cv2.setNumThreads(before)


@pytest.fixture(scope="module")
def stack():
    truth = data.camera()
    soft = cv2.GaussianBlur(truth, (0, 0), 3)
    left = np.arange(512) < 256
    return fusion.prepare([np.where(left, truth, soft), np.where(left, soft, truth)])


@pytest.mark.parametrize(
    "name",
    sweep(m for m in METHODS if not m.needs_reference and m.program is None),
)
def test_speed(benchmark, stack, name):
    entry = METHODS[name]
    fn = fusion.bind(entry)
    rounds = 1 if name in QUICK else 5
    fused = benchmark.pedantic(
        lambda: fusion.fuse_prepared(entry, stack, fn), rounds=rounds, warmup_rounds=rounds // 5
    )
    assert fused.shape == (512, 512)
