"""Scores on held-out pairs, from a run to the documentation's table."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bench.cli.main import main
from bench.core.errors import DataUnavailable
from datasets import load_scenes
from datasets.heldout import COLOURS
from methods import fuse
from reports import docs
from reports.data.heldout import heldout_scores
from reports.data.means import IDENTICAL_DB
from reports.data.results import load_results

pytestmark = pytest.mark.slow

METHODS = ["lp@levels=2", "average", "oracle"]

QUICK = ["--isolation", "none", "--repeats", "0"]


@pytest.fixture(scope="module")
def run(photos, tmp_path_factory):
    """A finished run on one region pair and the motorcycle, each gray and in colour."""
    out = tmp_path_factory.mktemp("run")
    chosen = [f"heldout-region:{photos}", "heldout-depth"]
    given = ["--methods", *METHODS, "--datasets", *chosen, "--metrics", "psnr", *QUICK]
    assert main(["run", *given, "--out", str(out)]) == 0
    return out


def psnr(image, reference) -> float:
    error = np.mean((image.astype(float) - reference.astype(float)) ** 2)
    return 99.0 if error == 0 else min(99.0, 10 * np.log10(255**2 / error))


def test_scores_are_those_of_the_fused_images(run, photos):
    found = heldout_scores(load_results(run))
    assert found["pairs"] == {"region": 1, "depth": 1}
    for kind, chosen in (("region", f"heldout-region:{photos}"), ("depth", "heldout-depth")):
        for scene in load_scenes(chosen):
            images = scene.images
            column = found["psnr"][kind][scene.id.partition("_")[0]]
            for name, how in (("average", {}), ("lp@levels=2", {"levels": 2}), ("oracle", {})):
                fused = fuse(
                    name.partition("@")[0],
                    images.sources,
                    parameters=how,
                    reference=images.reference,
                )
                expected = psnr(fused, images.reference)
                assert column[name] == pytest.approx(expected, abs=0.0051), (scene.name, name)
            assert column["average"] < column["oracle"]
    # hard regions: every pixel of the reference is in one of the sources
    assert found["psnr"]["region"]["gray"]["oracle"] == IDENTICAL_DB


def test_a_run_without_held_out_pairs_is_refused(tmp_path):
    given = ["--methods", "average", "--datasets", "synthetic/camera", "--repeats", "0"]
    assert (
        main(["run", *given, "--isolation", "none", "--metrics", "ie", "--out", str(tmp_path)]) == 0
    )
    with pytest.raises(DataUnavailable, match="no scene of a dataset heldout-"):
        heldout_scores(load_results(tmp_path))


def test_a_run_without_psnr_is_refused(photos, tmp_path):
    given = ["--methods", "average", "--datasets", f"heldout-region:{photos}", "--repeats", "0"]
    assert (
        main(["run", *given, "--isolation", "none", "--metrics", "ie", "--out", str(tmp_path)]) == 0
    )
    with pytest.raises(DataUnavailable, match="heldout-region/gray_9: average: no psnr"):
        heldout_scores(load_results(tmp_path))


def test_the_documentation_takes_its_table_from_the_run(run, tmp_path, monkeypatch):
    blocks = "".join(f"<!-- {name} -->\n<!-- end {name} -->\n" for name in docs.SCORES)
    page = tmp_path / docs.NETWORKS
    page.parent.mkdir(parents=True)
    page.write_text(blocks)
    scores = {name: tmp_path / f"{name}.json" for name in docs.SCORES}
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(docs, "SCORES", scores)
    assert docs.main(["--heldout", str(run), "--large", str(run)]) == 0
    written = json.loads(scores["held-out"].read_text())
    assert set(written["psnr"]["depth"]) == set(COLOURS)
    table = page.read_text()
    assert "| method | region, gray | region, colour | depth, gray | depth, colour |" in table
    assert table.count("| oracle | 99.0 | 99.0 |") == 2
