"""The leaderboard as files: one Markdown page, LaTeX tables, tidy CSV."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from bench.core.errors import NothingSelected
from bench.core.files import write_bytes
from bench.store.manifest import RunManifest
from reports.data.best import DIGITS, best_of
from reports.data.compression import by_compression, jpeg_methods, jpeg_note
from reports.data.leaderboard import Leaderboard, cautions, make_leaderboard, tidy
from reports.data.means import CAP_NOTE, has_capped
from reports.data.parts import caption, scores_of
from reports.data.references import bibliography, references
from reports.data.results import Results
from reports.data.statistics import Ranking
from reports.tables.formats import Cell, to_latex, to_markdown

Table = tuple[list[str], list[list[Cell]]]


def write_leaderboard(results: Results, out: Path | str, dataset: str = "") -> list[Path]:
    """Write ``leaderboard.{md,csv}``, ``agreement.csv`` and ``*.tex`` below `out`.

    Published rows bring ``leaderboard.bib``, their papers in BibTeX.

    Images that are or were JPEG are ranked among themselves, in files that end in ``_jpeg``.

    Files about agreement that an earlier call wrote are removed where there is none now.

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
    lossless, lossy = by_compression(results, dataset)
    written: list[Path] = []
    reason: NothingSelected | None = None
    for part, ending in ((lossless, ""), (lossy, "_jpeg")):
        try:
            written += [] if part is None else _write(part, out, dataset, ending)
        except NothingSelected as error:  # one method of this kind: the others are ranked
            reason = error
    if not written and reason is not None:
        raise reason
    for stem in ("leaderboard", "agreement"):  # of an earlier call, about other rows
        for old in {*out.glob(f"{stem}.*"), *out.glob(f"{stem}_jpeg.*")} - {*written}:
            old.unlink()
    return written


def _write(results: Results, out: Path, dataset: str, ending: str) -> list[Path]:
    """Write the leaderboard of lossless rows, or with the ending ``_jpeg`` of JPEG rows."""
    board = make_leaderboard(results, dataset)
    manifest = results.manifest
    labels = {metric.name: metric.header for metric in manifest.metrics}
    ranks, means = _ranks(board, manifest), _means(board, manifest)
    kind = jpeg_note(jpeg_methods(manifest, dataset)) if ending else []
    kind = [line.replace("†: the", "The") for line in kind]
    about_ranks = " ".join([_RANKS, *_remarks(board, labels), *kind])
    about_means = " ".join([_MEANS, *_capped(results, board, dataset), *kind])
    texts = {
        "leaderboard.md": _page(
            results,
            board,
            labels,
            ranks,
            f"{about_means}\n\n{to_markdown(*means)}",
            dataset,
            kind,
        ),
        "leaderboard.csv": tidy(board).to_csv(index=False, lineterminator="\n"),
        "leaderboard.tex": "\n\n".join(
            [
                to_latex(*ranks, caption=about_ranks, label=f"tab:ranks{ending}", fit=True),
                to_latex(*means, caption=about_means, label=f"tab:means{ending}", fit=True),
            ]
        )
        + "\n",
    }
    if papers := bibliography(map(str, board.overall.index)):
        texts["leaderboard.bib"] = papers
    if len(board.agreement):
        table = board.agreement.rename_axis("metric").reset_index()
        texts["agreement.csv"] = table.to_csv(index=False, lineterminator="\n")
        texts["agreement.tex"] = (
            to_latex(*_agreement(board, labels), caption=_AGREEMENT, label=f"tab:agreement{ending}")
            + "\n"
        )
    files = {name: out / name.replace(".", f"{ending}.") for name in texts}
    for name, text in texts.items():
        write_bytes(files[name], text.encode())
    for name in {"agreement.csv", "agreement.tex", "leaderboard.bib"} - texts.keys():
        # of an earlier call, about other scenes
        (out / name.replace(".", f"{ending}.")).unlink(missing_ok=True)
    return list(files.values())


#: Digits of a mean rank.
RANK_DIGITS = 2

_RANKS = (
    "Mean rank over scenes (1 is best, ties share). Bold: best, underlined: second of a column; "
    "=: not told apart from the best (Wilcoxon, Holm, 5 %); baselines do not compete. Overall: "
    "mean over the metrics without † and ‡."
)
_MEANS = (
    "Mean score over scenes. Bold: best, underlined: second of a column; baselines do not compete."
)
_AGREEMENT = (
    "Whether a metric orders the methods as the error against the reference does: mean rank "
    "correlation with PSNR over scenes with a reference, without baselines that do not fuse."
)


def _remarks(board: Leaderboard, labels: dict[str, str]) -> list[str]:
    """The meaning of the marks in the table of ranks."""
    remarks = [f"No =: {line}." for line in cautions(board.rankings, labels)]
    if board.untrusted:
        remarks.append("†: a baseline that does not fuse outranks half of the methods.")
    if board.aside:
        remarks.append(
            "‡: not counted in Overall; ranks fewer methods, or counts already as another metric."
        )
    return remarks


def _capped(results: Results, board: Leaderboard, dataset: str) -> list[str]:
    return [CAP_NOTE] if has_capped(scores_of(results, dataset), board.rankings) else []


