"""All metrics of an image at once: the same values, and parts kept as long as they are needed."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from skimage import data

from bench.core.devices import pinned_threads
from bench.core.errors import ContractViolation, ImageError, UnknownName, UsageError
from metrics import METRICS, GrayImage, Scorer, metric, shared
from tests.metrics.test_metrics import ALL, OF_SOURCES, blur, call, scene


def test_scorer_gives_what_the_functions_give():
    sources, reference = scene()
    scorer = Scorer(sources, reference)
    names = scorer.applicable(ALL)
    assert names == ALL
    for fused in (reference, sources[0], blur(reference, 1)):
        scores = scorer.scores(fused, names)
        assert scores == {name: call(METRICS[name], sources, fused, reference) for name in names}
        assert scorer.score(fused, "ie") == scores["ie"]


@pytest.mark.slow
def test_the_number_of_threads_changes_no_digit():
    """Of images large enough for BLAS to divide its sums."""
    reference = data.camera()
    sources = [cv2.GaussianBlur(reference, (0, 0), sigma) for sigma in (1, 2)]
    found = []
    for threads in (1, 2, 4):
        with pinned_threads(threads):
            found.append(Scorer(sources, reference).scores(reference[::-1].copy(), METRICS.names()))
    assert found[0] == found[1] == found[2]


def test_scorer_in_several_threads_gives_the_same():
    sources, reference = scene()
    images = [blur(reference, sigma) for sigma in (0, 0.5, 1, 1.5, 2, 2.5)]
    expected = [Scorer(sources, reference).scores(image, ALL) for image in images]
    scorer = Scorer(sources, reference)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda image: scorer.scores(image, ALL), images)) == expected


def test_scorer_keeps_parts_of_the_sources_but_not_of_the_fused_image():
    sources, reference = scene()
    scorer = Scorer(sources, reference)
    scorer.scores(reference, ALL)
    kept = [set(image._kept) for image in scorer.sources]
    assert all(kept)
    scorer.scores(blur(reference, 1), ALL)
    assert [set(image._kept) for image in scorer.sources] == kept


def test_a_fused_image_goes_with_its_parts_at_once():
    """Not only at the next garbage collection: 100 MiB would wait for it."""
    sources, reference = scene()
    scorer = Scorer(sources, reference)
    fused = GrayImage(blur(reference, 1))
    gone = weakref.ref(fused)
    gc.disable()
    try:
        scorer.scores(fused, ALL)
        assert len(fused._kept) > 10
        del fused
        assert gone() is None
    finally:
        gc.enable()


def test_parts_are_kept_by_all_arguments():
    @shared
    def times(image, factor, *, plus=0):
        return int(image.levels[0, 0]) * factor + plus

    image = GrayImage(np.full((2, 2), 3, np.uint8))
    assert times(image, 2) == 6
    assert times(image, factor=4) == 12
    assert times(image, 2, plus=1) == 7
    assert times(image, 2, plus=5) == 11


def test_parts_are_read_only():
    image = GrayImage(scene()[1])
    with pytest.raises(ValueError, match="read-only"):
        image.gray[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        image.levels[0, 0] = 1


def test_scorer_says_what_is_not_defined():
    (a, b), reference = scene()
    of_reference = [m.name for m in METRICS if m.needs == "reference"]
    of_two = [m.name for m in METRICS if m.stack == "two"]
    scorer = Scorer([a, b, reference])
    assert scorer.applicable(ALL) == [n for n in ALL if n not in {*of_reference, *of_two}]
    for name in of_reference:
        with pytest.raises(UsageError, match="needs a reference image"):
            scorer.score(reference, name)
    for name in of_two:
        with pytest.raises(UsageError, match="two sources, got 3"):
            scorer.score(reference, name)
    assert Scorer([], reference).applicable(OF_SOURCES) == []
    with pytest.raises(UsageError, match="at least two sources, got 1"):
        Scorer([a]).score(reference, "mi")
    with pytest.raises(UnknownName, match="did you mean 'qabf'"):
        scorer.applicable(["qabff"])
    with pytest.raises(ImageError, match="source 1 is 192x192"):
        scorer.score(reference[1:], "mi")
    with pytest.raises(ImageError, match="source 2 is 191x192"):
        Scorer([a, b[:, 1:]])
    with pytest.raises(ImageError, match="the reference is 191x192"):
        Scorer([a, b], reference[:, 1:])
    with pytest.raises(UsageError, match="needs sources or a reference"):
        Scorer([])


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "returned None, not a number"),
        ("high", "returned str, not a number"),
        ([1.0], "returned list, not a number"),
        (1j, "returned complex, not a number"),
        (np.zeros((2, 3)), r"returned ndarray of shape \(2, 3\), not a number"),
        (float("nan"), r"gave nan, not in its bounds"),
        (10**400, "returned int, not a number"),
    ],
)
def test_what_is_no_number_breaks_the_contract(own_registries, value, says):
    """The message names the metric, and the other metrics return their scores."""
    about = {"label": "O", "title": "odd", "family": "structural", "paper": "x", "formula": "none"}
    kind = {"higher_is_better": True, "bounds": (0, 300), "needs": "fused"}
    metric("odd", **about, **kind)(lambda fused: value)
    scorer = Scorer([np.eye(16, dtype=np.uint8)] * 2)
    fused = GrayImage.of(np.eye(16, dtype=np.uint8))
    with pytest.raises(ContractViolation, match=f"^metric 'odd' {says}"):
        scorer.score(fused, "odd")
    assert scorer.score(fused, "mi") > 0
