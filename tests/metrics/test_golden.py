"""Published values of the indexes, for the fused images that the dataset in MFIF_DATA has.

`tests/golden/SET.csv` holds one value a row; `Metric.golden` names the set and the column.
"""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from bench.core.image_io import read_image
from metrics import GOLDEN_SETS, METRICS, Plane, Scorer
from tests import TESTS

FOLDER = TESTS / "golden"

#: Columns that follow our definition to the letter, where only rounding may differ.
EXACT = {"QE_flat0": 1e-9, "QY_robust": 1e-9}

#: Columns of codes that treat flat windows in another way than the definition.
LOOSE = {"QW": 1e-4}

#: Pairs on which a published code is dominated by rounding in flat windows.
FRAGILE = {
    ("liu2020", "QY", "g_03"): 5e-3,
    ("liu2020", "QY", "g_04"): 1e-3,
    ("octave", "QC_zheng", "c_01"): 3e-4,
    ("octave", "QC_zheng", "c_03"): 2.1e-4,
    ("octave", "QC_zheng", "c_05"): 3.2e-3,
}

#: Pairs with images on which it gives nothing but rounding, where windows are flat: it divides
#: the error of one sum by that of another, and is 0.004 to 29 off (an index of at most 1).
#: `test_metrics_rounding` reproduces these values too, as the rounding errors they are.
LEFT_OUT = {("octave", "QY"): {"g_03", "g_04", "c_04", "c_06", "c_09"}}

CASES = [(entry, *golden) for entry in METRICS for golden in entry.golden_columns]


@cache
def rows(golden):
    """{column: {(dataset, pair, method): value}} of one set."""
    table = defaultdict(dict)
    with (FOLDER / f"{golden}.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            image = (row["dataset"], row["pair"], row["method"])
            table[row["metric"]][image] = float(row["value"])
    return table


def fused_path(dataset, pair, method):
    root = Path(os.environ.get("MFIF_DATA", "no-such-folder"), "liu2020")
    return root / "Results" / dataset / f"{pair}_{method}.tif"


@cache
def scorer(dataset, pair):
    """The pair's scorers: without truth, and with each source in the place of the truth."""
    folder = fused_path(dataset, pair, "").parents[2] / "sourceimages" / dataset
    a, b = (read_image(folder / f"{pair}_{k}.tif") for k in (1, 2))
    first = Scorer([a, b], a)
    second = Scorer([], b)
    return first, second


@cache
def scores(image):
    """All indexes that have a golden value for one fused image, which shares their parts."""
    dataset, pair, _ = image
    fused = Plane(read_image(fused_path(*image)))
    found = {}
    for entry, golden, column in CASES:
        if image in rows(golden)[column]:
            second = entry.needs == "reference" and column.endswith("_B")
            found[entry.name, column] = scorer(dataset, pair)[second].score(fused, entry.name)
    return found


def test_every_golden_column_is_claimed_by_an_index():
    claimed = {(golden, column) for _, golden, column in CASES}
    present = {(file.stem, column) for file in FOLDER.glob("*.csv") for column in rows(file.stem)}
    assert claimed == present


def test_every_set_of_golden_values_is_said_to_be_whose():
    assert {file.stem for file in FOLDER.glob("*.csv")} == set(GOLDEN_SETS)


@pytest.mark.slow
@pytest.mark.xdist_group("golden")  # one worker computes what they share
@pytest.mark.parametrize(
    ("entry", "golden", "column"), CASES, ids=[f"{e.name}-{g}-{c}" for e, g, c in CASES]
)
def test_index_equals_published_values(entry, golden, column, capsys):
    wanted = {
        image: value
        for image, value in rows(golden)[column].items()
        if fused_path(*image).is_file() and image[1] not in LEFT_OUT.get((golden, column), ())
    }
    if not wanted:
        pytest.skip("needs the fused images of liu2020: set MFIF_DATA")
    differences = {
        image: abs(scores(image)[entry.name, column] - value) for image, value in wanted.items()
    }
    worst = max(differences, key=differences.__getitem__)
    with capsys.disabled():
        print(
            f"\n{entry.name:14s} {golden} {column:16s} {len(wanted):4d} images, largest "
            f"difference {differences[worst]:.1e} ({' '.join(worst[1:])})",
            end="",
        )
    for image, difference in differences.items():
        tolerance = (EXACT | LOOSE).get(column, entry.tolerance)
        tolerance = FRAGILE.get((golden, column, image[1]), tolerance)
        assert difference <= tolerance, image
