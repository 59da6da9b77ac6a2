"""Our guided filtering against the images its authors' code gave (survey of 2020)."""

from __future__ import annotations

import numpy as np
import pytest

from bench.fusion import fuse
from bench.images import read_image
from metrics import Scorer


def pairs(root, kind):
    """(name, sources, published GFF image) of every pair that is there with its result."""
    for published in sorted((root / "Results" / kind).glob("*_gff.tif")):
        name = published.name.removesuffix("_gff.tif")
        files = [root / "sourceimages" / kind / f"{name}_{k}.tif" for k in (1, 2)]
        if all(file.is_file() for file in files):
            yield name, [read_image(file) for file in files], read_image(published)


@pytest.mark.parametrize("kind", ["grayscale", "color"])
def test_gf_is_the_published_gff(liu2020, kind):
    agreement, apart = [], []
    for name, sources, published in pairs(liu2020, kind):
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
