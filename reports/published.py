"""``python -m reports.published [NAME …]``: make the leaderboards in ``reports/published`` again.

Each is a run of ``python -m bench run`` on whatever files are at hand, and its leaderboard. The
runs share one store, so that an interrupted call goes on where it ended.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import BenchError, UnknownName
from reports.data.results import load_results
from reports.tables.leaderboard import write_leaderboard

FOLDER = Path(__file__).parent / "published"

#: Methods that take long, which ``all`` leaves out, and that two sources suffice for.
SLOW = ("dsift", "bf", "mwgf", "mfm", "nsct")


@dataclass(frozen=True)
class Board:
    """A leaderboard of the repository.

    Attributes
    ----------
    name : str
        Its folder.
    datasets, methods : tuple of str
        As ``bench run`` takes them.
    repeats : int
        Timed calls of each method and scene; with 0 the page has no times.
    """

    name: str
    datasets: tuple[str, ...]
    methods: tuple[str, ...]
    repeats: int = 0

    def command(self, work: Path) -> list[str]:
        """The arguments of ``python -m bench`` that make its run."""
        return [
            *("run", "--methods", *self.methods, "--datasets", *self.datasets),
            *("--metrics", "all", "--repeats", str(self.repeats)),
            *("--store", str(work / "store"), "--out", str(work / self.name)),
        ]


BOARDS = (
    Board("gray", ("gray",), ("all", *SLOW, "published:liu2020"), repeats=3),
    Board("lytro", ("lytro",), ("all", *SLOW, "published:liu2020")),
    Board("references", ("synthetic", "synthetic-lens", "synthetic-camera"), ("all", *SLOW)),
)


def make(board: Board, work: Path) -> list[Path]:
    """Run a board and write its leaderboard.

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
    return write_leaderboard(load_results(work / board.name), FOLDER / board.name)


def main(argv: list[str] | None = None) -> int:
    """Make the leaderboards that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m reports.published", description=__doc__)
    known = {board.name: board for board in BOARDS}
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    default = Path("results") / "published"
    text = f"folder of the runs (default: {default})"
    parser.add_argument("--work", type=Path, default=default, metavar="DIR", help=text)
    args = parser.parse_args(argv)
    try:
        for name in args.names or known:
            if name not in known:
                raise UnknownName("leaderboard", name, known)
            for path in make(known[name], args.work):
                sys.stdout.write(f"{path}\n")
    except BenchError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
