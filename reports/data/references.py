"""The papers of the methods of a run, for its tables."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bench.engine.jpeg_rows import SUFFIX
from bench.store.manifest import RunManifest
from datasets.papers import Paper, paper_of

#: What stands behind the name of a row whose image was made from that of another row.
_DERIVED = "+"


@dataclass(frozen=True)
class Reference:
    """What a method is called in words, and where it was published.

    Attributes
    ----------
    title : str
        The method's name spelled out; of a published row its paper's title.
    year : int or None
        Year of the paper.
    doi : str
        The paper's DOI; empty if it has none, or none is known.
    """

    title: str
    year: int | None
    doi: str


def references(manifest: RunManifest, methods: Iterable[str]) -> dict[str, Reference]:
    """What is known of the papers of `methods` of a run, by name."""
    found = {}
    for name in methods:
        entry, paper = manifest.method[name], paper_of(name.partition(_DERIVED)[0])
        found[name] = Reference(entry.title, entry.year, entry.doi)
        if paper is not None:
            found[name] = Reference(paper.title, paper.year, paper.doi)
    return found


def papers_of(methods: Iterable[str]) -> dict[str, Paper]:
    """The paper of each published row among `methods`, by the row's name."""
    names = dict.fromkeys(method.partition(_DERIVED)[0] for method in methods)
    found = {name: paper_of(name) for name in names}
    return {name: paper for name, paper in found.items() if paper is not None}


def cited(manifest: RunManifest) -> str:
    """A BibTeX entry of each method of a run, with the method's name as its key.

    A published row has its paper's; of others the file has the source as `bench show` words it.
    Rows through JPEG cite what their method cites.
    """
    entries, known = [], set[str]()
    for method in manifest.methods:
        key = citation_key(method.name)
        if method.is_baseline or key in known:
            continue
        known.add(key)
        if paper := paper_of(method.name.partition(_DERIVED)[0]):
            entries.append(replace(paper, key=key).bibtex)
            continue
        fields = {
            "title": f"{{{method.title}}}",
            "howpublished": method.paper,
            "year": str(method.year or ""),
            "doi": method.doi,
        }
        escaped = {name: re.sub(r"([&%_#])", r"\\\1", text) for name, text in fields.items()}
        lines = [f"  {name} = {{{value}}}," for name, value in escaped.items() if value]
        entries.append("\n".join([f"@misc{{{key},", *lines, "}"]))
    return "\n\n".join(entries) + "\n" * bool(entries)


def citation_key(method: str) -> str:
    """The key of a method in BibTeX: its name with characters that a key may not have as dashes.

    A row through JPEG has the key of its method.

    Examples
    --------
    >>> from reports.data.references import citation_key
    >>> citation_key("fcn-x@shrink=1")
    'fcn-x-shrink-1'
    >>> citation_key("gf+jpeg")
    'gf'
    """
    return re.sub(r"[^A-Za-z0-9:+.-]+", "-", method.removesuffix(SUFFIX))


def bibliography(methods: Iterable[str]) -> str:
    """The papers of the published rows as a BibTeX file; empty if there are none.

    Examples
    --------
    >>> from reports.data.references import bibliography
    >>> bibliography(["lp", "liu2020:gff", "liu2020:gff+jpeg"]).count("@article")
    1
    """
    papers = {paper.key: paper for paper in papers_of(methods).values()}
    return "\n\n".join(papers[key].bibtex for key in sorted(papers)) + "\n" * bool(papers)
