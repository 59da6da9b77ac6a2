"""The networks in their papers' form.

Every network sees float sources in [0, 1] as (B, C, H, W) tensors and none of them pools away
resolution that its output needs. `build` makes one from its name and arguments, as a weights
file records them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.core.errors import UsageError
from methods.learned.nets.focusnet import FocusNet
from methods.learned.nets.row_tiles import in_row_tiles
from methods.learned.nets.smallnet import SmallFocusNet

#: Pixels in a row tile of `FCN`, whose 64 maps then take 8 MiB in bfloat16, and its fewest rows.
TILE_PIXELS, MIN_ROWS = 1 << 16, 32


class FCN(nn.Module):
    """Fully convolutional two-stream network of Xu et al. 2018, ``encoder-1-decoder``.

    Each stream: ``encoder`` times convolution k x k and ReLU. Their outputs are concatenated
    (eq. 1), fused by a 1 x 1 convolution and ReLU (eq. 2), and brought back by ``decoder``
    transposed convolutions, the last one to ``channels`` maps (eq. 3). All layers keep the
    size; there is no pooling.

    Parameters
    ----------
    filters, size : int
        F maps per layer, k x k kernels.
    depth : (int, int, int)
        Layers per stream, of fusion (1), of reconstruction.
    channels : int
        Of every source and of the fused image.
    head : {'image', 'weights'}
        ``image`` ends in ReLU, as the paper has it. ``weights`` ends in a sigmoid and one
        map: the first source's weight, the second one's being the rest.
    transposed : bool
        Write the reconstruction with transposed convolutions, as in the paper. At stride 1
        each equals an ordinary convolution with the flipped kernel (`flip_transposed`),
        which runs faster.

    References
    ----------
    Xu, K., Qin, Z., Wang, G., Zhang, H., Huang, K., Ye, S. Multi-focus Image Fusion using
    Fully Convolutional Two-stream Network for Visual Sensors. KSII Transactions on Internet
    and Information Systems 12(5), 2018.

    Examples
    --------
    >>> import torch
    >>> from methods.learned.nets.networks import FCN
    >>> net = FCN(filters=4, size=3)
    >>> net(torch.rand(1, 1, 6, 7), torch.rand(1, 1, 6, 7)).shape
    torch.Size([1, 1, 6, 7])
    """

    def __init__(
        self,
        filters: int = 64,
        size: int = 5,
        depth: Sequence[int] = (2, 1, 2),
        channels: int = 1,
        head: str = "image",
        transposed: bool = False,
    ) -> None:
        super().__init__()
        encoder, fusion, decoder = depth
        if fusion != 1 or head not in ("image", "weights"):
            raise UsageError(f"no FCN of depth {tuple(depth)} with head {head!r}")
        self.head = head
        self.halos = (encoder * (size // 2), decoder * (size // 2))
        self.streams = nn.ModuleList(_stream(channels, filters, size, encoder) for _ in range(2))
        self.fusion = nn.Conv2d(2 * filters, filters, 1)
        widths = [filters] * decoder + [channels if head == "image" else 1]
        layer = nn.ConvTranspose2d if transposed else nn.Conv2d
        self.decoder = nn.ModuleList(
            layer(before, after, size, padding=size // 2) for before, after in pairwise(widths)
        )
        initialise(self)
        if head == "image":
            # Mid-gray, so that no output pixel starts where ReLU has no slope.
            nn.init.constant_(self.decoder[-1].bias, 0.5)

    def encode(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Feature maps of both streams and of the fusion layer (Fig. 2 shows them)."""
        inputs = (x.to(self.fusion.weight.dtype) for x in (first, second))
        maps = [stream(x) for stream, x in zip(self.streams, inputs, strict=True)]
        return maps[0], maps[1], F.relu_(self.fusion(torch.cat(maps, dim=1)))

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Fused image, or the first source's weight, (B, channels or 1, H, W)."""
        tile = max(MIN_ROWS, TILE_PIXELS // first.shape[3])

        def fused(top: int, stop: int) -> Tensor:
            return self.encode(first[:, :, top:stop], second[:, :, top:stop])[2]

        maps = in_row_tiles(fused, first, tile, self.halos[0])

        def decoded(top: int, stop: int) -> Tensor:
            x = maps[:, :, top:stop]
            for layer in self.decoder[:-1]:
                x = F.relu_(layer(x))
            x = self.decoder[-1](x).float()
            return F.relu_(x) if self.head == "image" else torch.sigmoid(x)

        return in_row_tiles(decoded, maps, tile, self.halos[1])


def _stream(channels: int, filters: int, size: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for k in range(depth):
        layers += [
            nn.Conv2d(channels if k == 0 else filters, filters, size, padding=size // 2),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


def initialise(network: nn.Module) -> None:
    """He's normal initialisation for ReLU networks; biases zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        elif isinstance(layer, nn.ConvTranspose2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        else:
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def flip_transposed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """An `FCN` state with its decoder's kernels turned from one form into the other.

    At stride 1 and odd size, a transposed convolution with kernel ``w[in, out, y, x]`` is the
    convolution with ``w[out, in, -y, -x]``. Applied twice, the state is as before.
    """
    return {
        key: w.transpose(0, 1).flip(2, 3).contiguous()
        if key.startswith("decoder.") and key.endswith(".weight")
        else w
        for key, w in state.items()
    }


class CNN(nn.Module):
    """Siamese focus classifier of Liu et al. 2017, the "slight" variant without the large layer.

    Trained on 16 x 16 patches it gives two scores per pair; on larger images it runs fully
    convolutionally and gives them for every 16 x 16 window at stride 2.

    References
    ----------
    Liu, Y., Chen, X., Peng, H., Wang, Z. Multi-focus image fusion with a deep convolutional
    neural network. Information Fusion 36, 2017. doi:10.1016/j.inffus.2016.12.001

    Examples
    --------
    >>> import torch
    >>> from methods.learned.nets.networks import CNN
    >>> CNN()(torch.rand(1, 1, 16, 20), torch.rand(1, 1, 16, 20)).shape
    torch.Size([1, 2, 1, 3])
    """

    #: Cells of 2 x 2 beyond a row of them that its features see.
    HALO = 2

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 64, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(64, 128, 3, padding=1),
            nn.ReLU(inplace=True),
            Halved(),
            nn.Conv2d(128, 256, 3, padding=1),
            nn.ReLU(inplace=True),
        )
        self.score = nn.Conv2d(512, 2, 8)
        initialise(self)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Scores (logits) for "first is sharp" and "second is sharp", (B, 2, H/2 - 7, W/2 - 7)."""
        first, second = (x.to(self.score.weight.dtype) for x in (first, second))
        rows = first[:, :, 1::2]  # one for each row of cells

        def features(top: int, stop: int) -> Tensor:
            # a last row without a partner is in no cell, but its neighbours see it
            part = slice(2 * top, 2 * stop if stop < rows.shape[2] else None)
            return torch.cat([self.features(x[:, :, part]) for x in (first, second)], dim=1)

        tile = max(MIN_ROWS, TILE_PIXELS // (4 * rows.shape[3]))
        return self.score(in_row_tiles(features, rows, tile, self.HALO)).float()


class Halved(nn.Module):
    """Maximum over cells of 2 x 2.

    On a CPU and without a gradient the place of the maximum is not needed, and elementwise maxima
    take a tenth of the time.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H // 2, W // 2)."""
        if torch.is_grad_enabled() or x.is_cuda:
            return F.max_pool2d(x, 2)
        height, width = (n // 2 * 2 for n in x.shape[2:])
        x = torch.maximum(x[:, :, 0:height:2], x[:, :, 1:height:2])
        return torch.maximum(x[..., 0:width:2], x[..., 1:width:2])


class SRCNN(nn.Module):
    """SRCNN 9-1-5 of Dong et al. 2014, merging the first layer's features by clarity.

    References
    ----------
    Zhong, J., Yang, B., Li, Y., Zhong, F., Chen, Z. Image fusion and super-resolution with
    convolutional neural network. CCPR 2016. doi:10.1007/978-981-10-3005-5_7

    Examples
    --------
    >>> import torch
    >>> from methods.learned.nets.networks import SRCNN
    >>> SRCNN()(torch.rand(1, 3, 12, 9)).shape
    torch.Size([1, 1, 12, 9])
    """

    def __init__(self, window: int = 7) -> None:
        super().__init__()
        self.window = window
        self.extract = nn.Conv2d(1, 64, 9, padding=4)
        self.map = nn.Conv2d(64, 32, 1)
        self.reconstruct = nn.Conv2d(32, 1, 5, padding=2)
        initialise(self)

    def forward(self, sources: Tensor) -> Tensor:
        """Fused image (B, 1, H, W) of sources (B, N, H, W)."""
        batch, count, height, width = sources.shape
        clearest = clarity(sources, self.window).argmax(dim=1)
        planes = sources.reshape(batch * count, 1, height, width).to(self.extract.weight.dtype)
        maps = F.relu_(self.extract(planes))
        maps = maps.view(batch, count, *maps.shape[1:])
        merged = maps[:, 0]
        for k in range(1, count):
            merged = torch.where((clearest == k).unsqueeze(1), maps[:, k], merged)
        return self.reconstruct(F.relu_(self.map(merged))).float()


def clarity(sources: Tensor, window: int) -> Tensor:
    """Local energy of the Laplacian, (B, N, H, W): its square, averaged over a window."""
    batch, count, height, width = sources.shape
    planes = sources.reshape(batch * count, 1, height, width).float()
    wide = F.pad(planes, (1, 1, 1, 1), mode="replicate")
    around = wide[..., :-2, 1:-1] + wide[..., 2:, 1:-1] + wide[..., 1:-1, :-2] + wide[..., 1:-1, 2:]
    mean = F.avg_pool2d((around - 4 * planes) ** 2, window, 1, window // 2, count_include_pad=False)
    return mean.view(batch, count, height, width)


#: What each shipped weights file holds: architecture and arguments, by method and part.
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "fcn.gray": ("FCN", {}),
    "fcn.four": ("FCN", {"channels": 4}),
    "fcn-w.gray": ("FCN", {"head": "weights"}),
    "fcn-x.gray": ("FocusNet", {}),
    "fcn-s.gray": ("SmallFocusNet", {}),
    "cnn.gray": ("CNN", {}),
    "srcnn.x1": ("SRCNN", {}),
    "srcnn.x2": ("SRCNN", {}),
}

ARCHITECTURES: dict[str, type[nn.Module]] = {
    "FCN": FCN,
    "CNN": CNN,
    "SRCNN": SRCNN,
    "FocusNet": FocusNet,
    "SmallFocusNet": SmallFocusNet,
}


def build(architecture: str, arguments: dict[str, Any] | None = None) -> nn.Module:
    """Network of that name with those arguments.

    Raises
    ------
    UsageError
        There is no such architecture, or it takes no such arguments.
    """
    try:
        return ARCHITECTURES[architecture](**(arguments or {}))
    except KeyError:
        known = ", ".join(ARCHITECTURES)
        raise UsageError(f"unknown architecture {architecture!r}; known: {known}") from None
    except TypeError as error:
        raise UsageError(f"architecture {architecture}: {error}") from None
