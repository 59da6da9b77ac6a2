"""One trainer for all networks.

Adam (beta 0.9 and 0.999, epsilon 1e-8), a short warm-up and a cosine to zero, bf16 autocast
where the device has it, channels-last memory, a running mean of the weights, validation by
PSNR on whole scenes, a checkpoint at every validation. Under
``torchrun`` the processes share the work through DistributedDataParallel.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from torch import Tensor, nn

from bench.core.devices import check_device
from bench.core.errors import EnvironmentFault, UsageError
from bench.core.precision import PRECISIONS, cpu_has_bf16
from methods.learned.data.batches import Batch, DevicePool, in_pieces, join, step_generator
from methods.learned.data.pools import Pool
from methods.learned.nets.networks import build
from methods.learned.nets.weights import load_network, sha256
from methods.learned.train.adaptive_clipping import AdaptiveClipping
from methods.learned.train.checkpoints import load_checkpoint, save_checkpoint
from methods.learned.train.options import (
    DEAD,
    EARLY,
    FINISHED,
    SLOW_START,
    Options,
    Progress,
    Report,
    Result,
)
from methods.learned.train.recipes import Recipe, rate_of

#: A network that lost this many dB has collapsed and starts again from its best weights.
COLLAPSE = 10.0

#: Pixels of a step that go through the network at once on a CPU.
PIECE = 16 * 192**2


class Trainer:
    """Trains the network of one recipe; `run` does it."""

    def __init__(
        self,
        recipe: Recipe,
        pools: Mapping[str, Pool],
        validation: Mapping[str, Pool],
        options: Options,
    ) -> None:
        if options.minutes is None and options.steps is None:
            raise UsageError("training needs a limit: minutes or steps")
        self.recipe, self.options = recipe, options
        check_device(options.device)
        self.device = torch.device(options.device)
        self.rank, self.world = _ranks()
        if self.device.type == "cuda" and self.world > 1:
            self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        self.bf16 = _wants_bf16(options.precision, self.device)
        if options.deterministic and self.device.type == "cuda":
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True)
        self.pools = {name: DevicePool(pool, self.device) for name, pool in pools.items()}
        self.validation = {n: DevicePool(pool, self.device) for n, pool in validation.items()}
        torch.manual_seed(options.seed)
        self.network = build(recipe.architecture, dict(recipe.arguments)).to(self.device)
        if options.start is not None:
            self.network.load_state_dict(starting_network(recipe, options.start).state_dict())
        self.network.to(memory_format=torch.channels_last)
        self.mean = {name: p.detach().clone() for name, p in self.network.named_parameters()}
        self.rate = rate_of(recipe, options)
        self.warmup = recipe.warmup if options.start is None else max(recipe.warmup, SLOW_START)
        self.adam = torch.optim.Adam(
            self.network.parameters(), lr=self.rate, fused=self.device.type == "cuda"
        )
        self.clip = AdaptiveClipping(self.device, recipe.clip_ratio)
        self.length = torch.ones((), device=self.device)  # of the last gradient
        self.stopped = FINISHED
        self.step = 0
        self.before = 0.0  # seconds spent by the runs that this one goes on from
        self.history: list[dict[str, float]] = []
        self.best = -math.inf
        self.best_weights = self.mean
        self.checkpoint = options.out / f"{recipe.name}.checkpoint.safetensors"
        if options.resume and self.checkpoint.exists():
            load_checkpoint(self)

    def run(self, report: Report | None = None) -> Result:
        """Train to the limit, or until validation has not improved for long enough.

        Parameters
        ----------
        report : callable, optional
            Is called with the progress, at most twice a second.
        """
        model = self._distributed()
        self.started = time.perf_counter()
        told = 0.0
        if self.options.start is not None and not self.history:
            self._validate(self._loss_now(), 0.0)
        running = torch.zeros((), device=self.device)  # sum of losses since the last validation
        since = 0
        while self.stopped == FINISHED and (share := self._share()) < 1:
            running += self._train_step(model, share)
            since += 1
            now = time.perf_counter()
            if report is not None and now - told > 0.5:
                told = now
                loss = float(running) / since
                report(Progress(share, self.step, loss, self._last(), self.seconds()))
            if self._share() * self.options.validations >= self._validated() + 1:
                loss = self._agreed(running) / since
                running.zero_()
                since = 0
                if not math.isfinite(loss):
                    raise EnvironmentFault(
                        f"{self.recipe.name}: the loss is {loss} at step {self.step}; "
                        "try a lower rate"
                    )
                self._validate(loss, share)
        if not self._validated():
            self._validate(float(running) / max(since, 1), 1.0)
        if not math.isfinite(self.best):
            raise EnvironmentFault(
                f"{self.recipe.name}: validation gave {self.history[-1]['psnr']} dB at step "
                f"{self.step}; try a lower rate"
            )
        return self._result()

    def _train_step(self, model: nn.Module, share: float) -> Tensor:
        for group in self.adam.param_groups:
            settled = (self.step + 1) / max(self.recipe.settle, 1)
            group["lr"] = self.rate * min(_schedule(share, self.warmup), settled)
        self.adam.zero_grad(set_to_none=True)
        loss = torch.zeros((), device=self.device)
        for piece in self._pieces():
            of_piece = self._loss(model, piece, share)
            of_piece.backward()
            loss += of_piece.detach()
        self.length = self.clip(self.network.parameters())
        self.adam.step()
        self.step += 1
        keep = min(self.recipe.decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.mean.values()), list(self.network.parameters()), 1 - keep
            )
        return loss

    def _loss(self, model: nn.Module, piece: list[tuple[float, Batch]], share: float) -> Tensor:
        """The share of a step's loss that a piece of its crops has."""
        # What a loss asks for at the beginning alone is for networks that know nothing yet.
        progress = share if self.options.start is None else 1.0
        losses = []
        for part, batch in piece:
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
                losses.append(part * self.recipe.loss(model, batch, progress))
        return torch.stack(losses).sum()

    @torch.no_grad()
    def _loss_now(self) -> float:
        """The loss on the crops of the coming step, without a step."""
        return float(sum(self._loss(self.network, piece, 0.0) for piece in self._pieces()))

    def _pieces(self) -> list[list[tuple[float, Batch]]]:
        """What goes through the network at once: all crops of the step, except on a CPU."""
        groups = self._batches()
        alone = self.device.type == "cpu" and self.world == 1
        return in_pieces(groups, PIECE) if alone else [groups]

    def _batches(self) -> list[tuple[float, Batch]]:
        """Crops of the step with their share of the loss, one batch per number of sources.

        The time of a step is that of starting its many small kernels, so pools with equal
        numbers of sources go through the network together.
        """
        total = (self.options.batch or self.recipe.batch) / self.world
        size = self.options.crop or self.recipe.crop
        groups: dict[int, list[tuple[float, Batch]]] = {}
        for salt, (name, (_, part)) in enumerate(self.recipe.pools.items()):
            generator = step_generator(self.options.seed, self.step, self.rank, self.device, salt)
            batch = self.pools[name].crops(max(1, round(total * part)), size, generator)
            groups.setdefault(batch.sources.shape[1], []).append((part, batch))
        return [
            (sum(part for part, _ in group), join([batch for _, batch in group]))
            for group in groups.values()
        ]

    def _share(self) -> float:
        """Share of the run that is done, the same in all processes."""
        limits = []
        if self.options.steps is not None:
            limits.append(self.step / self.options.steps)
        if self.options.minutes is not None:
            limits.append(self.seconds() / (60 * self.options.minutes))
        share = max(limits)
        if self.world > 1 and self.options.minutes is not None:
            agreed = torch.tensor(share, device=self.device, dtype=torch.float64)
            torch.distributed.broadcast(agreed, 0)
            share = float(agreed)
        return share

    def seconds(self) -> float:
        """Seconds spent training, by this run and those it goes on from."""
        return self.before + time.perf_counter() - self.started

    def _last(self) -> float:
        return self.history[-1]["psnr"] if self.history else math.nan

    def _validated(self) -> int:
        """Number of validations after a step; weights to start with have one before the first."""
        return sum(row["step"] > 0 for row in self.history)

    def _stale(self) -> bool:
        scores = [row["psnr"] for row in self.history if row["step"] > 0]
        if not scores:
            return False
        return len(scores) - 1 - scores.index(max(scores)) >= self.options.patience

    def settings(self) -> dict[str, Any]:
        """What runs must share for one to go on from another's checkpoint."""
        return {
            "recipe": self.recipe.name,
            "phase": self.recipe.phase,
            "start": sha256(self.options.start) if self.options.start else None,
            "arguments": _as_written(self.recipe.arguments),
            "photos": self.options.data,
            "seed": self.options.seed,
            "steps": self.options.steps,
            "batch": self.options.batch or self.recipe.batch,
            "crop": self.options.crop or self.recipe.crop,
            "rate": rate_of(self.recipe, self.options),
            "validations": self.options.validations,
            "bf16": self.bf16,
            "deterministic": self.options.deterministic,
            "processes": self.world,
            "scenes": {name: len(pool) for name, pool in self.pools.items()},
        }

    def _agreed(self, total: Tensor) -> float:
        """Mean of a sum over the processes, so that all of them decide alike."""
        if self.world > 1:
            torch.distributed.all_reduce(total)
        return float(total) / self.world

    def _validate(self, loss: float, share: float) -> None:
        """Score the mean weights on whole scenes; keep the best; write the checkpoint."""
        raw = {name: p.detach().clone() for name, p in self.network.named_parameters()}
        self._use(self.mean)
        scores = {
            name: evaluate(self.network, self.recipe, pool, bf16=self.bf16)
            for name, pool in self.validation.items()
        }
        self._use(raw)
        psnr = sum(scores.values()) / len(scores)
        row = {"step": self.step, "seconds": self.seconds(), "share": share, "loss": loss}
        row |= {"rate": self.rate, "psnr": psnr}
        self.history.append(row | {f"psnr_{k}": v for k, v in scores.items()})
        if psnr > self.best:
            self.best = psnr
            self.best_weights = {name: p.clone() for name, p in self.mean.items()}
        collapsed = not psnr >= self.best - COLLAPSE  # so that NaN counts
        if collapsed:
            self._go_back()
        elif not float(self.length):
            self.stopped = DEAD
        if self.stopped == FINISHED and self._stale():
            self.stopped = EARLY
        if self.rank == 0:
            save_checkpoint(self)

    def _go_back(self) -> None:
        """Start again from the best weights at half the rate."""
        self._use(self.best_weights)
        for name, value in self.mean.items():
            value.copy_(self.best_weights[name])
        self.adam.state.clear()
        self.clip.mean.zero_()
        self.rate /= 2

    def _use(self, weights: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                parameter.copy_(weights[name])

    def _distributed(self) -> nn.Module:
        if self.world == 1:
            return self.network
        ids = [self.device] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(self.network, device_ids=ids)

    def _result(self) -> Result:
        self._use(self.best_weights)
        scores = max(self.history, key=lambda row: row["psnr"])
        return Result(
            self.network.eval(),
            self.step,
            self.seconds(),
            self.best,
            {k.removeprefix("psnr_"): v for k, v in scores.items() if k.startswith("psnr_")},
            self.history,
            self.stopped,
            self.bf16,
        )


def starting_network(recipe: Recipe, start: Path) -> nn.Module:
    """The recipe's network in a weights file.

    Raises
    ------
    WeightsError
        The file is missing or damaged, or it holds other networks.
    """
    needed = (recipe.architecture, _as_written(recipe.arguments))
    return load_network(start, recipe.method, recipe.part, needed=needed)


def _as_written(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as JSON gives them back: tuples are lists."""
    return dict(json.loads(json.dumps(dict(arguments))))


@torch.inference_mode()
def evaluate(
    network: nn.Module, recipe: Recipe, pool: DevicePool, *, bf16: bool = False, batch: int = 5
) -> float:
    """Mean PSNR over the scenes of a pool, of fused images clipped to [0, 1], in dB.

    A squared error below 1e-8 counts as 80 dB, so that one exact image does not decide.
    """
    values: list[Tensor] = []
    for first in range(0, len(pool), batch):
        part = pool.scenes(first, batch)
        with torch.autocast(pool.device.type, torch.bfloat16, enabled=bf16):
            fused = recipe.predict(network, part)
        error = (fused.float().clamp(0, 1) - part.reference).square().flatten(1).mean(dim=1)
        values.append(-10 * torch.log10(error.clamp_min(1e-8)))
    return float(torch.cat(values).mean())


def _schedule(share: float, warmup: float) -> float:
    if share < warmup:
        return max(share / warmup, 0.01)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (share - warmup) / (1 - warmup))))


def _ranks() -> tuple[int, int]:
    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return 0, 1
    return torch.distributed.get_rank(), torch.distributed.get_world_size()


def _wants_bf16(precision: str, device: torch.device) -> bool:
    if precision not in PRECISIONS:
        raise UsageError(f"precision {precision!r} must be one of {', '.join(PRECISIONS)}")
    if precision == "auto":
        return device.type == "cuda" or cpu_has_bf16()
    return precision == "bf16"
