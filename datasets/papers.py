"""The papers of published methods: title, authors, where, when, DOI.

``data/papers.csv`` has one row for each paper and names the published rows that it describes,
such as ``liu2020:gff``. A DOI that could not be confirmed is left empty.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "data" / "papers.csv"


@dataclass(frozen=True)
class Paper:
    """One paper.

    Attributes
    ----------
    key : str
        Its key in BibTeX.
    methods : tuple of str
        Published rows that it describes.
    authors : str
        As BibTeX has them: ``Family, Given and Family, Given``.
    title, venue : str
        Title, and the journal or conference.
    volume, pages : str
        ``36`` or ``22(7)``, and ``191-207``; may be empty.
    year : int
        Year of publication.
    doi : str
        Without an address before it; may be empty.
    """

    key: str
    methods: tuple[str, ...]
    authors: str
    title: str
    venue: str
    volume: str
    pages: str
    year: int
    doi: str

    @property
    def citation(self) -> str:
        """The paper in one line.

        Examples
        --------
        >>> from datasets.papers import paper_of
        >>> print(paper_of("liu2020:gff").citation)
        Li, Kang, Hu: Image fusion with guided filtering. IEEE Transactions on Image Processing 22(7), 2864-2875 (2013). doi:10.1109/TIP.2013.2244222
        """  # noqa: E501
        families = ", ".join(name.partition(",")[0] for name in self.authors.split(" and "))
        where = ", ".join(filter(None, (f"{self.venue} {self.volume}".strip(), self.pages)))
        doi = f" doi:{self.doi}" if self.doi else ""
        return f"{families}: {self.title}. {where} ({self.year}).{doi}"

    @property
    def bibtex(self) -> str:
        """The paper as a BibTeX entry."""
        conference = "Conference" in self.venue or "(" in self.venue
        volume, _, number = self.volume.rstrip(")").partition("(")
        fields = {
            "author": self.authors,
            "title": "{" + self.title + "}",
            "booktitle" if conference else "journal": self.venue,
            "volume": volume,
            "number": number,
            "pages": self.pages.replace("-", "--"),
            "year": str(self.year),
            "doi": self.doi,
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        kind = "inproceedings" if conference else "article"
        return "\n".join([f"@{kind}{{{self.key},", *lines, "}"])


@cache
def papers() -> dict[str, Paper]:
    """All papers, by the published row that they describe."""
    found: dict[str, Paper] = {}
    with TABLE.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            names = tuple(row.pop("methods").split())
            year = int(row.pop("year"))
            paper = Paper(methods=names, year=year, **row)
            found |= dict.fromkeys(names, paper)
    return found


def paper_of(name: str) -> Paper | None:
    """The paper of the published row ``COLLECTION:METHOD``; None if it is not known."""
    return papers().get(name.lower())
