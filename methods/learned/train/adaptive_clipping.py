"""Adaptive gradient clipping, which lets a plain regression train at a rate of 1e-3.

Adam divides each gradient by its recent size. Once the error is small, the gradient of one
batch of hard crops is many times that size, and the step it makes can push every unit of a
layer below zero. A network that ends in a ReLU does not recover from that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

#: No gradient is longer than this after clipping.
LONGEST = 1.0

#: Share of a new length in the running mean, which so covers about fifty steps.
PACE = 0.02


class AdaptiveClipping:
    """Clips gradients that are much longer than the running mean of their lengths.

    As Seetharaman et al. 2020 (arXiv:2007.14469), with a running mean in place of their
    percentile. No value leaves the device.

    Parameters
    ----------
    device : torch.device
        Where the gradients are.
    ratio : float
        How many times the running mean a gradient may be long; infinity leaves only `LONGEST`.
    """

    def __init__(self, device: torch.device, ratio: float = math.inf) -> None:
        self.ratio = ratio
        self.mean = torch.zeros((), device=device)

    def __call__(self, parameters: Iterable[nn.Parameter]) -> Tensor:
        """Clip the gradients in place; returns their length before."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        length = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        known = self.mean > 0
        limit = torch.where(known, self.ratio * self.mean, LONGEST).clamp(max=LONGEST)
        torch._foreach_mul_(gradients, (limit / length.clamp_min(1e-12)).clamp(max=1))
        taken = torch.minimum(length, limit)
        self.mean = torch.where(known, self.mean.lerp(taken, PACE), taken)
        return length
