"""FocusNet, the network of `fcn-x`: which source shows each pixel best, for any number of them.

A U-Net of four scales that is applied to every source with the same weights. On each scale the
maximum over the sources is added to the features of each, so that it can tell "sharp" from
"sharper than the others". A maximum does not depend on the order of the sources, and neither does
the result. The network sees over 300 pixels far, which carries a decision from an edge into the
flat regions around it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from methods.learned.nets.row_tiles import groups_in_row_tiles

#: Pixels per side of a cell that becomes one position of the finest scale.
FOLD = 2

#: Sources that go through a layer together, so that its results stay small.
AT_ONCE = 2

#: Numbers of the finest scale of all sources that are kept; more are computed a second time. The
#: largest tile of a pair has 76 million.
KEPT = 80_000_000

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


def each(groups: list[Tensor], layer: Callable[[Tensor], Tensor]) -> None:
    """Apply a layer to one group after the other, in place of the list's items."""
    for k, x in enumerate(groups):
        groups[k] = layer(x)


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

    def forward(self, groups: list[Tensor], images: int) -> list[Tensor]:
        """Groups of sources, each (B * n, C, H, W) with those of an image next to each other.

        The list that is given is changed, so that no features are held twice.
        """
        maxima = (SourceMaximum.apply(x.unflatten(0, (images, -1))) for x in groups)
        best = self.best(reduce(torch.maximum, maxima)).unsqueeze(1)
        for k, x in enumerate(groups):
            x_and_best = added(self.own(x).unflatten(0, (images, -1)), best).flatten(0, 1)
            groups[k] = added(rectified(x_and_best), x)
        return groups


def grouped(sources: Tensor, fold: int, dtype: torch.dtype) -> list[Tensor]:
    """Cells of `fold` x `fold` pixels of the sources (B, N, H, W), `AT_ONCE` sources in a group.

    Training and a GPU take all at once.
    """
    whole = torch.is_grad_enabled() or sources.is_cuda
    parts = [sources] if whole else sources.split(AT_ONCE, dim=1)
    cells = (F.pixel_unshuffle(x.flatten(0, 1).unsqueeze(1) - 0.5, fold) for x in parts)
    return [x.to(dtype).contiguous(memory_format=torch.channels_last) for x in cells]


class Finest:
    """The finest scale of all sources, kept if it is small, else computed again when it is needed.

    Parameters
    ----------
    encode : callable
        Computes the rows from ``top`` to ``stop`` of all groups.
    groups : list of Tensor
        The cells, (B * n, C, H, W) each.
    channels, tile, halo : int
        Channels of a result, rows of a tile, and rows beyond it that `encode` needs.
    """

    def __init__(
        self,
        encode: Callable[[int, int], list[Tensor]],
        groups: list[Tensor],
        channels: int,
        tile: int,
        halo: int,
    ) -> None:
        self.encode, self.halo = encode, halo
        self.height, width = groups[0].shape[2:]
        positions = sum(len(x) for x in groups) * self.height * width
        whole = torch.is_grad_enabled() or groups[0].is_cuda
        small = positions * channels <= KEPT
        self.kept = groups_in_row_tiles(encode, groups[0], tile, halo) if whole or small else None

    def rows(self, top: int, stop: int) -> list[Tensor]:
        """Some rows of all groups."""
        if self.kept is not None:
            return [x[:, :, top:stop] for x in self.kept]
        first, last = max(top - self.halo, 0), min(stop + self.halo, self.height)
        return [x[:, :, top - first : stop - first] for x in self.encode(first, last)]


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

    def forward(self, sources: Tensor, output: slice = slice(2)) -> Tensor:
        """Scores (2, B, N, H, W) of sources (B, N, H, W): soft first, then hard.

        `output` selects one of both.
        """
        images = len(sources)
        groups = grouped(sources, FOLD, self.stem.weight.dtype)

        def encode(top: int, stop: int) -> list[Tensor]:
            encoded = [self.encoders[0](self.stem(x[:, :, top:stop])) for x in groups]
            return self.meetings[0](encoded, images)

        finest = Finest(encode, groups, self.stem.out_channels, TILE_ROWS, HALO)
        coarse = self._decoded_coarsely(finest, groups[0], images)
        scores = self._scores(coarse, finest, groups[0], images, output)
        return torch.cat([x.unflatten(0, (images, -1)) for x in scores], dim=1).movedim(2, 0)

    def _decoded_coarsely(self, finest: Finest, cells: Tensor, images: int) -> list[Tensor]:
        """All but the finest scale: what goes up to it, at half its size."""

        def halved(top: int, stop: int) -> list[Tensor]:
            return [rectified(self.downs[0](x)) for x in finest.rows(top, stop)]

        x, skips = groups_in_row_tiles(halved, cells, TILE_ROWS, scale=0.5), []
        for level in (1, 2, 3):
            if level > 1:
                skips.append(x)
                x = [rectified(self.downs[level - 1](part)) for part in x]
            each(x, self.encoders[level])
            x = self.meetings[level](x, images)
        for block in self.deep:
            each(x, block)
        for level in (2, 1):
            skip = skips.pop()
            for k, part in enumerate(x):
                wide = F.interpolate(self.ups[level](part), scale_factor=2.0)
                x[k] = added(wide, skip[k])
            del skip
            x = self._decoded(level, x, images)
        each(x, self.ups[0])
        return x

    def _decoded(self, level: int, x: list[Tensor], images: int) -> list[Tensor]:
        x = self.rejoin[level](x, images)
        for block in self.decoders[level].modules():
            if isinstance(block, Block):
                each(x, block)
        return x

    def _scores(
        self, coarse: list[Tensor], finest: Finest, cells: Tensor, images: int, output: slice
    ) -> list[Tensor]:
        """Both outputs (B n, 2, H, W) of each group, the only ones at full resolution."""

        def scores(top: int, stop: int) -> list[Tensor]:
            x = finest.rows(top, stop)
            for k, part in enumerate(coarse):
                wide = F.interpolate(part[:, :, top // 2 : stop // 2], scale_factor=2.0)
                x[k] = added(wide, x[k])
            x = self._decoded(0, x, images)
            each(x, lambda part: F.pixel_shuffle(self.head(rectified(part)).float(), FOLD))
            return [part[:, output] for part in x]

        return groups_in_row_tiles(scores, cells, TILE_ROWS, HALO, FOLD)
