"""``python -m reports.alignment``: what the alignment methods leave of misalignments.

Two tables in Markdown, methods side by side: on synthetic scenes whose shift, rotation and scale
are known, the distance of grid points to where they should be; on the pairs of ``misaligned`` that
are on disk, the distance of the points marked by hand, without the pairs whose marks are doubtful.
"""

from __future__ import annotations

import argparse
import sys

import pandas as pd

from bench.core.errors import BenchError
from datasets.alignment import ALIGNMENTS, NONE
from reports.data.registration import (
    FAILED,
    MOTIONS,
    SETS,
    known_motions,
    marked_pairs,
    point_distances,
    residuals,
)
from reports.tables.formats import Cell, to_markdown

METHODS = (NONE, *ALIGNMENTS.names())


def motion_table(sets: list[str], motions: list[str]) -> str:
    """What is left of known motions, by data set and perturbation."""
    parts = [
        residuals(scene).assign(dataset=dataset, motion=motion)
        for dataset, motion, scene in known_motions(sets, motions)
    ]
    rows = []
    for (dataset, motion), part in pd.concat(parts).groupby(["dataset", "motion"], sort=False):
        by_method = {str(name): group for name, group in part.groupby("method")}
        count = len(by_method[NONE])
        rows.append([Cell(str(dataset)), Cell(str(motion)), Cell(str(count))])
        rows[-1] += [Cell(_residual(by_method[name])) for name in METHODS]
    return to_markdown(["Data set", "Motion", "Sources", *METHODS], rows)


def _residual(part: pd.DataFrame) -> str:
    """Median and largest mean distance, and how many sources stayed as they were."""
    left = f"{part['mean_px'].median():.3f} ({part['mean_px'].max():.2f})"
    failed = int(part[FAILED].sum())
    return f"{left}, {failed} failed" if failed else left


def point_table() -> str:
    """Distances of the marked points, pair by pair, and their median."""
    pairs = marked_pairs()
    if not pairs:
        return "No pair of misaligned is on disk: `bench data fetch misaligned`."
    found = pd.DataFrame({scene.id: point_distances(scene, points) for scene, points in pairs}).T
    found.loc[f"median of {len(pairs)}"] = found.median()
    rows = [
        [Cell(str(name)), *(Cell(f"{value:.2f}") for value in row)]
        for name, row in zip(found.index, found.to_numpy(), strict=True)
    ]
    return to_markdown(["Pair", *found.columns], rows)


def main(argv: list[str] | None = None) -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        prog="python -m reports.alignment", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--sets", nargs="+", default=list(SETS), help="synthetic data sets")
    parser.add_argument("--motions", nargs="+", default=list(MOTIONS), help="their perturbations")
    args = parser.parse_args(argv)
    try:
        sys.stdout.write(f"{_MOTIONS}\n\n{motion_table(args.sets, args.motions)}\n\n")
        sys.stdout.write(f"{_POINTS}\n\n{point_table()}\n")
    except BenchError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


_MOTIONS = (
    "Mean distance of the points of a grid to where they should be, pixels: median and, in "
    "parentheses, largest over all moved sources."
)
_POINTS = (
    "Mean distance of the points marked by hand, pixels; beside it what a transform leaves that "
    "is fitted to these very points."
)


if __name__ == "__main__":
    sys.exit(main())
