"""The published networks: their weights, and what they do without them.

Fidelity is measured against images of the authors' programs, which are not in the repository:
``MFIF_RIVALS`` names the folder that holds them, as NAME/SCENE.png.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from bench.core.errors import Skipped
from bench.core.image_io import read_image
from bench.engine.selection import ConfiguredMethod, select_methods
from datasets.catalog import CataloguedFile
from datasets.fetch import available
from methods import METHODS, fuse
from methods.published._weights import load_state

NAMES = [m.name for m in METHODS if m.family == "published-network"]
FOLDERS = {"cnn-liu": "liucnn_slight", "drl-fpd": "drl_fpd"}


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


@pytest.mark.slow
@pytest.mark.parametrize("scene", ["g_02", "c_02"])
@pytest.mark.parametrize("name", NAMES)
def test_images_are_those_of_the_authors_programs(name, scene, liu2020):
    """At most one level at 0.01 % of the pixels (ReFusion: 0.03 %, by the order of its sums)."""
    images = Path(os.environ.get("MFIF_RIVALS", "nowhere")) / FOLDERS.get(name, name)
    if not (images / f"{scene}.png").is_file():
        pytest.skip("MFIF_RIVALS holds no image of the authors' program")
    if not available("weights", [file.path for file in METHODS[name].weights]):
        pytest.skip("the weights are not on disk")
    kind = "grayscale" if scene.startswith("g") else "color"
    files = [liu2020 / "sourceimages" / kind / f"{scene}_{k}.tif" for k in (1, 2)]
    fused = fuse(name, [read_image(file) for file in files])
    apart = np.abs(fused.astype(int) - read_image(images / f"{scene}.png"))
    assert apart.max() <= 1
    assert (apart > 0).mean() <= (3e-4 if name == "refusion" else 1e-4)
