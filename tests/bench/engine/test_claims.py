"""A paper's table is read, and each of its numbers is judged."""

from __future__ import annotations

import pytest

from bench.core.errors import NothingSelected, UsageError
from bench.engine.claims.checked import CheckedClaims
from bench.engine.claims.table import read_claims
from bench.engine.claims.verdicts import ScoreOf, needed_metrics, verdicts
from datasets import load_scenes

SCENES = load_scenes(["paper/clock", "paper/camera", "paper/color"])


@pytest.fixture
def read(tmp_path):
    def reads(text, metrics=None):
        file = tmp_path / "table.csv"
        file.write_text(text, encoding="utf-8")
        return read_claims(file, metrics)

    return reads


def cells(claims):
    return [(c.scene, c.method, c.value.name, c.value.text) for c in claims]


def test_wide_and_long_tables_say_the_same(read):
    wide = read("Method,Scene,QG,EN\nGFF,clock,0.71,7.02\nGFF,Mean,.70,-\n")
    long = read(
        "method;scene;metric;value\nGFF;clock;QG;0.71\nGFF;clock;EN;7.02\nGFF;;QG;.70\nGFF;;EN;\n"
    )
    assert cells(wide) == cells(long)
    assert cells(wide) == [
        ("clock", "GFF", "QG", "0.71"),
        ("clock", "GFF", "EN", "7.02"),
        ("", "GFF", "QG", ".70"),
    ]


def test_marks_of_papers_are_left_out(read):
    claims = read(
        "Algorithm,QG,EN\na,**0.7198**,\\textbf{7.02}\nb,0.7100 ± 0.02,7.01 (3)\nc,—,n/a\n"
    )
    assert [claim.value.text for claim in claims] == ["0.7198", "7.02", "0.7100", "7.01"]
    assert {claim.scene for claim in claims} == {""}


def test_columns_to_check(read):
    text = "method,QG,Time (s),EN\na,0.71,12,7.02\n"
    with pytest.raises(UsageError, match=r"table.csv: unknown metric 'Time \(s\)'.*--metrics"):
        read(text)
    assert [claim.value.name for claim in read(text, ["xydeas"])] == ["QG"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("scene,QG\nclock,0.7\n", "no column is called method; there are scene, QG"),
        ("method,QG\na,seven\n", "line 2: QG: 'seven' is not a number"),
        ("method,QG,EN\na,0.7\n", "line 2: it does not have 3 cells"),
        ("method,QG\na,0.7,0.8\n", "line 2: it does not have 2 cells"),
        ("method,QG\na,0.7\nA,0.8\n", "line 3: QG of A  is claimed twice"),
        ("method,QG,QG\na,0.7,0.8\n", "two columns are called 'QG'"),
        ("", "no column is called method"),
    ],
)
def test_what_is_not_certain_is_refused(read, text, error):
    with pytest.raises(UsageError, match=error):
        read(text)


def test_files_that_cannot_be_read(read, tmp_path):
    with pytest.raises(UsageError, match=r"nothing\.csv: No such file"):
        read_claims(tmp_path / "nothing.csv")
    (tmp_path / "latin.csv").write_bytes("method,QG\ngén,0.7".encode("latin-1"))
    with pytest.raises(UsageError, match="not a UTF-8 text"):
        read_claims(tmp_path / "latin.csv")
    with pytest.raises(NothingSelected, match="claims no value"):
        read("method,QG\na,-\n")


def judge(read, text, **scores):
    """Verdicts where each metric has one value on clock and that plus 0.1 on camera, by gff."""
    known = [
        ScoreOf(f"paper/{scene}", "gff", metric, value + more)
        for metric, value in scores.items()
        for scene, more in (("clock", 0.0), ("camera", 0.1))
    ]
    return verdicts(read(text), known, SCENES)


