"""Row tiles: layers applied to some rows at a time, so that their results stay in the cache."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def in_row_tiles(make: Callable[[int, int], Tensor], like: Tensor, tile: int, halo: int) -> Tensor:
    """`groups_in_row_tiles` for a single result of as many rows."""
    (result,) = groups_in_row_tiles(lambda top, stop: [make(top, stop)], like, tile, halo)
    return result


def groups_in_row_tiles(
    make: Callable[[int, int], list[Tensor]],
    like: Tensor,
    tile: int,
    halo: int = 0,
    scale: float = 1,
) -> list[Tensor]:
    """Give what ``make(top, stop)`` gives for all rows of `like`, computed in tiles of rows.

    On a CPU the intermediate results of a tile stay in the cache. Training keeps every layer for
    the gradient, and a GPU is faster with much work at once: there all rows are one tile.

    Parameters
    ----------
    make : callable
        Computes the rows from ``top`` to ``stop`` of some results.
    like : Tensor
        (B, C, H, W), which gives the number of rows and the device.
    tile : int
        Rows of `like` per tile.
    halo : int
        Rows on either side of a tile that take part in its result; theirs are cut off.
    scale : float
        Rows of the results for each row of `like`; with 1/2, `tile` and `halo` are even.
    """
    height = like.shape[2]
    if torch.is_grad_enabled() or like.is_cuda or height <= tile:
        return make(0, height)
    results: list[Tensor] = []
    for start in range(0, height, tile):
        end = min(start + tile, height)
        top, stop = max(start - halo, 0), min(end + halo, height)
        parts = make(top, stop)
        if start == 0:
            results = [_room(part, int(height * scale), scale) for part in parts]
        rows = slice(int(start * scale), int(end * scale))
        inner = slice(int((start - top) * scale), int((end - top) * scale))
        for result, part in zip(results, parts, strict=True):
            result[:, :, rows] = part[:, :, inner]
    return results


def _room(part: Tensor, height: int, scale: float) -> Tensor:
    shape = (*part.shape[:2], height, part.shape[3])
    layout = torch.channels_last if scale <= 1 else torch.contiguous_format
    return torch.empty(shape, dtype=part.dtype, device=part.device, memory_format=layout)
