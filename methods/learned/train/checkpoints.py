"""Checkpoints of a running training, as safetensors: loading one executes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from bench.core.errors import UsageError
from bench.core.files import write_bytes

if TYPE_CHECKING:
    from methods.learned.train.trainer import Trainer


def save_checkpoint(trainer: Trainer) -> None:
    """Write weights, their running mean, the best ones and Adam's moments; whole or not at all."""
    tensors = {}
    for name, parameter in trainer.network.named_parameters():
        tensors[f"raw/{name}"] = parameter.detach()
        tensors[f"mean/{name}"] = trainer.mean[name]
        tensors[f"best/{name}"] = trainer.best_weights[name]
        for key, value in trainer.adam.state.get(parameter, {}).items():
            tensors[f"{key}/{name}"] = torch.as_tensor(value)
    tensors["usual"] = trainer.clip.mean
    plain = {key: value.cpu().contiguous().clone() for key, value in tensors.items()}
    state = {
        "settings": trainer.settings(),
        "step": trainer.step,
        "seconds": trainer.seconds(),
        "best": trainer.best,
        "rate": trainer.rate,
        "stopped": trainer.stopped,
        "history": trainer.history,
    }
    write_bytes(trainer.checkpoint, save(plain, {"state": json.dumps(state)}))


def load_checkpoint(trainer: Trainer) -> None:
    """Put a trainer where the checkpoint's run was.

    Raises
    ------
    UsageError
        The file is damaged, or its run had other settings (`Trainer.settings`).
    """
    path = trainer.checkpoint
    try:
        with safe_open(str(path), framework="pt", device=str(trainer.device)) as file:
            state = json.loads(file.metadata()["state"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise UsageError(f"{path}: not a whole checkpoint ({error})") from None
    mine = trainer.settings()
    if "usual" not in tensors or state.get("settings", {}).keys() != mine.keys():
        raise UsageError(f"{path}: a checkpoint of an earlier version; train without --resume")
    for key, value in mine.items():
        if (its := state["settings"][key]) != value:
            said = f"are {its}, not {value}" if key == "photos" else f"is {its!r}, not {value!r}"
            raise UsageError(f"{path}: its {key} {said}")
    trainer.clip.mean, trainer.rate = tensors["usual"], state["rate"]
    trainer.best_weights = {}
    with torch.no_grad():
        for name, parameter in trainer.network.named_parameters():
            parameter.copy_(tensors[f"raw/{name}"])
            trainer.mean[name].copy_(tensors[f"mean/{name}"])
            trainer.best_weights[name] = tensors[f"best/{name}"]
            keys = [key for key in ("step", "exp_avg", "exp_avg_sq") if f"{key}/{name}" in tensors]
            trainer.adam.state[parameter] = {
                key: _like(tensors[f"{key}/{name}"], parameter, key) for key in keys
            }
    trainer.step, trainer.before = state["step"], state["seconds"]
    trainer.stopped = state["stopped"]
    trainer.best, trainer.history = state["best"], state["history"]


def _like(value: torch.Tensor, parameter: torch.Tensor, key: str) -> torch.Tensor:
    """Adam's moments share their weight's memory format, or sums would round otherwise."""
    if key == "step":
        return value
    result = torch.empty_like(parameter, memory_format=torch.preserve_format)
    return result.copy_(value)
