"""Train variants of the FCN and draw their curves (the paper's Fig. 5).

for example:
  python -m bench ablate --data photos --quick
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.cli import console
from bench.core.errors import EnvironmentFault


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="BSDS500, or a folder of photos (default: bsds500 in $MFIF_DATA)",
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    parser.add_argument(
        "--steps", type=int, help="steps per network (default: 3000, with --quick 60)"
    )
    parser.add_argument(
        "--batch", type=int, default=32, help="patches per step (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: %(default)s)")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("results/ablation"),
        metavar="DIR",
        help="folder for curves and figure (default: %(default)s)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue from the last checkpoint, with the same options",
    )
    parser.add_argument("--quick", action="store_true", help="few steps and scenes, for a trial")


def run(args: argparse.Namespace) -> int:
    """Train every variant, then write curves and figure; returns the exit code."""
    from bench.cli.training_progress import TrainingProgress
    from methods.learned.train.ablation import Budget, ablate

    budget = Budget(
        out=args.out,
        device=args.device,
        steps=args.steps,
        batch=args.batch,
        seed=args.seed,
        resume=args.resume,
        quick=args.quick,
    )
    ablation = ablate(budget, data=args.data, observer=TrainingProgress())
    draw(ablation.rows, args.out / "ablation.png")
    console.emit(str(ablation.curves))
    return 0 if ablation.alive else 1


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """The four panels as PNG and PDF: validation PSNR against step; needs the ``plots`` extra."""
    from reports.figures.drawing import save, stem, style
    from reports.figures.network_figures import curves_figure

    try:
        with style():
            save(curves_figure(rows), stem(path))
    except EnvironmentFault as error:
        console.note(f"ablate: no figure: {error}")
