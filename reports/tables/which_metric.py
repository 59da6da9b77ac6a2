"""The study of which metric to believe as files: one Markdown page, two CSV files, a figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from bench.core.files import write_bytes
from datasets import real_mff
from metrics import GOLDEN_SETS, METRICS
from reports.data.evidence import AGAINST, REAL
from reports.data.which_metric import REST, Study, distances, lowest
from reports.tables.formats import Cell, to_markdown

#: Columns of the table of experiments: copying is rewarded by the first, sharpness by the last.
SHOWN = ("mi", "qte_toolbox", "qncie", "qcb", "qp", "qy", "qabf", "qcv", "qw", "scd", "viff", "sf")

#: What the sets of methods are called.
SETS = {
    "first study": "16 methods of the first study",
    "all": "all methods",
    "common": "methods of both",
}


#: How tables are written as CSV: four digits of a correlation say more than its interval.
_CSV: dict[str, Any] = {"index": False, "lineterminator": "\n", "float_format": "%.4f"}


def write_study(study: Study, out: Path) -> list[Path]:
    """Write ``which-metric.md``, ``agreement.csv`` and ``experiments.csv`` below `out`.

    Parameters
    ----------
    study : Study
        The result.
    out : Path
        Folder; made if need be.

    Returns
    -------
    list of Path
        What was written.
    """
    texts = {
        "which-metric.md": page(study),
        "agreement.csv": study.agreement.to_csv(**_CSV),
        "experiments.csv": study.experiments.to_csv(**_CSV),
    }
    for name, text in texts.items():
        write_bytes(out / name, text.encode())
    return [out / name for name in texts]


def page(study: Study) -> str:
    """The study as a Markdown page."""
    parts = ["# Which metric to believe", _INTRODUCTION, _evidence(study)]
    known = set(study.agreement["against"])
    parts += [
        f"## Agreement with {label(against)}\n\n{agreement_table(study, against)}"
        for against in AGAINST
        if against in known
    ]
    kendall = agreement_table(study, statistic="kendall")
    parts.append(f"## Agreement with PSNR, Kendall\n\n{kendall}")
    for family, title in (("decision", "decision maps"), ("transform", "transform methods")):
        table = agreement_table(study, family=family)
        parts.append(f"## Agreement with PSNR among {title} alone\n\n{table}")
    parts += [
        f"## What holds everywhere\n\n{_LOWEST}\n\n{_lowest(study)}",
        f"## Why the evidence differs\n\n{_EXPERIMENTS}\n\n{experiments_table(study)}",
        f"### The set of methods\n\n{_SET}\n\n{sets_table(study)}",
        f"## Definitions\n\n{_DEFINITIONS}\n\n{definitions_table()}",
    ]
    if study.missing:
        parts.append("## Missing\n\n" + "\n".join(f"- {line}" for line in study.missing))
    return "\n\n".join(parts) + "\n"


_INTRODUCTION = (
    "Mean over scenes of the rank correlation (Spearman) between a metric and one against the "
    "reference, over all methods that fuse, with the 95 % interval over resampled scenes. "
    "Metrics of which less is better count with the opposite sign. Bold: the best of a column "
    "among the metrics without a reference. Everything, with Kendall's correlation, is in "
    "`agreement.csv`."
)
_LOWEST = (
    "The least agreement with PSNR over all evidence, the lower end of its interval, where it is "
    "found, and how many pieces of evidence have the metric: some are defined for two sources only."
)
_EXPERIMENTS = (
    "Agreement with PSNR over the methods that the run and the published scores have both, so that "
    "the set of methods is the same in all rows. The last column is the distance to the first row: "
    "root mean square of the differences over all metrics that both have."
)
_SET = "Agreement of MI with PSNR for several sets of methods; in parentheses how many they are."
_DEFINITIONS = (
    "The published scores are by the survey's MATLAB code. Ours are tested against values of that "
    "code: the authors' own (liu2020), or computed by it (octave)."
)


def label(metric: str) -> str:
    """The name of a metric in tables."""
    return METRICS[metric].label if metric in METRICS else metric


def _evidence(study: Study) -> str:
    methods = study.agreement.groupby("evidence")["methods"].max()
    rows = [
        [Cell(name), Cell(title), Cell(str(methods[name]))]
        for name, title in study.evidence.items()
        if name in methods.index
    ]
    return to_markdown(["Evidence", "What", "Methods"], rows, left=(0, 1))


def agreement_table(
    study: Study, against: str = "psnr", family: str = "all", statistic: str = "spearman"
) -> str:
    """Metric by evidence, with intervals; best first by the least agreement."""
    table = study.agreement
    mine = table[(table["against"] == against) & (table["family"] == family)]
    wide = mine.pivot(index="metric", columns="evidence", values=statistic)
    wide = wide[[name for name in study.evidence if name in wide.columns]]
    wide = wide.loc[wide.min(axis=1).sort_values(ascending=False, kind="stable").index]
    best = wide.drop(index=list(AGAINST), errors="ignore").round(2).max()
    ends = mine.set_index(["metric", "evidence"])[[f"{statistic}_low", f"{statistic}_high"]]
    rows = []
    for metric in map(str, wide.index):
        cells = [Cell(label(metric))]
        for evidence in map(str, wide.columns):
            value = float(wide[evidence][metric])
            if pd.isna(value):
                cells.append(Cell("–"))
                continue
            low, high = ends.loc[[(metric, evidence)]].to_numpy(float)[0]
            text = f"{_signed(value)} [{_signed(low)}, {_signed(high)}]"
            bold = metric not in AGAINST and round(value, 2) == best[evidence]
            cells.append(Cell(text, best=bold))
        rows.append(cells)
    return to_markdown(["Metric", *wide.columns], rows)


def _lowest(study: Study) -> str:
    rows = []
    for metric, least, low, where, count in lowest(study).itertuples():
        texts = (label(str(metric)), _signed(least), _signed(low), where, str(count))
        rows.append([Cell(text) for text in texts])
    headers = ["Metric", "Lowest", "Lower end", "Where", "Evidence"]
    return to_markdown(headers, rows, left=(0, 3))


def experiments_table(study: Study, against: str = "psnr") -> str:
    """Experiment by metric, with the distance to the published scores."""
    table = study.experiments
    methods = "common" if study.common else "all"
    mine = table[(table["against"] == against) & (table["set"] == methods)]
    if not len(mine):
        return "No experiment was possible."
    what = mine.drop_duplicates("experiment").set_index("experiment")
    wide = mine.pivot(index="experiment", columns="metric", values="spearman")
    far = distances(study, against, methods)
    columns = [name for name in SHOWN if name in wide.columns]
    rows = [
        [
            Cell(f"{name}: {what.loc[name, 'what']}"),
            Cell(str(what.loc[name, "methods"])),
            *(Cell(_signed(value)) for value in wide.loc[name, columns]),
            Cell(f"{far[name]:.2f}" if name in far.index else "–"),
        ]
        for name in what.index
    ]
    return to_markdown(["Experiment", "Methods", *map(label, columns), f"From {REAL}"], rows)


def sets_table(study: Study, metric: str = "mi", against: str = "psnr") -> str:
    """Evidence by set of methods, for one metric."""
    table = study.experiments
    mine = table[(table["against"] == against) & (table["metric"] == metric)]
    asked = [*study.evidence, REST]
    mine = mine[mine["experiment"].isin(asked)]
    found = mine.set_index(["experiment", "set"])
    sets = [name for name in SETS if name in set(mine["set"])]
    rows = []
    for experiment in mine["experiment"].unique():
        cells = [Cell(str(experiment))]
        for name in sets:
            if (experiment, name) in found.index:
                row = found.loc[(experiment, name)]
                cells.append(Cell(f"{_signed(row['spearman'])} ({int(row['methods'])})"))
            else:
                cells.append(Cell("–"))
        rows.append(cells)
    return to_markdown(["Evidence", *(SETS[name] for name in sets)], rows)


def definitions_table() -> str:
    """The published metrics, ours, and the values of the same code that ours are tested against."""
    rows = []
    for metric in real_mff.METRICS:
        if not metric.ours:
            rows.append([*map(Cell, (metric.name, "–", "a network; not computed here", "–"))])
            continue
        ours = METRICS[metric.ours]
        columns = ", ".join(f"{origin} {column}" for origin, column in ours.golden_columns)
        tolerance = f"{ours.tolerance:.0e}".replace("e-0", "e-")
        rows.append([Cell(metric.name), Cell(metric.ours), Cell(columns), Cell(tolerance)])
    sets = "; ".join(f"{name}: {text}" for name, text in GOLDEN_SETS.items())
    table = to_markdown(["Published", "Ours", "Tested against", "Tolerance"], rows, left=(0, 1, 2))
    return f"{table}\n\n{sets}."


def _signed(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:+.2f}".replace("-", "−")
