"""SESF-Fuse: activity of an auto-encoder's features decides, a guided filter blends."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from methods import method
from methods.published._parts import (
    Y_SKIMAGE,
    box_mean,
    exact255,
    focus_features,
    gradient_energy,
    gray_of,
    levels,
    square_sum,
    tensor,
    truncated,
    without_small,
)
from methods.published._weights import load_state, weights_file

cv2 = lazy.load("cv2")
torch = lazy.load("torch")

Array = NDArray[Any]

FILE = weights_file("Keep-Passion+SESF-Fuse/nets/parameters/lp+lssim_se_sf_net_times30.pkl")
MEAN, STD = 0.4500517361627943, 0.26465333914691797
BLOCKS = [("features.0", "features.2", "se_f")] + [
    (f"conv_encode_{k}.0", f"conv_encode_{k}.2", f"se_{k}") for k in (1, 2, 3)
]


@method(
    "sesf",
    title="Unsupervised deep model with spatial frequency (SESF-Fuse)",
    kind="transform",
    colour="rgb",
    stack="pairwise",
    family="published-network",
    paper="Ma, Zhu, Yin, Ban, Huang, Mukeshimana, SESF-Fuse: an unsupervised deep model for "
    "multi-focus image fusion, Neural Computing and Applications 33, 2021",
    doi="10.1007/s00521-020-05358-9",
    weights=FILE,
    symmetric=False,
    in_all=False,
    gflop=14.7,
    gray_as_rgb=False,
)
def sesf(sources: Array, *, device: str = "cpu") -> Array:
    """A decision map by the spatial frequency of features, cleaned up, blended by a guided filter.

    Parameters
    ----------
    sources : ndarray
        float32 (2, H, W) or (2, H, W, 3) in [0, 1].
    device : str
        Where the network runs.

    Returns
    -------
    ndarray
        float32 (H, W) or (H, W, 3), truncated to whole levels as by the authors' program.

    Raises
    ------
    Skipped
        The weights are not on disk and cannot be downloaded.

    Notes
    -----
    fidelity: on g_01, g_02, c_01 and c_02 of liu2020 every value equals that of the authors'
    program. As there, the guided filter works on values of 0..255, and in colour it adds the slopes
    of three channels, so that weights leave [0, 1], and gray sources as RGB fuse to another image.
    Longer stacks are folded.

    memory: 0.8 kB for each pixel, 10 GB at 12 megapixels; the network looks at the whole image.

    References
    ----------
    Ma, B., et al. Neural Computing and Applications 33, 2021,
    https://doi.org/10.1007/s00521-020-05358-9

    Examples
    --------
    >>> from methods import METHODS
    >>> METHODS["sesf"].weights[0].entry.licence
    'LGPL-2.1 (repository)'
    """
    state = load_state(FILE, device)
    gray = (gray_of(sources, Y_SKIMAGE) - np.float32(MEAN)) / np.float32(STD)
    with torch.inference_mode():
        near, far = (_activity(tensor(plane[None], device), state) for plane in gray)
        first = (near > far)[0, 0].cpu().numpy()
    first = _cleaned(first, 0.01 * first.size)
    top = levels(sources)
    a, b = exact255(sources, top)
    weight = _weight(np.where(first if a.ndim == 2 else first[..., None], a, b), first)
    weight = weight if a.ndim == 2 else weight[..., None]
    return truncated((weight * a + (1 - weight) * b) * (top / 255), top)


def _activity(x: Any, state: dict[str, Any]) -> Any:
    features = focus_features(x, state, BLOCKS)
    return square_sum(gradient_energy(features).sum(1, keepdim=True), 11)


def _cleaned(first: Array, area: float) -> Array:
    """Opening and closing by a disk of radius 5, each followed by the removal of components."""
    y, x = np.mgrid[-5:6, -5:6]
    disk = (y * y + x * x <= 25).astype(np.uint8)
    mask = cv2.morphologyEx(first.astype(np.uint8), cv2.MORPH_OPEN, disk) > 0
    mask = without_small(mask, area, 4)
    mask = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disk) > 0
    return ~without_small(~mask, area, 4)


def _weight(guide: Array, first: Array) -> Array:
    """The filtered map; in colour the sum of three fits, each in one channel."""
    chosen = first.astype(np.float64)
    mean_chosen = box_mean(chosen, 4)
    raised, weight = np.zeros_like(chosen), np.zeros_like(chosen)
    for channel in [guide] if guide.ndim == 2 else np.moveaxis(guide, -1, 0):
        channel = np.ascontiguousarray(channel)
        mean = box_mean(channel, 4)
        slope = box_mean(channel * chosen, 4) - mean * mean_chosen
        slope /= box_mean(channel * channel, 4) - mean * mean + 0.1
        raised += slope * mean
        weight += box_mean(slope, 4) * channel
    return weight + box_mean(mean_chosen - raised, 4)
