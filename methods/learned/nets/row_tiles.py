"""Layers applied to some rows at a time, so that what lies between them stays in the cache."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def in_bands(
    make: Callable[[int, int], Tensor], x: Tensor, band: int, halo: int, scale: int = 1
) -> Tensor:
    """What ``make(top, stop)`` gives for all rows of `x`, made for some rows at a time.

    On a processor the intermediate results of a band stay in the cache instead of filling memory
    over and over. Training keeps every layer for the gradient, and a graphics card wants much to do
    at once: there all rows are one band. A band is widened by `halo` rows on either side, which
    are cut off again; each of its rows becomes `scale` rows of the result.
    """
    height = x.shape[2]
    if torch.is_grad_enabled() or x.is_cuda or height <= band:
        return make(0, height)
    result = torch.empty(0)
    for start in range(0, height, band):
        end = min(start + band, height)
        top, stop = max(start - halo, 0), min(end + halo, height)
        part = make(top, stop)[:, :, (start - top) * scale : (end - top) * scale]
        if start == 0:
            shape = (*part.shape[:2], height * scale, part.shape[3])
            layout = torch.channels_last if scale == 1 else torch.contiguous_format
            kind = {"dtype": part.dtype, "device": part.device}
            result = torch.empty(shape, **kind, memory_format=layout)
        result[:, :, start * scale : end * scale] = part
    return result
