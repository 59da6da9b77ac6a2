"""``bench fuse``: a folder of photos to one file."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bench.api import fuse, fuse_files
from bench.cli.main import main
from bench.core.errors import ImageError, UsageError
from bench.core.image_io import read_image, write_image
from datasets import load_scenes


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A folder with a stack whose second and later photos are shifted and enlarged, 16 bits."""
    folder = tmp_path_factory.mktemp("photos") / "stack"
    (scene,) = load_scenes("synthetic-stack+shift=3+scale=1.01/coins")
    for k, source in enumerate(scene.images.sources):
        write_image(folder / f"img{k + 8}.png", source.astype(np.uint16) * np.uint16(257))
    (folder / "notes.txt").write_text("not a photo")
    return folder, scene.images.reference


def psnr(fused, reference):
    inside = slice(16, -16)
    error = fused.astype(float)[inside, inside] / 257 - reference[inside, inside]
    return 10 * np.log10(255**2 / (error**2).mean())


@pytest.mark.slow
def test_an_aligned_stack_is_nearer_to_the_reference(stack, tmp_path):
    folder, reference = stack
    still = fuse_files(folder, tmp_path / "still.tif", "lp")
    moved = fuse_files(
        folder, tmp_path / "a.tif", "lp", align="ecc", index_map=tmp_path / "map.png"
    )
    assert [path.name for path in moved.images] == [f"img{k}.png" for k in (8, 9, 10, 11)]
    assert "register them first (--align ecc)" in still.notes[0]
    assert moved.notes[0].startswith("aligned to the first photo: displaced by up to ")
    images = [read_image(path) for path in (still.path, moved.path)]
    assert {image.dtype for image in images} == {np.dtype(np.uint16)}
    assert psnr(images[1], reference) > psnr(images[0], reference) + 6
    index = read_image(tmp_path / "map.png")
    assert index.shape == reference.shape
    assert set(np.unique(index)) == {0, 85, 170, 255}


@pytest.mark.slow
def test_crop_leaves_what_all_photos_cover(stack, tmp_path, capsys):
    folder, reference = stack
    target = tmp_path / "c.jpg"
    command = ["fuse", str(folder), "-o", str(target), "--method", "average", "--align", "--crop"]
    assert main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["path"] == str(target)
    assert "cropped from 384x303 to" in told["notes"][0]
    assert "has the upper 8 of 16 bits" in told["notes"][1]
    height, width = read_image(target).shape[:2]
    assert 0.9 * reference.shape[0] < height < reference.shape[0]
    assert 0.9 * reference.shape[1] < width < reference.shape[1]


def test_it_fuses_as_the_function_does(tmp_path, capsys):
    sources = load_scenes("synthetic-lens/coins")[0].images.sources
    files = [tmp_path / f"{name}.png" for name in ("b", "a")]
    for file, source in zip(files, sources, strict=True):
        write_image(file, source)
    command = ["fuse", *map(str, files), "-o", str(tmp_path / "out.png"), "--method", "lp@levels=3"]
    assert main(command) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out.png'}\n"
    assert np.array_equal(read_image(tmp_path / "out.png"), fuse("lp", sources, levels=3))


@pytest.mark.parametrize(
    ("given", "options", "error", "why"),
    [
        (["a.png"], {}, UsageError, "1 photo; fusion needs at least two"),
        (["a.png", "gone.png"], {}, ImageError, r"gone\.png: no such file or folder"),
        (["a.png", "small.png"], {}, ImageError, r"small\.png is 8x8, but .*a\.png is 40x30"),
        (["a.png", "a.png"], {"crop": True}, UsageError, "--crop needs --align"),
        (["a.png", "a.png"], {"align": "eccc"}, UsageError, "did you mean 'ecc'"),
        (["a.png", "a.png"], {"out": "x.gif"}, UsageError, r"photos are written as \.tif"),
        (["a.png", "a.png"], {"align": "ecc"}, ImageError, "too little texture"),
    ],
)
def test_what_cannot_be_fused_is_one_sentence_and_writes_nothing(
    tmp_path, given, options, error, why
):
    write_image(tmp_path / "a.png", np.full((30, 40), 9, np.uint8))
    write_image(tmp_path / "small.png", np.zeros((8, 8), np.uint8))
    out = tmp_path / "out" / options.pop("out", "x.png")
    with pytest.raises(error, match=why):
        fuse_files([tmp_path / name for name in given], out, "average", **options)
    assert not out.exists()


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_jpeg_of_few_bits_is_as_bright_as_one_of_many(tmp_path, bits):
    sources = load_scenes("synthetic-lens/coins")[0].images.sources
    factor, files = ((1 << bits) - 1) / 255, [tmp_path / f"{k}.png" for k in range(2)]
    for file, source in zip(files, sources, strict=True):
        write_image(file, np.rint(source * factor).astype(np.uint16))
    fused = fuse_files(files, tmp_path / "a.jpg", "average", bits=bits)
    expected = fuse("average", sources)
    assert abs(read_image(fused.path).mean() - expected.mean()) < 1
    assert f"has the upper 8 of {bits} bits" in fused.notes[-1]


@pytest.mark.parametrize(
    ("out", "index_map", "why"),
    [
        ("a.png", None, r"a\.png: is one of the photos to fuse"),
        ("./sub/../b.png", None, r"b\.png: is one of the photos to fuse"),
        ("x.png", "b.png", r"b\.png: is one of the photos to fuse"),
        ("x.png", "x.png", "need two files"),
        ("x.png", "map.jpg", r"map\.jpg: the index map is written as \.png"),
    ],
)
def test_no_photo_is_written_over(tmp_path, out, index_map, why):
    (tmp_path / "sub").mkdir()
    for name in "ab":
        write_image(tmp_path / f"{name}.png", np.full((30, 40), ord(name), np.uint8))
    before = {file: file.read_bytes() for file in tmp_path.glob("*.png")}
    with pytest.raises(UsageError, match=why):
        fuse_files(
            tmp_path, tmp_path / out, "average", index_map=index_map and tmp_path / index_map
        )
    assert {file: file.read_bytes() for file in tmp_path.glob("*.png")} == before


def test_too_few_bits_name_the_photo(tmp_path):
    for name in "ab":
        write_image(tmp_path / f"{name}.png", np.full((30, 40), 5000, np.uint16))
    with pytest.raises(ImageError, match=r"a\.png: its largest value is 5000; --bits 12 allows"):
        fuse_files(tmp_path, tmp_path / "x.tif", "average", bits=12)


def test_photos_of_two_depths_are_noted(tmp_path):
    write_image(tmp_path / "a.png", np.full((30, 40), 9, np.uint8))
    write_image(tmp_path / "b.png", np.full((30, 40), 65535, np.uint16))
    fused = fuse_files(tmp_path, tmp_path / "x.tif", "average")
    assert read_image(fused.path).dtype == np.uint8
    assert "some photos have 8 bits, others 16: the fused photo has 8" in fused.notes
