"""What published networks have in common: layers, levels, colour rules, clean-up of maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

cv2 = lazy.load("cv2")
torch = lazy.load("torch")

Array = NDArray[Any]

#: ImageNet's mean and standard deviation of red, green and blue in [0, 1].
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: Luminance of scikit-image, and of OpenCV.
Y_SKIMAGE, Y_OPENCV = (0.2125, 0.7154, 0.0721), (0.299, 0.587, 0.114)


def levels(sources: Array) -> int:
    """255 if a source has 8-bit levels, else 65535: the scale on which a program truncates."""
    for source in sources:
        scaled = source * np.float32(255)
        if np.abs(scaled - np.rint(scaled)).max() < 1e-3:
            return 255
    return 65535


def exact255(sources: Array, top: int) -> Array:
    """Sources on the scale of 0..255 in float64, without the rounding of float32."""
    return np.rint(sources.astype(np.float64) * top) * (255 / top)


def truncated(image: Array, top: int) -> Array:
    """The level at or below each value; `image` on the scale of 0..top."""
    return (np.floor(np.clip(image, 0, top)) / top).astype(np.float32)


def grown(sources: Array, side: int) -> Array:
    """Sources of at least `side` x `side` pixels, extended by their border below and right."""
    missing = [max(side - n, 0) for n in sources.shape[1:3]]
    if not any(missing):
        return sources
    pads = [(0, 0), (0, missing[0]), (0, missing[1]), (0, 0)]
    return np.pad(sources, pads[: sources.ndim], mode="edge")


def gray_of(sources: Array, weights: tuple[float, float, float]) -> Array:
    """Luminance with these weights in float32; gray sources as they are."""
    return sources if sources.ndim == 3 else sources @ np.array(weights, np.float32)


def as_rgb(sources: Array) -> Array:
    """(N, H, W, 3), gray copied to three channels."""
    return sources if sources.ndim == 4 else np.repeat(sources[..., None], 3, axis=3)


def tensor(sources: Array, device: str) -> Any:
    """(N, C, H, W) on `device`, from (N, H, W) or (N, H, W, C)."""
    planes = sources[:, None] if sources.ndim == 3 else np.moveaxis(sources, -1, 1)
    return torch.from_numpy(np.array(planes, order="C")).to(device)


def conv(
    x: Any,
    state: Mapping[str, Any],
    name: str,
    *,
    mode: str = "constant",
    pad: int | None = None,
    stride: int = 1,
    groups: int = 1,
) -> Any:
    """Convolution with ``name.weight`` and, if there is one, ``name.bias``; keeps the size."""
    weight, bias = state[f"{name}.weight"], state.get(f"{name}.bias")
    reach = weight.shape[-1] // 2 if pad is None else pad
    f = torch.nn.functional
    if mode != "constant" and reach:
        x, reach = f.pad(x, (reach,) * 4, mode=mode), 0
    return f.conv2d(x, weight, bias, stride, reach, 1, groups)


def norm(x: Any, state: Mapping[str, Any], name: str) -> Any:
    """Batch normalisation with the stored mean and variance."""
    parts = (state[f"{name}.{p}"] for p in ("running_mean", "running_var", "weight", "bias"))
    return torch.nn.functional.batch_norm(x, *parts, eps=1e-5)


def focus_features(x: Any, state: Mapping[str, Any], names: list[tuple[str, str, str]]) -> Any:
    """The 64 features of SESF's and GACN's encoder: four gated blocks, densely connected.

    Each of `names` is a block's convolution, its batch normalisation after ReLU, and its gate.
    """
    found: list[Any] = []
    for convolution, after, gate in names:
        y = norm(torch.relu_(conv(x, state, convolution)), state, after)
        hidden = torch.relu(y.mean((2, 3)) @ state[f"{gate}.fc.0.weight"].T)
        y.mul_(torch.sigmoid(hidden @ state[f"{gate}.fc.2.weight"].T)[..., None, None])
        found.append(y)
        x = torch.cat(found, 1)
    return x


def gradient_energy(features: Any) -> Any:
    """Squared differences to the left and the upper neighbour, which is 0 outside of the image."""
    f = torch.nn.functional
    left = f.pad(features, (1, -1)).sub_(features)
    above = f.pad(features, (0, 0, 1, -1)).sub_(features)
    return left.mul_(left).add_(above.mul_(above))


def square_sum(planes: Any, side: int) -> Any:
    """Sum over a square about each pixel, zeros outside; flat areas give exactly 0.

    One plane at a time: a convolution of many at once takes sixteen times their memory.
    """
    f = torch.nn.functional
    ones, reach = planes.new_ones(1, 1, side, 1), side // 2
    sums = torch.empty_like(planes)
    for k in range(planes.shape[1]):
        down = f.conv2d(planes[:, k : k + 1], ones, padding=(reach, 0))
        sums[:, k : k + 1] = f.conv2d(down, ones.mT, padding=(0, reach))
    return sums


def without_small(mask: Array, area: float, connectivity: int) -> Array:
    """The mask without its components of fewer than `area` pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=connectivity
    )
    keep = stats[:, cv2.CC_STAT_AREA] >= area
    keep[0] = False
    return keep[labels]


def cleaned(mask: Array, area: float, connectivity: int) -> Array:
    """Small components of ones become zeros, then small ones of zeros become ones."""
    mask = without_small(mask, area, connectivity)
    return ~without_small(~mask, area, connectivity)


def box_mean(image: Array, radius: int) -> Array:
    """Mean over the part of a square that lies within the image, by differences of running sums.

    Whether a flat area comes back exactly depends on how sums are made, and truncation turns the
    last digit into a level: the authors' programs make them so.
    """
    sums = image
    for axis in (0, 1):
        running = np.cumsum(np.moveaxis(sums, axis, 0), axis=0)
        running = np.concatenate([np.zeros_like(running[:1]), running])
        place = np.arange(len(running) - 1)
        low, high = np.maximum(place - radius, 0), np.minimum(place + radius + 1, len(place))
        sums = np.moveaxis(running[high] - running[low], 0, axis)
    reach = [
        np.minimum(np.arange(n) + radius, n - 1) - np.maximum(np.arange(n) - radius, 0) + 1
        for n in image.shape
    ]
    return sums / (reach[0][:, None] * reach[1])


def ycbcr(rgb: Array) -> tuple[Array, Array, Array]:
    """Y clipped to 0..255, and chroma without offset, of RGB in 0..255, float64."""
    r, g, b = np.moveaxis(rgb.astype(np.float64), -1, 0)
    y = np.clip(0.299 * r + 0.587 * g + 0.114 * b, 0, 255)
    return y, -0.169 * r - 0.331 * g + 0.5 * b, 0.5 * r - 0.419 * g - 0.081 * b


def chroma_by_strength(first: Array, second: Array) -> Array:
    """Chroma weighted by its distance from 128, which chroma without offset never is near."""
    near, far = np.abs(first - 128), np.abs(second - 128)
    return (first * near + second * far) / (near + far)


def from_ycbcr(y: Array, cb: Array, cr: Array) -> Array:
    """RGB in [0, 1], clipped, of `ycbcr`'s planes."""
    red, blue = y + 1.402 * cr, y + 1.772 * cb
    rgb = np.stack([red, y - 0.344136 * cb - 0.714136 * cr, blue], axis=-1)
    return np.clip(rgb, 0, 255) / 255


def stretched(image: Array) -> Array:
    """From the smallest to the largest value to [0, 1]; a flat image is left as it is."""
    low, high = image.min(), image.max()
    return (image - low) / (high - low) if high > low else np.clip(image, 0, 1)
