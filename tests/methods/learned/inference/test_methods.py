"""The learned methods as they are shipped: tiles, sizes, order, and what they are for."""

from __future__ import annotations

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch

import methods.learned.inference.forward as inference
from bench.core.errors import EnvironmentFault, UsageError
from bench.core.image_io import read_image
from bench.core.pixels import quantise
from datasets.defocus import lens_pair, region_pair
from methods import METHODS
from methods._fusion import fuse
from methods.cnn import cnn
from methods.fcn import fcn
from methods.focusnets import fcn_s, fcn_s_hard, fcn_x, fcn_x_hard
from methods.learned.inference import decision
from methods.learned.inference.focusmap import focus
from methods.learned.inference.forward import Extent, infer, network_on, pairwise, stacked
from methods.learned.nets import focusnet, smallnet
from methods.learned.nets.networks import CNN, FCN, SRCNN
from methods.srcnn import srcnn

pytestmark = pytest.mark.slow

LEARNED = [m.name for m in METHODS if m.takes_device and m.family == "learned"]


def psnr(a, b) -> float:
    error = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)


def photo(size: int = 128) -> np.ndarray:
    from skimage import data

    return (data.camera()[120 : 120 + size, 150 : 150 + size] / 255).astype(np.float32)


def disk(size: int = 128) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    return np.hypot(y - size / 2, x - size / 2) < size / 3


#: Methods on a network that takes any number of sources.
FOCUSING = ["fcn-x", "fcn-x-hard", "fcn-s", "fcn-s-hard"]


@pytest.fixture
def pair() -> tuple[list[np.ndarray], np.ndarray]:
    """A region pair of a photo that no network has seen, and its reference."""
    reference = photo()
    return [quantise(x) for x in region_pair(reference, disk(), 4.0)], quantise(reference)


#: Far below what the records say of 50 such pairs, far above an average of the sources.
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("fcn", 36),
        ("fcn-w", 50),
        ("fcn-x", 45),
        ("fcn-x-hard", 42),
        ("fcn-s", 42),
        ("fcn-s-hard", 40),
        ("cnn", 32),
        ("srcnn", 34),
    ],
)
def test_restores_a_region_pair(pair, name, least):
    sources, reference = pair
    assert psnr(fuse(name, sources), reference) >= least
    assert psnr(fuse("average", sources), reference) < 32


@pytest.mark.parametrize("name", ["fcn-x", "fcn-s"])
def test_focus_networks_restore_a_lens_pair(name):
    near, far, reference = (quantise(x) for x in lens_pair(photo(), disk(), 4.0))
    assert psnr(fuse(name, [near, far]), reference) >= 38


def colour_pair() -> tuple[list[np.ndarray], np.ndarray]:
    """A region pair in colour, and its reference."""
    from skimage import data

    reference = (data.astronaut()[:128, 150:278] / 255).astype(np.float32)
    return [quantise(x) for x in region_pair(reference, disk(), 4.0)], quantise(reference)


def test_fcn_takes_four_channels_of_a_colour_pair():
    sources, reference = colour_pair()
    assert psnr(fuse("fcn", sources), reference) >= 34


@pytest.mark.parametrize("colour", [False, True], ids=["gray", "colour"])
@pytest.mark.parametrize("name", LEARNED)
def test_bf16_is_offered_only_where_it_changes_little(pair, name, colour):
    sources = [source[20:84, 30:78] for source in (colour_pair()[0] if colour else pair[0])]
    results = [fuse(name, sources, precision=precision) for precision in ("fp32", "bf16")]
    assert psnr(*results) >= 50
    # a clean decision map may come out the same, SRCNN always does
    assert name != "srcnn" or (results[0] == results[1]).all()


@pytest.mark.parametrize("name", LEARNED)
def test_which_networks_compute_in_bf16(pair, name, monkeypatch):
    sources = [source[20:84, 30:78] for source in pair[0]]
    formats = []
    monkeypatch.setattr(
        inference, "network_on", lambda *given: formats.append(given[-1]) or network_on(*given)
    )
    for has in (False, True):
        monkeypatch.setattr("bench.core.precision.cpu_has_bf16", lambda has=has: has)
        fuse(name, sources)
    fuse(name, sources, precision="fp32")
    fast = torch.float32 if name == "srcnn" else torch.bfloat16
    assert formats == [torch.float32, fast, torch.float32]


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "scene"), [("grayscale", "g_05"), ("color", "c_05")])
@pytest.mark.parametrize("name", LEARNED)
def test_bf16_changes_little_on_real_pairs(name, folder, scene, liu2020):
    files = [liu2020 / "sourceimages" / folder / f"{scene}_{k}.tif" for k in (1, 2)]
    sources = [read_image(file)[100:292, 80:272] for file in files]
    results = [fuse(name, sources, precision=precision) for precision in ("fp32", "bf16")]
    assert psnr(*results) >= 50


