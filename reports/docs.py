"""``python -m reports.docs RUN --heldout RUN --large RUN``: write the numbers of the documentation.

Each table in ``docs/about`` stands between two comments, ``<!-- name -->`` and ``<!-- end name
-->``; this replaces what lies between them: in ``results.md`` Tables 1 and 2 and the comparison
with the paper from a finished run, and in ``networks.md`` the scores on held-out pairs from
``methods/learned/weights/heldout.json`` and, for photos of many pixels, ``large.json`` beside it.
``--heldout`` and ``--large`` write these two files first, from runs on the datasets ``heldout-…``.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

import pandas as pd

from bench.core.errors import BenchError, DataUnavailable, UsageError
from bench.core.files import write_bytes
from bench.store.manifest import BASELINE_FAMILY
from datasets.heldout import COLOURS, KINDS, LARGE, PREFIX
from methods import METHODS
from reports.data.best import best_of
from reports.data.heldout import heldout_scores
from reports.data.results import load_results

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "methods" / "learned" / "weights"

#: Pages of tables, in the folder `ROOT`: those of a run, and of the networks' scores.
RESULTS, NETWORKS = Path("docs", "about", "results.md"), Path("docs", "about", "networks.md")

#: Scores on held-out pairs, by table of `NETWORKS`; see `reports.data.heldout`.
SCORES = {"held-out": WEIGHTS / "heldout.json", "large": WEIGHTS / "large.json"}

#: The row of the oracle, which needs the reference: the better source at every pixel.
ORACLE = "oracle"


def replace(text: str, name: str, body: str) -> str:
    """`text` with what stands between the comments of `name` replaced.

    Raises
    ------
    UsageError
        There is no such pair of comments.

    Examples
    --------
    >>> from reports.docs import replace
    >>> replace("a <!-- x -->old<!-- end x --> b", "x", "new").split()
    ['a', '<!--', 'x', '-->', 'new', '<!--', 'end', 'x', '-->', 'b']
    """
    start, end = f"<!-- {name} -->", f"<!-- end {name} -->"
    if start not in text or end not in text:
        raise UsageError(f"no block between {start} and {end}")
    before, rest = text.split(start, 1)
    return f"{before}{start}\n\n{body.strip()}\n\n{end}{rest.split(end, 1)[1]}"


def narrow(table: str) -> str:
    """Markdown without the spaces that align its columns."""
    lines = []
    for line in table.splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if set(line) <= set("|-: "):
                cells = ["---", *["---:"] * (len(cells) - 1)]
            line = f"| {' | '.join(cells)} |"
        lines.append(line)
    return "\n".join(lines)


def psnr_table(scores: dict[str, dict[str, dict[str, dict[str, float]]]]) -> str:
    """Mean PSNR per method, the best of each column in bold; no baseline and no oracle competes."""
    kinds = scores["psnr"].items()
    columns = {
        f"{kind}, {colour}": found[colour]
        for kind, found in kinds
        for colour in COLOURS
        if colour in found
    }
    table = pd.DataFrame(columns)
    if ORACLE in table.index:
        table = table.loc[[*table.index.drop(ORACLE), ORACLE]]
    apart = {m.name for m in METHODS if m.family == BASELINE_FAMILY} | {ORACLE}
    cells = pd.DataFrame(index=table.index)
    for name, values in table.items():
        best = best_of(values, higher_is_better=True, baselines=apart, digits=1)
        cells[name] = [
            f"**{value:.1f}**" if best.get(str(method)) == 1 else f"{value:.1f}"
            for method, value in values.items()
        ]
    lines = [f"| method | {' | '.join(columns)} |", "| --- |" + " ---: |" * len(columns)]
    lines += [f"| {method} | {' | '.join(row)} |" for method, row in zip(
        cells.index, cells.to_numpy(), strict=True)]  # fmt: skip
    return "\n".join(lines)


def with_run(text: str, run: Path) -> str:
    """The page `RESULTS` with the tables of a run.

    Raises
    ------
    DataUnavailable
        The run lacks a table.
    """

    def read(name: str) -> str:
        file = run / "tables" / name
        if not file.is_file():
            raise DataUnavailable(f"{file}: not there; make it with `python -m bench run`")
        return narrow(file.read_text(encoding="utf-8"))

    intro = (
        "These are `results/tables/table1.md` and `table2.md` of `python -m bench run --methods "
        "all` with the real pairs."
    )
    versus, found, headline = read("vs_paper.md").partition("**The headline.**")
    if not found:
        raise DataUnavailable(f"{run}: its vs_paper.md has no headline; run all methods")
    real = [line for line in versus.splitlines() if not re.match(r"\| [34] \(", line)]
    text = replace(text, "tables", "\n\n".join([intro, read("table1.md"), read("table2.md")]))
    text = replace(text, "vs", "\n".join(real))
    return replace(text, "headline", f"**The headline.** {headline.strip()}")


def main(argv: list[str] | None = None) -> int:
    """Write the pages again."""
    parser = argparse.ArgumentParser(prog="python -m reports.docs", description=__doc__)
    parser.add_argument("run", type=Path, nargs="?", help="folder of a finished run")
    for option, kinds in (("--heldout", KINDS), ("--large", LARGE)):
        names = " ".join(PREFIX + kind for kind in kinds)
        parser.add_argument(option, type=Path, metavar="RUN", help=f"a run on {names}")
    args = parser.parse_args(argv)
    try:
        for run, target in ((args.heldout, "held-out"), (args.large, "large")):
            if run is not None:
                scores = json.dumps(heldout_scores(load_results(run)), indent=1)
                write_bytes(SCORES[target], f"{scores}\n".encode())
        if args.run is not None:
            page = ROOT / RESULTS
            write_bytes(page, with_run(page.read_text(encoding="utf-8"), args.run).encode())
        page = ROOT / NETWORKS
        text = page.read_text(encoding="utf-8")
        for name, printed in SCORES.items():
            text = replace(text, name, psnr_table(json.loads(printed.read_text())))
        write_bytes(page, text.encode())
    except BenchError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
