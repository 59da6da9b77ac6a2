"""Write the reports of a finished run, from its records alone.

tables        scores.csv, timing.csv, Tables 1-4 and means: what a run writes by itself;
              CSV, Markdown and LaTeX; with any option of "tables for papers" one table of means
              for each dataset in OUT/paper
leaderboard   ranks with intervals and tests, metrics that a baseline wins, agreement with
              PSNR against the reference;
              Markdown, CSV and LaTeX in OUT/leaderboard
html          all of it and every image in one file to explore and mail: OUT/report.html
figures       contact sheets of the scenes (Figs. 6-9 of the paper), bar and radar charts of the
              tables, the network's feature maps (Fig. 2) and training curves (Fig. 5: those
              of OUT/ablation, where bench ablate puts them, else those of the project);
              PNG and PDF in OUT/figures
figure        one crop of a scene, sources and methods side by side, for a paper: PDF, PNG and
              the crops as files; where the methods differ the most unless --crop is given
which-metric  agreement of every metric with PSNR, SSIM, GMSD and MS-SSIM against the reference on
              each data set of the run that has one, beside the published scores of Real-MFF, and
              experiments that show on what it depends; Markdown, CSV and a figure in
              OUT/which-metric
published-scores  our scores on Real-MFF beside the published ones, image by image; CSV and
              Markdown in OUT/published-scores

for example:
  python -m bench report tables --out results
  python -m bench report tables --methods gf cnn mine --metrics qabf mi --decimals 3 --titles --bib
  python -m bench report tables --dataset lytro --against mine --transpose --caption "On Lytro."
  python -m bench report leaderboard --out results --dataset liu2020
  python -m bench report html --out results --to report.html
  python -m bench report html --methods fcn* gf liu2020:* --datasets lytro --to mine.html
  python -m bench report figures --out results
  python -m bench report figure --scene lytro/c_01 --methods gf cnn fcn-x --difference
  python -m bench report figure --scene paper/camera --methods lp gf --crop 100,80,120,90
  python -m bench report figure --scene lytro/c_01 --methods gf --width 88mm --to fig3.pdf
  python -m bench report which-metric --out results
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli import console
from bench.core.errors import UsageError

if TYPE_CHECKING:
    from reports.tables.author_table import TableStyle

#: The kinds of `reports.write.write_report`, which takes long to import.
KINDS = ("tables", "leaderboard", "html", "figures", "which-metric", "published-scores")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``report``."""
    add = parser.add_argument
    add("what", choices=[*KINDS, "figure"], help="kind of report")
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
        help="tables, leaderboard: only the scenes of this dataset or subset; published-scores: "
        "the dataset that holds the pairs of Real-MFF (default: real-mff)",
    )
    text = "of the run, in this order; figure needs them, the others take all (html: all)"
    add("--methods", nargs="+", default=[], metavar="NAME", help=text)
    text = "only these datasets, subsets, DATASET/SCENE or globs of the run (default: all)"
    add("--datasets", "--scenes", nargs="+", default=[], metavar="NAME", help=text)
    text = "metrics of the run, in this order (default: all)"
    add("--metrics", nargs="+", default=[], metavar="NAME", help=text)
    add("--to", type=Path, metavar="PATH", help="where to write (default: in OUT, as above)")
    add(
        "--assets",
        action="store_true",
        help="html: put lossless full-size images beside the page, to be shown on demand",
    )
    _add_tables(parser.add_argument_group("tables for papers"))
    _add_figure(parser.add_argument_group("figure"))


def _add_tables(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--decimals", type=int, metavar="N", help="of scores (default: 4)")
    add("--titles", action="store_true", help="methods by their titles instead of their names")
    add("--std", action="store_true", help="the standard deviation over scenes behind each mean")
    add("--caption", metavar="TEXT", help="the caption (default: says what the numbers are)")
    add("--transpose", action="store_true", help="methods as columns")
    add("--bib", action="store_true", help=r"cite the methods' papers, and write them as BibTeX")
    text = "a second table: what this method wins, ties and loses, with corrected p and effect size"
    add("--against", metavar="METHOD", help=text)


def _add_figure(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--scene", metavar="DATASET/SCENE", help="a scene of the run")
    text = "x,y,w,h in pixels, or auto: where the methods differ the most (default)"
    add("--crop", default="auto", metavar="BOX", help=text)
    text = "enlarge the crops that are written as files (default: 3)"
    add("--zoom", type=int, default=3, metavar="N", help=text)
    text = "a row of differences to the reference, or without one to the first source"
    add("--difference", action="store_true", help=text)
    text = "a row of which source each pixel is closest to"
    add("--index-map", action="store_true", help=text)
    add("--columns", type=int, default=4, metavar="N", help="panels in a row (default: 4)")
    text = "width on paper, such as 3.5in or 88mm (default: 7.2in)"
    add("--width", type=_inches, default=7.2, metavar="LENGTH", help=text)


#: Inches of each unit of length.
INCHES = {"in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4, "pt": 1 / 72}


def _inches(text: str) -> float:
    """The inches of ``3.5in``, ``88mm``, ``9cm``, ``252pt`` or ``3.5``."""
    number, unit = (text[:-2], text[-2:]) if text[-2:] in INCHES else (text, "in")
    try:
        return float(number) * INCHES[unit]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no length such as 3.5in or 88mm") from None


def run(args: argparse.Namespace) -> int:
    """Write the report and print the names of its files."""
    from reports.data.results import load_results
    from reports.data.selected import selected
    from reports.write import write_report

    if args.what == "figure":
        return _figure(args)
    results = load_results(args.out, args.store)
    results = selected(results, args.methods, args.metrics, args.datasets)
    style, part = _style(args), args.methods or args.metrics or args.datasets
    if style and args.what != "tables":
        raise UsageError("--decimals, --titles, … --against are for report tables only")
    if args.what == "tables" and (style or part or args.dataset):
        from reports.tables.author_table import TableStyle, write_author_tables

        folder = args.to or args.out / "paper"
        for path in write_author_tables(results, folder, style or TableStyle(), args.dataset):
            console.emit(str(path))
        return 0
    written = write_report(
        args.what,
        results,
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


def _style(args: argparse.Namespace) -> TableStyle | None:
    """The style of a table for a paper; None if no option asks for one."""
    from reports.tables.author_table import TableStyle

    names = ("decimals", "titles", "std", "caption", "transpose", "bib", "against")
    given = {name: value for name in names if (value := getattr(args, name)) not in (None, False)}
    return TableStyle(**given) if given else None


def _figure(args: argparse.Namespace) -> int:
    """Draw one figure and print the names of its files."""
    from reports.data.results import load_results
    from reports.figures.scene_figure import FigureOptions, figure_path, write_scene_figure

    if not args.scene:
        raise UsageError("report figure needs --scene DATASET/SCENE and --methods")
    options = FigureOptions(
        args.scene,
        tuple(args.methods),
        crop=args.crop,
        zoom=args.zoom,
        difference=args.difference,
        index_map=args.index_map,
        columns=args.columns,
        width=args.width,
    )
    path = args.to or figure_path(args.out, args.scene)
    results = load_results(args.out, args.store)
    for written in write_scene_figure(results, options, path, note=console.note):
        console.emit(str(written))
    return 0
