"""MUFusion: a network of both luminances, in overlapping patches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from methods import method
from methods.published._parts import (
    chroma_by_strength,
    conv,
    exact255,
    from_ycbcr,
    grown,
    levels,
    stretched,
    ycbcr,
)
from methods.published._weights import load_state, weights_file

torch = lazy.load("torch")

Array = NDArray[Any]

FILE = weights_file("AWCXV+MUFusion/multi-focus/models/Final.model")
#: Side of a patch and distance between two.
PATCH, STEP = 128, 124


@method(
    "mufusion",
    title="Unsupervised fusion network with a memory unit (MUFusion)",
    kind="transform",
    colour="rgb",
    stack="pairwise",
    family="published-network",
    paper="Cheng, Xu, Wu, MUFusion: A general unsupervised image fusion network based on memory "
    "unit, Information Fusion 92, 2023",
    doi="10.1016/j.inffus.2022.11.010",
    weights=FILE,
    symmetric=False,
    in_all=False,
    gflop=136.8,
    exact=False,
    keeps_tones=False,
    gray_as_rgb=False,
)
def mufusion(sources: Array, *, stretch: bool = True, device: str = "cpu") -> Array:
    """Fuse luminance in patches of 128 x 128, chroma by its strength.

    Parameters
    ----------
    sources : ndarray
        float32 (2, H, W) or (2, H, W, 3) in [0, 1].
    stretch : bool
        Stretch a gray image from its least to its largest value, as the authors' program does
        when it writes one; colour is never stretched.
    device : str
        Where the network runs.

    Returns
    -------
    ndarray
        float64 (H, W) or (H, W, 3).

    Raises
    ------
    Skipped
        The weights are not on disk and cannot be downloaded.

    Notes
    -----
    fidelity: on g_01, g_02, c_01 and c_02 of liu2020 at most 4 values differ from the authors'
    program, by one level; computed in float64, as there. The order of the sources
    matters. Images below 128 x 128 are extended by
    their border, where the program fails; a flat image is not stretched. Longer stacks are folded.

    References
    ----------
    Cheng, C., et al. Information Fusion 92, 2023, https://doi.org/10.1016/j.inffus.2022.11.010

    Examples
    --------
    >>> from methods import METHODS
    >>> METHODS["mufusion"].weights[0].entry.licence
    'MIT (repository)'
    """
    import torch as library

    state = {k: v.to(library.float64) for k, v in load_state(FILE, device).items()}
    height, width = sources.shape[1:3]
    images = exact255(grown(sources, PATCH), levels(sources))
    planes = [ycbcr(image) for image in images] if images.ndim == 4 else [(i,) for i in images]
    pair = torch.from_numpy(np.stack([plane[0] for plane in planes])[None] / 255).to(device)
    with torch.inference_mode():
        fused = _in_patches(pair, state)[0, 0].cpu().numpy()
    if images.ndim == 3:
        fused = fused[:height, :width]
        return stretched(fused) if stretch else np.clip(fused, 0, 1)
    chroma = [chroma_by_strength(planes[0][c], planes[1][c]) for c in (1, 2)]
    return from_ycbcr(255 * fused, *chroma)[:height, :width]


def _patches(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Upper left corners; the last ones end at the image's border, and may repeat others."""
    rows, columns = (range(0, n - PATCH + 1, STEP) for n in (height, width))
    yield from ((row, column) for row in rows for column in columns)
    yield from ((row, width - PATCH) for row in rows)
    yield from ((height - PATCH, column) for column in columns)
    yield height - PATCH, width - PATCH


def _in_patches(pair: Any, state: dict[str, Any]) -> Any:
    """Mean of the patches that cover a pixel; equal ones count as often as they occur."""
    total, count = torch.zeros_like(pair[:, :1]), torch.zeros_like(pair[:, :1])
    done: dict[tuple[int, int], Any] = {}
    for row, column in _patches(*pair.shape[2:]):
        part = (..., slice(row, row + PATCH), slice(column, column + PATCH))
        if (row, column) not in done:
            done[row, column] = _network(pair[part], state)
        total[part] += done[row, column]
        count[part] += 1
    return total / count


def _network(x: Any, state: dict[str, Any]) -> Any:
    def layer(number: str, *inputs: Any, stride: int = 1) -> Any:
        y = conv(torch.cat(inputs, 1), state, f"conv{number}.1", mode="reflect", stride=stride)
        return torch.tanh(y) if number == "11" else torch.relu(y)

    e1 = layer("1", x)
    e2 = layer("2", e1)
    e3 = layer("3", e1, e2, stride=2)
    e4 = layer("4", e3)
    e5 = layer("5", e3, e4)
    e6 = layer("6", e3, e4, e5)
    d5 = layer("55", e5, layer("66", e6))
    d3 = layer("33", e3, layer("44", e4, d5))
    up = torch.nn.functional.interpolate(d3, scale_factor=2, mode="bicubic", align_corners=False)
    return layer("11", e1, layer("22", e2, up))
