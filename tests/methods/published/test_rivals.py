"""The published networks: their weights, and what they do without them.

Fidelity is measured against images that the authors' programs made, which are not in the
repository: they are read from ``oracle/rivals/NAME/SCENE.png`` beside the folder ``MFIF_DATA``.
"""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data
from torch.utils.flop_counter import FlopCounterMode

from bench.core.errors import Skipped
from bench.core.image_io import read_image
from bench.engine.selection import ConfiguredMethod, select_methods
from datasets.catalog import CataloguedFile
from methods import METHODS, fuse
from methods.published._weights import load_state
from tests.support.weights import PUBLISHED as NAMES
from tests.support.weights import need_weights

#: Share of the pixels that may differ, where it is not 0.01 %: one pixel, the brightest of what
#: ReFusion's network gives, sets the scale of all others, and its last digits depend on the
#: processor. Measured: 0.018, 0.004, 0.015, 0.004 %; with AVX2 for AVX-512 0.023 % of g_01.
LIMITS = {"refusion": 3e-4}
FOLDERS = {"cnn-liu": "liucnn_slight", "drl-fpd": "drl_fpd"}


def test_rows_are_told_from_published_images_of_the_same_networks():
    rows = [m.name for m in select_methods(["rivals", "published:mfifb", "published:liu2020"])]
    assert len(set(rows)) == len(rows)
    assert {"sesf", "mfifb:sesf", "gacn"} <= set(rows)


@pytest.mark.parametrize("text", ["rivals", "published-network"])
def test_they_are_selected_together_and_not_by_all(text):
    assert [m.name for m in select_methods(text)] == NAMES
    assert not {m.name for m in select_methods("all")} & set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_without_weights_one_command_is_named(name, offline, sources):
    load_state.cache_clear()
    assert ConfiguredMethod(METHODS[name]).identity["weights"]
    with pytest.raises(Skipped, match=r"python -m bench data fetch weights --only '.*'` downloads"):
        fuse(name, sources)
    load_state.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_catalogued_with_their_terms(name):
    for file in METHODS[name].weights:
        assert isinstance(file, CataloguedFile)
        assert file.entry.licence
        assert file.entry.sha256


def authors_image(name: str, scene: str):
    """What the authors' program made of a scene; skips where it is not at hand."""
    root = Path(os.environ.get("MFIF_DATA", "no-such-folder"))
    file = root.parent / "oracle" / "rivals" / FOLDERS.get(name, name) / f"{scene}.png"
    if not file.is_file():
        pytest.skip("needs oracle/rivals beside MFIF_DATA")
    return read_image(file)


@pytest.mark.slow
@pytest.mark.parametrize("scene", ["g_01", "g_02", "c_01", "c_02"])
@pytest.mark.parametrize("name", NAMES)
def test_images_are_those_of_the_authors_programs(name, scene, liu2020):
    """At most one level at 0.01 % of the pixels; the cost is counted on g_01, of 512 x 512."""
    need_weights(name)
    wanted = authors_image(name, scene)
    kind = "grayscale" if scene.startswith("g") else "color"
    files = [liu2020 / "sourceimages" / kind / f"{scene}_{k}.tif" for k in (1, 2)]
    with FlopCounterMode(display=False) as counter:
        fused = fuse(name, [read_image(file) for file in files])
    if scene == "g_01":
        assert METHODS[name].gflop == round(counter.get_total_flops() / 1e9, 1)
    apart = np.abs(fused.astype(int) - wanted)
    differs = apart > 0 if apart.ndim == 2 else (apart > 0).any(axis=-1)
    print(f"{name} {scene}: {differs.sum()} pixels ({100 * differs.mean():.4f} %) differ")
    assert apart.max() <= 1
    assert differs.mean() <= LIMITS.get(name, 1e-4)


def halves(colour: bool) -> list[np.ndarray]:
    """An odd-sized photo blurred in its right half, and in its left."""
    photo = data.astronaut()[80:213, 150:309]
    sharp = photo if colour else cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    soft = cv2.GaussianBlur(sharp, (0, 0), 2)
    return [np.hstack([sharp[:, :80], soft[:, 80:]]), np.hstack([soft[:, :80], sharp[:, 80:]])]


def psnr(a, b) -> float:
    return 10 * np.log10(255**2 / max(np.mean((a.astype(float) - b) ** 2), 1e-6))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_odd_sizes_gray_colour_and_sixteen_bits(name):
    """Sixteen-bit sources fuse to what eight-bit ones do, but for levels in between."""
    need_weights(name)
    for colour in (False, True):
        sources = halves(colour)
        fused = fuse(name, sources)
        assert (fused.shape, fused.dtype) == (sources[0].shape, np.uint8)
        assert psnr(fused, sources[0]) > 15
    deep = fuse(name, [image.astype(np.uint16) * 257 for image in halves(False)])
    assert deep.dtype == np.uint16
    assert psnr(deep / 257, fuse(name, halves(False))) > 45


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_identical_sources_come_back_from_decision_maps(name):
    """A network that makes the image itself changes its tones; one that chooses pixels must not."""
    need_weights(name)
    sharp = cv2.cvtColor(data.astronaut()[80:213, 150:309], cv2.COLOR_RGB2GRAY)
    fused = fuse(name, [sharp, sharp])
    if METHODS[name].exact:
        np.testing.assert_array_equal(fused, sharp)
    else:
        assert np.corrcoef(fused.ravel(), sharp.ravel())[0, 1] > 0.95


@pytest.mark.slow
def test_ifcnn_takes_three_sources_at_once_in_any_order():
    need_weights("ifcnn")
    sources = [*halves(True), data.astronaut()[80:213, 150:309]]
    np.testing.assert_array_equal(fuse("ifcnn", sources), fuse("ifcnn", sources[::-1]))
