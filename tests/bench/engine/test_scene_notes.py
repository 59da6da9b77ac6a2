"""Notes on scenes, and 12 bits stored in 16, from a folder to the tables of a run."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import bench
import datasets.notes
from bench.api import merge, score_folder
from bench.checks.methods import pair
from bench.cli.main import main
from bench.core.image_io import write_image
from bench.errors import ImageWarning
from bench.store.manifest import SceneEntry
from bench.store.scene_notes import noted
from methods import METHODS
from methods import fuse as fuse_images
from reports.data.sources import Sources

pytestmark = pytest.mark.slow


class Listener:
    """Keeps the notes of a run."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)

    def start(self, cells): ...

    def working(self, what): ...

    def done(self, what, status, message, cached): ...


def run(folder, out, methods="lp", listener=None, **options):
    given = {"metrics": "qabf,mi", "repeats": 0, "isolation": "none", **options}
    return bench.run(methods, f"folder:{folder}", out=out, progress=listener, **given)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A pair of 12 bits stored in 16, the same pair with 16 bits, and their fused images."""
    root = tmp_path_factory.mktemp("bits")
    pixels = [i.astype(np.uint16) * 16 + i % 16 for i in pair(96, 104, 1)]
    pixels[0][0, 0] = 4095
    fused = fuse_images(METHODS["lp"], [i * np.uint16(16) for i in pixels]) // 16
    for name, factor in {"low": 1, "high": 16}.items():
        for letter, image in zip("AB", pixels, strict=True):
            write_image(root / name / f"s_{letter}.png", image * np.uint16(factor))
        write_image(root / f"{name}_fused" / "s.png", fused * np.uint16(factor))
    return root


def values(results):
    return results.scores.set_index(["method", "metric"])["value"]


@pytest.fixture(scope="module")
def runs(folders, tmp_path_factory):
    """Results of both pairs with the fused images of either kind, and the notes of the first."""
    out, listener = tmp_path_factory.mktemp("out"), Listener()
    images = [f"images:{kind}={folders / f'{kind}_fused'}" for kind in ("low", "high")]
    first = run(folders / "low", out / "low", ["lp", *images], listener)
    return out, first, run(folders / "high", out / "high", ["lp", *images[1:]]), listener.notes


def test_12_bits_score_as_16_and_are_said_once(runs):
    _, low, high, notes = runs
    for metric in ("qabf", "mi"):
        assert values(low)["lp", metric] == values(high)["lp", metric]
    assert sum("taken for 12-bit and scaled by 16" in note for note in notes) == 1


def test_fused_images_of_either_scale_score_alike(runs):
    _, low, high, notes = runs
    for metric in ("qabf", "mi"):
        assert values(low)["high", metric] == values(high)["high", metric]
        assert values(low)["low", metric] == values(high)["high", metric]
    assert sum("was scaled as the sources were" in note for note in notes) == 1


def test_tables_and_pages_say_it(runs):
    out, low, *_ = runs
    for kind in ("md", "tex"):
        assert "taken for 12-bit" in (out / "low" / "tables" / f"mean_folder.{kind}").read_text()
    assert main(["report", "html", "--out", str(out / "low")]) == 0
    page = (out / "low" / "report.html").read_text()
    assert page.count("taken for 12-bit") >= 2, "beside the pictures, and in the list of scenes"
    images, why = Sources(low.manifest).images(low.manifest.scenes[0])
    assert images is not None, why


def test_bits_16_leaves_the_images_as_they_are(folders, tmp_path):
    listener = Listener()
    unscaled = run(folders / "low", tmp_path / "out", listener=listener, bits=16)
    assert not any("12-bit" in note for note in listener.notes)
    images, _ = Sources(unscaled.manifest).images(unscaled.manifest.scenes[0])
    assert max(source.max() for source in images.sources) == 4095
    joined = merge([tmp_path / "out"], tmp_path / "joined")
    assert values(joined).equals(values(unscaled))


def test_a_process_of_its_own_scales_too(folders, runs, tmp_path):
    other = run(folders / "low", tmp_path, isolation="scene", bits=12)
    assert values(other)["lp", "mi"] == values(runs[1])["lp", "mi"]
    assert other.manifest.scenes[0].notes[0].startswith("the 16-bit images")


def test_one_fused_image_is_scored_on_the_scale_of_its_sources(folders):
    low, high = ([folders / name / f"s_{c}.png" for c in "AB"] for name in ("low", "high"))
    notes = []
    scored = bench.score(low, folders / "low_fused" / "s.png", on_note=notes.append)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = bench.score(high, folders / "high_fused" / "s.png")
    assert scored == expected
    assert len(notes) == 2
    with pytest.warns(ImageWarning, match="--bits 16"):
        bench.score(low, folders / "high_fused" / "s.png", metrics="mi")


def test_fuse_gives_the_scale_that_came(folders):
    low, high = ([folders / name / f"s_{c}.png" for c in "AB"] for name in ("low", "high"))
    fused = bench.fuse("lp", low)
    assert fused.max() <= 4095
    expected = np.minimum(bench.fuse("lp", high) / 16, 4095)
    np.testing.assert_allclose(fused, expected, atol=0.5)


def test_score_of_folders_takes_bits(folders):
    means = []
    for bits in (None, 12, 16):
        listener = Listener()
        table = score_folder(folders / "low", folders / "low_fused", metrics="mi", bits=bits,
                             progress=listener)  # fmt: skip
        means.append(table.value.mean())
        assert any("12-bit" in note for note in listener.notes) == (bits != 16)
    assert means[0] == means[1] != means[2]


def test_notes_are_computed_once_and_kept(folders, tmp_path, monkeypatch):
    source = folders / "high" / "s_A.png"
    for letter in "AB":
        (tmp_path / "same").mkdir(exist_ok=True)
        (tmp_path / "same" / f"s_{letter}.png").write_bytes(source.read_bytes())
    first = run(tmp_path / "same", tmp_path / "out").manifest.scenes[0].notes
    assert any("equal" in note for note in first)

    def never(images):
        raise AssertionError("computed again")

    monkeypatch.setattr(datasets.notes, "scene_notes", never)
    assert run(tmp_path / "same", tmp_path / "out").manifest.scenes[0].notes == first


def test_notes_of_one_kind_are_one_sentence():
    notes = [("a.tif: has 3 pages", "moved by 2.5 px"), ("b.tif: has 4 pages",), ()]
    entries = [SceneEntry("mine", f"s{k}", notes=n) for k, n in enumerate(notes)]
    assert noted(entries) == [
        "2 of 3 scenes, the first mine/s0: a.tif: has 3 pages",
        "mine/s0: moved by 2.5 px",
    ]
