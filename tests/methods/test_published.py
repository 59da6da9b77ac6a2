"""Our guided filtering and CNN against the images that their authors' code gave (survey, 2020)."""

from __future__ import annotations

import numpy as np
import pytest

from bench.core.image_io import read_image
from methods._fusion import fuse
from metrics import Scorer


def pairs(root, kind, method):
    """(name, sources, published image) of every pair that is there with that method's result."""
    for published in sorted((root / "Results" / kind).glob(f"*_{method}.tif")):
        name = published.name.removesuffix(f"_{method}.tif")
        files = [root / "sourceimages" / kind / f"{name}_{k}.tif" for k in (1, 2)]
        if all(file.is_file() for file in files):
            yield name, [read_image(file) for file in files], read_image(published)


@pytest.mark.parametrize("kind", ["grayscale", "color"])
def test_gf_is_the_published_gff(liu2020, kind):
    agreement, apart = [], []
    for name, sources, published in pairs(liu2020, kind, "gff"):
        ours = fuse("gf", sources)
        error = np.mean((ours.astype(float) - published) ** 2)
        agreement.append(10 * np.log10(255**2 / max(error, 1e-6)))
        scorer = Scorer(sources)
        apart.append([scorer.score(ours, m) - scorer.score(published, m) for m in ("mi", "qabf")])
        print(
            f"{name}: {agreement[-1]:.1f} dB, largest difference "
            f"{np.abs(ours.astype(int) - published).max()} levels"
        )
    if not agreement:
        pytest.skip(f"MFIF_DATA holds no {kind} pair with its published GFF image")
    mi, qabf = np.abs(apart).mean(axis=0)
    print(f"{kind}: mean {np.mean(agreement):.1f} dB, |dMI| {mi:.6f}, |dQabf| {qabf:.6f}")
    assert (
        np.mean(agreement) >= 70
    )  # the project asks for 50; 92 (gray) and 100 (colour) are reached
    assert mi <= 0.005
    assert qabf <= 0.005


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "least"), [("grayscale", 46), ("color", 50)])
def test_cnn_is_close_to_the_published_cnn(liu2020, kind, least):
    """The project's bar: other good methods lie at 42 to 48 dB (gray) and 45 to 52 (colour)."""
    agreement = []
    for name, sources, published in pairs(liu2020, kind, "cnn"):
        error = np.mean((fuse("cnn", sources).astype(float) - published) ** 2)
        agreement.append(10 * np.log10(255**2 / max(error, 1e-6)))
        print(f"{name}: {agreement[-1]:.1f} dB")
    if not agreement:
        pytest.skip(f"MFIF_DATA holds no {kind} pair with its published CNN image")
    print(f"{kind}: mean {np.mean(agreement):.1f} dB")
    assert np.mean(agreement) >= least
