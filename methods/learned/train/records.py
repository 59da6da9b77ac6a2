"""The record of a training: how it was done and what came out, as JSON, and its curve as CSV."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.core.environment import processor
from methods.learned.data.pools import data_hash
from methods.learned.nets.weights import sha256
from methods.learned.train.options import Options, Result
from methods.learned.train.recipes import Recipe, rate_of


def training_record(
    recipe: Recipe,
    result: Result,
    options: Options,
    photos: Mapping[str, Sequence[Path]],
    scenes: int | None = None,
) -> dict[str, Any]:
    """Everything needed to train the same weights again, and what came out.

    Parameters
    ----------
    recipe, result, options
        What was trained, what came of it, and how.
    photos : mapping
        By part of the data.
    scenes : int, optional
        In every pool, where it was not the recipe's number.
    """
    import torch

    cuda = options.device.startswith("cuda")
    return {
        "recipe": recipe.name,
        "phase": recipe.phase,
        "earlier": [] if options.start is None else earlier_phases(recipe, options.start),
        "architecture": recipe.architecture,
        "arguments": dict(recipe.arguments),
        "parameters": sum(p.numel() for p in result.network.parameters()),
        "seed": options.seed,
        "planned": {
            "steps": options.steps,
            "minutes": options.minutes,
            "validations": options.validations,
        },
        "deterministic": options.deterministic,
        "steps": result.steps,
        "batch": options.batch or recipe.batch,
        "crop": options.crop or recipe.crop,
        "optimiser": _optimiser(recipe, options),
        "pools": {
            name: {**asdict(spec), "scenes": scenes or spec.scenes, "share": share}
            for name, (spec, share) in recipe.pools.items()
        },
        "data": {
            part: {"photos": len(files), "sha256": data_hash(files)}
            for part, files in photos.items()
        },
        "validation_psnr": result.psnr,
        "validation_psnr_by_kind": result.scores,
        "stopped": result.stopped,
        "collapses": sum(
            later["rate"] < earlier["rate"] for earlier, later in itertools.pairwise(result.history)
        ),
        "wall_seconds": round(result.seconds, 1),
        "device": torch.cuda.get_device_name() if cuda else processor(),
        "cuda": cuda,
        "threads": torch.get_num_threads(),
        "bf16": result.bf16,
        "torch": torch.__version__,
        "history": result.history,
    }


def earlier_phases(recipe: Recipe, start: Path) -> list[dict[str, Any]]:
    """Records, without their curves, of the trainings that gave the weights to start with.

    The first ones first. The last one has the file's name and hash; of weights whose record does
    not lie beside them, or belongs to other weights, nothing else is known.
    """
    found = {"file": start.name, "sha256": sha256(start)}
    beside = start.with_suffix(".json")
    try:
        whole = json.loads(beside.read_text()) if beside.is_file() else {}
        if whole.get("sha256") != found["sha256"]:
            return [found]
        run = dict(whole["networks"][recipe.part])
    except (ValueError, KeyError, TypeError, AttributeError):
        return [found]
    run.pop("history", None)
    return [*run.pop("earlier", []), run | found]


def _optimiser(recipe: Recipe, options: Options) -> dict[str, Any]:
    return {
        "name": "Adam",
        "betas": [0.9, 0.999],
        "epsilon": 1e-8,
        "rate": rate_of(recipe, options),
        "schedule": "warm-up, then cosine to zero",
        "mean_of_weights": recipe.decay,
        "leap": recipe.clip_ratio if math.isfinite(recipe.clip_ratio) else None,
    }


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write ``NAME.json``, and the validation curve as ``NAME.csv``."""
    name = record["recipe"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    rows = record["history"]
    with (folder / f"{name}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
