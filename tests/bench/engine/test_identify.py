"""From a number to what gives it; the numbers are made by code that is not the project's."""

from __future__ import annotations

import io
import math

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import color, data
from skimage.measure import shannon_entropy
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from bench.api import identify
from bench.checks.methods import pair
from bench.core.errors import ImageError, UnknownName, UsageError
from bench.engine.claims.candidates import UNITS, candidates
from bench.engine.claims.changes import single_changes
from bench.engine.claims.findings import AS_GIVEN
from bench.engine.claims.printed import printed, printed_values
from bench.engine.claims.unrounded import (
    OF_FUSED,
    OF_REFERENCE,
    OF_SOURCES,
    UnroundedView,
)
from bench.engine.claims.view import ImageSet
from metrics import METRICS, Scorer

NTSC = np.linalg.inv([[1, 0.956, 0.621], [1, -0.272, -0.647], [1, -1.106, 1.703]])[0]


@pytest.fixture(scope="module")
def images():
    """Two colour sources, each sharp in one half, and the image fused of the sharp halves."""
    sharp = np.ascontiguousarray(data.astronaut()[40:168, 150:310])
    soft = cv2.GaussianBlur(sharp, (0, 0), 2)
    a, b = sharp.copy(), sharp.copy()
    a[:, 80:], b[:, :80] = soft[:, 80:], soft[:, :80]
    fused = np.rint(a.astype(float) * 0.6 + b * 0.4).astype(np.uint8)
    return a, b, fused


def gray(image):
    return np.floor(image @ NTSC + 0.5).astype(np.uint8)


def std(image):
    return float(np.std(image.astype(float)))


def mutual(x, y):
    joint = np.histogram2d(x.ravel(), y.ravel(), 256, [[0, 256]] * 2)[0] / x.size
    product = joint.sum(1, keepdims=True) * joint.sum(0)
    there = joint > 0
    return float((joint[there] * np.log2(joint[there] / product[there])).sum())


def ssim(x, y):
    return structural_similarity(x, y, gaussian_weights=True, use_sample_covariance=False)


def psnr(x, y):
    return peak_signal_noise_ratio(x, y, data_range=255)


def jpeg(image, quality, subsampling):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "jpeg", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(file))


