"""Runs with ``--align``: cells, notes, captions, reading again, joining, plug-ins."""

from __future__ import annotations

import pandas as pd
import pytest

from bench.api import dry_run, merge, run
from bench.cli.main import main
from bench.core.errors import UnknownName, UsageError
from bench.core.image_io import write_image
from datasets import load_scenes
from datasets.alignment.change import with_alignment
from reports.data.parts import caption
from reports.data.sources import Sources

SETS = ["synthetic-lens+shift=4/coins", "synthetic-lens/coins"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One run as the scenes are, then one into the same folder with alignment."""
    out = tmp_path_factory.mktemp("run")
    before = run("average", SETS, "psnr", out, repeats=0, threads=1)
    return out, before, run("average", SETS, "psnr", out, repeats=0, threads=1, align="ecc")


@pytest.mark.slow
def test_an_aligned_scene_is_a_cell_of_its_own(finished):
    out, before, after = finished
    keys = [{cell.dataset: cell.key for cell in r.manifest.cells} for r in (before, after)]
    moved, still = "synthetic-lens+shift=4", "synthetic-lens"
    assert keys[0][moved] != keys[1][moved]
    assert keys[0][still] == keys[1][still]  # its pixels are the same
    psnr = [r.scores.set_index("dataset")["value"] for r in (before, after)]
    assert psnr[1][moved] > psnr[0][moved] + 3
    entry = after.manifest.scene[moved, "coins"]
    assert entry.changes == ("shift=4", "align=ecc")
    assert entry.align_s > 0
    (note,) = entry.notes
    assert note.startswith("aligned to source 1 with ecc: source 2 was displaced by up to 4.0 px")
    assert note.endswith("the reference counts as lying like source 1")
    assert "register them" in " ".join(before.manifest.scene[moved, "coins"].notes)
    assert caption(after.manifest, moved) == f"{moved}, aligned with ecc"
    assert f"{moved}, aligned with ecc" in (out / "tables" / f"mean_{moved}.md").read_text()


@pytest.mark.slow
def test_it_resumes_reads_again_and_joins(finished, tmp_path):
    out, _, after = finished
    *_, said = dry_run("average", SETS, "psnr", out, repeats=0, align="ecc").lines()
    assert said.startswith("in all: 2 cells, 2 stored, 0 to fuse")
    for entry in after.manifest.scenes:
        images, why = Sources(after.manifest).images(entry)
        assert (why, images is not None) == ("", True)
    joined = merge([out], tmp_path / "joined")
    pd.testing.assert_frame_equal(joined.scores, after.scores)
    other = tmp_path / "other"
    run("average", SETS, "psnr", other, repeats=0, threads=1, store=out / "store")
    with pytest.raises(UsageError, match=r"differ in --align of synthetic-lens.* \(ecc, none\)"):
        merge([out, other], tmp_path / "both")


def test_what_cannot_be_aligned_stays_as_it_is_and_says_so(tmp_path):
    first, second = (load_scenes(f"synthetic-lens/{n}")[0] for n in ("brick", "camera"))
    for k, scene in enumerate((first, second), 1):
        write_image(tmp_path / f"odd_{k}.png", scene.images.sources[0])
    (plain,) = load_scenes(f"folder:{tmp_path}")
    (aligned,) = with_alignment([plain], "features")
    assert aligned.images.fingerprint() == plain.images.fingerprint()
    assert aligned.images.notes[-1].startswith("not aligned, and used as it is: source 2 cannot")


def test_an_unknown_method_is_one_line(tmp_path, capsys):
    command = ["run", "--datasets", "synthetic-lens/coins", "--out", str(tmp_path / "out")]
    assert main([*command, "--align", "eccc"]) == 2
    assert "unknown alignment 'eccc'; did you mean 'ecc'?" in capsys.readouterr().err
    with pytest.raises(UnknownName, match="known: ecc, features"):
        run("average", "synthetic-lens/coins", "psnr", tmp_path / "out", align="xyz")


PLUGIN = """
import numpy as np
from datasets.alignment import alignment

@alignment("rest", title="No motion", citation="none")
def rest(fixed, moving):
    return np.eye(3)
"""


@pytest.mark.slow
def test_a_method_of_a_plug_in_runs_in_the_worker(tmp_path):
    file = tmp_path / "rest.py"
    file.write_text(PLUGIN)
    results = run(
        "average", SETS[1], "psnr", tmp_path / "out", repeats=0, align="rest", plugins=[file]
    )
    assert results.manifest.plugins == [str(file)]
    assert results.manifest.scenes[0].changes == ("align=rest",)
    assert "aligned as they are, says rest" in results.manifest.scenes[0].notes[0]