def _ranks(board: Leaderboard, manifest: RunManifest) -> Table:
    headers = ["Method", "Overall"]
    columns = [[Cell(str(method)) for method in board.overall.index]]
    columns.append(_column(board.overall["overall"], False, manifest, RANK_DIGITS))
    for metric, ranking in board.rankings.items():
        marks = (" †" if metric in board.untrusted else "") + (" ‡" * (metric in board.aside))
        headers.append(manifest.metric[metric].header + marks)
        cells = _column(board.overall[metric], False, manifest, RANK_DIGITS)
        tied = ranking.table.index[ranking.table["tied"] & ranking.conclusive]
        tied = tied.difference(list(manifest.baselines))
        columns.append(
            [
                cell._replace(text=f"{cell.text} =") if name in tied and not cell.best else cell
                for cell, name in zip(cells, board.overall.index, strict=True)
            ]
        )
    return headers, [list(row) for row in zip(*columns, strict=True)]


def _means(board: Leaderboard, manifest: RunManifest) -> Table:
    """Mean scores; a header says over how many scenes where there are fewer than of others."""
    most = max((ranking.scenes for ranking in board.rankings.values()), default=0)
    headers, columns = ["Method"], [[Cell(str(method)) for method in board.overall.index]]
    for name, ranking in board.rankings.items():
        metric, scenes = manifest.metric[name], ranking.scenes
        few = f" ({scenes} scene{'s' * (scenes > 1)})" if scenes < most else ""
        headers.append(metric.header + few)
        means = ranking.table["mean"].reindex(board.overall.index)
        columns.append(_column(means, metric.higher_is_better, manifest, DIGITS))
    return headers, [list(row) for row in zip(*columns, strict=True)]


def _column(
    values: pd.Series, higher_is_better: bool, manifest: RunManifest, digits: int
) -> list[Cell]:
    places = best_of(
        values, higher_is_better=higher_is_better, baselines=manifest.baselines, digits=digits
    )
    return [
        _number(value, digits)._replace(
            best=places.get(str(name)) == 1, second=places.get(str(name)) == 2
        )
        for name, value in values.items()
    ]


def _agreement(board: Leaderboard, labels: dict[str, str]) -> Table:
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
            _number(ranking.critical_difference, 2),
            _close(ranking, baselines),
            _tied(ranking, baselines),
        ]
        for metric, ranking in board.rankings.items()
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
    means: str,
    dataset: str,
    kind: Sequence[str],
) -> str:
    command = " ".join(results.manifest.command)
    name = caption(results.manifest, dataset)
    parts = [
        f"# Leaderboard{f' of {name}' if name else ''}{', of JPEG images' * bool(kind)}",
        f"Made from the run `{command}`, finished {results.manifest.finished}"
        + (f", of which only the scenes of {name} count here." if dataset else "."),
        "\n\n".join(["## Ranks", _RANKS, *_remarks(board, labels), *kind, to_markdown(*ranks)]),
        f"## Mean scores\n\n{means}",
        "## Significance\n\nFriedman's test asks whether the methods differ at all; mean ranks "
        "that differ by less than the critical difference (CD) are not told apart by Nemenyi's "
        "test.\n\n" + to_markdown(*_tests(board, labels, results.manifest.baselines)),
        "## Intervals and wins\n\n95 % bootstrap interval of the mean rank; in parentheses the "
        f"scenes on which no method is better.\n\n{to_markdown(*_intervals(board, labels))}",
        f"## Which metrics to trust\n\n{_trust(board, labels)}",
    ]
    if len(board.agreement):
        parts.append(f"{_AGREEMENT}\n\n{to_markdown(*_agreement(board, labels))}")
    if board.aside:
        lines = [f"- ‡ {labels[metric]}: {why}" for metric, why in board.aside.items()]
        parts.append("## Not counted in Overall\n\n" + "\n".join(lines))
    if board.incomplete:
        lines = [f"- {method}: {count}" for method, count in board.incomplete.items()]
        parts.append(
            "## Incomplete\n\nRanks are over the scenes that every ranked method finished; these "
            "did not finish all, and a method with no score on a metric is not ranked there.\n\n"
            + "\n".join(lines)
        )
    if board.skipped:
        lines = [f"- {labels[metric]}: {why}" for metric, why in board.skipped.items()]
        parts.append("## Not ranked\n\n" + "\n".join(lines))
    if papers := references(map(str, board.overall.index)):
        lines = [f"- {name}: {paper.citation}" for name, paper in papers.items()]
        parts.append("## Papers of the published rows\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _trust(board: Leaderboard, labels: dict[str, str]) -> str:
    if not board.untrusted:
        return "No baseline without fusion beats half of the methods on any metric."
    lines = [f"- † {labels[metric]}: {why}" for metric, why in board.untrusted.items()]
    return (
        "These metrics rank a baseline that does not fuse above half of the methods and are not "
        "trusted here:\n\n" + "\n".join(lines)
    )


def _number(value: float, digits: int) -> Cell:
    return Cell("–" if pd.isna(value) else f"{value:.{digits}f}")


def _p(value: float) -> Cell:
    if pd.isna(value):
        return Cell("–")
    return Cell(f"{value:.3f}" if value >= 0.001 else "< 0.001")
