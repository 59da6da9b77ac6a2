"""IFCNN: features of every source, merged by their maximum, sum or mean."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from methods import method
from methods.published._parts import IMAGENET, as_rgb, conv, levels, norm, tensor, truncated
from methods.published._weights import load_state, weights_file

cv2 = lazy.load("cv2")
torch = lazy.load("torch")

Array = NDArray[Any]

FILES = {
    merge: weights_file(f"uzeful+IFCNN/Code/snapshots/IFCNN-{merge.upper()}.pth")
    for merge in ("max", "sum", "mean")
}
#: Pixels that the network looks at on either side, and the rows of a tile.
REACH, TILE = 5, 256


@method(
    "ifcnn",
    title="General image fusion by a convolutional network (IFCNN)",
    kind="transform",
    colour="rgb",
    family="published-network",
    paper="Zhang, Liu, Sun, Yan, Zhao, Zhang, IFCNN: A general image fusion framework based on "
    "convolutional neural network, Information Fusion 54, 2020",
    doi="10.1016/j.inffus.2019.07.011",
    weights=list(FILES.values()),
    in_all=False,
    gflop=69.3,
    exact=False,
    gray_as_rgb=False,
)
def ifcnn(sources: Array, *, merge: str = "max", device: str = "cpu") -> Array:
    """Two convolutions per source, an element-wise merge, two convolutions to the fused image.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) or (N, H, W, 3) in [0, 1].
    merge : {'max', 'sum', 'mean'}
        How the features are merged; each has weights of its own.
    device : str
        Where the network runs.

    Returns
    -------
    ndarray
        float32 (H, W) or (H, W, 3), truncated to whole levels as by the authors' program.

    Raises
    ------
    UsageError
        `merge` is none of the three.
    Skipped
        The weights are not on disk and cannot be downloaded.

    Notes
    -----
    fidelity: on g_01, g_02, c_01 and c_02 of liu2020 at most 8 pixels (0.003 %) differ from the
    authors' program, by one level, with `merge` ``max``; ``sum`` and ``mean`` were not compared.
    Colour is normalised as ImageNet. Gray is copied to three
    channels and not normalised, as in the authors' gray tasks (they have none of multi-focus); the
    fused channels become gray by OpenCV's rounded luminance. Images of 16 bits are truncated on
    their own scale.

    References
    ----------
    Zhang, Y., et al. Information Fusion 54, 2020, https://doi.org/10.1016/j.inffus.2019.07.011

    Examples
    --------
    >>> from methods import METHODS
    >>> METHODS["ifcnn"].weights[0].entry.bytes
    337094
    """
    if merge not in FILES:
        raise UsageError(f"ifcnn: merge must be one of {', '.join(FILES)}, got {merge!r}")
    state = load_state(FILES[merge], device)
    gray = sources.ndim == 3
    mean, std = (np.array(m, np.float32) for m in IMAGENET)
    x = tensor(as_rgb(sources) if gray else (sources - mean) / std, device)
    with torch.inference_mode():
        fused = _network(x, state, merge)[0].movedim(0, -1).cpu().numpy()
    if not gray:
        fused = fused * std + mean
    top = levels(sources)
    fused = truncated(np.clip(fused, 0, 1) * np.float32(top), top)
    if not gray:
        return fused
    whole = np.rint(fused * top).astype(np.uint8 if top == 255 else np.uint16)
    return cv2.cvtColor(whole, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(top)


def _network(x: Any, state: dict[str, Any], merge: str) -> Any:
    from methods.learned.nets.row_tiles import in_row_tiles

    def fused(top: int, stop: int) -> Any:
        merged: Any = None
        for source in x.split(1):
            y = conv(source[:, :, top:stop], state, "conv1", mode="replicate")
            y = conv(y, state, "conv2.conv", mode="replicate")
            y = torch.relu(norm(y, state, "conv2.bn"))
            if merged is None:
                merged = y
            else:
                merged = torch.maximum(merged, y) if merge == "max" else merged + y
        if merge == "mean":
            merged = merged / len(x)
        y = conv(merged, state, "conv3.conv", mode="replicate")
        return conv(torch.relu(norm(y, state, "conv3.bn")), state, "conv4")

    return in_row_tiles(fused, x, TILE, REACH)
