"""The one way a trained network runs: device, number format, memory layout and tiles.

float32 on CPUs, or bfloat16 where the processor multiplies it in hardware and the network was
measured to bear it; half precision on CUDA. Channels last. An image larger than a tile is
taken in tiles that overlap by the network's reach, which gives what the whole would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import pad

from methods.learned.devices import cpu_has_bf16, resolve_device
from methods.learned.weights import load_network

Array = NDArray[Any]


@dataclass(frozen=True)
class Extent:
    """How far a network looks, and what sizes it takes.

    Attributes
    ----------
    reach : int
        Pixels beyond which the input has no influence on an output pixel.
    multiple : int
        Width and height must be multiples of it; images are padded with their border.
    smallest : int
        Least width and height.
    tile : int
        Side of a tile without its overlap, a multiple of `multiple`.
    """

    reach: int
    multiple: int = 1
    smallest: int = 1
    tile: int = 1024


@lru_cache(maxsize=16)
def network_on(path: Path, method: str, part: str, device: str) -> nn.Module:
    """A network of a weights file on a device, loaded once per process."""
    network = load_network(path, method, part).to(resolve_device(device))
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def number_format(device: str, *, bf16: bool) -> torch.dtype:
    """What a network computes in on `device`.

    Parameters
    ----------
    device : str
        ``cpu`` or ``cuda``.
    bf16 : bool
        Whether the network's fused images in bfloat16 differ from those in float32 by 50 dB
        or more; tests hold every shipped network that claims it to that.
    """
    if resolve_device(device).type == "cuda":
        return torch.float16
    return torch.bfloat16 if bf16 and cpu_has_bf16() else torch.float32


def infer(
    forward: Callable[[Tensor], Tensor],
    sources: Array,
    extent: Extent,
    *,
    device: str,
    dtype: torch.dtype | None = None,
    tile: int | None = None,
) -> Array:
    """Run a network over a stack of images of any size.

    Parameters
    ----------
    forward : callable
        Takes the stack as a tensor (1, N, C, H, W); returns (1, K, H, W) float32.
    sources : ndarray
        float32 (N, H, W) or (N, H, W, C) in [0, 1].
    extent : Extent
        Of the network.
    device : str
        ``cpu`` or ``cuda``.
    dtype : torch.dtype, optional
        Of the convolutions; float32 by default.
    tile : int, optional
        Instead of `extent.tile`.

    Returns
    -------
    ndarray
        float32 (K, H, W).
    """
    where = resolve_device(device)
    planes = sources[..., None] if sources.ndim == 3 else sources
    stack = torch.from_numpy(np.ascontiguousarray(planes)).movedim(-1, 1)
    height, width = sources.shape[1:3]
    full = [
        max(-(-n // extent.multiple) * extent.multiple, extent.smallest) for n in (height, width)
    ]
    stack = pad(stack, (0, full[1] - width, 0, full[0] - height), mode="replicate").unsqueeze(0)
    if where.type == "cuda":
        stack = stack.pin_memory()
    half = dtype in (torch.bfloat16, torch.float16)
    with torch.inference_mode(), torch.autocast(where.type, dtype, enabled=half):
        side = tile or extent.tile
        pieces: list[list[Tensor]] = []
        for rows in _cuts(full[0], side):
            pieces.append([])
            for cols in _cuts(full[1], side):
                out = _tile(forward, stack, rows, cols, extent.reach, where)
                pieces[-1].append(out)
        result = torch.cat([torch.cat(row, dim=-1) for row in pieces], dim=-2)
    return result[0, :, :height, :width].contiguous().numpy()


def _cuts(length: int, side: int) -> list[tuple[int, int]]:
    return [(start, min(start + side, length)) for start in range(0, length, side)]


def _tile(
    forward: Callable[[Tensor], Tensor],
    stack: Tensor,
    rows: tuple[int, int],
    cols: tuple[int, int],
    reach: int,
    device: torch.device,
) -> Tensor:
    """The result inside `rows` and `cols`, computed on those widened by `reach`."""
    top, left = max(rows[0] - reach, 0), max(cols[0] - reach, 0)
    window = stack[..., top : rows[1] + reach, left : cols[1] + reach]
    out = forward(window.to(device, non_blocking=True)).float().cpu()
    return out[..., rows[0] - top : rows[1] - top, cols[0] - left : cols[1] - left]


def pairwise(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """`infer`'s forward for a network of two inputs (B, C, H, W)."""

    def forward(stack: Tensor) -> Tensor:
        return network(*(_nhwc(x) for x in stack.unbind(1)))

    return forward


def _nhwc(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def stacked(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """`infer`'s forward for a network of one stack (B, N, H, W) of gray images.

    Several outputs, (K, B, N, H, W), come one after the other, (B, K * N, H, W).
    """

    def forward(stack: Tensor) -> Tensor:
        out = network(stack[:, :, 0])
        return out if out.dim() == 4 else out.movedim(0, 1).flatten(1, 2)

    return forward
