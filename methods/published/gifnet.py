"""GIFNet: shared features, two streams with attention in windows, one decoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from methods import method
from methods.published._parts import (
    Y_OPENCV,
    chroma_by_strength,
    conv,
    exact255,
    from_ycbcr,
    grown,
    levels,
    truncated,
    ycbcr,
)
from methods.published._weights import load_state, weights_file

torch = lazy.load("torch")

Array = NDArray[Any]

FILE = weights_file("AWCXV+GIFNet/model/Final.model")
PREFIX = "extractor_multask.SwinTransformerSpecific"
#: Channels of a stream, heads, side of a window, shift of every second block, least image side.
CHANNELS, HEADS, WINDOW, SHIFT, SMALLEST = 98, 2, 8, 4, 16


@method(
    "gifnet",
    title="One model for all fusion tasks by low-level task interaction (GIFNet)",
    kind="transform",
    colour="rgb",
    stack="pairwise",
    family="published-network",
    paper="Cheng, Xu, Feng, Wu, Tang, Li, Zhang, Atito, Awais, Kittler, One model for ALL: "
    "low-level task interaction is a key to task-agnostic image fusion, CVPR, 2025",
    doi="10.48550/arXiv.2502.19854",
    weights=FILE,
    symmetric=False,
    in_all=False,
    gflop=363.5,
    exact=False,
    keeps_tones=False,
    gray_as_rgb=False,
)
def gifnet(sources: Array, *, device: str = "cpu") -> Array:
    """Fuse luminance by attention in windows of 8 x 8, chroma by its strength.

    Parameters
    ----------
    sources : ndarray
        float32 (2, H, W) or (2, H, W, 3) in [0, 1].
    device : str
        Where the network runs.

    Returns
    -------
    ndarray
        Floating-point (H, W) or (H, W, 3); gray is truncated to whole levels, and so is the
        luminance of colour sources, as by the authors' program.

    Raises
    ------
    Skipped
        The weights are not on disk and cannot be downloaded.

    Notes
    -----
    fidelity: on g_01, g_02, c_01 and c_02 of liu2020 at most 9 pixels (0.003 %) differ from the
    authors' program, by one level. The order of the sources matters, and the normalisation is of
    the whole image, so that there are no tiles. Images below 16 x 16 are extended by their border.
    Longer stacks are folded.

    memory: 6.4 kB for each pixel, 77 GB at 12 megapixels; the network looks at the whole image.

    References
    ----------
    Cheng, C., et al. CVPR 2025, https://doi.org/10.48550/arXiv.2502.19854

    Examples
    --------
    >>> from methods import METHODS
    >>> METHODS["gifnet"].year
    2025
    """
    state = load_state(FILE, device)
    top, (height, width) = levels(sources), sources.shape[1:3]
    images = exact255(grown(sources, SMALLEST), top)
    planes = [ycbcr(image) for image in images] if images.ndim == 4 else [(i,) for i in images]
    y = images
    if images.ndim == 4:
        y = np.floor(_luminance(images) * (top / 255)) * (255 / top)
    pair = torch.from_numpy((y / 255).astype(np.float32)[None]).to(device)
    with torch.inference_mode():
        fused = _network(pair, state)[0, 0].cpu().numpy()
    if images.ndim == 3:
        return truncated(fused * (top / 255), top)[:height, :width]
    chroma = [chroma_by_strength(planes[0][c], planes[1][c]).astype(np.float32) for c in (1, 2)]
    return from_ycbcr(fused, *chroma)[:height, :width]


def _luminance(rgb: Array) -> Array:
    """Y of the authors' program, whose products are added without rounding in between.

    A sum that should be whole may fall just below, and truncation then loses a level: the last
    digit counts.
    """
    y = np.zeros(rgb.shape[:-1])
    for channel, weight in enumerate(Y_OPENCV):
        high = float(np.float32(weight))
        product = rgb[..., channel] * high  # exact, as `high` has few digits
        total = y + product
        part = total - y
        lost = (y - (total - part)) + (product - part)
        y = total + (lost + rgb[..., channel] * (weight - high))
    return np.clip(y, 0, 255)


def _network(x: Any, state: Mapping[str, Any]) -> Any:
    f = torch.nn.functional
    height, width = x.shape[2:]
    for k in (1, 2, 3):
        y = conv(x, state, f"getSharedFeatures.conv_{k}.conv2d", mode="reflect")
        x = torch.cat([x, torch.relu(y)], 1)
    wide = f.pad(x, (0, -width % 4, 0, -height % 4), mode="reflect")
    s, m = (
        conv(wide, state, f"{PREFIX}.patch_embed_{n}.proj", mode="reflect")
        for n in ("ivif", "mfif")
    )
    s, m = _block(s, m, state, f"{PREFIX}.layer1.blocks.0", 0)
    m = m + state[f"{PREFIX}.layer1.weights_mfif.0"] * s
    _, m = _block(s, m, state, f"{PREFIX}.layer1.blocks.1", SHIFT)
    m = conv(m, state, f"{PREFIX}.patch_unembed.proj.0", mode="reflect")[..., :height, :width]
    y = torch.relu(conv(torch.cat([x, m], 1), state, "cnnDecoder.fuseComplementFeatures.mlp.0"))
    y = conv(y, state, "cnnDecoder.fuseComplementFeatures.mlp.2")
    for k in (1, 4, 7, 10):
        y = conv(y, state, f"cnnDecoder.decoder.{k}", mode="reflect")
        y = torch.relu(y) if k < 10 else torch.tanh(y)
    return 255 * (y / 2 + 0.5)


def _block(s: Any, m: Any, state: Mapping[str, Any], name: str, shift: int) -> tuple[Any, Any]:
    """Both streams through a block; with `shift` the first one has no effect and is left out."""
    parts = {}
    for which, x in (("", s), ("_mfif", m)):
        if which == "" and shift:
            continue
        n, rho, beta = _normalised(x, state, f"{name}.norm1{which}")
        v = conv(n, state, f"{name}.attn.V{which}")
        q, k = conv(n, state, f"{name}.attn.QK{which}").chunk(2, 1)
        if which == "_mfif":
            asked = _windows(q, shift)  # by these queries, of both streams
        parts[which] = (x, rho, beta, v, _windows(k, shift))
    del n, q, k
    bias = _bias(state, f"{name}.attn.attn")
    result = {}
    while parts:
        which, (x, rho, beta, v, keys) = parts.popitem()
        y = _attention(asked, keys, _windows(v, shift), bias, v.shape[2:], shift)
        y += conv(v, state, f"{name}.attn.conv{which}", mode="reflect", groups=CHANNELS)
        x = x + conv(y, state, f"{name}.attn.proj{which}") * rho + beta
        y = torch.relu_(conv(x, state, f"{name}.mlp{which}.mlp.0"))
        result[which] = x + conv(y, state, f"{name}.mlp{which}.mlp.2")
    return result.get("", s), result["_mfif"]


def _normalised(x: Any, state: Mapping[str, Any], name: str) -> tuple[Any, Any, Any]:
    """Normalised over the whole image, with the scale and shift that undo it later."""
    mean = x.mean((1, 2, 3), keepdim=True)
    deviation = torch.sqrt(((x - mean) ** 2).mean((1, 2, 3), keepdim=True) + 1e-5)
    n = (x - mean) / deviation * state[f"{name}.weight"] + state[f"{name}.bias"]
    rho, beta = conv(deviation, state, f"{name}.meta1"), conv(mean, state, f"{name}.meta2")
    return n, rho, beta


def _windows(maps: Any, shift: int) -> Any:
    """Queries, keys or values (windows, heads, tokens, channels of a head)."""
    down, right = (-n % WINDOW for n in maps.shape[2:])
    low, high = ((shift + p) % WINDOW for p in (right, down))
    x = torch.nn.functional.pad(maps, (shift, low, shift, high), mode="reflect")
    rows, columns = (n // WINDOW for n in x.shape[2:])
    x = x.reshape(HEADS, -1, rows, WINDOW, columns, WINDOW).permute(2, 4, 0, 3, 5, 1)
    return x.reshape(rows * columns, HEADS, WINDOW * WINDOW, -1)


def _attention(q: Any, k: Any, v: Any, bias: Any, size: Any, shift: int) -> Any:
    """Attention within windows, put back to (1, channels, H, W)."""
    share = (q @ k.transpose(-2, -1)).div_(q.shape[-1] ** 0.5).add_(bias)
    y = share.softmax(-1) @ v
    rows, columns = (-(-(n + shift) // WINDOW) for n in size)
    y = y.reshape(rows, columns, HEADS, WINDOW, WINDOW, -1).permute(2, 5, 0, 3, 1, 4)
    y = y.reshape(1, -1, rows * WINDOW, columns * WINDOW)
    return y[..., shift : shift + size[0], shift : shift + size[1]]


def _bias(state: Mapping[str, Any], name: str) -> Any:
    """What is added to the similarity of two tokens, by their distance: (heads, 64, 64)."""
    f = torch.nn.functional
    hidden = torch.relu(
        f.linear(
            state[f"{name}.relative_positions"],
            state[f"{name}.meta.0.weight"],
            state[f"{name}.meta.0.bias"],
        )
    )
    out = f.linear(hidden, state[f"{name}.meta.2.weight"], state[f"{name}.meta.2.bias"])
    return out.permute(2, 0, 1)
