"""One call for each kind of report of a finished run."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

from reports.data.results import Results
from reports.data.sources import Note

_log = logging.getLogger(__name__)

Kind = Literal["tables", "leaderboard", "html", "figures"]


def write_report(
    kind: Kind,
    results: Results,
    out: Path,
    *,
    to: Path | None = None,
    dataset: str = "",
    assets: bool = False,
    note: Note = _log.warning,
) -> list[Path]:
    """Write a report; Matplotlib and Jinja2 are only needed by those that use them.

    Parameters
    ----------
    kind : {'tables', 'leaderboard', 'html', 'figures'}
        Kind of the report.
    results : Results
        A run.
    out : Path
        Output folder of the run.
    to : Path, optional
        Where to write (default: ``out``); tables are always written to ``out``.
    dataset : str
        The leaderboard covers only its scenes; all scenes if empty.
    assets : bool
        Whether lossless images go beside the HTML page.
    note : callable
        Called with one line for what is left out, and why.

    Returns
    -------
    list of Path
        What was written.
    """
    if kind == "tables":
        from reports.tables.run_tables import write_tables

        return write_tables(results, out)
    if kind == "leaderboard":
        from reports.tables.leaderboard import write_leaderboard

        return write_leaderboard(results, to or out / "leaderboard", dataset)
    if kind == "html":
        from reports.html.page import write_html

        return write_html(results, to or out / "report.html", assets=assets, note=note)
    from reports.figures.run_figures import write_figures

    curves = out / "ablation"
    ablation = curves if curves.is_dir() else None
    return write_figures(results, to or out / "figures", ablation=ablation, note=note)
