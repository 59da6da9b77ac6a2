"""One page per method, metric and dataset, written from the registries before Sphinx reads.

A page has a table of facts, an example picture where the method runs without files from
elsewhere, and the docstring. The pages lie in ``docs/methods``, ``docs/metrics`` and
``docs/datasets``, which Git does not keep.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.core.errors import BenchError
from bench.core.image_io import encode_png
from bench.engine.selection import PAPER_METRICS, PRINCIPAL_METRICS
from datasets import DATASETS, Dataset, load_scenes
from datasets.papers import papers
from methods import METHODS, Method, fuse
from metrics import GOLDEN_SETS, METRICS, Metric

DOCS = Path(__file__).parents[1]
PUBLISHED = DOCS.parent / "reports" / "published"

#: A pair that comes with the project, and the part of it that examples show.
EXAMPLE, TOP, LEFT, SIDE = "synthetic-lens", 120, 150, 160

#: Families by what their page says first.
METHOD_FAMILIES = {
    "multi-scale": "Multi-scale transforms",
    "spatial": "Spatial domain",
    "sparse": "Sparse representation",
    "learned": "Networks of this project",
    "published-network": "Published networks",
    "program": "Programs",
    "control": "Baselines",
}


def write_pages(_app: object = None) -> None:
    """Write all pages anew."""
    for folder in ("methods", "metrics", "datasets", "leaderboards"):
        shutil.rmtree(DOCS / folder, ignore_errors=True)
        (DOCS / folder).mkdir()
    _write_methods(DOCS / "methods")
    _write_metrics(DOCS / "metrics")
    _write_datasets(DOCS / "datasets")
    _write_leaderboards(DOCS / "leaderboards")


def _write_methods(folder: Path) -> None:
    scene = load_scenes(EXAMPLE)[0].read()
    crops = [image[TOP : TOP + SIDE, LEFT : LEFT + SIDE] for image in scene.sources]
    for name, image in zip(("source-1", "source-2"), crops, strict=False):
        (folder / f"{name}.png").write_bytes(encode_png(image))
    for method in METHODS:
        picture = ""
        if not method.weights and method.family in ("multi-scale", "spatial", "control"):
            picture = _example(method, scene.sources, folder)
        facts = _table(_method_facts(method))
        body = _docstring(method.fn)
        (folder / f"{method.name}.md").write_text(
            f"# {method.name}: {method.title}\n\n{facts}\n\n{picture}\n\n{body}\n"
        )
    _index(
        folder,
        "Methods",
        "Run one by its name or by what papers call it: `python -m bench run --methods gf TF`.",
        [
            (
                METHOD_FAMILIES.get(family, family),
                [(m.name, m.title, _year(m)) for m in METHODS if m.family == family],
            )
            for family in dict.fromkeys(m.family for m in METHODS)
        ],
        ("Name", "Method", "Year"),
    )


def _example(method: Method, sources: Sequence[Any], folder: Path) -> str:
    """Sources and fused image of a crop; nothing if the method declines the pair."""
    try:
        fused = fuse(method.name, list(sources))
    except BenchError:
        return ""
    file = folder / f"{method.name}.png"
    file.write_bytes(encode_png(fused[TOP : TOP + SIDE, LEFT : LEFT + SIDE]))
    names = ("source-1.png", "source-2.png", file.name)
    cells = " | ".join(f"![{Path(name).stem}]({name})" for name in names)
    return (
        f"| Source 1 | Source 2 | {method.name} |\n| --- | --- | --- |\n| {cells} |\n\n"
        f"A crop of the first pair of `{EXAMPLE}`."
    )


def _year(method: Method) -> str:
    return str(method.year or "")


def _method_facts(method: Method) -> Iterable[tuple[str, str]]:
    yield "Family", METHOD_FAMILIES.get(method.family, method.family)
    yield "Returns", "weights of the sources" if method.kind == "decision" else "the fused image"
    yield "More than two sources", {
        "native": "at once", "pairwise": "one after the other", "two": "no",
    }.get(method.stack, method.stack)  # fmt: skip
    yield "Colour", method.colour
    yield "Paper", method.paper
    yield "DOI", _doi(method.doi)
    yield "Names in papers", ", ".join(method.aliases)
    yield "In `--methods all`", "yes" if method.in_all else "no: name it"
    published = [name for name, paper in papers().items() if method.doi and paper.doi == method.doi]
    yield "Published images of it", ", ".join(f"`{name}`" for name in sorted(published))
    values = (f"`{name}={value!r}`" for name, value in method.parameters.items())
    yield "Parameters", ", ".join(values)


def _write_metrics(folder: Path) -> None:
    for metric in METRICS:
        facts, body = _table(_metric_facts(metric)), _docstring(metric.fn)
        (folder / f"{metric.name}.md").write_text(
            f"# {metric.label}: {metric.title}\n\n{facts}\n\n{body}\n"
        )
    _index(
        folder,
        "Metrics",
        f"`--metrics paper` are {_names(PAPER_METRICS)}; `--metrics principal` are "
        f"{_names(PRINCIPAL_METRICS)}. [Which metric to believe](../about/which-metric.md) says "
        "what each is worth.",
        [
            (
                family.capitalize(),
                [(m.name, m.label, m.title) for m in METRICS if m.family == family],
            )
            for family in dict.fromkeys(m.family for m in METRICS)
        ],
        ("Name", "In tables", "Metric"),
    )


def _names(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in names)


def _metric_facts(metric: Metric) -> Iterable[tuple[str, str]]:
    yield "Formula", metric.formula.replace("|", "\\|")
    yield "Better", "higher" if metric.higher_is_better else "lower"
    low, high = metric.bounds
    yield "Range", f"{low:g} to {high:g}".replace("inf", "∞")
    yield "Compares the fused image with", metric.needs.replace("fused", "nothing")
    yield "More than two sources", "yes" if metric.stack == "native" else "no"
    yield "Paper", metric.paper
    yield "DOI", _doi(metric.doi)
    yield (
        "Variant of",
        f"[{metric.variant_of}]({metric.variant_of}.md)" if metric.variant_of else "",
    )
    columns = (
        f"{column} of {GOLDEN_SETS.get(whose, whose)}" for whose, column in metric.golden_columns
    )
    yield "Golden values", "; ".join(columns)
    yield (
        "Largest difference to them that a test accepts",
        f"{metric.tolerance:g}" * bool(metric.golden),
    )
    yield "Known deviations of public codes", metric.deviations


def _write_datasets(folder: Path) -> None:
    for entry in DATASETS:
        facts, body = _table(_dataset_facts(entry)), _docstring(entry.scenes)
        (folder / f"{entry.name}.md").write_text(
            f"# {entry.name}\n\n{entry.title}\n\n{facts}\n\n{body}\n"
        )
    _index(
        folder,
        "Datasets",
        "`python -m bench data list` says which files are at hand, `data fetch NAME` gets them.",
        [("", [(d.name, d.title, d.licence) for d in DATASETS])],
        ("Name", "Dataset", "Terms"),
    )


def _dataset_facts(entry: Dataset) -> Iterable[tuple[str, str]]:
    name = f"{entry.name}:{entry.argument}" if entry.argument_required else entry.name
    yield "Run it", f"`python -m bench run --datasets {name}`"
    yield "Terms", entry.licence
    yield "Cite", entry.citation


def _write_leaderboards(folder: Path) -> None:
    """A page for each page of results in ``reports/published``."""
    rows = []
    for page in sorted(PUBLISHED.glob("*/*.md")):
        title = page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        (folder / f"{_published(page)}.md").write_text(
            f"```{{include}} ../../reports/published/{page.parent.name}/{page.name}\n```\n"
        )
        rows.append((_published(page), title))
    intro = "Made by `python -m reports.published` from whatever images were at hand."
    _index(folder, "Leaderboards", intro, [("", rows)], ("Name", "Of"))


def _published(page: Path) -> str:
    """The name of the page here of ``reports/published/FOLDER/PAGE.md``."""
    folder, name = page.parent.name, page.stem.removeprefix("leaderboard").strip("_")
    return folder if name in ("", folder) else f"{folder}-{name}"


def link_here(_app: object, _name: str, source: list[str]) -> None:
    """Make links to results in the repository, which GitHub shows, links to their pages here."""
    source[0] = re.sub(
        r"\]\(\.\./\.\./(reports/published/[\w-]+/[\w-]+\.md)\)",
        lambda found: f"](../leaderboards/{_published(Path(found[1]))}.md)",
        source[0],
    )


def _doi(doi: str) -> str:
    return f"[{doi}](https://doi.org/{doi})" if doi else ""


def _table(facts: Iterable[tuple[str, str]]) -> str:
    rows = [f"| {name} | {' '.join(text.split())} |" for name, text in facts if text]
    return "\n".join(["| | |", "| --- | --- |", *rows])


def _docstring(fn: Any) -> str:
    """What autodoc and numpydoc make of a function."""
    return f"```{{eval-rst}}\n.. autofunction:: {fn.__module__}.{fn.__qualname__}\n```"


def _index(
    folder: Path,
    title: str,
    intro: str,
    groups: Sequence[tuple[str, Sequence[tuple[str, ...]]]],
    headers: tuple[str, ...],
) -> None:
    """A page of tables, one for each group, and the order of the pages."""
    parts = [f"# {title}", intro]
    for heading, rows in groups:
        parts += [f"## {heading}"] * bool(heading)
        lines = [f"| {' | '.join(headers)} |", "| --- " * len(headers) + "|"]
        lines += [f"| [{name}]({name}.md) | {' | '.join(rest)} |" for name, *rest in rows]
        parts.append("\n".join(lines))
    names = "\n".join(name for _, rows in groups for name, *_ in rows)
    parts.append(f"```{{toctree}}\n:hidden:\n\n{names}\n```")
    (folder / "index.md").write_text("\n\n".join(parts) + "\n")


def setup(app: Any) -> dict[str, bool]:
    """Write the pages when Sphinx begins."""
    app.connect("builder-inited", write_pages)
    app.connect("source-read", link_here)
    return {"parallel_read_safe": True}
