"""``python -m bench ablate``: the network analysis of the FCN (the paper's Fig. 5)."""

from __future__ import annotations

import argparse
import csv
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cli import console
from bench.core.errors import EnvironmentFault, UsageError

if TYPE_CHECKING:
    from methods.learned.train.recipes import Recipe
    from methods.learned.train.trainer import Result

#: The four panels: what is varied, and to which values; each includes the paper's choice.
PANELS: dict[str, dict[str, dict[str, Any]]] = {
    "filters": {str(f): {"filters": f} for f in (32, 64, 128)},
    "filter size": {f"{k} x {k}": {"size": k} for k in (3, 5, 9)},
    "depth": {"2-1-2": {"depth": (2, 1, 2)}, "3-1-3": {"depth": (3, 1, 3)}},
    "patch": {f"{n} x {n}": {"crop": n} for n in (25, 50, 100)},
}

STEPS, QUICK_STEPS = 3000, 60
SCENES, QUICK_SCENES = 4000, 40

#: Where the networks of an unfinished analysis are kept.
CHECKPOINTS = ".ablation-unfinished"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="BSDS500, or a folder of photos")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    parser.add_argument("--steps", type=int, help=f"per network (default: {STEPS})")
    parser.add_argument("--batch", type=int, default=32, help="patches (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("results/ablation"), metavar="DIR")
    parser.add_argument(
        "--resume", action="store_true", help="go on after a kill, with the same options"
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK_STEPS} steps, to see that it runs"
    )


def run(args: argparse.Namespace) -> int:
    """Train every variant, then write curves and figure; returns the exit code."""
    from bench.cli.train import data_folder
    from methods.learned.inference.devices import resolve_device
    from methods.learned.train.trainer import DEAD

    steps = args.steps or (QUICK_STEPS if args.quick else STEPS)
    if steps < 1 or args.batch < 1:
        raise UsageError("--steps and --batch must be positive")
    device = resolve_device(args.device)
    folder = data_folder(args.data)
    args.out.mkdir(parents=True, exist_ok=True)
    results: dict[str, Result] = {}
    rows: list[dict[str, Any]] = []
    if not args.resume and (args.out / CHECKPOINTS).exists():
        shutil.rmtree(args.out / CHECKPOINTS)
    pools = _pools(folder, args.out, quick=args.quick)
    for panel, variants in PANELS.items():
        for label, change in variants.items():
            key = json.dumps(_whole(change), sort_keys=True)
            if key not in results:
                results[key] = _train(f"{panel} {label}", change, pools, args, steps)
            rows += [
                {"panel": panel, "variant": label, "step": row["step"], "psnr": row["psnr"]}
                for row in results[key].history
            ]
    budget = {
        "steps": steps,
        "batch": args.batch,
        "seed": args.seed,
        "rate": 1e-3,
        "scenes": len(pools[0].truth),
        "device": _device_name(device),
        "bf16": any(result.bf16 for result in results.values()),
        "torch": _torch_version(),
        "validation": "region pairs of photos outside the training set, mean PSNR in dB",
        "networks": {
            key: {"seconds": round(r.seconds, 1), "psnr": round(r.psnr, 3)}
            for key, r in results.items()
        },
    }
    (args.out / "ablation.json").write_text(json.dumps(budget, indent=1) + "\n")
    with (args.out / "ablation.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    draw(rows, args.out / "ablation.png")
    shutil.rmtree(args.out / CHECKPOINTS)
    console.emit(str(args.out / "ablation.csv"))
    return 1 if any(result.stopped == DEAD for result in results.values()) else 0


def _whole(change: Mapping[str, Any]) -> dict[str, Any]:
    """All four settings, so that the paper's own network is trained once for four panels."""
    return {"filters": 64, "size": 5, "depth": (2, 1, 2), "crop": 50, **change}


def _pools(folder: Path, out: Path, *, quick: bool) -> tuple[Any, Any, str]:
    """Pools to train on and to validate on, and what tells their photos from others."""
    from bench.cli.train import VALIDATION_SEED
    from methods.learned.data.pools import list_photos, make_pool, photos_hash
    from methods.learned.data.specs import PoolSpec

    photos = {part: list_photos(folder, part) for part in ("train", "val")}
    train = PoolSpec("region", QUICK_SCENES if quick else SCENES)
    val = PoolSpec("region", 4 if quick else 20, VALIDATION_SEED, augment=False)
    where = out / "pools"
    return (
        make_pool(train, photos["train"], where),
        make_pool(val, photos["val"], where),
        photos_hash(photos),
    )


def _train(
    name: str,
    change: Mapping[str, Any],
    pools: tuple[Any, Any, str],
    args: argparse.Namespace,
    steps: int,
) -> Result:
    from dataclasses import replace

    from bench.cli.train import progress
    from methods.learned.train.recipes import RECIPES
    from methods.learned.train.trainer import DEAD, Options, Trainer

    settings = _whole(change)
    crop = settings.pop("crop")
    recipe: Recipe = replace(RECIPES["fcn.gray"], arguments=settings)
    out = args.out / CHECKPOINTS / re.sub(r"\W+", "-", name)
    out.mkdir(parents=True, exist_ok=True)
    options = Options(
        out=out,
        device=args.device,
        steps=steps,
        seed=args.seed,
        resume=args.resume,
        data=pools[2],
        batch=args.batch,
        crop=crop,
        validations=20,
        patience=20,
    )
    trainer = Trainer(recipe, {"region": pools[0]}, {"region": pools[1]}, options)
    with progress(name, quiet=False) as report:
        result = trainer.run(report)
    if result.stopped == DEAD:
        console.note(f"ablate: {name}: {DEAD}")
    return result


def _torch_version() -> str:
    import torch

    return torch.__version__


def _device_name(device: Any) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """The four panels as PNG and PDF: validation PSNR against step; needs the ``plots`` extra."""
    from reports.figures.drawing import save, stem, style
    from reports.figures.network_figures import curves_figure

    try:
        with style():
            save(curves_figure(rows), stem(path))
    except EnvironmentFault as error:
        console.note(f"ablate: no figure: {error}")
