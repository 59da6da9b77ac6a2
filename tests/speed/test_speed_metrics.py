"""Milliseconds per index for a 512x512 gray triple on one core.

``python -m pytest tests/speed/test_speed_metrics.py --benchmark-enable``. The scorer is made
anew for every round, so that nothing of the sources is reused, except in the last two.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data
from threadpoolctl import threadpool_limits

from metrics import METRICS, Scorer

pytestmark = pytest.mark.slow

PAPER = ["ie", "mi", "qabf", "q", "qw", "qe"]
SURVEY = ["mi", "qncie", "qabf", "qp", "qe", "qy", "qcb", "qcv"]


@pytest.fixture(autouse=True)
def one_core():
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        yield
    cv2.setNumThreads(before)


@pytest.fixture(scope="module")
def triple():
    truth = data.camera()
    soft = cv2.GaussianBlur(truth, (0, 0), 3)
    left = np.arange(512) < 256
    a, b = np.where(left, truth, soft), np.where(left, soft, truth)
    return [a, b], cv2.GaussianBlur(truth, (0, 0), 0.6), truth


def run(benchmark, triple, names):
    sources, fused, truth = triple
    benchmark.pedantic(
        lambda: Scorer(sources, truth).scores(fused, names), rounds=9, warmup_rounds=2
    )


@pytest.mark.parametrize("name", METRICS.names())
def test_one(benchmark, triple, name):
    run(benchmark, triple, [name])


def test_indexes_of_the_paper(benchmark, triple):
    run(benchmark, triple, PAPER)


def test_indexes_of_the_survey(benchmark, triple):
    run(benchmark, triple, SURVEY)


def test_all(benchmark, triple):
    run(benchmark, triple, METRICS.names())


@pytest.mark.parametrize("share", [True, False], ids=["shared", "each-on-its-own"])
def test_eighteen_fused_images_of_one_scene(benchmark, triple, share):
    sources, fused, truth = triple
    images = [cv2.GaussianBlur(fused, (0, 0), 0.5 + k / 10) for k in range(18)]

    def score():
        scorer = Scorer(sources, truth)
        for image in images:
            own = scorer if share else Scorer(sources, truth)
            own.scores(image, SURVEY)

    benchmark.pedantic(score, rounds=1, warmup_rounds=0)
