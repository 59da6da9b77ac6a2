"""Train the networks of a method: photos, pools, one trainer per network, weights and records.

Under ``torchrun`` every process calls `train_method`; the first one writes.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch.distributed

from bench.core.devices import available_cores, check_device
from datasets.photo_parts import list_photos, photo_folder
from methods.learned.data.pools import Pool, make_pool, photos_hash
from methods.learned.data.specs import PoolSpec
from methods.learned.nets.weights import FOLDER, Described, load_network, save_weights, sha256
from methods.learned.train.observer import Observer
from methods.learned.train.options import DEAD, Options, Result
from methods.learned.train.recipes import Recipe, recipes_of
from methods.learned.train.records import training_record, write_record
from methods.learned.train.trainer import Trainer, starting_network

#: Validation scenes are drawn from this seed, whatever seed trains.
VALIDATION_SEED = 1_000_003

#: Seconds after which the making of a pool is worth a line.
LONG = 5.0

Photos = Mapping[str, Sequence[Path]]


@dataclass(frozen=True)
class Session:
    """What a training left.

    Attributes
    ----------
    records : dict
        Record of each network, by its name; empty in a process that does not write.
    weights : Path or None
        The method's weights file, once all of its networks are there.
    alive : bool
        Whether every network ended with gradients left.
    """

    records: dict[str, dict[str, Any]]
    weights: Path | None
    alive: bool


def train_method(
    name: str,
    options: Options,
    *,
    phase: str = "first",
    data: Path | None = None,
    scenes: int | None = None,
    observer: Observer | None = None,
) -> Session:
    """Train the networks of a method, and write weights and records into ``options.out``.

    Parameters
    ----------
    name : str
        A learned method (``fcn``), or one network of it (``fcn.gray``).
    options : Options
        `minutes` are those of the whole training.
    phase : {'first', 'wide'}
        See `methods.learned.train.recipes.PHASES`.
    data : Path, optional
        BSDS500 or a folder of photos; ``bsds500`` under ``MFIF_DATA`` unless given.
    scenes : int, optional
        Per pool, instead of the recipe's.
    observer : Observer, optional
        Is told of the progress.

    Raises
    ------
    UnknownName
        There is no such network, or it has no such phase.
    WeightsError
        The weights to start with are not those of the networks.
    EnvironmentFault
        The device is not available, or there are no photos.
    UsageError
        The checkpoint to go on from is of another training.
    """
    recipes = recipes_of(name, phase)
    check_device(options.device)
    if options.start is not None:  # before pools are made, which takes minutes
        for recipe in recipes:
            starting_network(recipe, options.start)
    folder = photo_folder(data)
    photos = {part: list_photos(folder, part) for part in ("train", "val")}
    minutes = options.minutes / len(recipes) if options.minutes else None
    options = replace(options, minutes=minutes, data=photos_hash(photos))
    options.out.mkdir(parents=True, exist_ok=True)
    records, alive = {}, True
    with process_group(options.device) as rank:
        watcher = observer if observer is not None and rank == 0 else Observer()
        for recipe in recipes:
            result = _train(recipe, photos, options, scenes, watcher)
            alive &= result.stopped != DEAD
            if rank == 0:
                record = training_record(recipe, result, options, photos, scenes)
                records[recipe.name] = record
                _write(recipe, result, record, options.out)
        weights = pack(recipes[0].method, options.out) if rank == 0 else None
    return Session(records, weights, alive)


def shipped_weights(name: str) -> Path:
    """The repository's weights file of a method (``fcn``), or of a network's (``fcn.gray``)."""
    return FOLDER / f"{recipes_of(name)[0].method}.safetensors"


def _train(
    recipe: Recipe, photos: Photos, options: Options, scenes: int | None, observer: Observer
) -> Result:
    where = options.out / "pools"
    observer.note(f"{recipe.name}: making pools in {where}")
    pools, validation = make_pools(recipe, photos, where, scenes, note=observer.note)
    trainer = Trainer(recipe, pools, validation, options)
    with observer.progress(recipe.name) as report:
        result = trainer.run(report)
    scores = ", ".join(f"{kind} {psnr:.2f} dB" for kind, psnr in result.scores.items())
    observer.note(f"{recipe.name}: {result.steps} steps, {scores}, {result.stopped}")
    return result


def make_pools(
    recipe: Recipe,
    photos: Photos,
    where: Path,
    scenes: int | None = None,
    note: Callable[[str], None] = lambda line: None,
) -> tuple[dict[str, Pool], dict[str, Pool]]:
    """The pools of a recipe to train on, and those to validate on, by name.

    Parameters
    ----------
    recipe : Recipe
        Says what they hold.
    photos : mapping
        By part of the data.
    where : Path
        Folder for the pools; those that are there already are not made again.
    scenes : int, optional
        In each pool to train on, instead of the recipe's.
    note : callable, optional
        Is told how fast each pool was made.
    """
    shape = next(iter(recipe.pools.values()))[0].shape

    def made(spec: PoolSpec, part: str) -> Pool:
        start = time.perf_counter()
        pool = make_pool(spec, photos[part], where)
        if (seconds := time.perf_counter() - start) > LONG:
            rate = spec.scenes / seconds / available_cores()
            note(f"{spec.kind}: {spec.scenes} scenes, {rate:.1f} per second and core")
        return pool

    train = {
        name: made(replace(spec, scenes=scenes or spec.scenes), "train")
        for name, (spec, _) in recipe.pools.items()
    }
    validation = {
        kind: made(
            PoolSpec(kind, count, VALIDATION_SEED, recipe.colour, shape, augment=False), "val"
        )
        for kind, count in recipe.validation.items()
    }
    return train, validation


def _write(recipe: Recipe, result: Result, record: dict[str, Any], out: Path) -> None:
    described = Described(recipe.architecture, recipe.arguments, result.network)
    save_weights(out / f"{recipe.name}.safetensors", recipe.name, {recipe.part: described})
    write_record(out, record)


def pack(method: str, out: Path) -> Path | None:
    """Put the networks of a method into its one weights file; None until all are trained."""
    recipes = recipes_of(method)
    files = [out / f"{recipe.name}.safetensors" for recipe in recipes]
    if not all(file.exists() for file in files):
        return None
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
    return target


@contextmanager
def process_group(device: str) -> Iterator[int]:
    """Join the processes that ``torchrun`` started, if it did; gives this one's rank."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield 0
        return
    torch.distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield torch.distributed.get_rank()
    finally:
        torch.distributed.destroy_process_group()
