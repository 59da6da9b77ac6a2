"""CNN with its author's own weights: the slight network, trained for multi-focus patches."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from methods import method
from methods._filters import guided_filter
from methods.published._parts import cleaned, grown, tensor
from methods.published._weights import load_state, weights_file

torch = lazy.load("torch")

Array = NDArray[Any]

FILE = weights_file("xingchenzhang+VIFB/methods/CNN/model/cnnmodel.mat")
#: Side of a window in cells of 2 x 2 pixels, and rows of windows that are computed at a time.
CELLS, TILE = 8, 64


@method(
    "cnn-liu",
    title="Convolutional neural network, the author's weights (CNN)",
    kind="decision",
    stack="pairwise",
    family="published-network",
    paper="Liu, Chen, Peng, Wang, Multi-focus image fusion with a deep convolutional neural "
    "network, Information Fusion 36, 2017",
    doi="10.1016/j.inffus.2016.12.001",
    weights=FILE,
    symmetric=False,
    in_all=False,
    gflop=183.4,
)
def cnn_liu(sources: Array, *, device: str = "cpu") -> Array:
    """Weights from a score per 16 x 16 window, cleaned up and fitted to the image.

    Parameters
    ----------
    sources : ndarray
        float32 (2, H, W) in [0, 1].
    device : str
        Where the network runs.

    Returns
    -------
    ndarray
        float32 (2, H, W), non-negative, of sum 1.

    Raises
    ------
    Skipped
        The weights are not on disk and cannot be downloaded.

    Notes
    -----
    fidelity: on g_01, g_02, c_01 and c_02 of liu2020 at most one value differs from the author's
    program, by one level. The weights
    are those of the author's "slight" network (Liu et al. 2018, doi:10.1142/S0219691318500182);
    the paper's full model, 33 MB, decides the same but at some edges. Images below 16 x 16 are
    extended by their border.

    References
    ----------
    Liu, Y., et al. Information Fusion 36, 2017, https://doi.org/10.1016/j.inffus.2016.12.001

    Examples
    --------
    >>> from methods import METHODS
    >>> METHODS["cnn-liu"].weights[0].entry.bytes
    1617459
    """
    state = _kernels(load_state(FILE, device))
    height, width = sources.shape[1:]
    x = tensor(grown(sources, 2 * CELLS), device)
    with torch.inference_mode():
        focus = _focus(x, state)[0, 0, :height, :width].cpu().numpy()
    first = cleaned(focus > 0.5, np.ceil(0.01 * focus.size), 8)
    guide = np.where(first, sources[0], sources[1]).astype(np.float64)
    weight = np.clip(guided_filter(guide, first.astype(np.float64), 8, 0.1), 0, 1)
    return np.stack([weight, 1 - weight])


def _kernels(arrays: dict[str, Any]) -> dict[str, Any]:
    """The file's arrays, whose taps run down the columns, as kernels; see the file's own names."""
    state = {}
    for k in (1, 2, 3):
        taps = arrays[f"weights_b1_{k}"]
        taps = taps[None] if taps.dim() == 2 else taps
        kernel = taps.reshape(len(taps), 3, 3, -1).permute(3, 0, 2, 1)
        state[f"{k}.weight"] = kernel.contiguous()
        state[f"{k}.bias"] = arrays[f"biases_b1_{k}"].flatten()
    taps = arrays["weights_output"].reshape(512, CELLS, CELLS, 2)
    state["score"] = taps.permute(3, 0, 2, 1).contiguous()
    return state


def _features(x: Any, state: dict[str, Any]) -> Any:
    f = torch.nn.functional
    for k in (1, 2):
        x = torch.relu(f.conv2d(x, state[f"{k}.weight"], state[f"{k}.bias"], padding=1))
    x = f.max_pool2d(x, 2, ceil_mode=True)
    return torch.relu(f.conv2d(x, state["3.weight"], state["3.bias"], padding=1))


def _focus(x: Any, state: dict[str, Any]) -> Any:
    """Mean over the windows at a pixel of the probability that the first source is sharp."""
    from methods.learned.inference.focusmap import spread

    height, width = x.shape[2:]
    cells = -(-height // 2)
    rows = cells - CELLS + 1
    scores = []
    for top in range(0, rows, TILE):
        stop = min(top + TILE, rows)
        low, high = max(top - 2, 0), min(stop + CELLS + 1, cells)
        part = x[:, :, 2 * low : 2 * high]
        maps = torch.cat([_features(part[k : k + 1], state) for k in (0, 1)], 1)
        maps = maps[:, :, top - low : stop - low + CELLS - 1]
        scores.append(torch.nn.functional.conv2d(maps, state["score"]).softmax(1)[:, 1:])
    return spread(torch.cat(scores, 2), (2 * cells, width + width % 2))
