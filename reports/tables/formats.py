"""One table in two forms: Markdown for a README, LaTeX (booktabs) for a paper."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import tabulate

_LATEX_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "↑": r"$\uparrow$",
        "↓": r"$\downarrow$",
        "–": "--",
        "±": r"$\pm$",
        "†": r"\textdagger{}",
        "‡": r"\textdaggerdbl{}",
        "<": r"$<$",
        ">": r"$>$",
    }
)


class Cell(NamedTuple):
    """A cell's text, whether it is the best of its column or the second, and what it cites."""

    text: str
    best: bool = False
    second: bool = False
    cite: str = ""


def escape_latex(text: str) -> str:
    r"""`text` with all characters escaped that have a meaning in LaTeX.

    Examples
    --------
    >>> from reports.tables.formats import escape_latex
    >>> print(escape_latex("fcn-x_1: -0.5 ± 5 %"))
    fcn-x\_1: $-$0.5 $\pm$ 5 \%
    """
    return re.sub(r"(?<![\w-])-(?=\d)", r"$-$", text.translate(_LATEX_ESCAPES))


def to_markdown(
    headers: Sequence[str], rows: Sequence[Sequence[Cell]], left: Collection[int] = (0,)
) -> str:
    """A GitHub table: columns of text (`left`, by number) left, the others right.

    The best is bold, the second underlined.
    """

    def text(cell: Cell) -> str:
        clean = cell.text.replace("|", "\\|")
        if cell.best:
            return f"**{clean}**"
        return f"<u>{clean}</u>" if cell.second else clean

    body = [[text(cell) for cell in row] for row in rows]
    align = ["left" if k in left else "right" for k in range(len(headers))]
    return tabulate.tabulate(
        body,
        list(headers),
        tablefmt="github",
        colalign=align if body else None,
        disable_numparse=True,
    )


def to_latex(
    headers: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    caption: str = "",
    label: str = "",
    groups: Sequence[tuple[str, int]] = (),
    fit: bool = False,
    symbols: Mapping[str, str] | None = None,
) -> str:
    r"""A ``table`` environment with booktabs rules; best bold, second underlined.

    Parameters
    ----------
    headers : sequence of str
        Plain text; escaped here, as all cells are.
    rows : sequence of sequence of Cell
        As long as `headers`.
    caption, label : str
        Left out when empty.
    groups : sequence of (str, int)
        A row above the headers: a text and how many columns it stands over; in all as many
        as there are headers. Texts over more than one get a rule.
    fit : bool
        Shrink a table that is wider than the text to its width (needs ``graphicx``).
    symbols : mapping of str to str, optional
        LaTeX in the place of whole texts of headers and cells, which is not escaped.

    Examples
    --------
    >>> from reports.tables.formats import Cell, to_latex
    >>> print(to_latex(["Method", "MI ↑"], [[Cell("source_a"), Cell("1.2", best=True)]]))
    \begin{table}
    \centering
    \begin{tabular}{lr}
    \toprule
    Method & MI $\uparrow$ \\
    \midrule
    source\_a & \textbf{1.2} \\
    \bottomrule
    \end{tabular}
    \end{table}
    """

    def escaped(plain: str) -> str:
        return (symbols or {}).get(plain) or escape_latex(plain)

    def text(cell: Cell) -> str:
        clean = escaped(cell.text) + (rf"~\cite{{{cell.cite}}}" if cell.cite else "")
        if cell.best:
            return rf"\textbf{{{clean}}}"
        return rf"\underline{{{clean}}}" if cell.second else clean

    lines = [r"\begin{table}", r"\centering"]
    if caption:
        lines += [_APART, rf"\caption{{{escape_latex(caption)}}}"]
    if label:
        lines.append(rf"\label{{{label}}}")
    lines += [_DENSE, _FIT] if fit else []
    lines += [rf"\begin{{tabular}}{{l{'r' * (len(headers) - 1)}}}", r"\toprule"]
    lines += _spanning(groups)
    lines += [" & ".join(map(escaped, headers)) + r" \\", r"\midrule"]
    lines += [" & ".join(map(text, row)) + r" \\" for row in rows]
    lines += [r"\bottomrule", r"\end{tabular}" + ("}" if fit else "")]
    return "\n".join([*lines, r"\end{table}"])


#: A caption above a table touches it otherwise, since LaTeX expects captions below.
_APART = r"\setlength{\belowcaptionskip}{4pt}"

#: Columns close together leave more width to the letters when a table is shrunk.
_DENSE = r"\setlength{\tabcolsep}{3pt}"

#: Measures what follows and shrinks it when it is too wide, never enlarges it.
_FIT = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"


def _spanning(groups: Sequence[tuple[str, int]]) -> list[str]:
    if not groups:
        return []
    cells, rules, first = [], [], 1
    for title, width in groups:
        text = escape_latex(title)
        cells.append(rf"\multicolumn{{{width}}}{{c}}{{{text}}}" if width > 1 else text)
        if width > 1:
            rules.append(rf"\cmidrule(lr){{{first}-{first + width - 1}}}")
        first += width
    return [" & ".join(cells) + r" \\", " ".join(rules)]
