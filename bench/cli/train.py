"""Train the weights of a learned method from a folder of photos.

for example:
  python -m bench train fcn-s --data photos --minutes 30
  python -m bench train fcn-s --phase wide --from-weights --steps 2000
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from bench.cli import console
from bench.core.errors import UsageError
from bench.core.precision import PRECISIONS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", help="a learned method (fcn) or one network of it (fcn.gray)")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="BSDS500, or a folder of photos (default: bsds500 in $MFIF_DATA)",
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    parser.add_argument("--minutes", type=float, help="minutes of training (default: 30)")
    parser.add_argument("--steps", type=int, help="steps of training, instead of --minutes")
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: %(default)s)")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("results/train"),
        metavar="DIR",
        help="folder for weights, records and curves (default: %(default)s)",
    )
    parser.add_argument(
        "--phase",
        choices=("first", "wide"),
        default="first",
        help="which training of the network: wide has more defocus, and stacks (default: first)",
    )
    parser.add_argument(
        "--from-weights",
        type=Path,
        nargs="?",
        const=True,
        metavar="FILE",
        help="train these weights further, at a lower rate (without FILE: the shipped ones)",
    )
    parser.add_argument("--resume", action="store_true", help="continue from the last checkpoint")
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="number format of the training (default: %(default)s)",
    )
    parser.add_argument(
        "--deterministic", action="store_true", help="on CUDA: the same bits every time; slower"
    )
    parser.add_argument("--batch", type=int, help="crops per step, instead of the recipe's")
    parser.add_argument("--rate", type=float, help="learning rate, instead of the recipe's")
    parser.add_argument("--scenes", type=int, help="scenes per pool, instead of the recipe's")
    parser.add_argument(
        "--validations", type=int, default=40, help="number of validations (default: %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Train, then write weights, records and curves under ``--out``; returns the exit code."""
    from bench.cli.training_progress import TrainingProgress
    from methods.learned.train.options import Options
    from methods.learned.train.session import shipped_weights, train_method
    from reports.figures.training_curve import draw_curve

    for name in ("minutes", "steps", "batch", "rate", "scenes", "validations"):
        value = getattr(args, name)
        if value is not None and not 0 < value < math.inf:
            raise UsageError(f"--{name} must be positive, got {value}")
    if args.seed < 0:
        raise UsageError(f"--seed must be 0 or more, got {args.seed}")
    options = Options(
        out=args.out,
        device=args.device,
        minutes=args.minutes if args.minutes or args.steps else 30.0,
        steps=args.steps,
        seed=args.seed,
        resume=args.resume,
        precision=args.precision,
        deterministic=args.deterministic,
        batch=args.batch,
        rate=args.rate,
        validations=args.validations,
        start=shipped_weights(args.name) if args.from_weights is True else args.from_weights,
    )
    session = train_method(
        args.name,
        options,
        phase=args.phase,
        data=args.data,
        scenes=args.scenes,
        observer=TrainingProgress(),
    )
    for name, record in session.records.items():
        draw_curve(record["history"], name, args.out)
    if session.weights is not None:
        console.emit(str(session.weights))
    return 0 if session.alive else 1
