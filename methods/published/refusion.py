"""ReFusion: two encoders with attention over channels, a fusion module, a decoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from methods import method
from methods.published._parts import as_rgb, conv, exact255, levels, stretched, tensor
from methods.published._weights import load_state, weights_file

cv2 = lazy.load("cv2")
torch = lazy.load("torch")

Array = NDArray[Any]

FILE = weights_file("HaowenBai+ReFusion/models/ReFusion_MFIF.pth")
#: Attention heads of every block.
HEADS = 8


@method(
    "refusion",
    title="Image fusion learned from reconstruction by meta-learning (ReFusion)",
    kind="transform",
    colour="rgb",
    stack="pairwise",
    family="published-network",
    paper="Bai, Zhao, Zhang, Wu, Deng, Cui, Jiang, Xu, ReFusion: Learning image fusion from "
    "reconstruction with learnable loss via meta-learning, International Journal of Computer "
    "Vision, 2024",
    doi="10.1007/s11263-024-02256-8",
    weights=FILE,
    symmetric=False,
    in_all=False,
    gflop=31.5,
    exact=False,
    keeps_tones=False,
)
def refusion(sources: Array, *, stretch: bool = True, device: str = "cpu") -> Array:
    """Fuse luminance by transformer blocks of 16 and 32 channels, chroma by its strength.

    Parameters
    ----------
    sources : ndarray
        float32 (2, H, W) or (2, H, W, 3) in [0, 1]; the first is the near-focused one.
    stretch : bool
        Stretch the fused luminance from its least to its largest value to the full range, as
        the authors' program does for every image.
    device : str
        Where the network runs.

    Returns
    -------
    ndarray
        float32 (H, W) or (H, W, 3).

    Raises
    ------
    Skipped
        The weights are not on disk and cannot be downloaded.

    Notes
    -----
    fidelity: on g_01, g_02, c_01 and c_02 of liu2020 47, 11, 40 and 11 pixels (0.004 to 0.018 %)
    differ from the authors' program, by one level. The brightest pixel of the network's map sets
    the scale of the image, and on g_01 it is smaller there than in float64 by 3e-6 of its value, or
    0.0005 levels in the brightest areas: so much depends on the order of sums over all pixels. The
    order of the sources matters. Longer stacks are folded.

    memory: 2.5 kB for each pixel, 31 GB at 12 megapixels; the network looks at the whole image.

    References
    ----------
    Bai, H., et al. International Journal of Computer Vision, 2024,
    https://doi.org/10.1007/s11263-024-02256-8

    Examples
    --------
    >>> from methods import METHODS
    >>> METHODS["refusion"].parameters["stretch"]
    True
    """
    state = load_state(FILE, device)
    images = exact255(as_rgb(sources), levels(sources)).astype(np.float32)
    planes = np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb) for image in images])
    gray = [bool((image == image[..., :1]).all()) for image in images]
    with torch.inference_mode():
        fused = _network(tensor(planes[..., 0] / np.float32(255), device), state)
    fused = fused[0, 0].cpu().numpy()
    fused = stretched(fused) if stretch else fused
    if sources.ndim == 3:
        return fused
    if all(gray):
        return np.repeat(fused[..., None], 3, axis=2)
    chroma = planes[1 - gray.index(True), ..., 1:] if any(gray) else _mixed(*planes[..., 1:])
    fused = cv2.cvtColor(np.dstack([fused * 255, chroma]), cv2.COLOR_YCrCb2RGB)
    return np.clip(fused, 0, 255) / 255


def _mixed(a: Array, b: Array) -> Array:
    """Chroma by its strength, about the offset of OpenCV's float YCrCb: 0.5, on 0..255 as well.

    Where both sources are gray, the quotient enlarges the rounding of the conversion, which is
    therefore left to OpenCV.
    """
    half, least = np.float32(0.5), np.float32(1e-4)
    near, far = np.abs(a - half), np.abs(b - half)
    return (a * near + b * far) / (near + far + least)


def _network(pair: Any, state: Mapping[str, Any]) -> Any:
    maps = []
    for k in (1, 2):
        x = conv(pair[k - 1 : k], state, f"project_in_{k}")
        for block in (0, 1):
            x = _block(x, state, f"encoder{k}.{block}")
        maps.append(x)
    x = _merged(maps[0], maps[1], state)
    for block in (0, 1):
        x = _block(x, state, f"decoder.{block}")
    x = torch.nn.functional.leaky_relu(conv(x, state, "project_out_0"), 0.01)
    return torch.sigmoid(conv(x, state, "project_out_1"))


def _depthwise(x: Any, state: Mapping[str, Any], first: str, second: str) -> Any:
    """A 1 x 1 convolution, then 3 x 3 on each channel by itself."""
    x = conv(x, state, first)
    return conv(x, state, second, groups=x.shape[1])


def _attention(q: Any, k: Any, v: Any, temperature: Any) -> Any:
    """Channels of a head weighted by the similarity of their maps."""
    shape = q.shape
    q, k, v = (t.reshape(HEADS, -1, shape[2] * shape[3]) for t in (q, k, v))
    q, k = (torch.nn.functional.normalize(t, dim=-1) for t in (q, k))
    share = ((q @ k.transpose(1, 2)) * temperature).softmax(-1)
    return (share @ v).reshape(shape)


def _layer_norm(x: Any, state: Mapping[str, Any], name: str) -> Any:
    """Normalisation over the channels of each pixel."""
    mean = x.mean(1, keepdim=True)
    variance = x.var(1, keepdim=True, unbiased=False)
    weight, bias = (state[f"{name}.body.{p}"][:, None, None] for p in ("weight", "bias"))
    return (x - mean) / torch.sqrt(variance + 1e-5) * weight + bias


def _block(x: Any, state: Mapping[str, Any], name: str) -> Any:
    y = _layer_norm(x, state, f"{name}.norm1")
    q, k, v = _depthwise(y, state, f"{name}.attn.qkv", f"{name}.attn.qkv_dwconv").chunk(3, 1)
    y = _attention(q, k, v, state[f"{name}.attn.temperature"])
    x = x + conv(y, state, f"{name}.attn.project_out")
    y = _layer_norm(x, state, f"{name}.norm2")
    a, b = _depthwise(y, state, f"{name}.ffn.project_in", f"{name}.ffn.dwconv").chunk(2, 1)
    return x + conv(torch.nn.functional.gelu(a) * b, state, f"{name}.ffn.project_out")


def _merged(x1: Any, x2: Any, state: Mapping[str, Any]) -> Any:
    """Each source asks the other one's maps; then gated sums of both."""
    (q1, k1, v1), (q2, k2, v2) = (
        _depthwise(x, state, f"FM.qkv{n}", f"FM.qkv{n}_dwconv").chunk(3, 1)
        for n, x in ((1, x1), (2, x2))
    )
    o1 = _attention(q2, k1, v1, state["FM.temperature1"])
    o2 = _attention(q1, k2, v2, state["FM.temperature2"])
    x1 = x1 + conv(o1, state, "FM.project_mid1")
    x2 = x2 + conv(o2, state, "FM.project_mid2")
    z = torch.cat([x1, x2], 1)
    gates = _depthwise(z, state, "FM.project_E", "FM.project_E_d").chunk(2, 1)
    for n, x, gate in ((1, x1, gates[0]), (2, x2, gates[1])):
        y = _depthwise(x, state, f"FM.project_E{n}", f"FM.project_E{n}_d")
        z = z + conv(torch.nn.functional.gelu(gate) * y, state, f"FM.project_out{n}")
    return z
