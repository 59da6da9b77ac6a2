"""The sections of a leaderboard's Markdown page beside its tables of ranks and of means."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from reports.data.leaderboard import UNTRUSTED, Leaderboard
from reports.data.parts import caption, holds
from reports.data.principal import principal
from reports.data.references import Reference, references
from reports.data.results import Results
from reports.data.statistics import Ranking
from reports.tables.formats import Cell, to_markdown

Table = tuple[list[str], list[list[Cell]]]

AGREEMENT = (
    "Whether a metric orders the methods as the error against the reference does: mean rank "
    "correlation with PSNR over scenes with a reference, without baselines that do not fuse."
)


def shown(board: Leaderboard) -> dict[str, Ranking]:
    """The rankings that printed tables show: those of the principal metrics, if there are many."""
    return {name: board.rankings[name] for name in principal(board.rankings)}


def agreement_table(board: Leaderboard, labels: Mapping[str, str]) -> Table:
    """How well each metric orders the methods as PSNR does."""
    rows = [
        [Cell(labels[str(metric)]), Cell(f"{row.spearman:.3f}"), Cell(f"{row.kendall:.3f}"),
         Cell(f"{int(row.scenes)}"), Cell(f"{int(row.methods)}")]
        for metric, row in board.agreement.iterrows()
    ]  # fmt: skip
    return ["Metric", "Spearman", "Kendall", "Scenes", "Methods"], rows


def _tests(board: Leaderboard, labels: dict[str, str], baselines: Collection[str]) -> Table:
    rows = [
        [
            Cell(labels[metric]),
            Cell(str(ranking.scenes)),
            _p(ranking.friedman_p),
            number(ranking.critical_difference, 2),
            _close(ranking, baselines),
            _tied(ranking, baselines),
        ]
        for metric, ranking in shown(board).items()
    ]
    headers = ["Metric", "Scenes", "Friedman p", "Nemenyi CD", "Within CD of best"]
    return [*headers, "Not told apart from best (Wilcoxon)"], rows


def _tied(ranking: Ranking, baselines: Collection[str]) -> Cell:
    """How many methods that compete Wilcoxon's test does not tell apart from the best."""
    if not ranking.conclusive:
        return Cell("–")
    tied = ranking.table["tied"].drop(index=list(baselines), errors="ignore")
    return Cell(str(max(0, int(tied.sum()) - 1)))


def _close(ranking: Ranking, baselines: Collection[str]) -> Cell:
    """How many methods that compete Nemenyi's test does not tell apart from the best."""
    ranks = ranking.table["rank"].drop(index=list(baselines), errors="ignore")
    if pd.isna(ranking.critical_difference) or not len(ranks):
        return Cell("–")
    behind = ranks - ranks.min()
    return Cell(str(int((behind < ranking.critical_difference).sum()) - 1))


def _intervals(board: Leaderboard, labels: dict[str, str]) -> Table:
    rows = []
    for method in board.overall.index:
        cells = [Cell(str(method))]
        for ranking in shown(board).values():
            if method not in ranking.table.index:
                cells.append(Cell("–"))
                continue
            row = ranking.table.loc[method]
            cells.append(Cell(f"{row.rank_low:.1f}–{row.rank_high:.1f} ({int(row.wins)})"))
        rows.append(cells)
    return ["Method", *(labels[m] for m in shown(board))], rows


