"""The validation curve of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


def draw_curve(history: Sequence[Mapping[str, float]], name: str, folder: Path) -> Path | None:
    """Write ``NAME.png``: validation PSNR by kind of pair against step.

    Parameters
    ----------
    history : sequence of mapping
        ``step``, and ``psnr_KIND`` of each kind of pair.
    name : str
        The network.
    folder : Path
        Where the picture goes.

    Returns
    -------
    Path or None
        The picture; None where Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return None
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    for key in history[0]:
        if key.startswith("psnr_"):
            label = f"{key.removeprefix('psnr_')} pairs"
            axes.plot([r["step"] for r in history], [r[key] for r in history], label=label)
    axes.set(xlabel="step", ylabel="validation PSNR / dB", title=name)
    axes.grid(alpha=0.3)
    axes.legend()
    path = folder / f"{name}.png"
    figure.savefig(path, dpi=110)
    return path
