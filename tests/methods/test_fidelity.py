"""Reimplemented methods against fused images that their authors or a survey published.

Prints the mean PSNR (identical images count as 99 dB) and the share of equal pixels, over
whatever published images are in ``MFIF_DATA``. The floors are those of whole collections.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from bench.core.image_io import read_image
from bench.core.jpeg import jpeg_facts, through_jpeg
from methods import METHODS
from methods._fusion import fuse
from tests.support.weights import need_weights

#: PSNR of identical images, and the largest one that counts, in dB.
IDENTICAL = 99.0


@dataclass(frozen=True)
class Held:
    """A method, the name of the published images, and the least mean PSNR in dB."""

    method: str
    published: str
    gray: float
    colour: float


TABLE = [
    Held("brw", "brw", 90, 90),
    Held("cnn", "cnn", 46, 50),
    Held("dsift", "dsift", 90, 90),
    Held("dtcwt", "dtcwt", 90, 90),
    Held("dwt", "dwt", 20, 20),  # the survey's setting is another one
    Held("gf", "gff", 70, 70),
    Held("gfdf", "gfdf", 90, 90),
    Held("mwgf", "mwgf", 65, 65),
    Held("nsct", "nsct", 90, 90),
    Held("quadtree", "quadtree", 90, 90),
]
#: Published as JPEG: the fused image goes through the same JPEG first. Least mean PSNR in dB.
JPEG_TABLE = {
    "bf": ("BFMF", 65),
    "brw": ("TF", 90),
    "dct-corr": ("DCT_Corr", 90),
    "dct-eol": ("DCT_EOL", 70),
    "dct-svd": ("SVDDCT", 60),
    "dsift": ("DSIFT", 90),
    "gfdf": ("GFDF", 90),
    "lp-sr": ("MST_SR", 75),
    "mfm": ("MFM", 85),
    "quadtree": ("QB", 75),
    "rp-sr": ("RP_SR", 80),
}
#: Methods that take a minute or more for most pictures.
MINUTES = ("sr", "nsct-sr")
#: Block of a JPEG file with halved chroma, pixels, and the reach of its interpolation.
MACROBLOCK, REACH = 16, 2
#: What runs within a second or two on one picture, in the quick part of the suite.
QUICK = ("g_05",)
#: Part of a picture, and the width of its border that the pixels outside it change.
CROP, BORDER = (slice(200, 270), slice(200, 270)), 7


def agreement(fused, published) -> tuple[float, float]:
    """PSNR in dB and share of equal values."""
    error = np.mean((fused.astype(float) - published) ** 2)
    psnr = IDENTICAL if error == 0 else min(IDENTICAL, 10 * np.log10(255**2 / error))
    return psnr, float(np.mean(fused == published))


def pictures(root, kind, held, only=()):
    """(name, sources, published image) of each picture that is there."""
    for file in sorted((root / "Results" / kind).glob(f"*_{held.published}.tif")):
        name = file.name.removesuffix(f"_{held.published}.tif")
        sources = [root / "sourceimages" / kind / f"{name}_{k}.tif" for k in (1, 2)]
        if (not only or name in only) and all(source.is_file() for source in sources):
            yield name, [read_image(source) for source in sources], read_image(file)


def measured(root, kind, held, only=()):
    found = [agreement(fuse(held.method, s), p) for _, s, p in pictures(root, kind, held, only)]
    if not found:
        pytest.skip(f"MFIF_DATA holds no {kind} picture of {held.published}")
    psnr, equal = np.mean(found, axis=0)
    print(
        f"{held.method} against {held.published} ({len(found)} {kind}): "
        f"{psnr:.1f} dB, {100 * equal:.2f} % of the pixels equal"
    )
    return psnr


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["grayscale", "color"])
@pytest.mark.parametrize("held", TABLE, ids=lambda held: held.method)
def test_published_images(held, kind, liu2020):
    least = held.gray if kind == "grayscale" else held.colour
    assert measured(liu2020, kind, held) >= least


@pytest.mark.slow
@pytest.mark.parametrize("method", MINUTES)
def test_small_pictures_of_slow_methods(method, liu2020):
    need_weights(method)
    assert measured(liu2020, "grayscale", Held(method, method, 90, 90), QUICK) >= 90


@pytest.mark.slow
def test_parts_of_colour_pictures_by_sparse_representation(liu2020):
    need_weights("sr")
    inner = (slice(BORDER, -BORDER),) * 2
    found = [
        agreement(fuse("sr", [source[CROP] for source in sources])[inner], image[CROP][inner])
        for _, sources, image in pictures(liu2020, "color", Held("sr", "sr", 90, 90))
    ]
    if not found:
        pytest.skip("MFIF_DATA holds no colour picture of sr")
    psnr, equal = np.mean(found, axis=0)
    print(
        f"sr against sr ({len(found)} parts of color pictures): "
        f"{psnr:.1f} dB, {100 * equal:.2f} % of the pixels equal"
    )
    assert psnr >= 90


@pytest.mark.slow
@pytest.mark.parametrize("method", JPEG_TABLE)
def test_images_published_as_jpeg(method, mfi_whu):
    need_weights(method)
    alias, least = JPEG_TABLE[method]
    found = []
    for file in sorted((mfi_whu / "fused_images").glob(f"MFI-WHU_*_{alias}.jpg")):
        name = file.name.removesuffix(f"_{alias}.jpg")
        sources = [mfi_whu / "input" / name / f"{name}_{letter}.jpg" for letter in "AB"]
        facts = jpeg_facts(file.read_bytes())
        fused = fuse(method, [read_image(source) for source in sources])
        fused = through_jpeg(fused, facts.quality, facts.subsampling)
        inner = full_blocks(fused.shape) if method.startswith("dct") else ...
        found.append(agreement(fused[inner], read_image(file)[inner]))
    if not found:
        pytest.skip(f"MFIF_DATA holds no image of {alias} for MFI-WHU")
    psnr, equal = np.mean(found, axis=0)
    print(
        f"{method} against {alias} ({len(found)} of MFI-WHU, after the same JPEG): "
        f"{psnr:.1f} dB, {100 * equal:.2f} % of the pixels equal"
    )
    assert psnr >= least


def full_blocks(shape):
    """Without what the DCT family's code leaves gray, and what JPEG mixes with it."""
    return tuple(slice(n // MACROBLOCK * MACROBLOCK - REACH) for n in shape[:2])


@pytest.mark.parametrize("held", TABLE, ids=lambda held: held.method)
def test_one_small_picture(held, liu2020):
    if METHODS[held.method].family == "learned" or held.method == "mwgf":
        pytest.skip("one picture says too little, or takes long")
    assert measured(liu2020, "grayscale", held, QUICK) >= held.gray


def test_aliases_name_one_method():
    from bench.engine.names import find, plain

    names = [plain(m.name) for m in METHODS]
    aliases = [
        plain(alias) for m in METHODS for alias in m.aliases if plain(alias) != plain(m.name)
    ]
    assert len(set(names + aliases)) == len(names + aliases)
    assert find(METHODS, "TF").name == "brw"
    assert find(METHODS, "qb").name == "quadtree"
    assert find(METHODS, "SVDDCT").name == "dct-svd"
    assert find(METHODS, "MST_SR").name == "lp-sr"
    assert find(METHODS, "NSCT_SR").name == "nsct-sr"


def test_every_published_method_has_a_year():
    assert {m.name for m in METHODS if m.year is None and m.family != "control"} <= {
        m.name for m in METHODS if "this benchmark" in m.paper
    }
