"""SmallFocusNet, the network of `fcn-s`: what `FocusNet` does with an eighth of its operations.

Photos of many megapixels are seldom sharp to the pixel, and a processor without a graphics card
spends most of its time on the finest scale. This network has none finer than a quarter of the
resolution. Its blocks and its maximum over the sources are those of
`methods.learned.nets.focusnet`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from methods.learned.nets.focusnet import (
    Block,
    Finest,
    MaxOverSources,
    added,
    each,
    grouped,
    rectified,
)
from methods.learned.nets.row_tiles import groups_in_row_tiles

#: Pixels per side of a cell that becomes one position of the finest scale.
FOLD = 4

#: Rows of cells in a row tile, and how many beyond it take part in its result (3, made even).
TILE_ROWS, HALO = 32, 4

#: Width and height must be multiples of this; the caller pads.
MULTIPLE = 8 * FOLD

#: Pixels beyond which a source pixel has no influence on a weight, rounded up to `MULTIPLE`.
REACH = 416


class SmallFocusNet(nn.Module):
    """Scores of N sources per pixel, for blending (soft) and for choosing (hard).

    Parameters
    ----------
    widths : (int, int, int, int)
        Channels at 1/4, 1/8, 1/16 and 1/32 of the resolution.
    dilations : sequence of int
        One residual block each at the coarsest scale.

    Notes
    -----
    Pixel-unshuffle by 4 hands the first layer a neighbourhood of 12 x 12 pixels at a sixteenth of
    the positions, and a pixel-shuffle gives every pixel its own score again. As in
    `methods.learned.nets.focusnet.FocusNet` nothing is normalised, which makes tiles exact, and
    sums and rectifiers work in place where no gradient is needed.

    Examples
    --------
    >>> import torch
    >>> from methods.learned.nets.smallnet import SmallFocusNet
    >>> net = SmallFocusNet(widths=(4, 4, 4, 4), dilations=(1,))
    >>> net(torch.rand(1, 3, 64, 32)).shape
    torch.Size([2, 1, 3, 64, 32])
    """

    def __init__(
        self,
        widths: Sequence[int] = (24, 32, 48, 64),
        dilations: Sequence[int] = (1, 2, 1),
    ) -> None:
        super().__init__()
        scales = list(pairwise(widths))
        self.stem = nn.Conv2d(FOLD**2, widths[0], 3, padding=1)
        self.encoders = nn.ModuleList(Block(w) for w in widths[:-1])
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in scales)
        # None at the finest scale, where a maximum over sources costs most and helps least.
        self.meetings = nn.ModuleList(MaxOverSources(w) for w in widths[1:])
        self.deepest = nn.ModuleList(Block(widths[-1], d) for d in dilations)
        self.ups = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in scales)
        self.rejoin = nn.ModuleList(MaxOverSources(w) for w in widths[:-1])
        self.decoders = nn.ModuleList(Block(w) for w in widths[:-1])
        self.head = nn.Conv2d(widths[0], 2 * FOLD**2, 3, padding=1)
        nn.init.zeros_(self.head.bias)

    def forward(self, sources: Tensor, output: slice = slice(2)) -> Tensor:
        """Scores (2, B, N, H, W) of sources (B, N, H, W): soft first, then hard.

        `output` selects one of both.
        """
        images = len(sources)
        groups = grouped(sources, FOLD, self.stem.weight.dtype)

        def encode(top: int, stop: int) -> list[Tensor]:
            return [self.encoders[0](self.stem(x[:, :, top:stop])) for x in groups]

        finest = Finest(encode, groups, self.stem.out_channels, TILE_ROWS, HALO)
        coarse = self._decoded_coarsely(finest, groups[0], images)
        scores = self._scores(coarse, finest, groups[0], images, output)
        return torch.cat([x.unflatten(0, (images, -1)) for x in scores], dim=1).movedim(2, 0)

    def _decoded_coarsely(self, finest: Finest, cells: Tensor, images: int) -> list[Tensor]:
        """All but the finest scale: what goes up to it, at half its size."""

        def halved(top: int, stop: int) -> list[Tensor]:
            return [rectified(self.downs[0](x)) for x in finest.rows(top, stop)]

        x, skips = groups_in_row_tiles(halved, cells, TILE_ROWS, scale=0.5), []
        blocks = [*self.encoders[1:], self.deepest[0]]
        for level, (block, maximum) in enumerate(zip(blocks, self.meetings, strict=True)):
            if level:
                skips.append(x)
                x = [rectified(self.downs[level](part)) for part in x]
            each(x, block)
            x = maximum(x, images)
        for block in self.deepest[1:]:
            each(x, block)
        for level in range(len(self.ups) - 1, 0, -1):
            skip = skips.pop()
            for k, part in enumerate(x):
                wide = F.interpolate(self.ups[level](part), scale_factor=2.0)
                x[k] = added(wide, skip[k])
            del skip
            x = self.rejoin[level](x, images)
            each(x, self.decoders[level])
        each(x, self.ups[0])
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
            x = self.rejoin[0](x, images)
            each(x, self.decoders[0])
            each(x, lambda part: F.pixel_shuffle(self.head(rectified(part)).float(), FOLD))
            return [part[:, output] for part in x]

        return groups_in_row_tiles(scores, cells, TILE_ROWS, HALO, FOLD)
