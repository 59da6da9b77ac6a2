"""One call for each kind of report of a finished run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from bench.core.errors import EnvironmentFault
from reports.data.results import Results
from reports.data.sources import Note

_log = logging.getLogger(__name__)

Kind = Literal["tables", "leaderboard", "html", "figures", "which-metric", "published-scores"]


def write_report(
    kind: Kind,
    results: Results,
    out: Path,
    *,
    to: Path | None = None,
    dataset: str = "",
    assets: bool = False,
    others: Sequence[Results] = (),
    note: Note = _log.warning,
) -> list[Path]:
    """Write a report; Matplotlib and Jinja2 are only needed by those that use them.

    Parameters
    ----------
    kind : {'tables', 'leaderboard', 'html', 'figures', 'which-metric', 'published-scores'}
        Kind of the report.
    results : Results
        A run.
    out : Path
        Output folder of the run.
    to : Path, optional
        Where to write (default: ``out``); tables are always written to ``out``.
    dataset : str
        The leaderboard covers only its scenes, all scenes if empty; the published scores are
        compared with its scenes, those of ``real-mff`` if empty.
    assets : bool
        Whether lossless images go beside the HTML page.
    others : sequence of Results
        Further runs for the study of metrics.
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
    if kind == "which-metric":
        return _which_metric(results, others, to or out / "which-metric", note)
    if kind == "published-scores":
        from reports.tables.published_scores import write_published_scores

        return write_published_scores(results, to or out / "published-scores", dataset)
    from reports.figures.run_figures import write_figures

    curves = out / "ablation"
    ablation = curves if curves.is_dir() else None
    return write_figures(results, to or out / "figures", ablation=ablation, note=note)


def _which_metric(
    results: Results, others: Sequence[Results], folder: Path, note: Note
) -> list[Path]:
    """Tables, and the figure where Matplotlib is installed."""
    from reports.data.which_metric import make_study
    from reports.figures.which_metric import write_agreement_figure
    from reports.tables.which_metric import write_study

    study = make_study(results, note, others=others)
    written = write_study(study, folder)
    try:
        return written + write_agreement_figure(study, folder / "agreement")
    except EnvironmentFault as error:
        note(str(error))
        return written
