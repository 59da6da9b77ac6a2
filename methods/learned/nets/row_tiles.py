"""Row tiles: layers applied to some rows at a time, so that their results stay in the cache."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def in_row_tiles(
    make: Callable[[int, int], Tensor], x: Tensor, tile: int, halo: int, scale: int = 1
) -> Tensor:
    """Give what ``make(top, stop)`` gives for all rows of `x`, computed in tiles of rows.

    On a CPU the intermediate results of a tile stay in the cache. Training keeps every layer for
    the gradient, and a GPU is faster with much work at once: there all rows are one tile.

    Parameters
    ----------
    make : callable
        Computes the rows from ``top`` to ``stop`` of `x`.
    x : Tensor
        (B, C, H, W).
    tile : int
        Rows of `x` per tile.
    halo : int
        Rows on either side of a tile that take part in its result; theirs are cut off.
    scale : int
        Rows of the result for each row of `x`.
    """
    height = x.shape[2]
    if torch.is_grad_enabled() or x.is_cuda or height <= tile:
        return make(0, height)
    result = torch.empty(0)
    for start in range(0, height, tile):
        end = min(start + tile, height)
        top, stop = max(start - halo, 0), min(end + halo, height)
        part = make(top, stop)[:, :, (start - top) * scale : (end - top) * scale]
        if start == 0:
            shape = (*part.shape[:2], height * scale, part.shape[3])
            layout = torch.channels_last if scale == 1 else torch.contiguous_format
            kind = {"dtype": part.dtype, "device": part.device}
            result = torch.empty(shape, **kind, memory_format=layout)
        result[:, :, start * scale : end * scale] = part
    return result
