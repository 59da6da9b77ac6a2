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

from methods.learned.nets.focusnet import Block, MaxOverSources, added, rectified
from methods.learned.nets.row_tiles import in_row_tiles

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

    def forward(self, sources: Tensor) -> Tensor:
        """Scores (2, B, N, H, W) of sources (B, N, H, W): soft first, then hard."""
        count = sources.shape[1]
        finest = self._encoded(sources)
        coarse = self._decoded_coarsely(finest, count)
        return self._scores(coarse, finest, count).unflatten(0, (-1, count)).movedim(2, 0)

    def _encoded(self, sources: Tensor) -> Tensor:
        """The finest scale of each source: (B N, C, H / 4, W / 4)."""
        cells = F.pixel_unshuffle(sources.flatten(0, 1).unsqueeze(1) - 0.5, FOLD)
        cells = cells.to(self.stem.weight.dtype).contiguous(memory_format=torch.channels_last)

        def encoded(top: int, stop: int) -> Tensor:
            return self.encoders[0](self.stem(cells[:, :, top:stop]))

        return in_row_tiles(encoded, cells, TILE_ROWS, HALO)

    def _decoded_coarsely(self, finest: Tensor, count: int) -> Tensor:
        """All but the finest scale: what goes up to it, at half its size."""
        x, skips = finest, []
        blocks = [*self.encoders[1:], self.deepest[0]]
        for down, block, maximum in zip(self.downs, blocks, self.meetings, strict=True):
            skips.append(x)
            x = maximum(block(rectified(down(x))), count)
        for block in self.deepest[1:]:
            x = block(x)
        for level in range(len(self.ups) - 1, 0, -1):
            x = added(F.interpolate(self.ups[level](x), scale_factor=2.0), skips[level])
            x = self.decoders[level](self.rejoin[level](x, count))
        return self.ups[0](x)

    def _scores(self, coarse: Tensor, finest: Tensor, count: int) -> Tensor:
        """Both outputs (B N, 2, H, W), the only ones at full resolution."""

        def scores(top: int, stop: int) -> Tensor:
            x = F.interpolate(coarse[:, :, top // 2 : stop // 2], scale_factor=2.0)
            x = added(x, finest[:, :, top:stop])
            x = self.decoders[0](self.rejoin[0](x, count))
            return F.pixel_shuffle(self.head(rectified(x)).float(), FOLD)

        return in_row_tiles(scores, finest, TILE_ROWS, HALO, FOLD)
