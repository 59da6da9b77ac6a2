"""The numbers of the documentation are those that the project printed."""

from __future__ import annotations

import itertools
import json
import os
import re
from pathlib import Path

import pytest

from bench.core.errors import UsageError
from bench.core.image_io import read_image
from datasets.heldout import COLOURS, KINDS
from methods import METHODS
from methods._fusion import fuse
from metrics import Scorer
from reports import docs

METRICS = ("ie", "mi", "qabf", "q", "qw", "qe")

ROOT = Path(docs.__file__).parents[1]
TEXT = (ROOT / docs.RESULTS).read_text(encoding="utf-8")
NETWORKS = (ROOT / docs.NETWORKS).read_text(encoding="utf-8")


def block(name: str) -> str:
    return TEXT.split(f"<!-- {name} -->")[1].split(f"<!-- end {name} -->")[0]


@pytest.mark.parametrize("table", docs.SCORES)
def test_psnr_is_what_was_printed(table):
    scores = json.loads(docs.SCORES[table].read_text())
    assert docs.replace(NETWORKS, table, docs.psnr_table(scores)) == NETWORKS


def test_held_out_scores_are_of_every_learned_method():
    scores = json.loads(docs.SCORES["held-out"].read_text())["psnr"]
    learned = {m.name for m in METHODS if m.family == "learned"}
    assert tuple(scores) == KINDS
    for kind, colour in itertools.product(KINDS, COLOURS):
        assert learned <= set(scores[kind][colour])


@pytest.mark.parametrize(("number", "scene"), [(1, "g_01"), (2, "g_02")])
def test_tables_have_the_scores_of_the_real_pairs(number, scene):
    """Of the methods that compute the same on every machine to the last bit of the image."""
    folder = Path(os.environ.get("MFIF_DATA", "")) / "liu2020/sourceimages/grayscale"
    files = [folder / f"{scene}_{k}.tif" for k in (1, 2)]
    if not all(file.is_file() for file in files):
        pytest.skip(f"MFIF_DATA holds no liu2020 pair {scene}")
    sources = [read_image(file) for file in files]
    scorer = Scorer(sources)
    table = block("tables").split("**Table ")[number]
    for name in ("average", "source-a", "source-b", "lp", "dwt", "cp", "gf"):
        line = next(line for line in table.splitlines() if line.startswith(f"| {name} |"))
        shown = [float(cell.strip("* ")) for cell in line.strip("| ").split("|")[1:7]]
        scores = scorer.scores(fuse(name, sources), METRICS)
        assert shown == pytest.approx([scores[m] for m in METRICS], abs=6e-5), name


def test_tables_name_every_method():
    for table in block("tables").split("**Table ")[1:]:
        named = set(re.findall(r"^\| ([a-z-]+) \|", table, flags=re.M))
        assert {m.name for m in METHODS if m.in_all} <= named


def test_a_run_is_put_in_and_nothing_else_changes(tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "table1.md").write_text(
        "**Table 1.** Mine\n\n| a  |   b |\n|:---|----:|\n| x  |   1 |\n"
    )
    (folder / "table2.md").write_text("**Table 2.** Mine\n")
    (folder / "vs_paper.md").write_text(
        "**Ours**\n\n| 1 (real) |\n| 3 (new) |\n\n**The headline.** Yes\n"
    )
    text = docs.with_run(TEXT, tmp_path)
    assert "| a | b |\n| --- | ---: |\n| x | 1 |" in text
    assert "| 3 (new) |" not in text
    assert text.split("<!-- tables -->")[0] == TEXT.split("<!-- tables -->")[0]
    assert text.split("<!-- end headline -->")[1] == TEXT.split("<!-- end headline -->")[1]


def test_a_missing_block_or_table_is_named(tmp_path, capsys):
    with pytest.raises(UsageError, match="end nowhere"):
        docs.replace(TEXT, "nowhere", "")
    assert docs.main([str(tmp_path)]) != 0
    assert "vs_paper.md: not there" in capsys.readouterr().err
