"""FocusNet, the network of `fcn-x`: which source shows each pixel best, for any number of them.

A U-Net of four scales that is applied to every source with the same weights. On each scale the
maximum over the sources is added to the features of each, so that it can tell "sharp" from
"sharper than the others". A maximum does not depend on the order of the sources, and neither does
the result. The network sees over 300 pixels far, which carries a decision from an edge into the
flat regions around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from methods.learned.nets.row_tiles import in_row_tiles

#: Pixels per side of a cell that becomes one position of the finest scale.
FOLD = 2

#: Rows of cells in a row tile, and how many beyond it take part in its result (5, made even).
TILE_ROWS, HALO = 64, 6

#: Width and height must be multiples of this; the caller pads.
MULTIPLE = 16

#: Pixels beyond which a source pixel has no influence on a weight, rounded up to `MULTIPLE`.
REACH = 320


def added(x: Tensor, y: Tensor) -> Tensor:
    """Sum of both, in place of the first unless a gradient will ask for it."""
    return x + y if torch.is_grad_enabled() else x.add_(y)


def rectified(x: Tensor) -> Tensor:
    """ReLU, likewise."""
    return F.relu(x) if torch.is_grad_enabled() else F.relu_(x)


class SourceMaximum(torch.autograd.Function):
    """Maximum over the sources, axis 1; of equal ones the first has the gradient.

    Computed source by source, with the gradient of a rectifier for "is the maximum". On a CPU
    that takes a fifteenth of the time of ``amax``, whose gradient was 40 % of a training step.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """(B, N, C, H, W) to (B, C, H, W)."""
        best = reduce(torch.maximum, x.unbind(dim=1))
        ctx.save_for_backward(x, best)
        return best

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """The gradient where a source is the maximum, 0 elsewhere."""
        x, best = ctx.saved_tensors
        result = torch.empty_like(x)
        *others, last = result.unbind(dim=1)
        for source, share in zip(x.unbind(dim=1), others, strict=False):
            # a difference to the maximum is either 0 or far below this threshold
            torch.ops.aten.threshold_backward.grad_input(
                gradient, source - best, -1e-30, grad_input=share
            )
            gradient = gradient - share
        last.copy_(gradient)
        return result


class Block(nn.Module):
    """Residual block of two 3 x 3 convolutions."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        nn.init.zeros_(self.first.bias)
        # Blocks begin as the identity, which lets a network without normalisation train fast.
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        return added(self.second(rectified(self.first(x))), x)


class MaxOverSources(nn.Module):
    """Adds the maximum over the sources to the features of each; order does not matter."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.own = nn.Conv2d(channels, channels, 1)
        self.best = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor, count: int) -> Tensor:
        """(B * count, C, H, W), the sources of an image next to each other."""
        best = self.best(SourceMaximum.apply(x.unflatten(0, (-1, count))))
        x_and_best = added(self.own(x).unflatten(0, (-1, count)), best.unsqueeze(1)).flatten(0, 1)
        return added(rectified(x_and_best), x)


class FocusNet(nn.Module):
    """Scores of N sources per pixel, for blending (soft) and for choosing (hard).

    Parameters
    ----------
    widths : (int, int, int, int)
        Channels at 1/2, 1/4, 1/8 and 1/16 of the resolution.
    dilations : sequence of int
        One residual block each at the coarsest scale.

    Notes
    -----
    Pixel-unshuffle by 2 takes the first scale for the price of a quarter of the pixels, and
    a pixel-shuffle gives every pixel its own score again. No normalisation layer: the result
    at a pixel depends on its surroundings only, which makes tiles exact. Without gradients, sums
    and rectifiers work in place, which halves the memory of a pass.

    Examples
    --------
    >>> import torch
    >>> from methods.learned.nets.focusnet import FocusNet
    >>> net = FocusNet(widths=(4, 4, 4, 4), dilations=(1,))
    >>> net(torch.rand(1, 3, 32, 16)).shape
    torch.Size([2, 1, 3, 32, 16])
    """

    def __init__(
        self,
        widths: Sequence[int] = (32, 48, 64, 96),
        dilations: Sequence[int] = (1, 2, 4),
    ) -> None:
        super().__init__()
        w0, w1, w2, w3 = widths
        self.stem = nn.Conv2d(4, w0, 3, padding=1)
        self.encoders = nn.ModuleList([Block(w0), Block(w1), Block(w2), Block(w3, dilations[0])])
        self.meetings = nn.ModuleList(MaxOverSources(w) for w in widths)
        self.deep = nn.ModuleList(Block(w3, d) for d in dilations[1:])
        self.downs = nn.ModuleList(
            nn.Conv2d(a, b, 2, stride=2) for a, b in ((w0, w1), (w1, w2), (w2, w3))
        )
        self.ups = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in ((w0, w1), (w1, w2), (w2, w3)))
        self.rejoin = nn.ModuleList(MaxOverSources(w) for w in widths[:3])
        self.decoders = nn.ModuleList(
            [nn.Sequential(Block(w0), Block(w0)), Block(w1), nn.Sequential(Block(w2), Block(w2))]
        )
        self.head = nn.Conv2d(w0, 8, 3, padding=1)
        nn.init.zeros_(self.head.bias)

    def forward(self, sources: Tensor) -> Tensor:
        """Scores (2, B, N, H, W) of sources (B, N, H, W): soft first, then hard."""
        count = sources.shape[1]
        finest = self._encoded(sources)
        coarse = self._decoded_coarsely(finest, count)
        return self._scores(coarse, finest, count).unflatten(0, (-1, count)).movedim(2, 0)

    def _encoded(self, sources: Tensor) -> Tensor:
        """The finest scale of each source: (B N, C, H / 2, W / 2)."""
        count = sources.shape[1]
        cells = F.pixel_unshuffle(sources.flatten(0, 1).unsqueeze(1) - 0.5, FOLD)
        cells = cells.to(self.stem.weight.dtype).contiguous(memory_format=torch.channels_last)

        def encoded(top: int, stop: int) -> Tensor:
            return self.meetings[0](self.encoders[0](self.stem(cells[:, :, top:stop])), count)

        return in_row_tiles(encoded, cells, TILE_ROWS, HALO)

    def _decoded_coarsely(self, finest: Tensor, count: int) -> Tensor:
        """All but the finest scale: what goes up to it, at half its size."""
        x, skips = finest, []
        for level in (1, 2, 3):
            skips.append(x)
            x = rectified(self.downs[level - 1](x))
            x = self.meetings[level](self.encoders[level](x), count)
        for block in self.deep:
            x = block(x)
        for level in (2, 1):
            x = added(F.interpolate(self.ups[level](x), scale_factor=2.0), skips[level])
            x = self._decoded(level, x, count)
        return self.ups[0](x)

    def _decoded(self, level: int, x: Tensor, count: int) -> Tensor:
        x = self.rejoin[level](x, count)
        for block in self.decoders[level].modules():
            x = block(x) if isinstance(block, Block) else x
        return x

    def _scores(self, coarse: Tensor, finest: Tensor, count: int) -> Tensor:
        """Both outputs (B N, 2, H, W), the only ones at full resolution."""

        def scores(top: int, stop: int) -> Tensor:
            x = F.interpolate(coarse[:, :, top // 2 : stop // 2], scale_factor=2.0)
            x = self._decoded(0, added(x, finest[:, :, top:stop]), count)
            return F.pixel_shuffle(self.head(rectified(x)).float(), FOLD)

        return in_row_tiles(scores, finest, TILE_ROWS, HALO, FOLD)