@pytest.mark.parametrize("name", FOCUSING)
@pytest.mark.parametrize("order", [(1, 0, 2), (2, 1, 0), (1, 2, 0)])
def test_focus_networks_do_not_depend_on_the_order(name, order):
    rng = np.random.default_rng(2)
    sources = [rng.integers(0, 256, (50, 61)).astype(np.uint8) for _ in range(3)]
    swapped = fuse(name, [sources[k] for k in order])
    np.testing.assert_array_equal(fuse(name, sources), swapped)


@pytest.mark.parametrize("name", FOCUSING)
def test_a_swapped_pair_is_the_same_to_the_bit(pair, name):
    assert (fuse(name, pair[0]) == fuse(name, pair[0][::-1])).all()


@pytest.mark.parametrize(("soft", "hard"), [(fcn_x, fcn_x_hard), (fcn_s, fcn_s_hard)])
def test_hard_weights_choose_one_source_among_three(soft, hard):
    stack = np.random.default_rng(0).random((3, 40, 30), dtype=np.float32)
    weights = hard(stack)
    assert set(np.unique(weights)) == {0.0, 1.0}
    assert (weights.sum(axis=0) == 1).all()
    assert np.allclose(soft(stack).sum(axis=0), 1, atol=1e-6)


TILED = {
    "fcn": (lambda: FCN(filters=6), pairwise, Extent(reach=8), 24),
    "srcnn": (SRCNN, stacked, Extent(reach=10), 24),
    "cnn": (CNN, focus, Extent(reach=40, smallest=16, stride=2), 32),
    "fcn-x": (
        lambda: focusnet.FocusNet(widths=(4, 4, 4, 4)),
        stacked,
        Extent(focusnet.REACH, focusnet.MULTIPLE, focusnet.MULTIPLE),
        64,
    ),
    "fcn-s": (
        lambda: smallnet.SmallFocusNet(widths=(4, 4, 4, 4)),
        stacked,
        Extent(smallnet.REACH, smallnet.MULTIPLE, smallnet.MULTIPLE),
        64,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("size", [(83, 71), (98, 33)])  # thirds of one begin at odd pixels
@pytest.mark.parametrize("name", TILED)
def test_tiles_give_what_the_whole_gives(name, size):
    make, forward, extent, side = TILED[name]
    torch.manual_seed(1)
    network = make().eval()
    focusing = name in ("fcn-x", "fcn-s")
    if focusing:
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    height, width = (1000, 45) if focusing else size
    sources = np.random.default_rng(0).random((2, height, width), dtype=np.float32)
    whole = infer(network, forward, sources, extent)
    tiled = infer(network, forward, sources, extent, tile=side)
    assert whole.shape[1:] == (height, width)
    assert whole.std() > 1e-4
    np.testing.assert_allclose(tiled, whole, atol=1e-4 * max(1.0, float(abs(whole).max())))


def test_cnn_decides_in_its_own_tiles_as_in_the_whole(monkeypatch):
    """1026 rows in tiles of 1024 at the most: the second would begin at row 513."""
    rng = np.random.default_rng(3)
    reference = cv2.resize(rng.random((130, 12), dtype=np.float32), (80, 1026))
    sources = np.stack(region_pair(reference, reference > 0.5, 3.0)).astype(np.float32)
    tiled = cnn(sources)
    monkeypatch.setattr(inference, "_cuts", lambda length, side, step: [(0, length)])
    np.testing.assert_allclose(tiled, cnn(sources), atol=1e-4)


@pytest.mark.parametrize("name", LEARNED)
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (17, 3), (31, 33)])
def test_small_and_odd_sizes_of_identical_sources(name, shape):
    image = np.random.default_rng(5).integers(60, 190, shape).astype(np.uint8)
    fused = fuse(name, [image, image])
    assert fused.shape == shape
    if METHODS[name].kind == "decision":
        assert abs(fused.astype(int) - image).max() <= 1


@pytest.mark.parametrize(
    ("method", "size", "seen"),
    [
        (fcn_x, (2000, 2599), (2000, 2599)),
        (fcn_x, (2001, 2600), (1001, 1300)),
        (fcn_x_hard, (2001, 2600), (1001, 1300)),
        (fcn_x, (4, 9), (4, 9)),
        (fcn_s, (2001, 2600), (2001, 2600)),
        (fcn_s_hard, (2001, 2600), (2001, 2600)),
    ],
)
def test_fcn_x_sees_a_smaller_view_of_photos_of_many_pixels(monkeypatch, method, size, seen):
    views = []

    def first_wins(network, forward, sources, extent):
        views.append(sources.shape)
        return np.stack([np.full(sources.shape[1:], score, np.float32) for score in (2, 1)])

    monkeypatch.setattr(decision, "infer", first_wins)
    weights = method(np.ones((2, *size), np.float32))
    assert views == [(2, *seen)]
    assert weights.shape == (2, *size)
    assert (weights[0] > 0.7).all()


