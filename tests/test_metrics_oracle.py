"""The paper's indexes against slow implementations written from their definitions.

Nothing is shared with the package: windows are cut out one by one, filters are plain sums over
shifted images.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import signal, stats
from skimage import data
from skimage import metrics as skmetrics

from metrics import METRICS, Plane, _fourier, _phase, lmi, perceptual, phase

PHOTOS = {
    "camera": data.camera()[60:121, 180:247],
    "coins, dark frame": np.pad(data.coins()[20:60, 30:80], 9),
    "text, saturated": np.clip(data.text()[30:90, 60:140].astype(int) * 2 - 120, 0, 255).astype(
        np.uint8
    ),
}


@pytest.fixture(params=PHOTOS)
def triple(request):
    """Two sources and an imperfect fusion of them, as float64."""
    truth = PHOTOS[request.param]
    soft = cv2.GaussianBlur(truth, (0, 0), 2.5)
    left = np.arange(truth.shape[1]) < truth.shape[1] // 2
    a, b = np.where(left, truth, soft), np.where(left, soft, truth)
    rng = np.random.default_rng(11)
    fused = np.clip(0.6 * truth + 0.4 * soft + rng.integers(-3, 4, truth.shape), 0, 255)
    fused[:12, :12] = truth[:12, :12]
    return tuple(image.astype(np.uint8) for image in (a, b, fused))


def correlate(image, kernel):
    return signal.correlate2d(image.astype(float), np.array(kernel, float), mode="same")


def windows(image, side):
    return np.lib.stride_tricks.sliding_window_view(image, (side, side)).reshape(-1, side * side)


def slow_entropy(*images):
    _, counts = np.unique(np.stack([i.ravel() for i in images]), axis=1, return_counts=True)
    return stats.entropy(counts, base=2)


def slow_mi(a, b, fused):
    def term(x):
        hx, hf = slow_entropy(x), slow_entropy(fused)
        return (hx + hf - slow_entropy(x, fused)) / (hx + hf)

    return 2 * (term(a) + term(b))


def slow_qabf(a, b, fused):
    def gradient(image):
        gx = correlate(image, [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
        gy = correlate(image, [[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
        gx_safe = np.where(gx == 0, 1e-5, gx)
        return np.hypot(gx, gy), np.arctan(gy / gx_safe)

    gf, af = gradient(fused)
    top = bottom = 0
    for image in (a, b):
        g, angle = gradient(image)
        low, high = np.minimum(g, gf), np.maximum(g, gf)
        ratio = np.where(high == 0, 1, low / np.where(high == 0, 1, high))
        agreement = 1 - np.abs(angle - af) / (np.pi / 2)
        strength = 0.9994 / (1 + np.exp(-15 * (ratio - 0.5)))
        direction = 0.9879 / (1 + np.exp(-22 * (agreement - 0.8)))
        top += (strength * direction * g).sum()
        bottom += g.sum()
    return top / bottom


def slow_piella(a, b, fused, weighted):
    """One window after the other."""
    constant = (1e-6 * 255) ** 2
    total = weights = 0
    for x, y, f in zip(*(windows(image, 8) for image in (a, b, fused)), strict=True):
        # a window of equal values is flat, whatever np.var rounds to
        sx, sy = (0 if np.ptp(w) == 0 else np.var(w) for w in (x, y))
        share = 0.5 if sx + sy == 0 else sx / (sx + sy)
        quality = 0
        for window, part in ((x, share), (y, 1 - share)):
            cov = np.mean((window - window.mean()) * (f - f.mean()))
            luminance = (2 * window.mean() * f.mean() + constant) / (
                window.mean() ** 2 + f.mean() ** 2 + constant
            )
            quality += (
                part * luminance * (2 * cov + constant) / (np.var(window) + np.var(f) + constant)
            )
        weight = max(sx, sy) if weighted else 1
        total += weight * quality
        weights += weight
    return total / weights


def prewitt(image):
    px = correlate(image, [[1, 0, -1], [1, 0, -1], [1, 0, -1]])
    py = correlate(image, [[1, 1, 1], [0, 0, 0], [-1, -1, -1]])
    return np.hypot(px, py)


def test_ie(triple):
    assert METRICS["ie"].fn(triple[2]) == pytest.approx(slow_entropy(triple[2]), abs=1e-12)


def test_mi(triple):
    a, b, fused = triple
    assert METRICS["mi"].fn([a, b], fused) == pytest.approx(slow_mi(*triple), abs=1e-12)


def test_qabf(triple):
    a, b, fused = triple
    assert METRICS["qabf"].fn([a, b], fused) == pytest.approx(slow_qabf(*triple), abs=1e-6)


def test_q(triple):
    a, b, fused = triple
    expected = slow_piella(*(i.astype(float) for i in triple), weighted=False)
    assert METRICS["q"].fn([a, b], fused) == pytest.approx(expected, abs=1e-7)


def test_qw_and_qe(triple):
    a, b, fused = triple
    images = slow_piella(*(i.astype(float) for i in triple), weighted=True)
    edges = slow_piella(*(prewitt(i) for i in triple), weighted=True)
    assert METRICS["qw"].fn([a, b], fused) == pytest.approx(images, abs=1e-9)
    assert METRICS["qe"].fn([a, b], fused) == pytest.approx(images * edges, abs=1e-8)


def test_psnr_and_ssim(triple):
    a, _, fused = triple
    assert METRICS["psnr"].fn(a, fused) == pytest.approx(
        skmetrics.peak_signal_noise_ratio(a, fused), abs=1e-9
    )
    expected = skmetrics.structural_similarity(
        a, fused, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
    )
    assert METRICS["ssim"].fn(a, fused) == pytest.approx(expected, abs=1e-9)


def test_ms_ssim():
    photo = data.camera()[40:217, 100:271]
    soft = cv2.GaussianBlur(photo, (0, 0), 1.5)
    x = np.arange(-5, 6)
    kernel = np.exp(-(x[:, None] ** 2 + x**2) / 4.5)
    kernel /= kernel.sum()

    def mean(image):
        return signal.correlate2d(image, kernel, mode="valid")

    def halved(image):
        rows, columns = (np.r_[0:n, n - 1] for n in image.shape)
        grown = image[rows][:, columns]
        return signal.correlate2d(grown, np.full((2, 2), 0.25), mode="valid")[::2, ::2]

    a, b = photo.astype(float), soft.astype(float)
    expected = 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        ma, mb = mean(a), mean(b)
        cov = mean(a * b) - ma * mb
        spread = mean(a * a) - ma**2 + mean(b * b) - mb**2
        quality = (2 * cov + 58.5225) / (spread + 58.5225)
        if scale == 4:
            quality *= (2 * ma * mb + 6.5025) / (ma**2 + mb**2 + 6.5025)
        expected *= quality.mean() ** weight
        a, b = halved(a), halved(b)
    assert METRICS["ms_ssim"].fn(photo, soft) == pytest.approx(expected, abs=1e-9)


def test_phase_congruency_in_single_precision_equals_that_in_double():
    plane = Plane(data.camera()[60:121, 180:247])
    single, noise = _phase._congruency(plane, np.float32)
    double, _ = _phase._congruency(plane, np.float64)
    assert noise > _phase.LEAST_NOISE_FOR_SINGLE
    for x, y in zip(single, double, strict=True):
        assert x.dtype == np.float32
        np.testing.assert_allclose(x, y, atol=2e-5)


def test_phase_congruency_of_a_clean_drawing_is_computed_in_double():
    drawing = np.zeros((64, 64), np.uint8)
    drawing[20:40, 30:34] = 200
    found = _phase.phase_congruency(Plane(drawing))
    assert found.phase.dtype == np.float64
    assert found.phase[30, 32] > 0.1


def test_blocks_too_thin_to_be_quartered_are_left_out():
    """By hand: 8 rows are quartered to 4, then 2; where 2 should become 1, nothing is kept."""
    strip = np.random.default_rng(0).integers(0, 256, (8, 100), np.uint8)
    labels = lmi._leaves(Plane(strip))
    out = labels < 0
    assert 0.1 < out.mean() < 0.6
    assert (out[::2] == out[1::2]).all()  # whole blocks of two rows
    assert 0.5 < METRICS["lmi"].fn([strip, strip], strip) <= 1


def test_nothing_is_left_of_a_black_strip():
    flat = np.zeros((8, 100), np.uint8)  # every block reaches the mean entropy, so all go on
    assert (lmi._leaves(Plane(flat)) < 0).all()
    assert METRICS["lmi"].fn([flat, flat], flat) == 0


SIZES = [(6, 8), (7, 8), (6, 9), (7, 9), (1, 8), (8, 1), (2, 2), (1, 1)]


@pytest.mark.parametrize("shape", SIZES)
def test_filters_of_a_packed_spectrum_are_those_of_the_full_one(shape):
    """A response that is real and even, and one that is real and odd and turned by -i."""
    rng = np.random.default_rng(3)
    image, response = rng.standard_normal((2, *shape))
    mirrored = np.roll(response[::-1, ::-1], 1, (0, 1))
    even, odd = (response + mirrored) / 2, (response - mirrored) / 2
    spectrum = _fourier.transform(image)
    columns = slice(shape[1] // 2 + 1)
    for packed, full, factors in (
        (spectrum, np.fft.fft2(image), even),
        (_fourier.turned(spectrum), -1j * np.fft.fft2(image), odd),
    ):
        expected = np.fft.ifft2(full * factors).real
        found = _fourier.filtered(packed, _fourier.packed(factors[:, columns], shape[1]))
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("strip", [7, 100])
def test_phase_congruency_index_in_strips_is_that_of_the_whole(strip, monkeypatch):
    photo = data.camera()[60:163, 180:247]
    sources = [cv2.GaussianBlur(photo, (0, 0), sigma) for sigma in (1, 2)]
    whole = METRICS["qp"].fn(sources, photo)
    monkeypatch.setattr(phase, "WHOLE", 1)
    monkeypatch.setattr(phase, "STRIP", strip)
    assert METRICS["qp"].fn(sources, photo) == pytest.approx(whole, abs=1e-9)


def test_there_is_no_contrast_where_all_around_is_black():
    drawing = np.zeros((256, 256), np.uint8)
    drawing[40:80, 30:70] = 200
    contrast = perceptual._masked_contrast(Plane(drawing))
    assert contrast[30:90, 20:80].any()
    assert not contrast[140:220, 140:220].any()


def test_colour_counts_as_rounded_luminance():
    photo = data.astronaut()[:64, :64]
    weights = np.linalg.inv([[1, 0.956, 0.621], [1, -0.272, -0.647], [1, -1.106, 1.703]])[0]
    gray = np.floor(photo @ weights + 0.5).astype(np.uint8)
    assert METRICS["ie"].fn(photo) == METRICS["ie"].fn(gray)
    soft = cv2.GaussianBlur(gray, (0, 0), 2)
    assert METRICS["mi"].fn([photo, soft], gray) == METRICS["mi"].fn([gray, soft], photo)
