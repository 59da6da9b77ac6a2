"""The network analysis of the FCN (the paper's Fig. 5): variants of it, trained alike."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from bench.core.devices import check_device
from bench.core.errors import UsageError
from datasets.photo_parts import list_photos, photo_folder
from methods.learned.data.pools import Pool, make_pool, photos_hash
from methods.learned.data.specs import PoolSpec
from methods.learned.train.observer import Observer
from methods.learned.train.options import DEAD, Options, Result
from methods.learned.train.recipes import RECIPES
from methods.learned.train.session import VALIDATION_SEED
from methods.learned.train.trainer import Trainer

#: The four panels: what is varied, and to which values; each includes the paper's choice.
PANELS: dict[str, dict[str, dict[str, Any]]] = {
    "filters": {str(f): {"filters": f} for f in (32, 64, 128)},
    "filter size": {f"{k} x {k}": {"size": k} for k in (3, 5, 9)},
    "depth": {"2-1-2": {"depth": (2, 1, 2)}, "3-1-3": {"depth": (3, 1, 3)}},
    "patch": {f"{n} x {n}": {"crop": n} for n in (25, 50, 100)},
}

#: The paper's choice.
OWN: dict[str, Any] = {"filters": 64, "size": 5, "depth": (2, 1, 2), "crop": 50}

#: Steps per network, and scenes to train and to validate on.
STEPS, SCENES, VALIDATION = 3000, 4000, 20
#: The same with `Budget.quick`.
QUICK_STEPS, QUICK_SCENES, QUICK_VALIDATION = 60, 40, 4

#: Folder of the checkpoints of an unfinished analysis.
CHECKPOINTS = ".ablation-unfinished"


@dataclass(frozen=True)
class Budget:
    """How and where an analysis trains.

    Attributes
    ----------
    out : Path
        Folder for curves, numbers and checkpoints.
    device : str
        ``cpu`` or ``cuda``.
    steps : int, optional
        Per network; `STEPS`, or `QUICK_STEPS` with `quick`.
    batch, seed : int
        Patches per step, and what the weights and patches are drawn from.
    resume : bool
        Go on from the checkpoints of a killed analysis.
    quick : bool
        Few steps and scenes, to see that it runs.
    """

    out: Path
    device: str = "cpu"
    steps: int | None = None
    batch: int = 32
    seed: int = 0
    resume: bool = False
    quick: bool = False

    @property
    def steps_each(self) -> int:
        """Steps per network."""
        return self.steps if self.steps is not None else QUICK_STEPS if self.quick else STEPS


@dataclass(frozen=True)
class Ablation:
    """What an analysis gave.

    Attributes
    ----------
    rows : list of dict
        ``panel``, ``variant``, ``step``, ``psnr``.
    curves : Path
        The same as CSV.
    alive : bool
        Whether every network ended with gradients left.
    """

    rows: list[dict[str, Any]]
    curves: Path
    alive: bool


@dataclass(frozen=True)
class _Pools:
    train: Pool
    validation: Pool
    photos: str  # their hash


def ablate(
    budget: Budget, *, data: Path | None = None, observer: Observer | None = None
) -> Ablation:
    """Train every variant, then write ``ablation.csv`` and ``ablation.json``.

    Parameters
    ----------
    budget : Budget
        How long, where and from which seed to train.
    data : Path, optional
        BSDS500 or a folder of photos; ``bsds500`` under ``MFIF_DATA`` unless given.
    observer : Observer, optional
        Is told of the progress.

    Raises
    ------
    UsageError
        Steps or batch are not positive, or a checkpoint is of other settings.
    EnvironmentFault
        The device is not available, or there are no photos.
    """
    for name, value in (("steps", budget.steps_each), ("batch", budget.batch)):
        if value < 1:
            raise UsageError(f"{name} must be positive, got {value}")
    check_device(budget.device)
    folder = photo_folder(data)
    budget.out.mkdir(parents=True, exist_ok=True)
    checkpoints = budget.out / CHECKPOINTS
    if not budget.resume and checkpoints.exists():
        shutil.rmtree(checkpoints)
    pools = _pools(folder, budget)
    results: dict[str, Result] = {}
    rows: list[dict[str, Any]] = []
    for panel, variants in PANELS.items():
        for label, change in variants.items():
            settings = {**OWN, **change}
            key = json.dumps(settings, sort_keys=True)
            if key not in results:  # the paper's own network is in all panels
                results[key] = _train(
                    f"{panel} {label}", settings, pools, budget, observer or Observer()
                )
            rows += [
                {"panel": panel, "variant": label, "step": row["step"], "psnr": row["psnr"]}
                for row in results[key].history
            ]
    curves = _write(rows, _summary(results, pools, budget), budget.out)
    shutil.rmtree(checkpoints)
    return Ablation(rows, curves, all(result.stopped != DEAD for result in results.values()))


def _pools(folder: Path, budget: Budget) -> _Pools:
    photos = {part: list_photos(folder, part) for part in ("train", "val")}
    train = PoolSpec("region", QUICK_SCENES if budget.quick else SCENES)
    count = QUICK_VALIDATION if budget.quick else VALIDATION
    validation = PoolSpec("region", count, VALIDATION_SEED, augment=False)
    where = budget.out / "pools"
    return _Pools(
        make_pool(train, photos["train"], where),
        make_pool(validation, photos["val"], where),
        photos_hash(photos),
    )


def _train(
    name: str, settings: Mapping[str, Any], pools: _Pools, budget: Budget, observer: Observer
) -> Result:
    arguments = dict(settings)
    crop = arguments.pop("crop")
    recipe = replace(RECIPES["fcn.gray"], arguments=arguments)
    out = budget.out / CHECKPOINTS / re.sub(r"\W+", "-", name)
    out.mkdir(parents=True, exist_ok=True)
    options = Options(
        out=out,
        device=budget.device,
        steps=budget.steps_each,
        seed=budget.seed,
        resume=budget.resume,
        data=pools.photos,
        batch=budget.batch,
        crop=crop,
        validations=20,
        patience=20,
    )
    trainer = Trainer(recipe, {"region": pools.train}, {"region": pools.validation}, options)
    with observer.progress(name) as report:
        result = trainer.run(report)
    if result.stopped == DEAD:
        observer.note(f"ablate: {name}: {DEAD}")
    return result


def _summary(results: Mapping[str, Result], pools: _Pools, budget: Budget) -> dict[str, Any]:
    """How the networks were trained, and what each came to."""
    device = torch.device(budget.device)
    return {
        "steps": budget.steps_each,
        "batch": budget.batch,
        "seed": budget.seed,
        "rate": 1e-3,
        "scenes": len(pools.train.reference),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "bf16": any(result.bf16 for result in results.values()),
        "torch": torch.__version__,
        "validation": "region pairs of photos outside the training set, mean PSNR in dB",
        "networks": {
            key: {"seconds": round(r.seconds, 1), "psnr": round(r.psnr, 3)}
            for key, r in results.items()
        },
    }


def _write(rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any], out: Path) -> Path:
    (out / "ablation.json").write_text(json.dumps(summary, indent=1) + "\n")
    curves = out / "ablation.csv"
    with curves.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return curves