@pytest.mark.parametrize("shrink", [2, 3, 4])
@pytest.mark.parametrize(("soft", "hard"), [(fcn_x, fcn_x_hard), (fcn_s, fcn_s_hard)])
def test_a_smaller_view_finds_the_same_object(soft, hard, shrink):
    """On a photo enlarged by 4, sides no multiples of anything, the edge within a few pixels."""
    large = cv2.resize(photo(), (509, 511), interpolation=cv2.INTER_CUBIC)
    mask = cv2.resize(disk().astype(np.uint8), (509, 511), interpolation=cv2.INTER_NEAREST) > 0
    stack = np.stack(region_pair(large, mask, 12.0))
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    for method in (soft, hard):
        weights = method(stack, shrink=shrink)
        assert np.abs(weights.sum(axis=0) - 1).max() < 1e-5
        assert np.array_equal(method(stack[::-1].copy(), shrink=shrink)[::-1], weights)
        assert (weights[1][inside > 16] > 0.5).mean() > 0.98
        assert (weights[0][outside > 16] > 0.5).mean() > 0.98
    assert set(np.unique(hard(stack, shrink=shrink))) == {0, 1}


@pytest.mark.parametrize(("method", "loss"), [("fcn-x", 6), ("fcn-s", 9)])
def test_what_a_smaller_view_costs_at_most(method, loss):
    """Sharp to the last pixel, blurred by few, without noise: the worst case for it."""
    from skimage import data

    reference = (data.camera() / 255).astype(np.float32)
    behind = reference[:, ::-1].copy()
    near, far, reference = lens_pair(reference, disk(512), 4.0, background=behind)
    sources = [quantise(near), quantise(far)]
    full, half = (
        psnr(fuse(method, sources, parameters={"shrink": k}), quantise(reference)) for k in (1, 2)
    )
    assert full > half > full - loss
    assert half > psnr(fuse("lp", sources), quantise(reference))


def test_srcnn_doubles_the_resolution():
    from skimage import data
    from skimage.transform import downscale_local_mean

    reference = (data.camera()[100:260, 100:260] / 255).astype(np.float32)
    small = downscale_local_mean(reference, (2, 2)).astype(np.float32)
    large = srcnn(np.stack([small, small]), scale=2)
    assert large.shape == reference.shape
    nearest = small.repeat(2, axis=0).repeat(2, axis=1)
    assert psnr(255 * large, 255 * reference) > psnr(255 * nearest, 255 * reference) + 1


#: Counts in a process of its own: what other tests do to torch must not matter.
COUNT = """
import json
import sys
import numpy as np
from torch.utils.flop_counter import FlopCounterMode
from methods import fuse
sources = list(np.random.default_rng(0).integers(0, 256, (2, 512, 512), np.uint8))
found = {}
for name in sys.argv[1:]:
    with FlopCounterMode(display=False) as counter:
        fuse(name, sources)
    found[name] = counter.get_total_flops()
print(json.dumps(found))
"""


@pytest.mark.slow
def test_costs_are_those_of_a_pair():
    command = [sys.executable, "-c", COUNT, *LEARNED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    counted = {name: round(flop / 1e9, 1) for name, flop in json.loads(done.stdout).items()}
    assert counted == {name: METHODS[name].gflop for name in LEARNED}


def test_wrong_arguments(monkeypatch):
    three = np.zeros((3, 8, 8), np.float32)
    with pytest.raises(UsageError, match="two sources, got 3"):
        fcn(three)
    with pytest.raises(UsageError, match="scale 1 or 2"):
        srcnn(three, scale=3)
    monkeypatch.setattr(decision, "infer", None)  # not even started
    for hard in (fcn_x_hard, fcn_s_hard):
        with pytest.raises(UsageError, match="smallest"):
            hard(three, smallest=1.0)
    for method in (fcn_x, fcn_x_hard, fcn_s, fcn_s_hard):
        for wrong in (-1, 1.5, float("nan"), "2"):
            with pytest.raises(UsageError, match=f"shrink must be a whole number.*{wrong}"):
                method(three, shrink=wrong)


@pytest.mark.parametrize("device", ["cuda", "tpu", "meta"])
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_no_silent_fall_back(pair, device):
    with pytest.raises(EnvironmentFault, match=device):
        fuse("fcn-w", pair[0], device=device)
