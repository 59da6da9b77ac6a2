"""``python -m bench train``: train the weights of a learned method from a folder of photos."""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli import console
from bench.core.errors import DataUnavailable, UsageError
from bench.core.precision import PRECISIONS

if TYPE_CHECKING:
    from methods.learned.train.recipes import Recipe
    from methods.learned.train.trainer import Options, Progress

#: Validation scenes are drawn from this seed, whatever seed trains.
VALIDATION_SEED = 1_000_003


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", help="a learned method (fcn) or one network of it (fcn.gray)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="BSDS500, or a folder of photos")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    parser.add_argument("--minutes", type=float, help="training time (default: 30)")
    parser.add_argument("--steps", type=int, help="train this many steps instead")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("results/train"), metavar="DIR")
    parser.add_argument("--resume", action="store_true", help="go on after a kill")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    parser.add_argument(
        "--deterministic", action="store_true", help="on CUDA: the same bits every time; slower"
    )
    parser.add_argument("--batch", type=int, help="crops per step, instead of the recipe's")
    parser.add_argument("--rate", type=float, help="learning rate, instead of the recipe's")
    parser.add_argument("--scenes", type=int, help="scenes per pool, instead of the recipe's")
    parser.add_argument("--validations", type=int, default=40, help="how many (default: 40)")


def run(args: argparse.Namespace) -> int:
    """Train, then write weights and records under ``--out``; returns the exit code."""
    from methods.learned.inference.devices import resolve_device
    from methods.learned.train.recipes import recipes_of
    from methods.learned.train.trainer import Options

    for name in ("minutes", "steps", "batch", "rate", "scenes", "validations"):
        value = getattr(args, name)
        if value is not None and not 0 < value < math.inf:
            raise UsageError(f"--{name} must be positive, got {value}")
    if args.seed < 0:
        raise UsageError(f"--seed must be 0 or more, got {args.seed}")
    recipes = recipes_of(args.name)
    resolve_device(args.device)
    minutes = args.minutes if args.minutes or args.steps else 30.0
    options = Options(
        out=args.out,
        device=args.device,
        minutes=minutes / len(recipes) if minutes else None,
        steps=args.steps,
        seed=args.seed,
        resume=args.resume,
        precision=args.precision,
        deterministic=args.deterministic,
        batch=args.batch,
        rate=args.rate,
        validations=args.validations,
    )
    folder = data_folder(args.data)
    args.out.mkdir(parents=True, exist_ok=True)
    with _process_group(args.device) as rank:
        chief = rank == 0
        alive = [_train(recipe, folder, options, args.scenes, chief=chief) for recipe in recipes]
        if chief:
            _pack(recipes[0].method, args.out)
    return 0 if all(alive) else 1


def data_folder(given: Path | None) -> Path:
    """The training photos: the given folder, or ``bsds500`` under ``MFIF_DATA``.

    Raises
    ------
    DataUnavailable
        There is no such folder.
    """
    if given is None:
        root = os.environ.get("MFIF_DATA")
        if not root:
            raise DataUnavailable("no photos to train on: give --data DIR or set MFIF_DATA")
        given = Path(root) / "bsds500"
    if not given.is_dir():
        raise DataUnavailable(f"{given}: no such folder of photos")
    return given


def _train(
    recipe: Recipe, folder: Path, options: Options, scenes: int | None, *, chief: bool
) -> bool:
    """Train one network, write its weights and record; whether it is of any use."""
    from dataclasses import replace

    from methods.learned.data.pools import list_photos, make_pool, photos_hash
    from methods.learned.data.specs import PoolSpec
    from methods.learned.nets.weights import Described, save_weights
    from methods.learned.train.records import training_record, write_record
    from methods.learned.train.trainer import DEAD, Trainer

    photos = {part: list_photos(folder, part) for part in ("train", "val")}
    options = replace(options, data=photos_hash(photos))
    where = options.out / "pools"
    shape = next(iter(recipe.pools.values()))[0].shape
    console.note(f"{recipe.name}: making pools in {where}")
    pools = {
        name: make_pool(replace(spec, scenes=scenes or spec.scenes), photos["train"], where)
        for name, (spec, _) in recipe.pools.items()
    }
    validation = {
        kind: make_pool(
            PoolSpec(kind, count, VALIDATION_SEED, recipe.colour, shape, augment=False),
            photos["val"],
            where,
        )
        for kind, count in recipe.validation.items()
    }
    trainer = Trainer(recipe, pools, validation, options)
    with progress(recipe.name, quiet=not chief) as report:
        result = trainer.run(report)
    alive = result.stopped != DEAD
    if not chief:
        return alive
    described = Described(recipe.architecture, recipe.arguments, result.network)
    save_weights(options.out / f"{recipe.name}.safetensors", recipe.name, {recipe.part: described})
    write_record(options.out, training_record(recipe, result, options, photos, scenes))
    scores = ", ".join(f"{kind} {psnr:.2f} dB" for kind, psnr in result.scores.items())
    console.note(f"{recipe.name}: {result.steps} steps, {scores}, {result.stopped}")
    return alive


def _pack(method: str, out: Path) -> None:
    """Put the networks of a method, once all are trained, into its one weights file."""
    from methods.learned.nets.weights import Described, load_network, save_weights, sha256
    from methods.learned.train.recipes import recipes_of

    recipes = recipes_of(method)
    files = [out / f"{recipe.name}.safetensors" for recipe in recipes]
    if not all(file.exists() for file in files):
        return
    networks = {
        recipe.part: Described(
            recipe.architecture, recipe.arguments, load_network(file, recipe.name, recipe.part)
        )
        for recipe, file in zip(recipes, files, strict=True)
    }
    target = out / f"{method}.safetensors"
    save_weights(target, method, networks)
    records = {r.part: json.loads((out / f"{r.name}.json").read_text()) for r in recipes}
    whole = {"method": method, "sha256": sha256(target), "networks": records}
    (out / f"{method}.json").write_text(json.dumps(whole, indent=1) + "\n")
    console.emit(str(target))


@contextmanager
def _process_group(device: str) -> Iterator[int]:
    """Join the processes that ``torchrun`` started, if it did; gives this one's rank."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield 0
        return
    import torch.distributed as distributed

    distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield distributed.get_rank()
    finally:
        distributed.destroy_process_group()


@contextmanager
def progress(name: str, *, quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """A progress bar with the validation PSNR and the time left, on standard error."""
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[text]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar:
        task = bar.add_task(name, total=1.0, text="")

        def report(state: Progress) -> None:
            text = f"step {state.step}  loss {state.loss:.4f}  PSNR {state.psnr:.2f} dB"
            bar.update(task, completed=state.share, text=text)

        yield report
        bar.update(task, completed=1.0)
