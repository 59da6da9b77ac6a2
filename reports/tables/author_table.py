"""One table as an author wants it: chosen rows and columns, decimals, titles, turned, cited."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.core.errors import NothingSelected, UsageError
from bench.core.files import safe_name, write_bytes
from bench.store.manifest import RunManifest
from reports.data.best import DIGITS
from reports.data.compression import MARK, settled
from reports.data.means import for_means
from reports.data.parts import caption, scores_of
from reports.data.references import citation_key, cited
from reports.data.results import Results
from reports.data.versus import versus
from reports.tables.formats import Cell, to_latex, to_markdown
from reports.tables.table import TIME, Table, mean_table

#: What a LaTeX file needs, for its first line.
PACKAGES = "% needs \\usepackage{booktabs,graphicx}\n"

#: Most decimals that a score is worth.
MOST_DECIMALS = 6

#: Metrics as papers write them, in LaTeX's mathematical mode; others keep their labels.
SYMBOLS = {
    "mi": "Q_{MI}",
    "q": "Q_0",
    "qabf": "Q^{AB/F}",
    "qcb": "Q_{CB}",
    "qcv": "Q_{CV}",
    "qe": "Q_E",
    "qncie": "Q_{NCIE}",
    "qp": "Q_P",
    "qte": "Q_{TE}",
    "qw": "Q_W",
    "qy": "Q_Y",
}


@dataclass(frozen=True)
class TableStyle:
    """How a table looks.

    Attributes
    ----------
    decimals : int
        Behind the point of scores.
    titles : bool
        Whether rows bear the methods' titles instead of their names.
    std : bool
        Whether the standard deviation over scenes stands behind each mean.
    caption : str
        The caption; one that says what the numbers are unless given.
    transpose : bool
        Whether methods are columns.
    bib : bool
        Whether rows cite their papers, which are written beside the table.
    against : str
        A method that each other one is compared with, in a second table.
    """

    decimals: int = 4
    titles: bool = False
    std: bool = False
    caption: str = ""
    transpose: bool = False
    bib: bool = False
    against: str = ""

    def __post_init__(self) -> None:
        """Refuse decimals that no score has."""
        if not 0 <= self.decimals <= MOST_DECIMALS:
            raise UsageError(f"--decimals {self.decimals}: expected 0 to {MOST_DECIMALS}")


def write_author_tables(
    results: Results, folder: Path, style: TableStyle, dataset: str = ""
) -> list[Path]:
    """Write ``NAME.tex``, ``.md`` and ``.csv`` of the means over each dataset of a run.

    Rows and columns are in the order of the run's methods and metrics; see
    `reports.data.selected`. With ``style.bib`` ``NAME.bib``, with ``style.against``
    ``NAME_against.*`` are written too.

    Parameters
    ----------
    results : Results
        A run.
    folder : Path
        Where to write.
    style : TableStyle
        How.
    dataset : str
        Only this dataset or subset; each dataset of the run if empty.

    Returns
    -------
    list of Path
        What was written.
    """
    written = []
    for name in [dataset] if dataset else results.manifest.datasets:
        stem = folder / safe_name(name)
        headers, rows, text = author_table(results, name, style)
        plain = [[cell.text for cell in row] for row in _without_sources(rows)]
        frame = pd.DataFrame(plain, columns=headers)
        written += _files(results.manifest, stem, headers, rows, text, frame)
        if style.bib:
            bib = stem.with_name(f"{stem.name}.bib")
            write_bytes(bib, cited(results.manifest).encode())
            written.append(bib)
        if style.against:
            written += _against(results, name, style, stem)
    return written


def author_table(
    results: Results, dataset: str, style: TableStyle
) -> tuple[list[str], list[list[Cell]], str]:
    """Headers, rows and caption of the means over a dataset.

    Parameters
    ----------
    results : Results
        A run.
    dataset : str
        A dataset or subset of it.
    style : TableStyle
        How.

    Raises
    ------
    NothingSelected
        No method has a value there.
    """
    part = _part(results, dataset)
    if part.scores.empty:
        labels = ", ".join(metric.label for metric in results.manifest.metrics)
        raise NothingSelected(f"no method of the run has a value of {labels} on {dataset}")
    table = mean_table(part, part.manifest.datasets[0])
    columns = [str(c) for c in table.values if c != TIME or table.values[c].notna().any()]
    spread = _spread(part) if style.std else pd.DataFrame()
    order = [m.name for m in part.manifest.methods if m.name in table.values.index]
    manifest = part.manifest
    body = [
        [Cell(_named(table, name, style.titles), cite=_key(manifest, name) * style.bib)]
        + [_cell(table, column, name, spread, style.decimals) for column in columns]
        for name in order
    ]
    headers = ["Method", *(table.header(column) for column in columns)]
    if style.transpose:
        headers, body = _turned(headers, body)
    counts = sorted(set(table.finished))
    over = f"{counts[-1]} scene" + "s" * (counts[-1] != 1)
    over = over if len(counts) == 1 else f"up to {over}"
    line = "row" if style.transpose else "column"
    text = style.caption or " ".join(
        [
            f"Mean{' ± standard deviation' * style.std} over {caption(manifest, dataset)} "
            f"({over}). Bold: best, underlined: second of a {line}; baselines do not compete.",
            *table.notes,
        ]
    )
    return headers, body, text


def _named(table: Table, name: str, titles: bool) -> str:
    """A method as it is printed, marked if its images are JPEG; no two have one title."""
    methods = table.manifest.method
    shown = methods[name].title if titles else name
    if titles and sum(entry.title == shown for entry in methods.values()) > 1:
        shown = f"{shown} ({name})"
    return f"{shown}{MARK}" if name in table.lossy else shown


def _key(manifest: RunManifest, method: str) -> str:
    """What a row cites; baselines cite nothing."""
    return "" if method in manifest.baselines else citation_key(method)


def _part(results: Results, dataset: str) -> Results:
    """The results on the scenes of a dataset or subset."""
    scores = scores_of(results, dataset)
    places = set(zip(scores["dataset"], scores["scene"], strict=True))
    manifest = results.manifest
    inside = [
        place in places
        for place in zip(results.timing["dataset"], results.timing["scene"], strict=True)
    ]
    return replace(
        results,
        manifest=replace(
            manifest,
            scenes=[entry for entry in manifest.scenes if entry.place in places],
            cells=[cell for cell in manifest.cells if cell.place in places],
        ),
        scores=scores,
        timing=results.timing.loc[inside],
    )


def _spread(results: Results) -> pd.DataFrame:
    scores = for_means(settled(results.scores))
    return scores.groupby(["method", "metric"])["value"].std().unstack()


def _cell(table: Table, column: str, name: str, spread: pd.DataFrame, decimals: int) -> Cell:
    value: Any = table.values.loc[name, column]
    if pd.isna(value):
        return Cell("–")
    decimals = DIGITS if column == TIME else decimals
    places = table.places(column, decimals)
    text = f"{value:.{decimals}f}"
    deviation: Any = spread.loc[name, column] if column in spread else np.nan
    if not np.isnan(deviation):
        text += f" ± {float(deviation):.{decimals}f}"
    return Cell(text, best=places.get(name) == 1, second=places.get(name) == 2)


def _turned(headers: Sequence[str], body: list[list[Cell]]) -> tuple[list[str], list[list[Cell]]]:
    """Methods as columns; what they cite is a row of its own."""
    names = [row[0] for row in body]
    rows = [[Cell(header), *(row[k] for row in body)] for k, header in enumerate(headers) if k]
    if any(name.cite for name in names):
        rows.append([Cell("Source"), *(Cell("", cite=name.cite) for name in names)])
    return ["Metric", *(name.text for name in names)], rows


def _without_sources(rows: list[list[Cell]]) -> list[list[Cell]]:
    """The rows without that of the citations, which only LaTeX has."""
    return [row for row in rows if any(cell.text for cell in row[1:])]


def _against(results: Results, dataset: str, style: TableStyle, stem: Path) -> list[Path]:
    """Wins, ties and losses of one method, as files."""
    frame = versus(results, style.against, dataset)
    found: list[list[Any]] = frame.to_numpy().tolist()
    labels = {metric.name: metric.header for metric in results.manifest.metrics}
    rows = [
        [
            Cell(labels[metric]),
            Cell(method),
            Cell(f"{wins}/{ties}/{losses}"),
            Cell(f"{p:.3f}" if p >= 0.001 else "< 0.001"),
            Cell(f"{effect:+.2f}"),
        ]
        for metric, method, _, wins, ties, losses, p, effect in found
    ]
    text = (
        f"{style.against} against each other method: scenes that it wins, ties and loses; p of "
        "Wilcoxon's signed-rank test after Holm's correction over the methods; effect size "
        "(rank-biserial correlation; +1: wins all)."
    )
    headers = ["Metric", "Against", "Win/tie/loss", "p", "Effect"]
    target = stem.with_name(f"{stem.name}_against")
    return _files(results.manifest, target, headers, rows, text, frame, left=(0, 1))


def _symbols(manifest: RunManifest) -> dict[str, str]:
    """LaTeX of the headers of metrics that have a symbol."""
    arrows = {True: r"$\uparrow$", False: r"$\downarrow$"}
    return {
        metric.header: f"${SYMBOLS[metric.name]}$ {arrows[metric.higher_is_better]}"
        for metric in manifest.metrics
        if metric.name in SYMBOLS
    }


def _files(
    manifest: RunManifest,
    stem: Path,
    headers: list[str],
    rows: list[list[Cell]],
    text: str,
    frame: pd.DataFrame,
    left: Collection[int] = (0,),
) -> list[Path]:
    label, symbols = f"tab:{stem.name}", _symbols(manifest)
    latex = to_latex(headers, rows, caption=text, label=label, fit=True, symbols=symbols)
    texts = {
        ".tex": f"{PACKAGES}{latex}\n",
        ".md": f"{text}\n\n{to_markdown(headers, _without_sources(rows), left=left)}\n",
        ".csv": frame.to_csv(index=False, lineterminator="\n"),
    }
    # No `with_suffix`: of a dataset called x+shift=0.5 it would cut off what follows the point.
    files = {stem.with_name(f"{stem.name}{suffix}"): content for suffix, content in texts.items()}
    for file, content in files.items():
        write_bytes(file, content.encode())
    return list(files)
