"""The papers of the published rows of a run, for its tables."""

from __future__ import annotations

from collections.abc import Iterable

from datasets.papers import Paper, paper_of

#: What stands behind the name of a row whose image was made from that of another row.
_DERIVED = "+"


def references(methods: Iterable[str]) -> dict[str, Paper]:
    """The paper of each published row among `methods`, by the row's name.

    Examples
    --------
    >>> from reports.data.references import references
    >>> [paper.year for paper in references(["lp", "liu2020:gff", "liu2020:gff+jpeg"]).values()]
    [2013]
    """
    names = dict.fromkeys(method.partition(_DERIVED)[0] for method in methods)
    found = {name: paper_of(name) for name in names}
    return {name: paper for name, paper in found.items() if paper is not None}


def bibliography(methods: Iterable[str]) -> str:
    """The papers of the published rows as a BibTeX file; empty if there are none."""
    papers = {paper.key: paper for paper in references(methods).values()}
    return "\n\n".join(papers[key].bibtex for key in sorted(papers)) + "\n" * bool(papers)
