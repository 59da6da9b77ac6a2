"""DRL-FPD: a residual network fuses, and its features tell which source each pixel is like."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from methods import method
from methods.published._parts import (
    IMAGENET,
    as_rgb,
    cleaned,
    conv,
    levels,
    norm,
    tensor,
    truncated,
    without_small,
)
from methods.published._weights import load_state, weights_file

cv2 = lazy.load("cv2")
torch = lazy.load("torch")

Array = NDArray[Any]

FILE = weights_file("yuliu316316+DRL-FPD-MFIF/models/MyRegressionNet122/model.pth")
#: Share of the image's pixels that a region needs to stay, and side of the boundary's square.
SMALLEST, SQUARE = 0.015, 9


@method(
    "drl-fpd",
    title="Deep residual learning and focus property detection (DRL-FPD)",
    kind="transform",
    colour="rgb",
    family="published-network",
    paper="Liu, Wang, Li, Chen, Multi-focus image fusion with deep residual learning and focus "
    "property detection, Information Fusion 86-87, 2022",
    doi="10.1016/j.inffus.2022.06.001",
    weights=FILE,
    symmetric=False,
    in_all=False,
    gflop=126.3,
    gray_as_rgb=False,
)
def drl_fpd(sources: Array, *, device: str = "cpu") -> Array:
    """The network's image at the boundaries of the focused areas, source pixels elsewhere.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) or (N, H, W, 3) in [0, 1].
    device : str
        Where the network runs.

    Returns
    -------
    ndarray
        float32 (H, W) or (H, W, 3); what the network computes is truncated to whole levels as by
        the authors' program.

    Raises
    ------
    Skipped
        The weights are not on disk and cannot be downloaded.

    Notes
    -----
    fidelity: on g_01, g_02, c_01 and c_02 of liu2020 every value equals that of the authors'
    program. A gray image is the first channel that the network gives. For more than two sources the
    components of each label are cleaned up as those of a pair, and a pixel is copied where all
    labels about it are equal; the authors' program for three images dissolves small regions in
    another way, and compares sums of labels.

    memory: 1.2 kB for each pixel, 15 GB at 12 megapixels; the network looks at the whole image.

    References
    ----------
    Liu, Y., et al. Information Fusion 86-87, 2022, https://doi.org/10.1016/j.inffus.2022.06.001

    Examples
    --------
    >>> from methods import METHODS
    >>> METHODS["drl-fpd"].stack
    'native'
    """
    state = load_state(FILE, device)
    top = levels(sources)
    with torch.inference_mode():
        features = [_encode(source, state, device) for source in as_rgb(sources)]
        merged = features[0]
        for other in features[1:]:
            merged = torch.maximum(merged, other)
        rgb = _decode(merged, state)[0].movedim(0, -1).cpu().numpy()
        rgb = truncated(rgb * np.float32(top), top)
        own = _encode(rgb, state, device)
        errors = [_error(own, x) for x in features]
    labels = _labels(np.stack(errors))
    fused = rgb[..., 0] if sources.ndim == 3 else rgb
    for k, source in enumerate(sources):
        copied = _surrounded(labels == k)
        fused = np.where(copied if fused.ndim == 2 else copied[..., None], source, fused)
    return fused


def _encode(rgb: Array, state: dict[str, Any], device: str) -> Any:
    mean, std = (np.array(m, np.float32) for m in IMAGENET)
    x = conv(tensor(((rgb - mean) / std)[None], device), state, "layer1")
    for k in (2, 3, 4):
        x = _unit(x, state, f"layer{k}")
    return x


def _decode(x: Any, state: dict[str, Any]) -> Any:
    for k in (5, 6, 7):
        x = _unit(x, state, f"layer{k}")
    return torch.sigmoid(conv(x, state, "layer8"))


def _unit(x: Any, state: dict[str, Any], name: str) -> Any:
    """Two paths, attention to channels and to places, and the residual."""

    def path(y: Any, which: int, last: int) -> Any:
        for k in range(0, last + 1, 3):
            y = conv(y, state, f"{name}.modlist{which}.{k}")
            y = norm(y, state, f"{name}.modlist{which}.{k + 1}")
            y = torch.relu_(y) if k < last else y
        return y

    t = torch.relu_(norm(conv(x, state, f"{name}.conv1"), state, f"{name}.bn1"))
    u = torch.cat([path(t, 1, 3), path(t, 2, 6)], 1)
    del t
    hidden = torch.relu(conv(u.mean((2, 3), keepdim=True), state, f"{name}.se.fc1"))
    channels = torch.sigmoid(conv(hidden, state, f"{name}.se.fc2"))
    hidden = torch.relu(conv(u, state, f"{name}.sa.conv1"))
    places = torch.sigmoid(conv(hidden, state, f"{name}.sa.conv2"))
    both = torch.cat([u * channels, u * places], 1)
    return torch.relu_(conv(both, state, f"{name}.conv2") + x)


def _error(own: Any, features: Any) -> Array:
    """Squared differences, averaged over 7 x 7 with zeros outside of the image."""
    error = (own - features).square_().sum(1, keepdim=True)
    return torch.nn.functional.avg_pool2d(error, 7, 1, 3)[0, 0].cpu().numpy()


def _labels(errors: Array) -> Array:
    """The source that each pixel is like, without small regions."""
    area = SMALLEST * errors[0].size
    if len(errors) == 2:
        return np.where(cleaned(errors[0] < errors[1], area, 4), 0, 1)
    labels = errors.argmin(axis=0)
    for k in range(len(errors)):
        labels[~without_small(labels != k, area, 4)] = k
    return labels


def _surrounded(mask: Array) -> Array:
    """Where the mask holds in the whole square about a pixel, mirrored with its edge repeated."""
    reach = SQUARE // 2
    wide = np.pad(mask.astype(np.uint8), reach, mode="symmetric")
    least = cv2.erode(wide, np.ones((SQUARE, SQUARE), np.uint8), borderValue=1)
    return least[reach:-reach, reach:-reach] > 0
