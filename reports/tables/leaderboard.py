"""The leaderboard as files: one Markdown page, LaTeX tables, tidy CSV."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bench.core.errors import NothingSelected
from bench.core.files import write_bytes
from bench.store.manifest import RunManifest
from reports.data.best import DIGITS, best_of
from reports.data.compression import by_compression, jpeg_methods, jpeg_note
from reports.data.leaderboard import (
    UNTRUSTED,
    Leaderboard,
    cautions,
    make_leaderboard,
    tidy,
)
from reports.data.means import CAP_NOTE, has_capped
from reports.data.parts import scores_of
from reports.data.references import bibliography
from reports.data.results import Results
from reports.tables.formats import Cell, to_latex, to_markdown
from reports.tables.leaderboard_page import (
    AGREEMENT,
    Table,
    agreement_table,
    leaderboard_page,
    number,
    shown,
)


def write_leaderboard(
    results: Results, out: Path | str, dataset: str = "", title: str = ""
) -> list[Path]:
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
    title : str
        What the page is about; the name of the only dataset when empty.

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
            written += [] if part is None else _write(part, out, dataset, ending, title)
        except NothingSelected as error:  # one method of this kind: the others are ranked
            reason = error
    if not written and reason is not None:
        raise reason
    for stem in ("leaderboard", "agreement"):  # of an earlier call, about other rows
        for old in {*out.glob(f"{stem}.*"), *out.glob(f"{stem}_jpeg.*")} - {*written}:
            old.unlink()
    return written


def _write(results: Results, out: Path, dataset: str, ending: str, title: str) -> list[Path]:
    """Write the leaderboard of lossless rows, or with the ending ``_jpeg`` of JPEG rows."""
    board = make_leaderboard(results, dataset)
    manifest = results.manifest
    labels = {metric.name: metric.header for metric in manifest.metrics}
    ranks, means = _ranks(board, manifest), _means(board, manifest)
    kind = jpeg_note(jpeg_methods(manifest, dataset)) if ending else []
    kind = [line.replace("†: the", "The") for line in kind]
    about_ranks = [_RANKS, *_remarks(board, labels), *kind]
    about_means = " ".join([_MEANS, *_capped(results, board, dataset), *kind])
    tables = [
        to_latex(*ranks, caption=" ".join(about_ranks), label=f"tab:ranks{ending}", fit=True),
        to_latex(*means, caption=about_means, label=f"tab:means{ending}", fit=True),
    ]
    texts = {
        "leaderboard.md": leaderboard_page(
            results,
            board,
            dataset,
            "\n\n".join([*about_ranks, to_markdown(*ranks)]),
            f"{about_means}\n\n{to_markdown(*means)}",
            "JPEG images" * bool(ending),
            title,
        ),
        "leaderboard.csv": tidy(board).to_csv(index=False, lineterminator="\n"),
        "leaderboard.tex": "\n\n".join(tables) + "\n",
    }
    if papers := bibliography(map(str, board.overall.index)):
        texts["leaderboard.bib"] = papers
    if len(board.agreement):
        table = board.agreement.rename_axis("metric").reset_index()
        texts["agreement.csv"] = table.to_csv(index=False, lineterminator="\n")
        texts["agreement.tex"] = (
            to_latex(
                *agreement_table(board, labels), caption=AGREEMENT, label=f"tab:agreement{ending}"
            )
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
    f"mean over all metrics of the run without {UNTRUSTED} and ‡."
)
_MEANS = (
    "Mean score over scenes. Bold: best, underlined: second of a column; baselines do not compete."
)


def _remarks(board: Leaderboard, labels: dict[str, str]) -> list[str]:
    """The meaning of the marks in the table of ranks."""
    remarks = [f"No =: {line}." for line in cautions(shown(board), labels)]
    if board.untrusted:
        remarks.append(f"{UNTRUSTED}: a baseline that does not fuse outranks half of the methods.")
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
    for metric, ranking in shown(board).items():
        marks = f" {UNTRUSTED}" * (metric in board.untrusted) + " ‡" * (metric in board.aside)
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
    for name, ranking in shown(board).items():
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
        number(value, digits)._replace(
            best=places.get(str(name)) == 1, second=places.get(str(name)) == 2
        )
        for name, value in values.items()
    ]
