"""The parts the classical methods are made of, against their definitions."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
import scipy.ndimage

from bench.core.errors import UsageError
from bench.core.pixels import strips
from methods import METHODS, _dualtree, _multiscale, _steerable
from methods._filters import guided_filter, one_hot, remove_small_regions
from methods.brw import _solved
from methods.cp import cp
from methods.dwt import _choose
from methods.gf import gf
from methods.lp import lp
from methods.psf import _shrunk, _widths, psf
from methods.rp import rp

SIZES = [1, 2, 3, 5, 8, 13, 16, 31, 33]
SHAPES = list(itertools.product(SIZES, SIZES))
TAPS = np.array([1, 4, 6, 4, 1]) / 16


def image(shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def rows_of(band, spectrum):
    """Rows of a half spectrum that a band's response covers."""
    negative = len(band.response) // 2
    return np.r_[0 : len(band.response) - negative, len(spectrum) - negative : len(spectrum)]


def filtered(plane, taps):
    for axis in (0, 1):
        plane = scipy.ndimage.convolve1d(plane, taps, axis=axis, mode="mirror")
    return plane


@pytest.mark.parametrize("shape", [(2, 3), (8, 8), (9, 8), (17, 33)], ids=str)
def test_reduce_and_expand_are_burt_and_adelsons(shape):
    plane = image(shape)
    small = _multiscale.reduce(plane)
    np.testing.assert_allclose(small, filtered(plane.astype(float), TAPS)[::2, ::2], atol=1e-6)
    spread = np.zeros(shape)
    spread[::2, ::2] = small
    expected = filtered(spread, 2 * TAPS)
    np.testing.assert_allclose(_multiscale.expand(small, shape), expected, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_pyramids_reconstruct(shape):
    twice = np.stack([image(shape, seed=sum(shape))] * 2)
    depth = _multiscale.usable_levels(shape, 4)
    assert len(_multiscale.gaussian_pyramid(twice[0], depth)) == depth + 1
    for fuse, tolerance in ((lp, 1e-6), (rp, 1e-5), (cp, 1e-5)):
        assert np.abs(fuse(twice) - twice[0]).max() < tolerance


@pytest.mark.parametrize("shape", [(200, 37), (129, 64), (65, 3)], ids=str)
def test_strips_of_rows_are_those_of_the_whole(shape):
    small = _multiscale.reduce(image(shape))
    whole = _multiscale.expand(small, shape)
    for rows in strips(shape[0]):
        assert np.array_equal(_multiscale.expand_rows(small, shape, rows), whole[rows])


@pytest.mark.parametrize("size", [1, 2, 3, 5, 16])
def test_reduce_and_expand_keep_constants(size):
    flat = np.full((size, 7), 0.3, np.float32)
    small = _multiscale.reduce(flat)
    np.testing.assert_allclose(small, 0.3, rtol=1e-6)
    if size > 1:
        np.testing.assert_allclose(_multiscale.expand(small, flat.shape), 0.3, rtol=1e-6)


def test_an_image_one_pixel_thin_has_no_band():
    sources = image((2, 1, 9))
    assert _multiscale.usable_levels((1, 9), 4) == 0
    np.testing.assert_allclose(lp(sources), sources.mean(axis=0), atol=1e-7)


def test_larger_magnitude_ignores_order():
    bands = np.array([[[-3.0, 1, 2]], [[2, -1, -2]], [[1, 0, 0]]])
    for order in itertools.permutations(range(3)):
        highest, lowest = bands[list(order)].max(axis=0), bands[list(order)].min(axis=0)
        assert _multiscale.larger_magnitude(highest, lowest).tolist() == [[-3, 1, 2]]


def test_ties_are_shared():
    scores = np.array([[[1.0, 2, 0]], [[1, 0, 5]]])
    assert _multiscale.shared_first(scores)[:, 0].tolist() == [[0.5, 1, 0], [0.5, 0, 1]]


def test_a_black_source_has_no_contrast():
    """All contrast comes from the other source, only the base is the mean of both."""
    lit = image((64, 64)) * 0.8 + 0.1
    np.testing.assert_allclose(cp(np.stack([np.zeros_like(lit), lit])), lit / 2, atol=1e-4)


def test_wavelet_choice_is_made_consistent():
    """A lone strong coefficient wins its window; the vote takes the window's corners back."""
    bands = np.zeros((2, 9, 9), np.float32)
    bands[0] = 1
    bands[1] = 0.5
    bands[1, 4, 4] = 9
    chosen = _choose(bands, 3) != 1
    expected = np.zeros((9, 9), bool)
    expected[3:6, 4] = expected[4, 3:6] = True
    np.testing.assert_array_equal(chosen, expected)


def responses(pyramid):
    """All filters on the whole half spectrum, squared."""
    height, width = pyramid.shape
    for band in pyramid.filters():
        full = np.zeros((height, width // 2 + 1))
        full[rows_of(band, full), : band.response.shape[1]] = np.abs(band.response) ** 2
        yield full


@pytest.mark.parametrize("orientations", [1, 2, 4, 6])
@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (7, 9), (64, 64), (51, 38)], ids=str)
def test_steerable_filters_are_a_tight_frame(shape, orientations):
    pyramid = _steerable.SteerablePyramid(shape, _multiscale.usable_levels(shape, 3), orientations)
    total = sum(responses(pyramid)) + pyramid.low_pass(np.ones((shape[0], shape[1] // 2 + 1)))
    np.testing.assert_allclose(total, 1, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_steerable_pyramid_reconstructs(shape):
    plane = image(shape, seed=sum(shape))
    pyramid = _steerable.SteerablePyramid(shape, _multiscale.usable_levels(shape, 4), 6)
    spectrum = pyramid.spectrum(plane)
    merged = pyramid.low_pass(spectrum)
    for band in pyramid.filters():
        band.synthesise(band.analyse(spectrum), merged)
    assert np.abs(pyramid.image(merged) - plane).max() < 2e-6


def test_steerable_bands_are_the_filtered_image():
    """Coarse bands, sampled more thinly, are those of the full grid at its points."""
    plane = image((64, 96))
    pyramid = _steerable.SteerablePyramid(plane.shape, 2, 4)
    spectrum = pyramid.spectrum(plane)
    for band in list(pyramid.filters())[5:]:
        full = np.zeros_like(spectrum)
        columns = band.response.shape[1]
        rows = rows_of(band, full)
        full[rows, :columns] = band.response * spectrum[rows, :columns]
        step = 64 // band.grid[0]
        assert step == 2
        np.testing.assert_allclose(
            band.analyse(spectrum), pyramid.image(full)[::step, ::step], atol=1e-6
        )


def test_steerable_bands_against_pyrtools():
    """Simoncelli's own package: the same bands, its coarser ones being scaled by 4 a level."""
    pyrtools = pytest.importorskip("pyrtools")
    plane = image((128, 128))
    theirs = pyrtools.pyramids.SteerablePyramidFreq(plane.astype(float), height=3, order=5)
    pyramid = _steerable.SteerablePyramid(plane.shape, 3, 6)
    spectrum = pyramid.spectrum(plane)
    high, *bands = (band.analyse(spectrum) for band in pyramid.filters())
    expected = [theirs.pyr_coeffs["residual_highpass"]]
    expected += [
        theirs.pyr_coeffs[level, k] / 4**level for level, k in itertools.product(range(3), range(6))
    ]
    errors = [
        np.abs(band - other).max() / np.abs(other).max()
        for band, other in zip((high, *bands), expected, strict=True)
    ]
    print(f"sp against pyrtools: {len(errors)} bands, {max(errors):.1e} of their largest values.")
    assert max(errors) < 2e-5


def plain_guided_filter(guide, plane, radius, eps):
    """The definition, window by window."""
    height, width = guide.shape
    windows = {
        (y, x): np.s_[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
        for y, x in np.ndindex(height, width)
    }
    slope, offset = np.empty(guide.shape), np.empty(guide.shape)
    for at, window in windows.items():
        g, p = guide[window], plane[window]
        slope[at] = (np.mean(g * p) - g.mean() * p.mean()) / (g.var() + eps)
        offset[at] = p.mean() - slope[at] * g.mean()
    result = np.empty(guide.shape)
    for at, window in windows.items():
        result[at] = slope[window].mean() * guide[at] + offset[window].mean()
    return result


@pytest.mark.parametrize(("shape", "radius"), [((9, 14), 2), ((5, 4), 7), ((1, 6), 1)], ids=str)
def test_guided_filter_is_the_definition(shape, radius):
    guide, plane = image(shape), (image(shape, seed=1) > 0.5).astype(np.float32)
    expected = plain_guided_filter(guide.astype(float), plane.astype(float), radius, 1e-2)
    np.testing.assert_allclose(guided_filter(guide, plane, radius, 1e-2), expected, atol=1e-4)


def test_small_regions_go_to_their_surroundings():
    labels = np.zeros((20, 20), int)
    labels[:, 12:] = 1
    expected = labels.copy()
    labels[3:5, 3:5] = 1  # an island
    labels[8, 15] = 2  # a speck of a third source
    labels[14:18, 14:18] = 0  # a hole with an island in it
    labels[15:17, 15:17] = 1
    np.testing.assert_array_equal(remove_small_regions(labels, 20), expected)


def test_small_regions_stay_when_all_are_small():
    labels = np.array([[0, 1], [1, 0]])
    np.testing.assert_array_equal(remove_small_regions(labels, 100), labels)


def test_one_hot():
    assert one_hot(np.array([[0, 2]]), 3)[:, 0].tolist() == [[1, 0], [0, 0], [0, 1]]


@pytest.mark.parametrize("factor", [1, 2])
def test_psf_finds_the_widths(factor):
    """Widths found on a copy shrunk by f are those of the full image divided by f."""
    sharp = cv2.GaussianBlur(image((256, 256)), (0, 0), 1.0)
    sharp = (sharp - sharp.min()) / np.ptp(sharp)
    left = np.arange(256)[None] < 128
    first = np.where(left, cv2.GaussianBlur(sharp, (0, 0), 2.0), sharp)
    second = np.where(left, sharp, cv2.GaussianBlur(sharp, (0, 0), 4.0))
    found = factor * _widths(_shrunk(first, factor), _shrunk(second, factor), 10 / factor, 0)
    np.testing.assert_allclose(found, [2, 4], rtol=0.12)


def test_psf_takes_the_sharp_halves():
    sharp = image((96, 96))
    soft = cv2.GaussianBlur(sharp, (0, 0), 3)
    left = np.arange(96)[None] < 48
    weights = psf(np.stack([np.where(left, sharp, soft), np.where(left, soft, sharp)]))
    assert weights[0, :, :40].mean() > 0.99
    assert weights[1, :, 56:].mean() > 0.99


def test_gf_weights_can_be_left_unrounded():
    sharp = image((64, 64))
    soft = cv2.GaussianBlur(sharp, (0, 0), 2)
    left = np.arange(64)[None] < 32
    stack = np.stack([np.where(left, sharp, soft), np.where(left, soft, sharp)])
    rounded, plain = gf(stack)(stack), gf(stack, steps=0)(stack)
    assert 0 < np.abs(rounded - plain).max() < 0.05


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 7), (16, 16), (33, 40), (48, 50)])
@pytest.mark.parametrize("levels", [1, 2, 4])
def test_dual_tree_is_inverted(shape, levels):
    plane = image(shape).astype(np.float64)
    low, bands = _dualtree.forward(plane, levels)
    assert len(bands) == levels
    back = _dualtree.inverse(low, bands)
    np.testing.assert_allclose(back[: shape[0], : shape[1]], plane, atol=1e-5)
    for quads in itertools.chain(*bands):
        again = _dualtree.quads_of(*_dualtree.complex_bands(quads))
        np.testing.assert_allclose(again, quads, atol=1e-14)


def test_a_band_of_the_dual_tree_keeps_its_magnitude_under_a_shift():
    across = np.cos(2 * np.pi * np.arange(128) / 12)
    energy = []
    for shift in range(4):
        _, bands = _dualtree.forward(np.tile(np.roll(across, shift), (128, 1)), 3)
        parts = _dualtree.complex_bands(bands[2][1])
        energy.append(sum(r[2:-2, 2:-2] ** 2 + i[2:-2, 2:-2] ** 2 for r, i in parts).sum())
    assert min(energy) > 0.9 * max(energy) > 0


def test_the_smoother_solves_its_equations():
    values, weights = image((2, 5, 9)).astype(float), image((5, 8), 1).astype(float)
    solved = _solved(values, weights, 3.0)
    for row in range(5):
        laplacian = np.diag(np.r_[weights[row], 0] + np.r_[0, weights[row]])
        laplacian -= np.diag(weights[row], 1) + np.diag(weights[row], -1)
        system = np.eye(9) + 3.0 * laplacian
        np.testing.assert_allclose(solved[:, row] @ system, values[:, row], atol=1e-12)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("lp", {"levels": 0}),
        ("rp", {"levels": 0}),
        ("cp", {"levels": -1}),
        ("dwt", {"levels": 0}),
        ("dwt", {"window": 2}),
        ("dwt", {"wavelet": "db0"}),
        ("sp", {"levels": 0}),
        ("sp", {"orientations": 0}),
        ("sp", {"window": 4}),
        ("gf", {"base_window": 30}),
        ("gf", {"base_radius": -1}),
        ("gf", {"steps": -1}),
        ("psf", {"window": 0}),
        ("psf", {"max_sigma": 0}),
        ("psf", {"search_side": 0}),
        ("sobel", {"sigma": 0}),
        ("sobel", {"min_region": 1.5}),
        ("brw", {"sigmas": (3.0,)}),
        ("brw", {"eps": 0}),
        ("dsift", {"scale": 12}),
        ("dsift", {"search": 0}),
        ("dtcwt", {"levels": 0}),
        ("gfdf", {"window": 6}),
        ("gfdf", {"min_area": 2}),
        ("quadtree", {"window": 4}),
        ("quadtree", {"split": -1}),
        ("mwgf", {"rounds": -1}),
        ("nsct", {"directions": ()}),
        ("mfm", {"windows": (3,)}),
        ("bf", {"scales": 0}),
    ],
)
def test_impossible_parameters_are_refused(name, parameters):
    with pytest.raises(UsageError):
        METHODS[name].fn(image((2, 32, 32)), **parameters)
