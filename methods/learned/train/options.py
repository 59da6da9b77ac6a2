"""What a training is given, and what it reports and returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

Report = Callable[["Progress"], None]

#: How a training ended: as planned; early, because validation stopped improving; or with a network
#: whose units are zero for every input, so that no gradient is left.
FINISHED, EARLY = "finished", "early: validation no longer improves"
DEAD = "dead: no gradient is left; try a lower rate or another seed"

#: Of the recipe's rate, for weights that are trained already, and the least share of the run over
#: which it rises: Adam's moments are not known at first.
GENTLE, SLOW_START = 0.2, 0.05


@dataclass(frozen=True)
class Options:
    """How long, where and from which seed to train.

    Attributes
    ----------
    out : Path
        Folder for the checkpoint.
    device : str
        ``cpu`` or ``cuda``.
    minutes, steps : float, int or None
        Whichever is reached first ends training; the learning rate follows. With `steps`
        alone a run is a function of the seed.
    resume : bool
        Go on from the checkpoint in `out`, if there is one.
    validations : int
        How many, evenly over the run.
    patience : int
        Validations without a better PSNR after which training stops early.
    precision : {'auto', 'bf16', 'fp32'}
        ``auto`` takes bf16 on CUDA and on CPUs that compute in it.
    data : str
        A hash of the photos; a checkpoint of a training on other photos is refused.
    deterministic : bool
        On CUDA, only kernels that always sum in one order: a run by `steps` then has the same
        weights to the last bit on the same device and libraries. Slower.
    batch, rate, crop : int, float, int, optional
        Instead of the recipe's.
    start : Path, optional
        Weights file of the method whose networks are trained further, at `GENTLE` times the
        recipe's rate; by default a training begins with random weights.
    """

    out: Path
    device: str = "cpu"
    minutes: float | None = None
    steps: int | None = None
    seed: int = 0
    resume: bool = False
    validations: int = 40
    patience: int = 12
    precision: str = "auto"
    data: str = ""
    deterministic: bool = False
    batch: int | None = None
    rate: float | None = None
    crop: int | None = None
    start: Path | None = None


@dataclass(frozen=True)
class Progress:
    """Where a training stands, for a progress bar."""

    share: float
    step: int
    loss: float
    psnr: float
    seconds: float


@dataclass
class Result:
    """A trained network, its scores and its history."""

    network: nn.Module
    steps: int
    seconds: float
    psnr: float
    scores: dict[str, float]
    history: list[dict[str, float]] = field(default_factory=list)
    stopped: str = FINISHED
    bf16: bool = False
