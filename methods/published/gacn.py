"""GACN: a network makes the decision map and a boundary-guided filter of it, end to end."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from methods import method
from methods._filters import guided_filter, one_hot
from methods.published._parts import (
    Y_SKIMAGE,
    conv,
    focus_features,
    gradient_energy,
    gray_of,
    norm,
    square_sum,
    stretched,
    tensor,
)
from methods.published._weights import load_state, weights_file

torch = lazy.load("torch")

Array = NDArray[Any]

FILE = weights_file("Keep-Passion+GACN/nets/parameters/GACN.pkl")
#: Slope of the logistic functions that make decisions.
STEEP = 1000


@method(
    "gacn",
    title="End-to-end decision map and fusion (GACN)",
    kind="transform",
    colour="rgb",
    family="published-network",
    paper="Ma, Yin, Wu, Shen, Ban, Wang, End-to-end learning for simultaneously generating "
    "decision map and multi-focus image fusion result, Neurocomputing 470, 2022",
    doi="10.1016/j.neucom.2021.10.115",
    weights=FILE,
    symmetric=False,
    in_all=False,
    gflop=44.5,
)
def gacn(sources: Array, *, device: str = "cpu") -> Array:
    """The activity of 64 features is compared, and a network turns that into a decision map.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) or (N, H, W, 3) in [0, 1].
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
    fidelity: on g_01, g_02, c_01 and c_02 of liu2020 at most 3 values differ from the authors'
    program, by one level. As there, an
    image with a value outside of [0, 1] is stretched from its least to its largest value. More
    than two sources are fused by the authors' decision calibration: every source is compared with
    the first one, and pixels are copied.

    memory: 1.2 kB for each pixel, 15 GB at 12 megapixels; the network looks at the whole image.

    References
    ----------
    Ma, B., et al. Neurocomputing 470, 2022, https://doi.org/10.1016/j.neucom.2021.10.115

    Examples
    --------
    >>> from methods import METHODS
    >>> METHODS["gacn"].stack
    'native'
    """
    state = load_state(FILE, device)
    gray = gray_of(sources, Y_SKIMAGE)
    with torch.inference_mode():
        first = _activity(gray[0], state, device)
        decisions = []
        for other in gray[1:]:
            difference = _activity(other, state, device)
            torch.sub(first, difference, out=difference)
            decisions.append(_decision(difference, state).cpu().numpy()[0, 0])
    if len(decisions) > 1:
        best = one_hot(_calibrated(decisions), len(sources))
        return np.einsum("nhw,nhw...->hw...", best, sources)
    weight = _filtered(decisions[0], gray)
    weight = weight if sources.ndim == 3 else weight[..., None]
    fused = weight * sources[0] + (1 - weight) * sources[1]
    return stretched(fused) if fused.min() < 0 or fused.max() > 1 else fused


def _activity(plane: Array, state: dict[str, Any], device: str) -> Any:
    names = [
        (f"{n}.{n}_Conv2d", f"{n}.{n}_BatchNorm", f"se_{k}")
        for k in range(4)
        for n in [f"feature_extraction_conv{k}"]
    ]
    features = focus_features(tensor(plane[None], device), state, names)
    return square_sum(gradient_energy(features), 11)


def _decision(difference: Any, state: dict[str, Any]) -> Any:
    """Nearly 0 or 1: whether the first source is sharper; overwrites `difference`."""

    def gated(x: Any, k: int) -> Any:
        return x.mul_(torch.sigmoid(conv(x, state, f"se_{k}.fc.0")))

    x = gated(difference.mul_(STEEP).sigmoid_(), 4)
    for k in range(1, 5):
        name = f"decision_path_conv{k}"
        x = torch.relu_(conv(x, state, f"{name}.{name}_Conv2d"))
        x = gated(norm(x, state, f"{name}.{name}_BatchNorm"), k + 4)
    return torch.sigmoid(STEEP * x)


def _filtered(decision: Array, gray: Array) -> Array:
    """The decision, by a guided filter only about its boundaries."""
    from scipy.ndimage import correlate1d

    taps = np.exp(-(np.arange(-4, 5) ** 2) / 128).astype(np.float32)
    taps /= taps.sum()
    soft = correlate1d(decision, taps, 0, mode="constant")
    soft = correlate1d(soft, taps, 1, mode="constant")
    far = np.where(soft > 0.8, soft, np.where(soft < 0.1, 1 - soft, np.float32(0)))
    edge = 1 - np.abs(2 * (soft * far + (1 - far) / 2) - 1)
    guide = decision * gray[0] + (1 - decision) * gray[1]
    return guided_filter(guide, decision, 3, 0.1) * edge + decision * (1 - edge)


def _calibrated(decisions: list[Array]) -> Array:
    """The source of the largest value: each is compared with the first."""
    values = [decisions[0], 1 - decisions[0]]
    for decision in decisions[1:]:
        values.append(values[0] * (1 - decision) / (decision + np.float32(1e-4)))
    return np.argmax(values, axis=0)
