"""A checked table as a data frame, as text, and counted."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import tabulate

from bench.core.errors import NothingSelected
from bench.engine.claims.verdicts import Verdict

if TYPE_CHECKING:
    import pandas as pd

#: Rows that a screen shows; a file has all.
SHOWN = 60


@dataclass(frozen=True)
class CheckedClaims:
    """The verdicts on the claims of a table.

    Attributes
    ----------
    verdicts : tuple of Verdict
        In the order of the table.

    Raises
    ------
    NothingSelected
        No claim could be checked.
    """

    verdicts: tuple[Verdict, ...]

    def __post_init__(self) -> None:
        """Refuse a table of which nothing was checked: it would look as if all agreed."""
        if all(verdict.status == "missing" for verdict in self.verdicts):
            raise NothingSelected(f"no claim could be checked; the first: {self._first()}")

    def _first(self) -> str:
        return next((verdict.message for verdict in self.verdicts), "there is none")

    @property
    def differs(self) -> bool:
        """Whether a claim differs."""
        return any(verdict.status == "differs" for verdict in self.verdicts)

    @property
    def table(self) -> pd.DataFrame:
        """A row for each claim, the fields of `Verdict` as columns."""
        import pandas as pd

        columns = [field.name for field in dataclasses.fields(Verdict)]
        rows = [dataclasses.astuple(verdict) for verdict in self.verdicts]
        return pd.DataFrame(rows, columns=columns)

    def counts(self) -> Iterator[str]:
        """For each metric, how many claims agree, with which variant, and differ."""
        for metric, column in self.table.groupby("metric", sort=False):
            status = (column.status + " " + column.variant).str.strip()
            counts = (f"{count} {text}" for text, count in status.value_counts().items())
            yield f"{metric}: {', '.join(counts)}"

    def text(self, how: str, *, whole: bool = True) -> str:
        """All verdicts as ``csv``, ``json``, or ``table``, which is Markdown.

        Parameters
        ----------
        how : {'table', 'csv', 'json'}
            The format.
        whole : bool
            Whether a table has all rows; else what agrees or is missing is only counted where
            rows are many.
        """
        table = self.table
        if how == "csv":
            return str(table.to_csv(index=False, lineterminator="\n"))
        if how == "json":
            return json.dumps(_records(table), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        if whole:
            return _markdown(table) + "\n"
        rows = table
        if len(table) > SHOWN:
            rows = table[table.status.isin(["differs", "agrees with variant"])]
        parts = [_markdown(rows.head(SHOWN))] if len(rows) else []
        if len(rows) > SHOWN:
            parts.append(f"and {len(rows) - SHOWN} more; --out FILE has all")
        if len(table) > SHOWN:
            reasons = table[table.status == "missing"].message.value_counts()
            parts += [f"{count} missing: {reason}" for reason, count in reasons.head(SHOWN).items()]
        return "\n".join([*parts, *self.counts()]) + "\n"


def _records(table: pd.DataFrame) -> list[dict[Hashable, object]]:
    return table.astype(object).where(table.notna(), None).to_dict("records")


def _markdown(table: pd.DataFrame) -> str:
    """The table without columns that are empty."""
    shown = table.astype(object).where(table.notna(), "")
    for column, form in (("value", "{:.7g}"), ("difference", "{:+.2g}")):
        shown[column] = ["" if x == "" else form.format(x) for x in shown[column]]
    shown = shown.loc[:, (shown != "").any()]
    rows = shown.to_numpy().tolist()
    return tabulate.tabulate(rows, list(shown.columns), tablefmt="github", disable_numparse=True)
