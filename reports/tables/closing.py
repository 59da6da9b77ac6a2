"""What a finished run prints: its first table, and what can be made of it."""

from __future__ import annotations

import shlex
from pathlib import Path

from reports.data import paper
from reports.data.parts import caption
from reports.data.principal import principal
from reports.data.results import Results
from reports.data.selected import selected
from reports.tables.run_tables import markdown
from reports.tables.table import mean_table, scene_table

#: Most rows that are printed; a longer table is better read in its file.
MOST_ROWS = 60


def closing(results: Results, out: Path) -> str:
    """The first table of a run, and the commands that go on from it.

    Parameters
    ----------
    results : Results
        A run.
    out : Path
        Its output folder, for the commands.

    Returns
    -------
    str
        Several lines; only the commands where nothing was scored, or the table is long.
    """
    text = ""
    if results.scores["value"].notna().any():
        shown = selected(results, metrics=principal(results.manifest.metric))
        place = results.scores.loc[results.scores["value"].notna()].iloc[0]
        if place["dataset"] == "paper" and place["scene"] in paper.TABLES:
            table = scene_table(shown, place["scene"])
            name = results.manifest.scene["paper", place["scene"]].title
        else:
            table = mean_table(shown, place["dataset"])
            name = f"Means over {caption(results.manifest, place['dataset'])}"
        if len(table.values) <= MOST_ROWS:
            text = f"{name}\n\n{markdown(table)}\n\n"
    command = f"python -m bench report {{}} --out {shlex.quote(str(out))}"
    lines = [
        f"next: {command.format('html'):58} one page to explore",
        f"      {command.format('leaderboard'):58} ranks, tests, LaTeX",
    ]
    return text + "\n".join(lines)
