"""How every trained network runs: device, number format, memory layout and tiles.

The format is that of `bench.core.precision`, the layout channels last. On CUDA a network is
replayed as a graph from the second image of a size on. An image larger than a tile is processed in
tiles that overlap by the reach of the network, which gives the result of the whole image.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bench.core.devices import check_device
from bench.core.precision import Precision, number_format
from methods import Planes
from methods.learned import WEIGHTS
from methods.learned.inference.cuda_graphs import replay
from methods.learned.nets.networks import NETWORKS
from methods.learned.nets.weights import load_network

Array = NDArray[Any]

#: How a network is applied: ``forward(network, stack)`` takes (1, N, C, H, W) and gives
#: (1, K, H, W).
Forward = Callable[[nn.Module, Tensor], Tensor]

FORMATS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


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
        Side of a tile without its overlap; with `reach` a multiple of `multiple` and `stride`.
    stride : int
        Distance of the windows that a network looks through: tiles start at multiples of it, or
        theirs would be other windows.
    """

    reach: int
    multiple: int = 1
    smallest: int = 1
    tile: int = 1024
    stride: int = 1


def shipped(
    method: str, part: str, device: str, precision: Precision = "auto", *, bf16: bool
) -> nn.Module:
    """A network of the repository's weights, ready to run.

    Parameters
    ----------
    method, part : str
        Whose weights file it is in, and its name in there: ``fcn`` and ``four``.
    device : str
        ``cpu`` or ``cuda``.
    precision : {'auto', 'fp32', 'bf16'}
        See `bench.core.precision.number_format`.
    bf16 : bool
        Whether it may compute in bfloat16: a network may if its fused images are then within 50 dB
        of those in float32, which is tested. Otherwise it computes in float32 instead.

    Raises
    ------
    EnvironmentFault
        There is no such device.
    WeightsError
        The weights file is missing or damaged.
    """
    kind = number_format(device, precision)
    dtype = FORMATS["fp32" if kind == "bf16" and not bf16 else kind]
    return network_on(WEIGHTS / f"{method}.safetensors", method, part, device, dtype)


@lru_cache(maxsize=16)
def network_on(path: Path, method: str, part: str, device: str, dtype: torch.dtype) -> nn.Module:
    """A network of a weights file on a device, loaded once per process.

    Raises
    ------
    EnvironmentFault
        There is no such device.
    WeightsError
        See `load_network`; also when it is another network than the method runs.
    """
    check_device(device)
    needed = NETWORKS.get(f"{method}.{part}")  # None for a plug-in's network
    network = load_network(path, method, part, needed=needed).to(device, dtype)
    return network.to(memory_format=torch.channels_last)


def infer(
    network: nn.Module,
    forward: Forward,
    sources: Array | Planes,
    extent: Extent,
    *,
    tile: int | None = None,
) -> Array:
    """Run a network over a stack of images of any size.

    Parameters
    ----------
    network : Module
        On its device and in its number format; see `shipped`.
    forward : callable
        How it is applied to a stack: `pairwise`, `stacked` or another `Forward`.
    sources : ndarray or Planes
        float32 (N, H, W) or (N, H, W, C) in [0, 1].
    extent : Extent
        Of the network.
    tile : int, optional
        Instead of `extent.tile`.

    Returns
    -------
    ndarray
        float32 (K, H, W).
    """
    size = sources.shape[1:3]
    height, width = (max(_up(n, extent.multiple), extent.smallest) for n in size)
    stack = _padded(sources, height, width)
    if next(network.parameters()).is_cuda:
        stack = stack.pin_memory()
    side = tile or extent.tile
    result: Array = np.empty((0, *size), np.float32)
    step = math.lcm(extent.multiple, extent.stride)
    with torch.inference_mode(), _exact(network):
        for rows in _cuts(height, side, step):
            for cols in _cuts(width, side, step):
                part = _tile(network, forward, stack, rows, cols, extent.reach)
                if not len(result):
                    result = np.empty((part.shape[1], *size), np.float32)
                room = result[:, slice(*rows), slice(*cols)]
                room[...] = part[0, :, : room.shape[1], : room.shape[2]].numpy()
    return result


def _padded(sources: Array | Planes, height: int, width: int) -> Tensor:
    """The stack (1, N, C, H, W), with its last row and column repeated up to a larger size."""
    count, rows, columns = sources.shape[:3]
    stack = np.empty((count, height, width, *(sources.shape[3:] or [1])), np.float32)
    for room, source in zip(stack, sources, strict=True):
        room[:rows, :columns] = source if source.ndim == 3 else source[..., None]
        room[:rows, columns:] = room[:rows, columns - 1 : columns]
        room[rows:] = room[rows - 1 : rows]
    return torch.from_numpy(stack).movedim(-1, 1).unsqueeze(0)


@contextmanager
def _exact(network: nn.Module) -> Iterator[None]:
    """Keep cuDNN from computing float32 in TF32, which has 10 bits of mantissa instead of 23."""
    first = next(network.parameters())
    before = torch.backends.cudnn.allow_tf32
    if first.is_cuda and first.dtype == torch.float32:
        torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def _up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


def _cuts(length: int, side: int, multiple: int) -> list[tuple[int, int]]:
    """As few parts of at most `side` as there can be, of equal length up to `multiple`."""
    parts = -(-length // side)
    step = _up(-(-length // parts), multiple)
    return [(start, min(start + step, length)) for start in range(0, length, step)]


def _tile(
    network: nn.Module,
    forward: Forward,
    stack: Tensor,
    rows: tuple[int, int],
    cols: tuple[int, int],
    reach: int,
) -> Tensor:
    """The result inside `rows` and `cols`, computed on those widened by `reach`."""
    top, left = max(rows[0] - reach, 0), max(cols[0] - reach, 0)
    window = stack[..., top : rows[1] + reach, left : cols[1] + reach]
    device = next(network.parameters()).device
    if device.type == "cuda":
        out = replay(network, forward, window).float().cpu()
    else:
        out = forward(network, window).float()
    return out[..., rows[0] - top : rows[1] - top, cols[0] - left : cols[1] - left]


def pairwise(network: nn.Module, stack: Tensor) -> Tensor:
    """A `Forward` for networks of two inputs (B, C, H, W)."""
    first, second = stack.unbind(1)
    return network(_channels_last(first), _channels_last(second))


def stacked(network: nn.Module, stack: Tensor) -> Tensor:
    """A `Forward` for networks of one stack (B, N, H, W) of gray images.

    Several outputs, (K, B, N, H, W), come one after the other, (B, K * N, H, W).
    """
    out = network(stack[:, :, 0])
    return out if out.dim() == 4 else out.movedim(0, 1).flatten(1, 2)


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)
