"""Properties that hold for every registered metric, on scenes made from bundled photos."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from itertools import pairwise

import cv2
import numpy as np
import pytest
from skimage import data

from bench.core.errors import ImageError, UsageError
from metrics import METRICS, GrayImage, Metric, metric

ALL = METRICS.names()
OF_SOURCES = [m.name for m in METRICS if m.needs == "sources"]
SIDE = 192  # large enough for the largest window of any metric


def sweep(*needs):
    chosen = [entry for entry in METRICS if entry.needs in needs]
    return pytest.mark.parametrize("entry", chosen, ids=lambda entry: entry.name)


every = sweep("fused", "sources", "reference")
comparing = sweep("sources", "reference")
of_sources = sweep("sources")


#: Entropy looks at the histogram only, and blur mixes two gray levels to many.
DECEIVED_BY_BLUR = {"ie", "en_nat"}

#: Best at 0, signed: below it detail is missing, above it noise passes for detail.
DECEIVED_BY_NOISE = {"qsf_zheng"}

#: Kept as published: swapped marginals make these blind to what the direction promises.
FLAWED = {"qte_toolbox", "qte_nava"}

#: Look at histograms, or at the contrast of the whole image: moving pixels changes next to nothing.
BLIND_TO_PLACE = {"ce", "qsf_zheng"}

#: Goes column by column, as published.
ORIENTED = {"sd"}

#: Its range depends on the number of sources.
RANGE_BY_SOURCES = {"qncie"}


def blur(image, sigma):
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT) if sigma else image


def scene(height=SIDE, width=SIDE, photo=data.camera):
    """Two sources, each sharp in one half, and the sharp reference."""
    reference = photo()[40 : 40 + height, 100 : 100 + width].copy()
    left = np.arange(width) < width // 2
    soft = blur(reference, 3)
    return [np.where(left, reference, soft), np.where(left, soft, reference)], reference


def call(entry, sources, fused, reference=None):
    first = {"fused": (), "sources": (sources,), "reference": (reference,)}[entry.needs]
    return entry.fn(*first, fused)


def worsens(entry, better, worse):
    return worse < better if entry.higher_is_better else worse > better


@every
def test_metadata_is_complete(entry):
    assert entry.paper
    assert entry.formula
    assert "\n" not in entry.formula
    assert not entry.doi or entry.doi.startswith("10.")
    assert "Returns" in entry.fn.__doc__ or "`" in entry.fn.__doc__


@every
def test_value_is_a_float_within_bounds(entry):
    sources, reference = scene()
    rng = np.random.default_rng(5)
    noise = rng.integers(0, 256, reference.shape).astype(np.uint8)
    for fused in (reference, sources[0], blur(reference, 5), 255 - reference, noise):
        value = call(entry, sources, fused, reference)
        assert type(value) is float
        assert entry.bounds[0] - 1e-9 <= value <= entry.bounds[1] + 1e-9


@comparing
def test_equal_images_score_best(entry):
    _, reference = scene()
    ideal = call(entry, [reference, reference], reference, reference)
    assert not math.isnan(ideal)
    noise = np.random.default_rng(3).integers(0, 256, reference.shape).astype(np.uint8)
    worse = [blur(reference, 1), blur(reference, 4)]
    if entry.name not in DECEIVED_BY_NOISE:
        worse.append(noise)
    for fused in worse:
        assert entry.name in FLAWED or worsens(
            entry, ideal, call(entry, [reference, reference], fused, reference)
        )


@every
def test_more_blur_is_worse(entry):
    sources, reference = scene()
    values = [call(entry, sources, blur(reference, sigma), reference) for sigma in (0, 5, 10)]
    if entry.name in DECEIVED_BY_BLUR:
        values.reverse()
    assert entry.name in FLAWED or all(worsens(entry, a, b) for a, b in pairwise(values)), values


@every
def test_more_noise_is_worse_unless_the_metric_rewards_it(entry):
    sources, reference = scene()
    noise = np.random.default_rng(7).normal(size=reference.shape)
    values = [
        call(entry, sources, np.clip(reference + s * noise, 0, 255).astype(np.uint8), reference)
        for s in (0, 5, 15)
    ]
    if entry.needs == "fused" or entry.name in DECEIVED_BY_NOISE:
        # noise has contrast, gradients and entropy: without the sources it passes for detail
        values.reverse()
    assert entry.name in FLAWED or all(worsens(entry, a, b) for a, b in pairwise(values)), values


@of_sources
def test_order_of_the_sources(entry):
    (a, b), reference = scene()
    values = [call(entry, pair, blur(reference, 1)) for pair in ([a, b], [b, a])]
    if entry.symmetric:
        assert values[0] == pytest.approx(values[1], abs=1e-12)
    else:
        assert values[0] == pytest.approx(values[1], rel=0.05)


@every
def test_constant_images_have_a_defined_score(entry):
    _, reference = scene()
    flat = [np.full_like(reference, level) for level in (0, 128, 255)]
    for fused in (*flat, reference):
        for pair in (
            [flat[0], flat[0]],
            [flat[1], flat[1]],
            [flat[1], flat[2]],
            [flat[1], reference],
        ):
            for reference in (flat[1], flat[0]):
                value = call(entry, pair, fused, reference)
                assert not math.isnan(value)
                assert entry.bounds[0] - 1e-9 <= value <= entry.bounds[1] + 1e-9


@every
def test_too_small_an_image_is_refused_with_the_least_size(entry):
    rng = np.random.default_rng(1)

    def triple(side):
        return rng.integers(0, 256, (3, side, side)).astype(np.uint8)

    a, b, fused = triple(entry.smallest)
    assert not math.isnan(call(entry, [a, b], fused, b))
    for side in {1, entry.smallest - 1}:
        a, b, fused = triple(side)
        with pytest.raises(ImageError, match=f"at least {entry.smallest}x{entry.smallest} pixels"):
            call(entry, [a, b], fused, b)


@every
@pytest.mark.parametrize("size", [(SIDE - 1, SIDE - 3), (SIDE - 1, SIDE), (SIDE, SIDE - 15)])
def test_odd_sizes(entry, size):
    sources, reference = scene(*size)
    even = call(entry, *scene(), scene()[1])
    odd = call(entry, sources, reference, reference)
    if math.isfinite(even):
        assert odd == pytest.approx(even, rel=0.25)


@every
def test_transposed_images_score_nearly_alike(entry):
    sources, reference = scene()
    fused = blur(reference, 1)
    upright = call(entry, sources, fused, reference)
    lying = call(entry, [s.T for s in sources], fused.T, reference.T)
    assert lying == pytest.approx(upright, rel=0.5 if entry.name in ORIENTED else 0.03)


@every
def test_a_shift_of_one_pixel_is_noticed_by_what_compares_images(entry):
    sources, reference = scene()
    fused = data.camera()[40 : 40 + SIDE, 101 : 101 + SIDE]
    if entry.needs == "fused":
        assert call(entry, sources, fused) == pytest.approx(
            call(entry, sources, reference), rel=0.02
        )
    else:
        better = call(entry, sources, reference, reference)
        worse = call(entry, sources, fused, reference)
        assert entry.name in BLIND_TO_PLACE or worsens(entry, better, worse)


@every
def test_type_and_colour_of_the_images_do_not_matter(entry):
    sources, reference = scene()
    fused = blur(reference, 1)
    expected = call(entry, sources, fused, reference)
    views = {
        "uint16": lambda x: x.astype(np.uint16) * 257,
        "float32": lambda x: x.astype(np.float32) / 255,
        "float64": lambda x: x / 255,
        "gray as RGB": lambda x: np.repeat(x[..., None], 3, axis=2),
        "RGBA": lambda x: np.dstack([x, x, x, np.full_like(x, 9)]),
        "not contiguous": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    }
    for view in views.values():
        value = call(entry, [view(s) for s in sources], view(fused), view(reference))
        assert value == expected


@every
def test_arguments_stay_as_they_are(entry):
    sources, reference = scene()
    fused = blur(reference, 1)
    copies = [image.copy() for image in (*sources, fused, reference)]
    call(entry, sources, fused, reference)
    for image, copy in zip((*sources, fused, reference), copies, strict=True):
        np.testing.assert_array_equal(image, copy)


@of_sources
def test_three_sources(entry):
    (a, b), reference = scene()
    if entry.stack == "two":
        with pytest.raises(UsageError, match="two sources, got 3"):
            call(entry, [a, b, reference], reference)
        return
    value = call(entry, [a, b, blur(reference, 2)], reference)
    assert entry.bounds[0] - 1e-9 <= value <= entry.bounds[1] + 1e-9
    same = [call(entry, [reference] * n, reference) for n in (2, 3, 5)]
    if entry.name not in RANGE_BY_SOURCES:
        assert same == pytest.approx([same[0]] * 3, abs=1e-9)
    order = [call(entry, stack, reference) for stack in ([a, b, reference], [reference, a, b])]
    assert order[0] == pytest.approx(order[1], abs=1e-9)


@every
@pytest.mark.parametrize("bad", [np.zeros((4, 4, 2, 2)), np.full((9, 9), np.nan), np.zeros((0, 3))])
def test_what_is_no_image_is_refused(entry, bad):
    sources, reference = scene()
    with pytest.raises(ImageError):
        call(entry, sources, bad, reference)


@comparing
def test_sizes_must_agree(entry):
    sources, reference = scene()
    with pytest.raises(ImageError, match=f"the fused image is {SIDE - 1}x{SIDE}"):
        call(entry, sources, reference[:, 1:], reference)


def test_floats_are_in_the_unit_range_only():
    with pytest.raises(ImageError, match=r"must lie in \[0, 1\]"):
        METRICS["ie"].fn(np.full((8, 8), 200.0))


def test_a_wrong_call_is_explained():
    (a, _), reference = scene()
    with pytest.raises(UsageError, match=r"called as mi\(sources, fused\)"):
        METRICS["mi"].fn(reference)
    with pytest.raises(UsageError, match="must be a sequence"):
        METRICS["mi"].fn(GrayImage(a), reference)
    with pytest.raises(UsageError, match="at least two sources"):
        METRICS["mi"].fn([a], reference)


# --- the registry ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "name is empty"),
        ({"paper": " "}, "paper is empty"),
        ({"formula": ""}, "formula is empty"),
        ({"family": "magic"}, "family 'magic' must be one of"),
        ({"needs": "nothing"}, "needs 'nothing' must be one of"),
        ({"stack": "three"}, "stack 'three' must be one of"),
        ({"bounds": (1, 0)}, "bounds"),
        ({"bounds": (math.nan, 0)}, "bounds"),
        ({"tolerance": 0}, "tolerance"),
        ({"golden": "liu2020"}, "golden 'liu2020' is not 'SET COLUMN"),
        ({"version": 0}, "version"),
    ],
)
def test_incomplete_metadata_is_refused(change, message):
    with pytest.raises(UsageError, match=message):
        dataclasses.replace(METRICS["mi"], **change)


def test_a_name_is_given_once():
    fields = {
        field.name: getattr(METRICS["mi"], field.name)
        for field in dataclasses.fields(Metric)
        if field.name != "fn"
    }
    with pytest.raises(UsageError, match="'mi' is registered twice"):
        metric(fields.pop("name"), **fields)(lambda sources, fused: 0.0)


def test_listing_metrics_imports_nothing_heavy():
    code = (
        "import sys; from metrics import METRICS; print(len(METRICS.names())); "
        "heavy = ('torch.', 'scipy.', 'cv2.', 'skimage.'); "
        "assert not [name for name in sys.modules if name.startswith(heavy)]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == len(ALL)
