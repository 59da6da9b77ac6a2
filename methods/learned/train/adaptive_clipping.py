"""Gradients kept from leaping: what lets a plain regression train at a rate of 1e-3.

Adam divides each gradient by the size that it has had of late. Once the error is small, one
batch of hard crops is many times that size, and the step it makes can push every unit of a
layer below zero, from where a network that ends in a ReLU never comes back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

#: No gradient is longer.
LONGEST = 1.0

#: How fast "usual" follows: over about fifty steps.
PACE = 0.02


class Steady:
    """Shortens gradients that are much longer than the running mean of their lengths.

    In the manner of Seetharaman et al. 2020 (arXiv:2007.14469),
    with a running mean for their percentile. No value leaves the device.

    Parameters
    ----------
    device : torch.device
        Where the gradients are.
    leap : float
        How many times as long as usual a gradient may be; infinity leaves only `LONGEST`.
    """

    def __init__(self, device: torch.device, leap: float = math.inf) -> None:
        self.leap = leap
        self.usual = torch.zeros((), device=device)

    def __call__(self, parameters: Iterable[nn.Parameter]) -> Tensor:
        """Shorten the gradients in place; returns the length they had."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        length = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        known = self.usual > 0
        limit = torch.where(known, self.leap * self.usual, LONGEST).clamp(max=LONGEST)
        torch._foreach_mul_(gradients, (limit / length.clamp_min(1e-12)).clamp(max=1))
        taken = torch.minimum(length, limit)
        self.usual = torch.where(known, self.usual.lerp(taken, PACE), taken)
        return length
