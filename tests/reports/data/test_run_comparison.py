"""Two runs compared: each kind of change is found, and only what is certain is called so."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from bench.cli.main import main
from bench.store.manifest import MANIFEST
from reports.data.results import load_results
from reports.data.run_comparison import compare_runs, compare_scores, holm
from tests.reports.runs import a_run

SCENES = [f"s{k:02}" for k in range(12)]
UP = {"mi": True, "qcv": False}


def make(folder, seed=0, shift=0.0):
    """A run of two methods on twelve scenes; `shift` is added to all scores of ``mine``."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    noise = {m: rng.normal(0, 1, (12, 3)) for m in ("lp", "mine")}
    move = np.abs(rng.normal(shift, 0.1 * abs(shift), (12, 3))) * np.sign(shift)
    noise["mine"] = noise["mine"] + move
    scores = {
        method: {
            scene: dict(zip(("mi", "qcv", "psnr"), values.tolist(), strict=True))
            for scene, values in zip(SCENES, table, strict=True)
        }
        for method, table in noise.items()
    }
    a_run(folder, scores, dict.fromkeys(SCENES, "d"))
    return folder


def change(folder, edit):
    path = folder / MANIFEST
    manifest = json.loads(path.read_text())
    edit(manifest)
    path.write_text(json.dumps(manifest))


def compared(a, b):
    return compare_runs(load_results(a), load_results(b))


@pytest.fixture
def runs(tmp_path):
    return make(tmp_path / "a"), make(tmp_path / "b")


def test_a_run_and_itself(runs):
    found = compared(*runs)
    assert found.differences == []
    assert set(found.scores["verdict"]) == {"same"}
    assert set(found.times["verdict"]) == {"same"}
    assert found.notes == []


@pytest.mark.parametrize("shift", [0.5, -0.5])
def test_a_real_change_is_significant_in_its_direction(tmp_path, shift):
    found = compared(make(tmp_path / "a"), make(tmp_path / "b", shift=shift))
    verdicts = found.scores.set_index(["method", "metric"])["verdict"]
    assert set(verdicts["lp"]) == {"same"}
    good, bad = ("better", "worse") if shift > 0 else ("worse", "better")
    assert verdicts["mine"].to_dict() == {"mi": good, "psnr": good, "qcv": bad}
    row = found.scores.query("method == 'mine' and metric == 'mi'").iloc[0]
    assert row["difference"] == pytest.approx(shift, rel=0.2)
    assert (row["moved"], row["scenes"]) == (12, 12)


def test_noise_is_unclear(tmp_path):
    found = compared(make(tmp_path / "a", seed=1), make(tmp_path / "b", seed=2))
    assert set(found.scores["verdict"]) == {"unclear"}


def test_few_scenes_are_said_to_be_few(runs):
    def keep_three(manifest):
        manifest["cells"] = [c for c in manifest["cells"] if c["scene"] in SCENES[:3]]
        for cell in manifest["cells"]:
            cell["scores"]["mi"]["value"] += 1

    change(runs[1], keep_three)
    found = compared(*runs)
    moved = found.scores.query("metric == 'mi'")
    assert set(moved["verdict"]) == {"unclear"}
    assert set(moved["scenes"]) == {3}
    assert "no difference can be significant" in found.notes[0]


def test_what_changed(runs):
    def first(manifest):
        manifest["methods"][1]["identity"] = {"source": "a" * 64, "parameters": {"k": 1}}
        manifest["machine"]["packages"] = {"numpy": "1.0"}
        manifest["scenes"][0]["fingerprint"] = "b" * 64

    def second(manifest):
        manifest["methods"][1]["identity"] = {"source": "c" * 64, "parameters": {"k": 2}}
        manifest["methods"].append({"name": "new", "title": "New", "family": "spatial"})
        manifest["machine"]["packages"] = {"numpy": "2.0"}
        manifest["metrics"][1]["version"] = 2
        manifest["scenes"][0]["fingerprint"] = "d" * 64
        cell = manifest["cells"][-1]
        cell |= {"status": "timeout", "message": "too slow", "scores": {}}
        del cell["pixels"]

    change(runs[0], first)
    change(runs[1], second)
    found = compared(*runs)
    assert {tuple(difference) for difference in found.differences} == {
        ("run", "numpy", "version", "1.0", "2.0"),
        ("method", "mine", "parameters", "k=1", "k=2"),
        ("method", "mine", "code", "a" * 12, "c" * 12),
        ("method", "new", "added", "", ""),
        ("metric", "qcv", "version", "1", "2"),
        ("scene", "d/s00", "pixels", "b" * 12, "d" * 12),
        ("cell", "mine on d/s11", "status (too slow)", "ok", "timeout"),
    }
    assert "1 of 12 common scenes have other pixels now: left out" in found.notes
    assert any("qcv is another version" in note for note in found.notes)
    assert any("times say nothing" in note for note in found.notes)
    assert "qcv" not in set(found.scores["metric"])
    counts = found.scores.set_index(["method", "metric"])["scenes"]
    assert counts["lp", "mi"] == 11
    assert counts["mine", "mi"] == 10


def test_runs_that_share_nothing(runs):
    def rename(manifest):
        for scene in [*manifest["scenes"], *manifest["cells"]]:
            scene["scene"] = "other " + scene["scene"]

    change(runs[1], rename)
    found = compared(*runs)
    assert len(found.scores) == len(found.times) == 0
    assert main(["compare", *map(str, runs)]) == 0


def test_infinite_scores_count_by_rank():
    table = pd.DataFrame(
        {"dataset": "d", "scene": SCENES, "method": "m", "metric": "psnr", "value": 30.0}
    )
    after = table.assign(value=np.inf)
    places = {("d", scene) for scene in SCENES}
    (row,) = compare_scores(table, after, {"psnr": True}, places).to_dict("records")
    assert row["verdict"] == "better"
    (row,) = compare_scores(after, after, {"psnr": True}, places).to_dict("records")
    assert row["verdict"] == "same"


def test_p_is_scipys_and_holm_is_the_textbooks():
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {"dataset": "d", "scene": SCENES, "method": "m", "metric": "mi", "value": rng.random(12)}
    )
    after = table.assign(value=rng.random(12))
    places = {("d", scene) for scene in SCENES}
    (row,) = compare_scores(table, after, UP, places).to_dict("records")
    expected = scipy.stats.wilcoxon(after["value"], table["value"], zero_method="zsplit").pvalue
    assert row["p"] == row["p_holm"] == pytest.approx(expected)
    p = np.array([0.01, 0.04, 0.03, 0.005])
    assert holm(p).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([])).tolist() == []


def test_command_line(tmp_path, capsys):
    a, b = make(tmp_path / "a"), make(tmp_path / "b", shift=0.5)
    assert main(["compare", str(a), str(b)]) == 0
    text = capsys.readouterr().out
    assert "3 of 6 scores moved: 2 better, 1 worse, 0 not significant." in text
    assert "Nothing about code, data, machine or outcomes differs." in text
    assert main(["compare", str(a), str(b), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["scores"][0]["method"] == "mine"
    assert content["differences"] == []


@pytest.mark.parametrize("options", [["--alpha", "0"], ["--alpha", "nan"]])
def test_level_that_is_none(runs, options):
    assert main(["compare", *map(str, runs), *options]) == 2


def test_no_run(tmp_path, capsys):
    assert main(["compare", str(tmp_path), str(tmp_path)]) == 4
    assert "run.json" in capsys.readouterr().err
