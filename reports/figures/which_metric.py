"""The agreement of metrics with PSNR on each kind of evidence, as a figure."""

from __future__ import annotations

from pathlib import Path

from reports.data.which_metric import Study, lowest
from reports.figures.drawing import COLOURS, MARKERS, WIDTH, save, style
from reports.tables.which_metric import label

#: Inches for each metric.
ROW = 0.27


def write_agreement_figure(study: Study, stem: Path, against: str = "psnr") -> list[Path]:
    """Draw the agreement with intervals: one row a metric, one mark for each piece of evidence.

    Parameters
    ----------
    study : Study
        Its agreement.
    stem : Path
        Path without an ending; ``.png`` and ``.pdf`` are written.
    against : str
        The metric against the reference.

    Raises
    ------
    EnvironmentFault
        Matplotlib is not installed.
    """
    metrics = [str(name) for name in lowest(study, against).index][::-1]
    table = study.agreement
    mine = table[(table["against"] == against) & (table["family"] == "all")]
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(WIDTH, 1.1 + ROW * len(metrics)), layout="constrained")
        axes = figure.add_subplot()
        axes.axvline(0, color="#9aa5b1", linewidth=0.8)
        many = len(study.evidence)
        for k, name in enumerate(study.evidence):
            part = mine[mine["evidence"] == name].set_index("metric").reindex(metrics)
            heights = [row + 0.6 * ((many - 1) / 2 - k) / many for row in range(len(metrics))]
            spread = [
                part["spearman"] - part["spearman_low"].fillna(part["spearman"]),
                part["spearman_high"].fillna(part["spearman"]) - part["spearman"],
            ]
            axes.errorbar(
                part["spearman"], heights, xerr=spread, linestyle="none", markersize=3.5,
                color=COLOURS[k % len(COLOURS)], marker=MARKERS[k % len(MARKERS)], linewidth=1,
                label=f"{name} ({study.evidence[name]})",
            )  # fmt: skip
        axes.set_yticks(range(len(metrics)), [label(name) for name in metrics])
        axes.set_ylim(-0.7, len(metrics) - 0.3)
        axes.set_xlabel(f"mean rank correlation with {label(against)} over scenes")
        axes.grid(axis="y", color="#e8ebee", linewidth=5, zorder=0)
        axes.set_axisbelow(True)
        figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=7)
        return save(figure, stem)
