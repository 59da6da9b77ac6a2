"""What ``score --claims`` prints and writes."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli import console
from bench.core.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

#: Rows that are shown; a file has all.
SHOWN = 60

#: Endings of the file that `write_claims` writes.
ENDINGS = (".csv", ".md", ".json")


def check_ending(out: Path | None) -> None:
    """Raise `UsageError` for a file that claims cannot be written to, before they are checked."""
    if out and out.suffix.lower() not in ENDINGS:
        raise UsageError(f"{out}: the ending must be one of {', '.join(ENDINGS)}")


def show_claims(table: pd.DataFrame, out: Path | None, *, as_json: bool) -> int:
    """Print the table and how many claims agree, and write it to `out`; gives the exit code."""
    from bench.core.files import write_bytes

    if out:
        write_bytes(out, _text(table, out.suffix.lower()).encode())
    if as_json:
        console.emit_json(_records(table))
    else:
        rows = table if len(table) <= SHOWN else table[table.status != "agrees"]
        if len(rows):
            console.emit(_markdown(rows.head(SHOWN)))
        if len(rows) > SHOWN:
            console.emit(f"and {len(rows) - SHOWN} more; --out FILE.csv has all")
        for metric, column in table.groupby("metric", sort=False):
            console.emit(f"{metric}: {_counts(column)}")
    return 1 if (table.status == "differs").any() else 0


def _counts(column: pd.DataFrame) -> str:
    """``3 agrees, 15 agrees with variant qabf_liu2012``, the most frequent first."""
    status = (column.status + " " + column.variant).str.strip()
    return ", ".join(f"{count} {text}" for text, count in status.value_counts().items())


def _text(table: pd.DataFrame, ending: str) -> str:
    import json

    if ending == ".csv":
        return table.to_csv(index=False, lineterminator="\n")
    if ending == ".md":
        return _markdown(table) + "\n"
    return json.dumps(_records(table), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _records(table: pd.DataFrame) -> list[dict[Hashable, object]]:
    return table.astype(object).where(table.notna(), None).to_dict("records")


def _markdown(table: pd.DataFrame) -> str:
    import tabulate

    shown = table.astype(object).where(table.notna(), "")
    for column, form in (("value", "{:.7g}"), ("difference", "{:+.2g}")):
        shown[column] = [x if x == "" else form.format(x) for x in shown[column]]
    rows = shown.to_numpy().tolist()
    return tabulate.tabulate(rows, list(table.columns), tablefmt="github", disable_numparse=True)
