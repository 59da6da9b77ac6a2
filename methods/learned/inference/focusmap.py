"""From a score per window to a weight per pixel: the spreading step of Liu et al. 2017."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Side of the windows that the CNN scores, and their distance.
WINDOW, STRIDE = 16, 2


def spread(scores: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Give each window's score to all its pixels, and average where windows overlap.

    Parameters
    ----------
    scores : Tensor
        (B, 1, h, w), one per 16 x 16 window at stride 2.
    size : (int, int)
        Height and width of the images; what no window covers takes the nearest value.

    Returns
    -------
    Tensor
        (B, 1, H, W).
    """
    kernel = scores.new_ones(1, 1, WINDOW, WINDOW)
    total = F.conv_transpose2d(scores, kernel, stride=STRIDE)
    count = F.conv_transpose2d(torch.ones_like(scores[:1]), kernel, stride=STRIDE)
    mean = total / count
    missing = (size[1] - mean.shape[-1], size[0] - mean.shape[-2])
    return F.pad(mean, (0, missing[0], 0, missing[1]), mode="replicate")


def focus(network: nn.Module, stack: Tensor) -> Tensor:
    """The focus map (1, 1, H, W) of the first image of a stack (1, 2, 1, H, W)."""
    first, second = stack.unbind(1)
    return spread(network(first, second).softmax(dim=1)[:, :1], stack.shape[-2:])