def leaderboard_page(
    results: Results,
    board: Leaderboard,
    dataset: str,
    ranks: str,
    means: str,
    kind: str = "",
    title: str = "",
) -> str:
    """A page of Markdown: how it was made, the tables, the methods, the tests.

    Parameters
    ----------
    results : Results
        A run.
    board : Leaderboard
        Its rankings.
    dataset : str
        The dataset or subset that it is about; all if empty.
    ranks, means : str
        Bodies of the sections of these tables.
    kind : str
        Which images it ranks, for its title: ``"JPEG images"``; empty for lossless ones.
    title : str
        What it is about; the caption of `dataset` unless given.
    """
    manifest = results.manifest
    labels = {metric.name: metric.header for metric in manifest.metrics}
    name = caption(manifest, dataset)
    about = title or name
    parts = [
        ", of ".join(filter(None, [f"# Leaderboard{f' of {about}' if about else ''}", kind])),
        _made_from(results, board, dataset, name),
        f"## Ranks\n\n{ranks}",
        f"## Mean scores\n\n{means}",
        f"## Methods\n\n{to_markdown(*_methods(results, board, dataset), left=(0, 1, 3))}",
        "## Significance\n\nFriedman's test asks whether the methods differ at all; mean ranks "
        "that differ by less than the critical difference (CD) are not told apart by Nemenyi's "
        "test.\n\n" + to_markdown(*_tests(board, labels, manifest.baselines)),
        "## Intervals and wins\n\n95 % bootstrap interval of the mean rank; in parentheses the "
        f"scenes on which no method is better.\n\n{to_markdown(*_intervals(board, labels))}",
        f"## Which metrics to trust\n\n{_trust(board, labels)}",
    ]
    if len(board.agreement):
        parts.append(f"{AGREEMENT}\n\n{to_markdown(*agreement_table(board, labels))}")
    if board.aside:
        lines = [f"- ‡ {labels[metric]}: {why}" for metric, why in board.aside.items()]
        parts.append("## Not counted in Overall\n\n" + "\n".join(lines))
    if board.incomplete:
        lines = [f"- {method}: {count}" for method, count in board.incomplete.items()]
        parts.append(
            "## Incomplete\n\nRanks are over the scenes that every ranked method finished; these "
            "did not finish all. A method with under half of the scenes of others is not ranked."
            "\n\n" + "\n".join(lines)
        )
    if board.skipped:
        lines = [f"- {labels[metric]}: {why}" for metric, why in board.skipped.items()]
        parts.append("## Not ranked\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _made_from(results: Results, board: Leaderboard, dataset: str, name: str) -> str:
    """The command, the number of scenes, and what is left to the CSV file."""
    manifest = results.manifest
    scenes = max(ranking.scenes for ranking in board.rankings.values())
    lines = [
        f"{len(board.overall)} methods on {scenes} scene{'s' * (scenes != 1)}. Made from the run "
        f"`{' '.join(manifest.command)}`, finished {manifest.finished}"
        + (f", of which only the scenes of {name} count here." if dataset else ".")
    ]
    if left := len(board.rankings) - len(principal(board.rankings)):
        lines.append(f"The CSV file beside this page has {left} more metrics.")
    return " ".join(lines)


def _methods(results: Results, board: Leaderboard, dataset: str) -> Table:
    """Title, year and paper of each method, and its time where the run took it."""
    seconds = _seconds(results, dataset)
    names = [str(name) for name in board.overall.index]
    rows = []
    for name, about in references(results.manifest, names).items():
        row = [name, about.title, str(about.year or "–"), _paper(about)]
        rows.append([Cell(text) for text in row])
        if len(seconds):
            time = seconds.get(name)
            rows[-1].append(Cell("–" if time is None else f"{time:.3f}"))
    headers = ["Method", "Title", "Year", "Paper"]
    return [*headers, "Time (s)"] if len(seconds) else headers, rows


def _seconds(results: Results, dataset: str) -> Mapping[str, float]:
    """Mean over scenes of the median time of each method, where the machine was idle."""
    timing = results.timing[~results.timing["contended"].astype(bool)]
    inside = [holds(dataset, d, s) for d, s in zip(timing["dataset"], timing["scene"], strict=True)]
    means = timing.loc[inside].groupby("method")["median_s"].mean()
    return {str(name): float(mean) for name, mean in means.items()}


def _paper(about: Reference) -> str:
    return f"[doi:{about.doi}](https://doi.org/{about.doi})" if about.doi else "–"


def _trust(board: Leaderboard, labels: dict[str, str]) -> str:
    if not board.untrusted:
        return "No baseline without fusion beats half of the methods on any metric."
    lines = [f"- {UNTRUSTED} {labels[metric]}: {why}" for metric, why in board.untrusted.items()]
    return (
        "These metrics rank a baseline that does not fuse above half of the methods and are not "
        "trusted here:\n\n" + "\n".join(lines)
    )


def number(value: float, digits: int) -> Cell:
    """A number; a dash where there is none."""
    return Cell("–" if pd.isna(value) else f"{value:.{digits}f}")


def _p(value: float) -> Cell:
    if pd.isna(value):
        return Cell("–")
    return Cell(f"{value:.3f}" if value >= 0.001 else "< 0.001")
