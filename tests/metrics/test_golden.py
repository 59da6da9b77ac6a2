"""Published values of the metrics, for the fused images that the dataset in MFIF_DATA has.

`tests/golden/liu2020.csv` holds all 4320 values of the survey's 18 methods on 30 pairs, a row for
each fused image and a column for each metric; `octave.csv` holds one value a row. `Metric.golden`
names the set and the column.

The suite checks the pairs and methods of `usual`, in about a minute; with ``--all-images``
(``tox -e numbers``) every image that is there is checked, and what was checked is counted.
"""

from __future__ import annotations

import csv
import math
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

#: Values of each set, so that none can be lost from the files.
SIZES = {"liu2020": 30 * 18 * 8, "octave": 2822}

CASES = [(entry, *golden) for entry in METRICS for golden in entry.golden_columns]


@cache
def rows(golden):
    """{column: {(dataset, pair, method): value}} of one set."""
    table = defaultdict(dict)
    with (FOLDER / f"{golden}.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            image = (row.pop("dataset"), row.pop("pair"), row.pop("method"))
            values = {row["metric"]: row["value"]} if "metric" in row else row
            for column, value in values.items():
                table[column][image] = float(value)
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


def usual(image):
    """Whether the suite checks an image: all methods in gray, three in colour."""
    return image[0] == "grayscale" or image[2] in ("dwt", "gff", "cnn")


def present(golden, column, every):
    """The values of a column whose images are to be checked and are there."""
    left_out = LEFT_OUT.get((golden, column), ())
    return {
        image: value
        for image, value in rows(golden)[column].items()
        if (every or usual(image)) and image[1] not in left_out and fused_path(*image).is_file()
    }


@pytest.fixture
def every(request):
    """Whether all images are checked that are there."""
    return request.config.getoption("--all-images")


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


def test_every_golden_column_is_claimed_by_a_metric():
    claimed = {(golden, column) for _, golden, column in CASES}
    present = {(file.stem, column) for file in FOLDER.glob("*.csv") for column in rows(file.stem)}
    assert claimed == present


@pytest.mark.parametrize("golden", sorted(GOLDEN_SETS))
def test_values_are_complete_and_counted(golden, every, capsys):
    """Prints how many of the published values the other tests check."""
    columns = rows(golden)
    total = sum(map(len, columns.values()))
    checked = sum(len(present(golden, column, every)) for column in columns)
    with capsys.disabled():
        print(f"\n{golden}: {checked} of {total} values are checked", end="")
    assert total == SIZES[golden]
    assert all(math.isfinite(value) for column in columns.values() for value in column.values())


def test_every_set_of_golden_values_is_said_to_be_whose():
    assert {file.stem for file in FOLDER.glob("*.csv")} == set(GOLDEN_SETS)


@pytest.mark.slow
@pytest.mark.xdist_group("golden")  # one worker computes what they share
@pytest.mark.parametrize(
    ("entry", "golden", "column"), CASES, ids=[f"{e.name}-{g}-{c}" for e, g, c in CASES]
)
def test_metric_equals_published_values(entry, golden, column, every, capsys):
    wanted = present(golden, column, every)
    if not wanted:
        pytest.skip("needs the fused images of liu2020: set MFIF_DATA")
    differences = {
        image: abs(scores(image)[entry.name, column] - value) for image, value in wanted.items()
    }
    worst = max(differences, key=differences.__getitem__)
    with capsys.disabled():
        print(
            f"\n{entry.name:17s} {golden:7s} {column:16s} {len(wanted):4d} of "
            f"{len(rows(golden)[column])} images, largest "
            f"difference {differences[worst]:.1e} ({' '.join(worst[1:])})",
            end="",
        )
    for image, difference in differences.items():
        tolerance = (EXACT | LOOSE).get(column, entry.tolerance)
        tolerance = FRAGILE.get((golden, column, image[1]), tolerance)
        assert difference <= tolerance, image
