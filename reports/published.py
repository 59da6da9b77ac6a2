"""``python -m reports.published [NAME …]``: make the results in ``reports/published`` again.

Each is a run of ``python -m bench run`` on whatever files are at hand, and its leaderboard. The
runs share one store, so that an interrupted call goes on where it ended. ``which-metric`` is made
by the commands of ``docs/about/which-metric.md``, ``ablation`` by ``python -m bench ablate``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.core.errors import BenchError, UnknownName
from reports.data.results import Results, load_results
from reports.tables.leaderboard import write_leaderboard
from reports.tables.robustness import write_robustness

FOLDER = Path(__file__).parent / "published"

#: Where the runs are, unless that is said.
DEFAULT = Path("results") / "published"

#: Methods that take a second or more, which ``all`` leaves out.
SLOW = ("dsift", "bf", "mwgf", "mfm", "nsct", "lp-sr", "rp-sr")

#: Collections with fused images of Lytro pairs, without loss.
ON_LYTRO = ("liu2020", "drl-fpd", "ifcnn", "db-mfif", "mfif-gan", "mmf-net")

#: What the picture of the README shows: a scene with a reference, and six methods.
PICTURE = ("synthetic-lens/camera", ("dwt", "lp", "gf", "cnn", "fcn-x", "sobel"))


def leaderboard(results: Results, folder: Path, title: str) -> list[Path]:
    """The leaderboard of a run."""
    return write_leaderboard(results, folder, title=title)


def references(results: Results, folder: Path, title: str) -> list[Path]:
    """The leaderboard of scenes with a reference, and the picture of the README."""
    from reports.figures.scene_figure import FigureOptions, picture

    scene, methods = PICTURE
    options = FigureOptions(scene, methods, difference=True, columns=len(methods))
    return [
        *leaderboard(results, folder, title),
        picture(results, options, FOLDER / "boundary.png"),
    ]


def robustness(results: Results, folder: Path, _title: str) -> list[Path]:
    """What perturbations cost, without the table of each point."""
    found = write_robustness(results, folder)
    kept = [path for path in found if path.suffix == ".md" or path.name.endswith("_areas.csv")]
    for path in set(found) - set(kept):
        path.unlink()
    return kept


@dataclass(frozen=True)
class Board:
    """Results that the repository keeps.

    Attributes
    ----------
    name : str
        Its folder.
    title : str
        What its page is about.
    datasets, methods : tuple of str
        As ``bench run`` takes them.
    repeats : int
        Timed calls of each method and scene; with 0 the page has no times.
    metrics : tuple of str
        As ``bench run`` takes them.
    write : callable
        ``write(results, folder, title)`` writes the files that are kept, and returns their paths.
    """

    name: str
    title: str
    datasets: tuple[str, ...]
    methods: tuple[str, ...]
    repeats: int = 0
    metrics: tuple[str, ...] = ("principal", "scd")
    write: Callable[[Results, Path, str], list[Path]] = leaderboard

    def command(self, work: Path) -> list[str]:
        """The arguments of ``python -m bench`` that make its run."""
        return [
            *("run", "--methods", *self.methods, "--datasets", *self.datasets),
            *("--metrics", *self.metrics, "--repeats", str(self.repeats)),
            *("--precision", "fp32", "--store", str(work / "store")),
            *("--out", str(work / self.name)),
        ]


BOARDS = (
    Board("gray", "gray pairs", ("gray",), ("all", *SLOW, "rivals", "published:liu2020")),
    Board(
        "lytro", "Lytro pairs", ("lytro",), ("all", *SLOW, "rivals", "-gifnet", "published:liu2020")
    ),
    Board(
        "lytro-published",
        "Lytro pairs, with all published results",
        ("lytro/c_01..c_03",),
        ("all", *SLOW, "rivals", *(f"published:{name}" for name in ON_LYTRO)),
    ),
    Board("mfi-whu", "MFI-WHU", ("mfi-whu",), ("all", "published:mfi-whu")),
    Board("mffw", "MFFW pairs", ("mffw-pairs",), ("all", *SLOW, "published:mffw")),
    Board(
        "stacks",
        "real stacks",
        ("lytro-triple", "mffw-stacks", "stacks"),
        ("all", "published:drl-fpd"),
    ),
    Board(
        "references",
        "pairs with a reference",
        ("synthetic-lens", "synthetic-camera", "synthetic-fine/*_25"),
        ("all", "bf", "dsift", "mfm", "mwgf", "nsct"),
        metrics=("all",),
        write=references,
    ),
    Board("synthetic-stack", "stacks with a reference", ("synthetic-stack",), ("all", "oracle")),
    Board("robustness", "perturbed scenes", ("robustness",), ("all", "oracle"), write=robustness),
)


def make(board: Board, work: Path) -> list[Path]:
    """Run a board and write what is kept of it.

    Parameters
    ----------
    board : Board
        What to run.
    work : Path
        Folder of the runs and of their store.

    Returns
    -------
    list of Path
        The files below ``reports/published``.
    """
    # Some cells may fail or lack files, which the page says; a run that wrote nothing raises below.
    subprocess.run([sys.executable, "-m", "bench", *board.command(work)], check=False)
    return write(board, load_results(work / board.name))


def write(board: Board, results: Results) -> list[Path]:
    """Write what is kept of a run; its pages name the command for the default folder."""
    command = ["python", "-m", "bench", *board.command(DEFAULT)]
    told = replace(results, manifest=replace(results.manifest, command=command))
    return board.write(told, FOLDER / board.name, board.title)


def main(argv: list[str] | None = None) -> int:
    """Make the results that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m reports.published", description=__doc__)
    known = {board.name: board for board in BOARDS}
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    text = f"folder of the runs (default: {DEFAULT})"
    parser.add_argument("--work", type=Path, default=DEFAULT, metavar="DIR", help=text)
    args = parser.parse_args(argv)
    try:
        for name in args.names or known:
            if name not in known:
                raise UnknownName("result", name, known)
            for path in make(known[name], args.work):
                sys.stdout.write(f"{path}\n")
    except BenchError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
