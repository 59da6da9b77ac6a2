"""``identify`` and ``score --claims`` as they are called."""

from __future__ import annotations

import csv
import json
import shutil
from collections import defaultdict
from statistics import fmean

import pytest

from bench.checks.methods import pair
from bench.cli.main import main
from bench.core.image_io import write_image
from metrics import Scorer
from tests import TESTS

METHODS = ("dwt", "gff", "cnn")


@pytest.fixture
def folder(tmp_path):
    """Two scenes, and one method's fused images."""
    for number, seed in enumerate((1, 2), start=1):
        a, b = pair(48, 56, seed)
        for letter, image in (("A", a), ("B", b)):
            write_image(tmp_path / "sources" / f"s{number}_{letter}.png", image)
        write_image(tmp_path / "fused" / "mine" / f"s{number}.png", a // 2 + b // 2)
    return tmp_path


def value(number, metric):
    a, b = pair(48, 56, number)
    return Scorer([a, b]).score(a // 2 + b // 2, metric)


def identify(folder, *options):
    sources = [str(folder / "sources" / f"s1_{letter}.png") for letter in "AB"]
    fused = ["--fused", str(folder / "fused" / "mine" / "s1.png")]
    return main(["identify", *sources, *fused, *options])


def claims(folder, text, *options):
    (folder / "table.csv").write_text(text)
    given = ["--sources", str(folder / "sources"), "--fused", str(folder / "fused")]
    return main(["score", *given, "--claims", str(folder / "table.csv"), *options])


def test_identify_prints_a_table(folder, capsys):
    given = ["--value", f"Xydeas={value(1, 'qabf_liu2012'):.6f}"]
    given += ["--value", f"MI={value(1, 'mi_raw'):.6f}"]
    assert identify(folder, *given) == 0
    out, err = capsys.readouterr()
    assert "images as given" in out
    assert "qabf_liu2012" in out
    assert "mi_raw" in out
    assert "numbers tried, 1 match" in out
    assert "the metric and its variants" in err


def test_identify_prints_json(folder, capsys):
    assert identify(folder, "--value", f"EN={value(1, 'ie'):.6f}", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    (match,) = found["explanations"][0]["matches"]
    assert found["found"] is True
    assert (match["metric"], match["gives"]) == ("ie", value(1, "ie"))


def test_what_nothing_explains_ends_with_1_and_the_nearest(folder, capsys):
    assert identify(folder, "--value", "EN=0.1234567") == 1
    assert "nearest:" in capsys.readouterr().out
    assert identify(folder, "--value", "EN=0.1234567", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["found"] is False
    assert found["nearest"][0][0]["difference"] != 0


def test_wrong_values_end_with_2(folder, capsys):
    assert identify(folder, "--value", "EN=high") == 2
    assert identify(folder, "--value", "Xydeaz=0.5") == 2
    err = capsys.readouterr().err
    assert "'high' is not a number" in err
    assert "unknown metric 'Xydeaz'" in err


def test_claims_that_agree_end_with_0(folder, capsys):
    mean = (value(1, "qabf") + value(2, "qabf")) / 2
    text = f"scene,method,QG,EN\ns1,Mine,{value(1, 'qabf'):.4f},{value(1, 'en_nat'):.4f}\n"
    assert claims(folder, f"{text}mean,mine,{mean:.4f},\n") == 0
    out = capsys.readouterr().out
    assert "QG: 2 agrees" in out
    assert "EN: 1 agrees with variant en_nat" in out


def test_a_claim_that_differs_ends_with_1_and_is_written(folder, capsys):
    text = f"method,QG\nmine,{value(1, 'qabf') + 0.01:.4f}\nother,0.5\n"
    for name in ("out.csv", "out.md", "out.json"):
        assert claims(folder, text, "--out", str(folder / name)) == 1
        assert "QG: 1 differs, 1 missing" in capsys.readouterr().err
    with (folder / "out.csv").open() as file:
        first, second = csv.DictReader(file)
    mean = (value(1, "qabf") + value(2, "qabf")) / 2
    assert first["status"] == "differs"
    assert float(first["value"]) == pytest.approx(mean, abs=1e-12)
    assert second["message"] == "no fused images of other; there are images of mine"
    rows = json.loads((folder / "out.json").read_text())
    assert [(row["status"], row["value"] is None) for row in rows] == [
        ("differs", False),
        ("missing", True),
    ]
    assert (folder / "out.md").read_text().startswith("| scene ")


def test_metrics_that_need_a_reference_are_compared_with_the_sources(folder, capsys):
    a, b = pair(48, 56, 1)
    each = [Scorer([], source).score(a // 2 + b // 2, "ssim") for source in (a, b)]
    text = f"scene,method,SSIM\ns1,mine,{sum(each) / 2:.5f}\n"
    assert claims(folder, text) == 0
    assert "agrees with variant | ssim, mean over the sources" in capsys.readouterr().out
    assert claims(folder, text.replace(f"{sum(each) / 2:.5f}", "0.12345")) == 1
    assert "nearest: ssim, " in capsys.readouterr().out


def test_means_over_the_images_that_there_are(folder, capsys):
    (folder / "fused" / "mine" / "s2.png").unlink()
    text = f"method,QG\nmine,{value(1, 'qabf'):.4f}\n"
    assert claims(folder, text) == 3  # no claim could be checked
    assert "no mean, as 1 of 2 scenes have no score (s2)" in capsys.readouterr().err
    assert claims(folder, text, "--available") == 0
    assert "mean of 1 scenes" in capsys.readouterr().out


def test_claims_go_with_sources_only(folder, capsys):
    source = str(folder / "sources" / "s1_A.png")
    assert main(["score", source, source, "--fused", source, "--claims", "x.csv"]) == 2
    assert "--claims does not go without --sources" in capsys.readouterr().err
    assert claims(folder, "method,QG\nmine,0.5\n", "--wide", "--format", "csv") == 2
    assert claims(folder, "method,Time\nmine,0.5\n") == 2
    assert "unknown metric 'Time'" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("liu2020")
def test_the_survey_agrees_with_us(liu2020, tmp_path, capsys):
    """Its values with four decimals, of scenes and as means, from its own images."""
    with (TESTS / "golden" / "liu2020.csv").open(newline="") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["pair"] in ("g_02", "g_05") and row["method"] in METHODS
        ]
    columns = [name for name in rows[0] if name not in ("dataset", "pair", "method")]
    by_method = defaultdict(list)
    for row in rows:
        name = f"{row['pair']}_{row['method']}.tif"
        shutil.copy(liu2020 / "Results" / "grayscale" / name, tmp_path / name)
        by_method[row["method"]].append(row)
    lines = [["scene", "method", *columns]]
    lines += [[r["pair"], r["method"], *(f"{float(r[c]):.4f}" for c in columns)] for r in rows]
    for method, own in by_method.items():
        means = (fmean(float(row[column]) for row in own) for column in columns)
        lines.append(["", method, *(f"{mean:.4f}" for mean in means)])
    (tmp_path / "claims.csv").write_text("\n".join(",".join(line) for line in lines))
    given = ["--sources", "liu2020/g_02", "liu2020/g_05", "--fused", str(tmp_path)]
    assert main(["score", *given, "--claims", str(tmp_path / "claims.csv")]) == 0
    out = capsys.readouterr().out
    assert [f"{column}: {3 * len(METHODS)} agrees" for column in columns] == out.splitlines()
