"""The paper's indexes against slow implementations written from their definitions.

Nothing is shared with the package: windows are cut out one by one, filters are sums of shifts.
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


def slow_qabf_tang(a, b, fused):
    def gradient(image):
        gx = correlate(image, [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
        gy = correlate(image, [[1, 2, 1], [0, 0, 0], [-1, -2, -1]])
        angle = np.full(gx.shape, np.pi / 2)
        np.divide(gy, gx, out=angle, where=gx != 0)
        return np.hypot(gx, gy), np.where(gx == 0, np.pi / 2, np.arctan(angle))

    gf, af = gradient(fused)
    top = bottom = 0
    for image in (a, b):
        g, angle = gradient(image)
        ratio = gf.copy()  # kept where both are equally strong
        np.divide(gf, g, out=ratio, where=g > gf)
        np.divide(g, gf, out=ratio, where=g < gf)
        agreement = 1 - np.abs(angle - af) / (np.pi / 2)
        strength = 0.9994 / (1 + np.exp(-15 * (ratio - 0.5)))
        direction = 0.9879 / (1 + np.exp(-22 * (agreement - 0.8)))
        top += (strength * direction * g).sum()
        bottom += g.sum()
    return top / bottom


def slow_gaussian(size, sigma):
    x = np.arange(size) - size // 2
    weights = np.exp(-(x[:, None] ** 2 + x**2) / (2 * sigma**2))
    return weights.ravel() / weights.sum()


def slow_local(x, f, size, sigma, constants):
    """Quality, covariance and variance of the source in every Gaussian window."""
    weights, (c1, c2) = slow_gaussian(size, sigma), constants
    wx, wf = windows(x.astype(float), size), windows(f.astype(float), size)
    mx, mf = wx @ weights, wf @ weights
    dx, df = wx - mx[:, None], wf - mf[:, None]  # a flat window leaves 0, or next to it
    vx, vf, cov = (dx**2) @ weights, (df**2) @ weights, (dx * df) @ weights
    quality = (2 * mx * mf + c1) * (2 * cov + c2) / ((mx**2 + mf**2 + c1) * (vx + vf + c2))
    return quality, cov, vx


def slow_vif(x, f):
    top = bottom = 0
    for size in (17, 9, 5, 3):
        weights = slow_gaussian(size, size / 5)
        if size < 17:
            kernel = weights.reshape(size, size)
            x, f = (signal.correlate2d(i, kernel, mode="valid")[::2, ::2] for i in (x, f))
        wx, wf = windows(x, size), windows(f, size)
        dx, df = wx - (wx @ weights)[:, None], wf - (wf @ weights)[:, None]
        vx, vf, cov = (dx**2) @ weights, (df**2) @ weights, (dx * df) @ weights
        gain = np.where(vx < 1e-10, 0, np.maximum(cov, 0) / (vx + 1e-10))
        rest = np.maximum(np.where(gain > 0, vf - gain * cov, vf), 1e-10)
        top += np.log10(1 + gain**2 * vx / (rest + 2)).sum()
        bottom += np.log10(1 + vx / 2).sum()
    return top / bottom


def test_qabf_tang(triple):
    a, b, fused = triple
    assert METRICS["qabf_tang"].fn([a, b], fused) == pytest.approx(
        slow_qabf_tang(*triple), abs=1e-12
    )


def test_q_and_qw_of_the_toolbox_of_2012(triple):
    *sources, fused = triple
    (qa, _, va), (qb, _, vb) = (slow_local(x, fused, 11, 1.5, (6.5025, 58.5225)) for x in sources)
    va, vb = (np.where(v < 1e-6, 0, v) for v in (va, vb))
    flat = va + vb == 0
    share = np.where(flat, 0.5, va / np.where(flat, 1, va + vb))
    quality, weight = share * qa + (1 - share) * qb, np.maximum(va, vb)
    assert METRICS["q_zheng"].fn(sources, fused) == pytest.approx(quality.mean(), abs=1e-9)
    expected = (quality * weight).sum() / weight.sum()
    assert METRICS["qw_zheng"].fn(sources, fused) == pytest.approx(expected, abs=1e-9)


def test_qc_of_the_toolbox_of_2012():
    """Without flat windows, where the toolbox scores its rounding errors."""
    truth = PHOTOS["camera"]
    a, fused = (cv2.GaussianBlur(truth, (0, 0), sigma) for sigma in (2, 1))
    b = 255 - truth[::-1]
    (qa, ca, _), (qb, cb, _) = (slow_local(x, fused, 7, 1.5, (2e-16, 2e-16)) for x in (a, b))
    share = ca / (ca + cb)
    assert (share < 0).any()
    assert (share > 1).any()
    result = np.where(share < 0, 0, np.where(share > 1, 1, share * qa + (1 - share) * qb))
    assert METRICS["qc_zheng"].fn([a, b], fused) == pytest.approx(result.mean(), abs=1e-9)


def test_vif_tang(triple):
    *sources, fused = (image.astype(float) for image in triple)
    expected = sum(slow_vif(source, fused) for source in sources)
    assert METRICS["vif_tang"].fn(list(triple[:2]), triple[2]) == pytest.approx(expected, abs=1e-8)


def test_cc_mse_and_psnr_against_the_sources(triple):
    a, b, fused = triple
    expected = np.mean([np.corrcoef(x.ravel(), fused.ravel())[0, 1] for x in (a, b)])
    assert METRICS["cc"].fn([a, b], fused) == pytest.approx(expected, abs=1e-12)
    error = np.mean([skmetrics.mean_squared_error(x / 255, fused / 255) for x in (a, b)])
    assert METRICS["mse_tang"].fn([a, b], fused) == pytest.approx(error, abs=1e-15)
    shift = 20 * np.log10(255)
    assert METRICS["psnr_tang"].fn([a, b], fused) == pytest.approx(
        shift - 10 * np.log10(error), abs=1e-9
    )


def test_sums_of_extreme_images_do_not_overflow():
    dark, bright = (np.full((300, 300), level, np.uint8) for level in (0, 255))
    checked = np.indices(dark.shape).sum(axis=0).astype(np.uint8) % 2 * 255
    assert METRICS["mse_tang"].fn([dark, bright], dark) == 0.5
    assert METRICS["qsf_zheng"].fn([checked, checked], dark) == -1


def test_ag_and_sf_of_tang(triple):
    image = triple[2].astype(float)
    rows, columns = image.shape
    length = np.sqrt(sum(g**2 for g in np.gradient(image)) / 2)
    assert METRICS["ag_tang"].fn(triple[2]) == pytest.approx(
        length.sum() / ((rows - 1) * (columns - 1)), abs=1e-12
    )
    squares = [np.mean(np.diff(image, axis=axis) ** 2) for axis in (0, 1)]
    assert METRICS["sf_tang"].fn(triple[2]) == pytest.approx(np.sqrt(sum(squares)), abs=1e-12)


def test_ratio_of_spatial_frequency_error(triple):
    """Difference by difference."""
    a, b, fused = (image.astype(int) for image in triple)
    own = most = 0
    steps = {(0, 1): 1, (1, 0): 1, (1, 1): 0.5**0.5, (1, -1): 0.5**0.5}
    for y, x in np.ndindex(fused.shape):
        for (dy, dx), weight in steps.items():
            u, v = y + dy, x + dx
            if u < fused.shape[0] and 0 <= v < fused.shape[1]:
                da, db, df = (int(i[u, v]) - int(i[y, x]) for i in (a, b, fused))
                own += weight * df**2
                most += weight * max(abs(da), abs(db)) ** 2
    expected = (own**0.5 - most**0.5) / most**0.5
    assert METRICS["qsf_zheng"].fn(list(triple[:2]), triple[2]) == pytest.approx(
        expected, abs=1e-12
    )


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
