"""The oracle, and how a method gets the reference that it needs."""

from __future__ import annotations

import numpy as np
import pytest

from bench.checks.methods import pair
from bench.core.errors import Skipped, UsageError
from bench.workers.worker import LocalWorker
from datasets import SceneImages
from methods import METHODS, fuse, method


def by_hand(sources, reference):
    """Every pixel from the source with the least squared error, in whole levels."""
    error = np.stack([(s.astype(np.float64) - reference) ** 2 for s in sources])
    error = error.sum(axis=-1, keepdims=True) if error.ndim == 4 else error
    return np.take_along_axis(np.stack(sources), error.argmin(axis=0)[None], axis=0)[0]


@pytest.mark.parametrize("colour", [False, True], ids=["gray", "colour"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_takes_the_closest_source_to_the_bit(colour, dtype):
    shape = (40, 50, 3) if colour else (40, 50)
    high = np.iinfo(dtype).max
    rng = np.random.default_rng(0)
    # few levels, so that many errors are equal
    *sources, reference = (
        (rng.integers(0, 9, shape) * (high // 8)).astype(dtype) for _ in range(4)
    )
    fused = fuse("oracle", sources, reference=reference)
    np.testing.assert_array_equal(fused, by_hand(sources, reference))


def test_gray_and_colour_may_be_mixed():
    gray, colour = pair(20, 30), pair(20, 30, colour=True)
    assert fuse("oracle", gray, reference=colour[0]).shape == (20, 30)
    np.testing.assert_array_equal(fuse("oracle", colour, reference=gray[0]).shape, (20, 30, 3))


def test_a_scene_without_reference_is_skipped_with_the_reason():
    sources = pair(20, 30)
    with pytest.raises(Skipped, match="oracle needs the reference"):
        fuse("oracle", sources)
    worker = LocalWorker("cpu", 1)
    worker.open(SceneImages(tuple(sources)))
    without = worker.fuse("oracle", {})
    assert (without.record.status, without.png) == ("skipped", b"")
    assert "does not have" in without.record.message
    worker.open(SceneImages(tuple(sources), sources[1]))
    assert worker.fuse("oracle", {}).record.status == "ok"


def test_is_a_baseline_that_all_does_not_select():
    entry = METHODS["oracle"]
    assert (entry.family, entry.in_all, entry.needs_reference) == ("control", False, True)
    assert "reference" not in entry.parameters


def test_needing_a_reference_needs_its_argument(own_registries):
    def fn(sources):
        return sources[0]

    with pytest.raises(UsageError, match="needs_reference needs an argument reference=None"):
        method("x", title="x", kind="transform", family="control", paper="x", needs_reference=True)(
            fn
        )