def opencv(image):
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def studio(image):
    """MATLAB's rgb2ycbcr, in whole numbers, so that halves are exact."""
    sums = image.astype(int) @ (65481, 128553, 24966)
    return np.uint8((2 * sums + 255000) // 510000 + 16)


def rec709(image):
    return np.floor(color.rgb2gray(image) * 255 + 0.5).astype(np.uint8)


#: Name of a value, the code that makes it of gray images a, b, f, and what it is to be called.
NUMBERS = [
    ("EN", lambda a, b, f: shannon_entropy(f), "ie"),
    ("EN", lambda a, b, f: shannon_entropy(f, base=math.e), "en_nat"),
    ("EN", lambda a, b, f: shannon_entropy(f, base=10), "ie, in base 10"),
    ("SD", lambda a, b, f: std(f), "sd_global"),
    ("SD", lambda a, b, f: std(f / 255), "sd_global, of images scaled to 0..1"),
    ("MI", lambda a, b, f: mutual(a, f) + mutual(b, f), "mi_raw"),
    (
        "MI",
        lambda a, b, f: (mutual(a, f) + mutual(b, f)) / 2,
        "mi_raw, mean over the two sources",
    ),
    ("SSIM", lambda a, b, f: (ssim(a, f) + ssim(b, f)) / 2, "ssim, mean over the sources"),
    ("SSIM", lambda a, b, f: ssim(a, f) + ssim(b, f), "ssim, sum over the sources"),
    ("SSIM", lambda a, b, f: ssim(b, f), "ssim, against source 2"),
    ("PSNR", lambda a, b, f: peak_signal_noise_ratio(a, f), "psnr, against source 1"),
    (
        "PSNR",
        lambda a, b, f: peak_signal_noise_ratio(a, f) / 2 + peak_signal_noise_ratio(b, f) / 2,
        "psnr, mean over the sources",
    ),
]


@pytest.mark.parametrize(("name", "make", "what"), NUMBERS, ids=[n[2] for n in NUMBERS])
def test_variants_and_units(images, name, make, what):
    value = make(*map(gray, images))
    result = identify(images[:2], images[2], {name: f"{value:.7f}"})
    assert result.found
    (match,) = result.explanations[0].matches
    assert (result.explanations[0].images, match.what) == (AS_GIVEN, what)
    assert match.gives == pytest.approx(value, abs=1e-9)


def two_values(a, b, f):
    return {"EN": shannon_entropy(f), "MI": mutual(a, f) + mutual(b, f)}


#: What was done to the images, and the code that does it to (a, b, f) and leaves gray images.
FORMS = {
    "gray by OpenCV's cvtColor": lambda *x: map(opencv, x),
    "gray by Pillow's convert('L')": lambda *x: (
        np.asarray(Image.fromarray(i).convert("L")) for i in x
    ),
    "gray by BT.709 (scikit-image)": lambda *x: map(rec709, x),
    "Y of YCbCr, 16 to 235 (rgb2ycbcr)": lambda *x: map(studio, x),
    "gray as mean of the channels": lambda *x: (np.uint8(i.mean(2) + 0.5) for i in x),
    "green channel": lambda *x: (i[..., 1] for i in x),
    "fused image with red and blue swapped": lambda a, b, f: map(gray, (a, b, f[..., ::-1])),
    "all images with red and blue swapped": lambda *x: (gray(i[..., ::-1]) for i in x),
    "sources with red and blue swapped": lambda a, b, f: map(gray, (a[..., ::-1], b[..., ::-1], f)),
    "fused image as JPEG of quality 75 4:2:0": lambda a, b, f: map(gray, (a, b, jpeg(f, 75, 2))),
    "fused image as JPEG of quality 95 4:4:4": lambda a, b, f: map(gray, (a, b, jpeg(f, 95, 0))),
    "border of 8 pixels left out": lambda *x: (gray(i)[8:-8, 8:-8] for i in x),
    "all images resized to 256x256 (bilinear)": lambda *x: (
        gray(cv2.resize(i, (256, 256))) for i in x
    ),
    "fused image as JPEG of quality 90 4:2:0, gray by OpenCV's cvtColor": lambda a, b, f: map(
        opencv, (a, b, jpeg(f, 90, 2))
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_forms_of_the_images(images, form):
    values = {name: f"{v:.7f}" for name, v in two_values(*FORMS[form](*images)).items()}
    result = identify(images[:2], images[2], values)
    assert result.found
    assert result.explanations[0].images == form
    assert [match.what for match in result.explanations[0].matches] == ["ie", "mi_raw"]


@pytest.mark.parametrize("shape", [(48, 56), (47, 64)])
def test_unrounded_metrics_are_the_metrics_on_whole_levels(shape):
    a, b = pair(*shape, 3)
    fused = np.maximum(a, b)
    floats = [image.astype(float) for image in (a, b, fused)]
    view = UnroundedView(ImageSet(tuple(floats[:2]), floats[2]))
    scorer = Scorer([a, b])
    for name in OF_FUSED | OF_SOURCES:
        assert view.value(name) == pytest.approx(scorer.score(fused, name), abs=1e-8), name
    for k, source in enumerate((a, b)):
        for name in OF_REFERENCE:
            wanted = Scorer([], source).score(fused, name)
            assert view.value(name, against=k) == pytest.approx(wanted, abs=1e-8), name
    assert math.isnan(view.value("fmi"))
    assert math.isnan(view.value("ssim"))


def test_gray_that_is_not_rounded(images):
    floats = [color.rgb2gray(image) * 255 for image in images]
    values = {"SD": f"{std(floats[2]):.7f}", "PSNR": f"{psnr(floats[0], floats[2]):.7f}"}
    result = identify(images[:2], images[2], values)
    best = result.explanations[0]
    assert best.images == "gray by BT.709, not rounded"
    assert [match.what for match in best.matches] == ["sd_global", "psnr, against source 1"]


def test_mean_of_the_channels_scores(images):
    value = np.mean([shannon_entropy(images[2][..., k]) for k in range(3)])
    result = identify(images[:2], images[2], {"EN": f"{value:.7f}"})
    assert result.explanations[0].images == "each channel by itself, scores averaged"


def test_order_of_the_sources(images):
    value = Scorer(images[1::-1]).score(images[2], "qc_zheng")
    result = identify(images[:2], images[2], {"QC": f"{value:.7f}"})
    assert result.explanations[0].images == "sources in the other order"


def test_fused_image_of_another_size(images):
    a, b, fused = images
    small = cv2.resize(fused, (80, 64), interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (160, 128), interpolation=cv2.INTER_CUBIC)
    result = identify([a, b], small, {"MI": f"{mutual(gray(a), gray(large)):.6f}"})
    assert not result.found  # of one source only
    value = mutual(gray(a), gray(large)) + mutual(gray(b), gray(large))
    result = identify([a, b], small, {"MI": f"{value:.7f}"})
    assert result.explanations[0].images == "fused image resized (bicubic)"
    assert not identify([a, b], fused[:5, :5], {"MI": "0.1234567"}).found
    part = fused[:100, :90]
    value = mutual(gray(a[:100, :90]), gray(part)) + mutual(gray(b[:100, :90]), gray(part))
    result = identify([a, b], part, {"MI": f"{value:.7f}"})
    assert result.explanations[0].images == "sources cropped at the top left"


def test_percentages_and_a_value_without_a_name(images):
    value = Scorer(images[:2]).score(images[2], "qabf")
    for text in (f"QG={100 * value:.5f}", f"QG={100 * value:.5f} %", f"{value:.7f}"):
        result = identify(images[:2], images[2], [text])
        assert result.explanations[0].matches[0].metric == "qabf", text


def test_another_metric_under_the_wrong_name(images):
    value = Scorer(images[:2]).score(images[2], "qcb")
    result = identify(images[:2], images[2], {"QY": f"{value:.7f}"})
    assert [match.what for match in result.explanations[0].matches] == ["qcb"]
    assert result.untried == ("two changes of the images",)
    values = {"EN": f"{shannon_entropy(gray(images[2])):.7f}", "QY": f"{value:.7f}"}
    result = identify(images[:2], images[2], values)
    assert [match.what for match in result.explanations[0].matches] == ["ie", "qcb"]
    assert len({(match.images, match.what) for match in result.tried[0]}) == len(result.tried[0])


def test_one_hypothesis_explains_all_values_and_is_ranked_first(images):
    a, b, f = map(gray, images)
    lossy = gray(jpeg(images[2], 75, 2))
    values = [f"EN={shannon_entropy(lossy):.7f}", f"SD={std(lossy):.7f}"]
    values.append(f"MI={mutual(a, lossy) + mutual(b, lossy):.7f}")
    result = identify(images[:2], images[2], values)
    assert len(result.explanations[0].matches) == 3
    mixed = [*values[:2], f"MI={mutual(a, f) + mutual(b, f):.7f}"]
    result = identify(images[:2], images[2], mixed)
    assert not result.found
    assert len(result.explanations[0].matches) == 2
    assert any("no hypothesis explains all the values together" in s for s in result.lines())


def test_what_nothing_explains_has_nearest_values(images):
    result = identify(images[:2], images[2], {"Xydeas": "0.1234567"})
    text = "\n".join(result.lines())
    assert not result.found
    assert "nothing that was tried gives Xydeas = 0.1234567" in text
    lines = [line for line in text.splitlines() if "nearest:" in line]
    assert len(lines) in (5, 6)
    assert lines[0].endswith(AS_GIVEN)
    assert ", 0 match;" in text
    assert {match.metric for match in result.nearest(0)} <= {"qabf", "qabf_liu2012", "qabf_tang"}
    distances = [abs(match.difference) for match in result.nearest(0)]
    assert distances == sorted(distances)
    named = [abs(match.difference) for match in result.tried[0] if match.named]
    assert distances[0] == min(named)


def test_few_digits_match_by_chance(images):
    value = shannon_entropy(gray(images[2]))
    vague = identify(images[:2], images[2], {"EN": f"{value:.1f}"}, every=True)
    exact = identify(images[:2], images[2], {"EN": f"{value:.7f}"}, every=True)
    assert vague.explanations[0].matches[0].what == exact.explanations[0].matches[0].what == "ie"
    assert vague.explanations[0].images == exact.explanations[0].images == AS_GIVEN
    assert vague.by_chance(0) > 5 > exact.by_chance(0)
    assert vague.untried == exact.untried == ()


def test_gray_images_and_stacks_have_fewer_hypotheses(images):
    a, b, f = map(gray, images)
    assert not [c for c in single_changes(ImageSet((a, b), f)) if c.kind in ("gray", "channels")]
    result = identify([a, b, a], f, {"EN": f"{shannon_entropy(f):.4f}", "SCD": "0.5123456"})
    assert not result.found  # SCD is defined for two sources
    assert result.explanations[0].matches[0].what == "ie"


def test_images_are_not_changed(images):
    before = [image.copy() for image in images]
    identify(images[:2], images[2], {"EN": "1.2345678"})
    for image, copy in zip(images, before, strict=True):
        np.testing.assert_array_equal(image, copy)


@pytest.mark.parametrize(
    ("text", "value", "half_width"),
    [
        ("0.7190", 0.719, 5e-5),
        ("7.02", 7.02, 5e-3),
        ("-1.5e-3", -1.5e-3, 5e-5),
        (".5", 0.5, 0.05),
        ("59", 59.0, 0.5),
        ("\N{MINUS SIGN}3.10", -3.1, 5e-3),
        ("71.98%", 0.7198, 5e-5),
    ],
)
def test_digits_say_how_exact_a_number_is(text, value, half_width):
    found = printed("EN", text)
    assert (found.value, found.half_width) == pytest.approx((value, half_width))


@pytest.mark.parametrize("text", ["", "EN=", "EN=abc", "EN=nan", "EN=1,5", "EN=1e999", "EN=."])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(UsageError, match=r"not a number|too large"):
        printed_values([text])


def test_wrong_arguments_are_refused(images):
    a, b, f = images
    with pytest.raises(UnknownName, match="qabff"):
        identify([a, b], f, {"qabff": "0.5"})
    with pytest.raises(UsageError, match="two source"):
        identify([a], f, {"EN": "0.5"})
    with pytest.raises(ImageError, match="source 2"):
        identify([a, b[:50]], f, {"EN": "0.5"})
    with pytest.raises(UsageError, match="no value"):
        identify([a, b], f, {})


def test_every_unit_is_of_metrics_that_there_are():
    for unit in UNITS:
        assert unit.metrics, unit
        for name in unit.metrics:
            value = printed(METRICS[name].name, "0.5")
            assert unit in [c.unit for c in candidates(value, 2, reference=True)]
