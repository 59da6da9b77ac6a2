"""The leaderboard as files: one Markdown page, LaTeX tables, tidy CSV."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bench.core.files import write_bytes
from reports.data.leaderboard import Leaderboard, cautions, make_leaderboard, tidy
from reports.data.results import Results
from reports.data.statistics import Ranking
from reports.tables.formats import Cell, to_latex, to_markdown
from reports.tables.run_tables import DIGITS

Table = tuple[list[str], list[list[Cell]]]


def write_leaderboard(results: Results, out: Path | str, dataset: str = "") -> list[Path]:
    """Write ``leaderboard.{md,csv}``, ``agreement.csv`` and ``*.tex`` below `out`.

    Where there is no agreement to be told, files of an earlier call that told one are removed.

    The LaTeX tables need the packages ``booktabs`` and ``graphicx``.

    Parameters
    ----------
    results : Results
        A run.
    out : path-like
        Folder; made if need be.
    dataset : str
        Only its scenes; all when empty.

    Returns
    -------
    list of Path
        What was written.
    """
    out = Path(out)
    board = make_leaderboard(results, dataset)
    labels = {
        m["name"]: f"{m['label']} {'↑' if m['higher_is_better'] else '↓'}"
        for m in results.manifest["metrics"]
    }
    ranks, means = _ranks(board, labels), _means(board, labels, _controls(results))
    about_ranks = " ".join([_RANKS, *_remarks(board, labels)])
    texts = {
        "leaderboard.md": _page(results, board, labels, ranks, means, dataset),
        "leaderboard.csv": tidy(board).to_csv(index=False, lineterminator="\n"),
        "leaderboard.tex": "\n\n".join(
            [
                to_latex(*ranks, caption=about_ranks, label="tab:ranks", fit=True),
                to_latex(*means, caption=_MEANS, label="tab:means", fit=True),
            ]
        )
        + "\n",
    }
    if len(board.agreement):
        table = board.agreement.rename_axis("metric").reset_index()
        texts["agreement.csv"] = table.to_csv(index=False, lineterminator="\n")
        texts["agreement.tex"] = (
            to_latex(*_agreement(board, labels), caption=_AGREEMENT, label="tab:agreement") + "\n"
        )
    for name, text in texts.items():
        write_bytes(out / name, text.encode())
    for name in {"agreement.csv", "agreement.tex"} - texts.keys():
        (out / name).unlink(missing_ok=True)  # of an earlier call, about other scenes
    return [out / name for name in texts]


_RANKS = (
    "Mean rank over scenes (1 is best, ties share). Bold: best; =: not told apart from the best "
    "(Wilcoxon, Holm, 5 %). Overall: mean over the indexes without † and ‡."
)
_MEANS = "Mean score over scenes; bold: best, underlined: second of a column, controls aside."
_AGREEMENT = (
    "Does an index order the methods as the error against truth does? Mean rank correlation with "
    "PSNR over scenes with known truth, null baselines aside."
)


def _remarks(board: Leaderboard, labels: dict[str, str]) -> list[str]:
    """What must be known to read the marks in the table of ranks."""
    remarks = [f"No =: {line}." for line in cautions(board.rankings, labels)]
    if board.untrusted:
        remarks.append("†: a null baseline, which fuses nothing, outranks half of the methods.")
    if board.aside:
        remarks.append(
            "‡: no part of Overall; ranks fewer methods, or counts already as another index."
        )
    return remarks


def _ranks(board: Leaderboard, labels: dict[str, str]) -> Table:
    headers = ["Method", "Overall"]
    for m in board.rankings:
        marks = (" †" if m in board.untrusted else "") + (" ‡" if m in board.aside else "")
        headers.append(labels[m] + marks)
    top = board.overall.min()
    rows = []
    for method, row in board.overall.iterrows():
        cells = [Cell(str(method)), _number(row["overall"], top["overall"], 2)]
        for metric, ranking in board.rankings.items():
            cell = _number(row[metric], top[metric], 2)
            tied = ranking.conclusive and bool(ranking.table["tied"].get(str(method), False))
            cells.append(cell._replace(text=f"{cell.text} =") if tied and not cell.best else cell)
        rows.append(cells)
    return headers, rows


def _controls(results: Results) -> set[str]:
    return {m["name"] for m in results.manifest["methods"] if m["family"] == "control"}


def _means(board: Leaderboard, labels: dict[str, str], controls: set[str]) -> Table:
    """Mean scores; a header says over how many scenes where there are fewer than of others."""
    most = max((ranking.scenes for ranking in board.rankings.values()), default=0)
    rows = []
    for method in board.overall.index:
        cells = [Cell(str(method))]
        for metric, ranking in board.rankings.items():
            means = ranking.table["mean"].round(DIGITS)  # best and second as printed
            rivals = means.drop(index=list(controls), errors="ignore")
            ordered = rivals.sort_values(ascending=labels[metric].endswith("↓")).unique()
            value = means.get(method)
            if value is None:
                cells.append(Cell("–"))
                continue
            place = list(ordered).index(value) if method not in controls else -1
            cells.append(Cell(f"{value:.{DIGITS}f}", best=place == 0, second=place == 1))
        rows.append(cells)
    few = {m: r.scenes for m, r in board.rankings.items() if r.scenes < most}
    return ["Method", *(labels[m] + (f" ({few[m]} scene{'s' * (few[m] > 1)})" if m in few else "")
                        for m in board.rankings)], rows  # fmt: skip


def _agreement(board: Leaderboard, labels: dict[str, str]) -> Table:
    rows = [
        [Cell(labels[str(metric)]), Cell(f"{row.spearman:.3f}"), Cell(f"{row.kendall:.3f}"),
         Cell(f"{int(row.scenes)}"), Cell(f"{int(row.methods)}")]
        for metric, row in board.agreement.iterrows()
    ]  # fmt: skip
    return ["Index", "Spearman", "Kendall", "Scenes", "Methods"], rows


def _tests(board: Leaderboard, labels: dict[str, str]) -> Table:
    rows = [
        [
            Cell(labels[metric]),
            Cell(str(ranking.scenes)),
            _p(ranking.friedman_p),
            _number(ranking.critical_difference, None, 2),
            _close(ranking),
            Cell(str(int(ranking.table["tied"].sum()) - 1) if ranking.conclusive else "–"),
        ]
        for metric, ranking in board.rankings.items()
    ]
    headers = ["Index", "Scenes", "Friedman p", "Nemenyi CD", "Within CD of best"]
    return [*headers, "Not told apart from best (Wilcoxon)"], rows


def _close(ranking: Ranking) -> Cell:
    """How many methods Nemenyi's test does not tell apart from the best."""
    if pd.isna(ranking.critical_difference):
        return Cell("–")
    behind = ranking.table["rank"] - ranking.table["rank"].min()
    return Cell(str(int((behind < ranking.critical_difference).sum()) - 1))