def test_numbers_agree_within_their_digits(read):
    text = "method,scene,EN\nGFF,Clock,7.02\ngff,camera,7.120\ngff,mean,7.0700\n"
    found = judge(read, text, ie=7.0221)
    assert [verdict.status for verdict in found] == ["agrees", "differs", "differs"]
    assert found[0].value == 7.0221
    assert found[1].difference == pytest.approx(0.0021)
    assert found[2].message == "mean of 2 scenes"


def test_variants_and_units_are_named(read):
    text = "method,scene,QG,EN,SD\ngff,clock,0.6611,4.8562,-\ngff,camera,76.11,7.11,0.1562\n"
    found = judge(read, text, qabf=0.7, qabf_liu2012=0.6611, ie=7.01, en_nat=4.8562, sd=39.737)
    judged = {(v.scene, v.metric): (v.status, v.variant) for v in found}
    assert judged == {
        ("clock", "QG"): ("agrees with variant", "qabf_liu2012"),
        ("clock", "EN"): ("agrees with variant", "en_nat"),
        ("camera", "QG"): ("agrees with variant", "qabf_liu2012, in percent"),
        ("camera", "EN"): ("agrees", ""),
        ("camera", "SD"): ("agrees with variant", "sd, of images scaled to 0..1"),
    }


def test_of_variants_that_agree_the_one_of_the_column_is_named(read):
    """On camera both variants give the number; on clock only one does."""
    text = "method,scene,QG\ngff,clock,0.61\ngff,camera,0.71\n"
    found = verdicts(
        read(text),
        [
            ScoreOf(f"paper/{scene}", "gff", metric, value)
            for scene, metric, value in (
                ("clock", "qabf", 0.5),
                ("clock", "qabf_liu2012", 0.3),
                ("clock", "qabf_tang", 0.61),
                ("camera", "qabf", 0.5),
                ("camera", "qabf_liu2012", 0.71),
                ("camera", "qabf_tang", 0.71),
            )
        ],
        SCENES,
    )
    assert [verdict.variant for verdict in found] == ["qabf_tang", "qabf_tang"]


def test_what_differs_names_the_nearest(read):
    (found,) = judge(read, "method,scene,QG\ngff,clock,0.65\n", qabf=0.7, qabf_liu2012=0.6611)
    assert (found.status, found.value) == ("differs", 0.7)
    assert found.message == "nearest: qabf_liu2012 0.6611"


def test_what_is_missing_is_said(read):
    text = "method,scene,EN\ndwt,clock,7\ngff,nowhere,7\ngff,mean,7.06\ngff,clock,7\ngff,color,7\n"
    known = [
        ScoreOf("paper/clock", "gff", "ie", None, "file.png: truncated"),
        ScoreOf("paper/camera", "gff", "ie", 7.0),
    ]
    found = verdicts(read(text), known, SCENES)
    assert {verdict.status for verdict in found} == {"missing"}
    assert [verdict.message for verdict in found] == [
        "no fused images of dwt; there are images of gff",
        "no scene nowhere among the sources",
        "no mean, as 1 of 2 scenes have no score (clock): file.png: truncated",
        "file.png: truncated",
        "no fused image",
    ]
    with pytest.raises(NothingSelected, match="no claim could be checked"):
        CheckedClaims(tuple(found))


def test_data_sets(read):
    text = "dataset,method,EN\npaper,gff,7.05\nPaper,gff,5\nlytro,gff,7\n"
    with pytest.raises(UsageError, match="twice"):
        read(text)
    found = judge(read, text.replace("Paper,gff,5\n", ""), ie=7.0)
    assert [verdict.status for verdict in found] == ["agrees", "missing"]
    assert found[1].message == "no scene of lytro among the sources"


def test_all_variants_are_computed(read):
    needed = needed_metrics(read("method,QG,EN\na,0.7,7\n"))
    assert {"qabf", "qabf_liu2012", "qabf_tang", "ie", "en_nat"} == set(needed)
