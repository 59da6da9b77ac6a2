"""``python -m reports.readme RUN --heldout RUN --large RUN``: write the numbers of the README.

Each table of the README stands between two comments, ``<!-- name -->`` and ``<!-- end name -->``;
this replaces what lies between them: Tables 1 and 2 and the comparison with the paper from a
finished run, and the scores on held-out pairs from ``methods/learned/weights/heldout.json`` and,
for photos of many pixels, ``large.json`` beside it. ``--heldout`` and ``--large`` write these two
files first, from runs on the datasets ``heldout-…``.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from bench.core.errors import BenchError, DataUnavailable, UsageError
from bench.core.files import write_bytes
from datasets.heldout import COLOURS, KINDS, LARGE, PREFIX
from reports.data.heldout import heldout_scores
from reports.data.results import load_results

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "methods" / "learned" / "weights"

#: Scores on held-out pairs, by table of the README; see `reports.data.heldout`.
SCORES = {"held-out": WEIGHTS / "heldout.json", "large": WEIGHTS / "large.json"}


def replace(text: str, name: str, body: str) -> str:
    """`text` with what stands between the comments of `name` replaced.

    Raises
    ------
    UsageError
        There is no such pair of comments.

    Examples
    --------
    >>> from reports.readme import replace
    >>> replace("a <!-- x -->old<!-- end x --> b", "x", "new").split()
    ['a', '<!--', 'x', '-->', 'new', '<!--', 'end', 'x', '-->', 'b']
    """
    start, end = f"<!-- {name} -->", f"<!-- end {name} -->"
    if start not in text or end not in text:
        raise UsageError(f"README.md: no block between {start} and {end}")
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
    """Mean PSNR per method, the best of each column in bold, which the oracle cannot be."""
    kinds = scores["psnr"].items()
    columns = [(kind, c) for kind, found in kinds for c in COLOURS if c in found]
    (kind, colour), *_ = columns
    methods = list(scores["psnr"][kind][colour])
    order = [m for m in methods if m != "oracle"] + ["oracle"] * ("oracle" in methods)
    lines = ["| method | " + " | ".join(f"{k}, {c}" for k, c in columns) + " |"]
    lines.append("| --- |" + " ---: |" * len(columns))
    for method in order:
        cells = []
        for kind, colour in columns:
            column = scores["psnr"][kind][colour]
            best = max(round(value, 1) for name, value in column.items() if name != "oracle")
            value = f"{column[method]:.1f}"
            first = round(column[method], 1) == best and method != "oracle"
            cells.append(f"**{value}**" if first else value)
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def with_run(text: str, run: Path) -> str:
    """The README with the tables of a run.

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
        "These are `results/tables/table1.md` and `table2.md` of the command above with the real "
        "pairs."
    )
    versus, found, headline = read("vs_paper.md").partition("**The headline.**")
    if not found:
        raise DataUnavailable(f"{run}: its vs_paper.md has no headline; run all methods")
    real = [line for line in versus.splitlines() if not re.match(r"\| [34] \(", line)]
    text = replace(text, "tables", "\n\n".join([intro, read("table1.md"), read("table2.md")]))
    text = replace(text, "vs", "\n".join(real))
    return replace(text, "headline", f"**The headline.** {headline.strip()}")


def main(argv: list[str] | None = None) -> int:
    """Write README.md again."""
    parser = argparse.ArgumentParser(prog="python -m reports.readme", description=__doc__)
    parser.add_argument("run", type=Path, nargs="?", help="folder of a finished run")
    for option, kinds in (("--heldout", KINDS), ("--large", LARGE)):
        names = " ".join(PREFIX + kind for kind in kinds)
        parser.add_argument(option, type=Path, metavar="RUN", help=f"a run on {names}")
    args = parser.parse_args(argv)
    file = ROOT / "README.md"
    try:
        for run, target in ((args.heldout, "held-out"), (args.large, "large")):
            if run is not None:
                scores = json.dumps(heldout_scores(load_results(run)), indent=1)
                write_bytes(SCORES[target], f"{scores}\n".encode())
        text = file.read_text(encoding="utf-8")
        if args.run is not None:
            text = with_run(text, args.run)
        for name, printed in SCORES.items():
            text = replace(text, name, psnr_table(json.loads(printed.read_text())))
    except BenchError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    write_bytes(file, text.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
