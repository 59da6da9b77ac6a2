"""Batches of crops, cut out of pools on the device that trains.

The batch of a step is a function of (seed, step, rank) alone. A training that was killed goes on
with the batches that it would have had, and each rank has its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bench.core.pixels import LUMINANCE_WEIGHTS
from methods.learned.data.pools import Pool


class Batch(NamedTuple):
    """Crops: float sources and reference in [0, 1], and which source is the sharp one."""

    sources: Tensor  # (B, N, C, H, W)
    reference: Tensor  # (B, C, H, W)
    owner: Tensor  # (B, H, W)


class DevicePool:
    """A pool as tensors on a device; `crops` draws batches from it."""

    def __init__(self, pool: Pool, device: torch.device | str) -> None:
        self.sources, self.reference, self.owner, self.edges = (
            torch.from_numpy(np.asarray(array)).to(device) for array in pool
        )
        self.device = torch.device(device)
        self.colour = self.reference.dim() == 4

    def crops(
        self, count: int, size: int, generator: torch.Generator, *, at_edges: float = 0.5
    ) -> Batch:
        """`count` square crops, a share `at_edges` of them across the boundary of two regions.

        All crops of a batch are turned and mirrored alike, and their sources are in random
        order.
        """
        scenes, sources = self.sources.shape[:2]
        height, width = self.owner.shape[1:]

        def draw(high: int) -> Tensor:
            return torch.randint(high, (count,), generator=generator, device=self.device)

        which = draw(scenes)
        points = self.edges[which, draw(self.edges.shape[1])].long()
        from_edge = torch.arange(count, device=self.device) < round(at_edges * count)
        corner = []
        for axis, extent in enumerate((height, width)):
            near = points[:, axis] - draw(size)
            anywhere = draw(max(extent - size, 0) + 1)
            corner.append(torch.where(from_edge, near, anywhere).clamp(0, max(extent - size, 0)))
        rows = corner[0][:, None] + torch.arange(min(size, height), device=self.device)
        cols = corner[1][:, None] + torch.arange(min(size, width), device=self.device)
        order = torch.rand(count, sources, generator=generator, device=self.device).argsort(dim=1)
        cut = self._sliced if self.device.type == "cpu" else self._indexed
        stack, reference, owner = cut(which, rows, cols, order)
        # Where each pixel's owner went to when the sources were shuffled.
        place = order.argsort(dim=1).gather(1, owner.long().flatten(1)).view_as(owner)
        batch = Batch(self._planes(stack), self._planes(reference), place)
        return _turn(batch, int(torch.randint(8, (1,), generator=_on_cpu(generator)).item()))

    def _indexed(self, which: Tensor, rows: Tensor, cols: Tensor, order: Tensor) -> list[Tensor]:
        """Sources in their new order, reference and owner, at the rows and columns of each crop."""
        at = (which[:, None, None], rows[:, :, None], cols[:, None, :])
        source = (which[:, None, None, None], order[:, :, None, None])
        stack = self.sources[*source, at[1][:, None], at[2][:, None]]
        return [stack, self.reference[at], self.owner[at]]

    def _sliced(self, which: Tensor, rows: Tensor, cols: Tensor, order: Tensor) -> list[Tensor]:
        """The same by slices, for a CPU, where indexing takes several times as long.

        On CUDA reading the corners would wait for the device.
        """
        corners = zip(which.tolist(), rows[:, 0].tolist(), cols[:, 0].tolist(), strict=True)
        height, width = rows.shape[1], cols.shape[1]
        places = [(k, slice(y, y + height), slice(x, x + width)) for k, y, x in corners]
        stacks = [
            torch.stack([self.sources[scene, source, *window] for source in turn])
            for (scene, *window), turn in zip(places, order.tolist(), strict=True)
        ]
        planes = [torch.stack([x[place] for place in places]) for x in (self.reference, self.owner)]
        return [torch.stack(stacks), *planes]

    def scenes(self, first: int, count: int) -> Batch:
        """Whole scenes, as they are."""
        part = slice(first, first + count)
        sources, reference = self._planes(self.sources[part]), self._planes(self.reference[part])
        return Batch(sources, reference, self.owner[part].long())

    def _planes(self, levels: Tensor) -> Tensor:
        """Levels to [0, 1], with the channel axis before H and W."""
        planes = levels.movedim(-1, -3) if self.colour else levels.unsqueeze(-3)
        return planes.float() / torch.iinfo(levels.dtype).max

    def __len__(self) -> int:
        return len(self.reference)


def join(batches: Sequence[Batch]) -> Batch:
    """One batch of several whose crops are of one size and number of sources."""
    if len(batches) == 1:
        return batches[0]
    return Batch(*(torch.cat(parts) for parts in zip(*batches, strict=True)))


def in_pieces(groups: list[tuple[float, Batch]], pixels: int) -> list[list[tuple[float, Batch]]]:
    """Batches with their share of the loss in pieces of about `pixels`, whose shares add up.

    For a CPU: the system clears large blocks of memory anew for every layer, which takes about as
    long as the gradients of a large batch.
    """
    if sum(batch.reference.numel() for _, batch in groups) <= pixels:
        return [groups]
    pieces = []
    for share, batch in groups:
        count = max(1, pixels // batch.reference[0].numel())
        for parts in zip(*(x.split(count) for x in batch), strict=True):
            piece = Batch(*parts)
            pieces.append([(share * len(piece.reference) / len(batch.reference), piece)])
    return pieces


def step_generator(
    seed: int, step: int, rank: int, device: torch.device | str, salt: int = 0
) -> torch.Generator:
    """The generator of one step; equal arguments give equal generators."""
    mixed = np.random.SeedSequence([seed, step, rank, salt]).generate_state(1, np.uint64)[0]
    return torch.Generator(device=device).manual_seed(int(mixed) >> 1)


def with_gray(rgb: Tensor) -> Tensor:
    """The paper's four channels: R, G, B and their luminance, on the axis before H and W."""
    weights = rgb.new_tensor(LUMINANCE_WEIGHTS).view(3, 1, 1)
    return torch.cat([rgb, (rgb * weights).sum(dim=-3, keepdim=True)], dim=-3)


def _on_cpu(generator: torch.Generator) -> torch.Generator:
    return torch.Generator().manual_seed(generator.initial_seed())


def _turn(batch: Batch, how: int) -> Batch:
    """One of the eight symmetries of the square."""

    def turned(x: Tensor) -> Tensor:
        x = x.transpose(-1, -2) if how & 4 else x
        return x.flip([d for d, bit in ((-1, 1), (-2, 2)) if how & bit])

    return Batch(*(turned(x) for x in batch))
