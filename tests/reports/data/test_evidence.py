from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bench.store.manifest import load_manifest, save_manifest
from datasets import real_mff
from datasets.fetch import available
from datasets.synthetic import WIDTHS
from reports.data.agreement import mean_agreement
from reports.data.evidence import FEWEST, REAL, evidence_of, published_evidence, together
from reports.data.results import load_results
from tests.reports.runs import a_run

METHODS = ("lp", "fcn", "mine", "dwt", "gf", "average", "source-a", "oracle")
KINDS = {"lp": "transform", "fcn": "transform", "dwt": "transform", "gf": "decision"}


def a_run_with_references(folder, datasets, psnr=None):
    """A run whose scenes have a reference; QCV is lower where PSNR is higher."""
    of = {scene: dataset for dataset, scenes in datasets.items() for scene in scenes}
    scores = {
        method: {
            scene: {"mi": 1.0 + place, "qcv": 9.0 - place, "psnr": 30.0 + place} for scene in of
        }
        for place, method in enumerate(METHODS)
    }
    for (method, scene), value in (psnr or {}).items():
        scores[method][scene]["psnr"] = value
    a_run(folder, scores, of)
    manifest = load_manifest(folder)
    scenes = [replace(scene, reference=True) for scene in manifest.scenes]
    methods = [
        replace(method, identity={"kind": KINDS.get(method.name, "")})
        for method in manifest.methods
    ]
    save_manifest(replace(manifest, scenes=scenes, methods=methods), folder)
    return load_results(folder)


def test_a_data_set_is_evidence_and_higher_is_better(tmp_path):
    run = a_run_with_references(tmp_path, {"d": ["s1", "s2"]}, {("gf", "s2"): np.inf})
    (found,) = evidence_of(run)
    assert (found.name, found.title, found.scenes) == ("d", "2 scenes", 2)
    assert found.methods == ["lp", "fcn", "mine", "dwt", "gf"]  # no copies, no oracle
    assert (found.scores["qcv"] < 0).all(axis=None)
    assert mean_agreement(found.scores["qcv"], found.scores["psnr"]).spearman == 1
    assert np.isnan(found.scores["psnr"].loc["d/s2", "gf"])  # an infinite PSNR orders nothing


def test_parts_of_the_methods_and_of_the_scenes(tmp_path):
    (found,) = evidence_of(a_run_with_references(tmp_path, {"d": ["s1", "s2"]}))
    assert found.of_kind("transform").methods == ["lp", "fcn", "dwt"]
    assert found.of_kind("decision").methods == ["gf"]
    assert found.only(["gf", "lp"]).methods == ["lp", "gf"]
    assert found.on(["d/s2"]).scores["mi"].index.tolist() == ["d/s2"]


def test_scenes_of_several_data_sets_together(tmp_path):
    found = evidence_of(a_run_with_references(tmp_path, {"d": ["s1", "s2"], "e": ["s3"]}))
    assert together(found).scores["mi"].index.tolist() == ["d/s1", "d/s2", "e/s3"]
    assert together(found).methods == found[0].methods


def test_every_width_of_fine_objects_is_evidence_by_itself(tmp_path):
    scenes = [f"camera_{width}" for width in WIDTHS]
    found = evidence_of(a_run_with_references(tmp_path, {"synthetic-fine": scenes}))
    assert {each.name for each in found} == {f"synthetic-fine/*_{width}" for width in WIDTHS}
    assert all(each.scenes == 1 for each in found)


def test_a_run_without_references_is_no_evidence(tmp_path):
    scores = {m: {"s": {"mi": 1.0 + k}} for k, m in enumerate(METHODS)}
    assert evidence_of(a_run(tmp_path, scores)) == []


def test_few_methods_are_no_evidence(tmp_path):
    few = {m: {"s": {"mi": 1.0, "psnr": 30.0 + k}} for k, m in enumerate(METHODS[: FEWEST - 1])}
    assert evidence_of(a_run(tmp_path, few)) == []


needs_scores = pytest.mark.skipif(
    not available(real_mff.COLLECTION, [metric.file for metric in real_mff.METRICS]),
    reason="the published scores of Real-MFF are not on this machine",
)


@pytest.fixture(scope="class")
def real():
    return published_evidence()


@needs_scores
@pytest.mark.slow
def test_names_and_kinds(real):
    assert (real.name, real.scenes, len(real.methods)) == (REAL, 710, 30)
    assert {"lp", "gf", "cnn", "dsift", "IFCNN"} <= {*real.methods}
    assert {"mi", "qte_toolbox", "Q_CNN", "psnr"} <= real.scores.keys()
    assert len(real.of_kind("transform").methods) == 10


@needs_scores
@pytest.mark.slow
@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("qw", 0.53),
        ("scd", 0.43),
        ("viff", 0.40),
        ("qabf", 0.36),
        ("qp", 0.19),
        ("qcb", 0.14),
        ("mi", -0.10),
        ("qte_toolbox", -0.21),
    ],
)
def test_agreement_is_the_known_one(real, metric, expected):
    found = mean_agreement(real.scores[metric], real.scores["psnr"])
    assert round(found.spearman, 2) == expected
    assert found.spearman_low < found.spearman < found.spearman_high
    assert (found.scenes, found.methods) == (710, 30)


@needs_scores
@pytest.mark.slow
def test_lp_has_the_highest_mean_psnr(real):
    means = pd.Series(real.scores["psnr"].mean())
    assert (means.idxmax(), round(float(means.max()), 2)) == ("lp", 41.70)