def _intervals(board: Leaderboard, labels: dict[str, str]) -> Table:
    rows = []
    for method in board.overall.index:
        cells = [Cell(str(method))]
        for ranking in board.rankings.values():
            if method not in ranking.table.index:
                cells.append(Cell("–"))
                continue
            row = ranking.table.loc[method]
            cells.append(Cell(f"{row.rank_low:.1f}–{row.rank_high:.1f} ({int(row.wins)})"))
        rows.append(cells)
    return ["Method", *(labels[m] for m in board.rankings)], rows


def _page(
    results: Results,
    board: Leaderboard,
    labels: dict[str, str],
    ranks: Table,
    means: Table,
    dataset: str,
) -> str:
    command = " ".join(results.manifest["command"])
    parts = [
        f"# Leaderboard{f' of {dataset}' if dataset else ''}",
        f"Made from the run `{command}`, finished {results.manifest['finished']}"
        + (f", of which only the scenes of {dataset} count here." if dataset else "."),
        "\n\n".join(["## Ranks", _RANKS, *_remarks(board, labels), to_markdown(*ranks)]),
        f"## Mean scores\n\n{_MEANS}\n\n{to_markdown(*means)}",
        "## How sure\n\nFriedman's test asks whether the methods differ at all; mean ranks that "
        "differ by less than the critical difference (CD) are not told apart by Nemenyi's test.\n\n"
        + to_markdown(*_tests(board, labels)),
        "## Intervals and wins\n\n95 % bootstrap interval of the mean rank; in parentheses the "
        f"scenes on which no method is better.\n\n{to_markdown(*_intervals(board, labels))}",
        f"## Which index to believe\n\n{_trust(board, labels)}",
    ]
    if len(board.agreement):
        parts.append(f"{_AGREEMENT}\n\n{to_markdown(*_agreement(board, labels))}")
    if board.aside:
        lines = [f"- ‡ {labels[metric]}: {why}" for metric, why in board.aside.items()]
        parts.append("## Not part of Overall\n\n" + "\n".join(lines))
    if board.incomplete:
        lines = [f"- {method}: {count}" for method, count in board.incomplete.items()]
        parts.append(
            "## Incomplete\n\nRanks are over the scenes that every ranked method finished; these "
            "did not finish all, and a method with no score on an index is not ranked there.\n\n"
            + "\n".join(lines)
        )
    if board.skipped:
        lines = [f"- {labels[metric]}: {why}" for metric, why in board.skipped.items()]
        parts.append("## Not ranked\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _trust(board: Leaderboard, labels: dict[str, str]) -> str:
    if not board.untrusted:
        return "No null baseline beats half of the methods on any index."
    lines = [f"- † {labels[metric]}: {why}" for metric, why in board.untrusted.items()]
    return (
        "A null baseline fuses nothing. Where it beats half of the methods, the index is no \
evidence there:\n\n"
        + "\n".join(lines)
    )


def _number(value: float | None, top: float | None, digits: int) -> Cell:
    if value is None or pd.isna(value):
        return Cell("–")
    return Cell(f"{value:.{digits}f}", best=top is not None and value == top)


def _p(value: float) -> Cell:
    if pd.isna(value):
        return Cell("–")
    return Cell(f"{value:.3f}" if value >= 0.001 else "< 0.001")
