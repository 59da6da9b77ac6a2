"""A paper's table of scores as a CSV file.

Wide, as papers print it: a row for each method, and scene where there is that column, and a
column for each metric. Long: the columns ``method``, ``metric``, ``value``, and ``scene`` where
there is that column. Either may have a column ``dataset``. A row without a scene, or of the
scene ``mean``, is the mean over all scenes. Cells that are empty or a dash claim nothing.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import BenchError, NothingSelected, UnknownName, UsageError
from bench.engine.claims.printed import PrintedValue, printed
from bench.engine.names import METRIC_ALIASES, find, plain
from metrics import METRICS

#: Titles of the columns that are no metrics.
DATASET = ("dataset", "data set", "collection")
SCENE = ("scene", "pair", "image")
METHOD = ("method", "methods", "algorithm")

#: Scenes of a row that holds means; a row may also name none.
MEAN = ("", "mean", "average", "avg", "all")

#: Cells that claim nothing, in plain letters: empty, dashes, n/a.
NOTHING = ("", "na", "nan", "none")

#: What papers add to a number: emphasis, and the deviation of a mean.
EMPHASIS = re.compile(r"\\(?:textbf|mathbf|underline|textit)|[{}*_$\N{DAGGER}]")
DEVIATION = re.compile(r"(?:±|\+/-|\+-|\().*")


@dataclass(frozen=True)
class Claim:
    """A number in a paper's table.

    Attributes
    ----------
    dataset : str
        The data set as the table calls it; empty where it names none.
    scene : str
        The scene as the table calls it; empty for the mean over all scenes.
    method : str
        The method as the table calls it.
    value : PrintedValue
        Name of the metric, and the number.
    """

    dataset: str
    scene: str
    method: str
    value: PrintedValue


def read_claims(file: Path, metrics: Sequence[str] | None = None) -> list[Claim]:
    """The claims of a CSV file, row by row.

    Parameters
    ----------
    file : Path
        See the module for its form; encoded as UTF-8, separated by commas, semicolons or tabs.
    metrics : sequence of str, optional
        Names of the metrics to check; all columns unless given.

    Raises
    ------
    UsageError
        The file cannot be read, a column is no metric, a cell is no number, or a number is
        claimed twice.
    NothingSelected
        It claims nothing.
    """
    rows, titles = _rows(file)
    scene, method, dataset = (_title(titles, known) for known in (SCENE, METHOD, DATASET))
    if not method:
        raise UsageError(f"{file}: no column is called method; there are {', '.join(titles)}")
    long = "metric" in map(str.lower, titles) and "value" in map(str.lower, titles)
    others = [title for title in titles if title not in (scene, method, dataset)]
    wanted = None if metrics is None else {find(METRICS, m, METRIC_ALIASES).name for m in metrics}
    if not long:
        others = [title for title in others if _wanted(title, wanted, file)]
    claims: dict[tuple[str, ...], Claim] = {}
    for number, row in enumerate(rows, start=2):
        where = f"{file}, line {number}"
        if None in row or None in row.values():
            raise UsageError(f"{where}: it does not have {len(titles)} cells")
        which = row.get(scene, "").strip()
        which = "" if which.lower() in MEAN else which
        for name, cell in _cells(row, others, long):
            if not _wanted(name, wanted, Path(where)) or plain(cell) in NOTHING:
                continue
            names = (row.get(dataset, "").strip(), which, row[method].strip())
            if (key := (*map(plain, names), name)) in claims:
                raise UsageError(f"{where}: {name} of {names[2]} {which} is claimed twice")
            claim = Claim(*names, _value(name, cell, where))
            claims[key] = claim
    if not claims:
        raise NothingSelected(f"{file}: it claims no value")
    return list(claims.values())


def _rows(file: Path) -> tuple[csv.DictReader[str], list[str]]:
    """The rows of a CSV file and the titles of its columns, which differ."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a UTF-8 text"
        raise UsageError(f"{file}: {reason}") from None
    separator = max(",;\t", key=text.partition("\n")[0].count)
    rows = csv.DictReader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
    titles = [title.strip() for title in rows.fieldnames or ()]
    rows.fieldnames = titles
    if double := next((title for title in titles if titles.count(title) > 1), None):
        raise UsageError(f"{file}: two columns are called {double!r}")
    return rows, titles


def _title(titles: Sequence[str], known: Sequence[str]) -> str:
    return next((title for title in titles if title.lower() in known), "")


def _wanted(name: str, wanted: set[str] | None, where: Path) -> bool:
    """Whether values of that metric are checked; raises for an unknown one if all are."""
    try:
        return find(METRICS, name, METRIC_ALIASES).name in (wanted or METRICS.names())
    except UnknownName as error:
        if wanted is not None:
            return False
        raise UsageError(
            f"{where}: {error}; remove the column, or name the metrics to check with --metrics"
        ) from None


def _cells(row: Mapping[str, str], columns: Sequence[str], long: bool) -> Iterator[tuple[str, str]]:
    if not long:
        yield from ((title, row[title].strip()) for title in columns)
        return
    low = {title.lower(): cell.strip() for title, cell in row.items()}
    yield low["metric"], low["value"]


def _value(name: str, cell: str, where: str) -> PrintedValue:
    bare = DEVIATION.sub("", EMPHASIS.sub("", cell)).strip()
    try:
        return printed(name, bare)
    except BenchError as error:
        raise UsageError(f"{where}: {error}") from None
