"""Write the reports of a finished run, from its records alone.

tables        scores.csv, timing.csv, Tables 1-4 and means: what a run writes by itself;
              CSV, Markdown and LaTeX
leaderboard   ranks with intervals and tests, metrics that a baseline wins, agreement with
              PSNR against the reference;
              Markdown, CSV and LaTeX in OUT/leaderboard
html          all of it and every image in one file to explore and mail: OUT/report.html
figures       contact sheets of the scenes (Figs. 6-9 of the paper), bar and radar charts of the
              tables, the network's feature maps (Fig. 2) and training curves (Fig. 5: those
              of OUT/ablation, where bench ablate puts them, else those of the project);
              PNG and PDF in OUT/figures

which-metric  agreement of every metric with PSNR, SSIM, GMSD and MS-SSIM against the reference on
              each data set of the run that has one, beside the published scores of Real-MFF, and
              experiments that show on what it depends; Markdown, CSV and a figure in
              OUT/which-metric
published-scores  our scores on Real-MFF beside the published ones, image by image; CSV and
              Markdown in OUT/published-scores

for example:
  python -m bench report tables --out results
  python -m bench report leaderboard --out results --dataset liu2020
  python -m bench report html --out results --to report.html
  python -m bench report figures --out results
  python -m bench report which-metric --out results
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.cli import console

#: The kinds of `reports.write.write_report`, which takes long to import.
KINDS = ("tables", "leaderboard", "html", "figures", "which-metric", "published-scores")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``report``."""
    add = parser.add_argument
    add("what", choices=KINDS, help="kind of report")
    add(
        "--out",
        type=Path,
        default=Path("results"),
        metavar="DIR",
        help="output folder of the run (default: results)",
    )
    add(
        "--with",
        dest="others",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="which-metric: output folders of further runs, on other datasets",
    )
    add("--store", type=Path, metavar="DIR", help="its store (default: the one that the run used)")
    add(
        "--dataset",
        default="",
        metavar="NAME",
        help="leaderboard: only the scenes of this dataset or subset; published-scores: the "
        "dataset that holds the pairs of Real-MFF (default: real-mff)",
    )
    add("--to", type=Path, metavar="PATH", help="where to write (default: in OUT, as above)")
    add(
        "--assets",
        action="store_true",
        help="html: put lossless full-size images beside the page, to be shown on demand",
    )


def run(args: argparse.Namespace) -> int:
    """Write the report and print the names of its files."""
    from reports.data.results import load_results
    from reports.write import write_report

    written = write_report(
        args.what,
        load_results(args.out, args.store),
        args.out,
        to=args.to,
        dataset=args.dataset,
        assets=args.assets,
        others=[load_results(folder) for folder in args.others],
        note=console.note,
    )
    for path in written:
        console.emit(str(path))
    return 0
