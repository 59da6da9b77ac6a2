"""CNN: focus classification by a siamese network."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from bench.core.precision import Precision
from methods import method
from methods._filters import guided_filter
from methods.learned import WEIGHTS

cv2 = lazy.load("cv2")

Array = NDArray[Any]


@method(
    "cnn",
    title="Convolutional neural network (CNN)",
    kind="decision",
    stack="pairwise",
    family="learned",
    paper="Liu, Chen, Peng, Wang, Multi-focus image fusion with a deep convolutional neural "
    "network, Information Fusion 36, 2017",
    doi="10.1016/j.inffus.2016.12.001",
    weights=WEIGHTS / "cnn.safetensors",
    gflop=180.4,
)
def cnn(
    sources: Array,
    *,
    threshold: float = 0.5,
    smallest: float = 0.01,
    radius: int = 8,
    eps: float = 0.1,
    device: str = "cpu",
    precision: Precision = "auto",
) -> Array:
    """Weights from a score per 16 x 16 window, cleaned up and fitted to the image.

    The score of each window is spread over its pixels and averaged where windows overlap;
    above `threshold` the first source is sharp; regions smaller than `smallest` go to the
    other source; a guided filter, with the fused image as its guide, softens the edge of the map.

    Parameters
    ----------
    sources : ndarray
        float32 (2, H, W) in [0, 1].
    threshold : float
        Of the focus map.
    smallest : float
        Least share of the image's pixels that a region must have to stay.
    radius, eps : int, float
        Of the guided filter.
    device, precision : str
        Where and in which number format the network runs: see `bench.core.precision`.

    Returns
    -------
    ndarray
        float32 (2, H, W), non-negative, of sum 1.

    Raises
    ------
    UsageError
        There are not two sources.
    WeightsError
        The weights file is missing or damaged.

    Notes
    -----
    fidelity: the paper's "slight" network, without the layer of 256 units (1.7 MB in single
    precision instead of 33 MB), trained on BSDS500 in place of ImageNet, by Adam with warm-up
    and cosine and a running mean of the weights. The clean-up treats the first source's regions
    first, so that swapping the sources may change pixels at the edges of the map (by up to 20
    levels on the pairs of liu2020).

    References
    ----------
    Liu, Y., et al. Information Fusion 36, 2017, https://doi.org/10.1016/j.inffus.2016.12.001

    Examples
    --------
    >>> import numpy as np
    >>> from methods.cnn import cnn
    >>> sources = np.random.default_rng(0).random((2, 20, 30), dtype=np.float32)
    >>> bool(np.allclose(cnn(sources).sum(axis=0), 1))
    True
    """
    from methods.learned.inference.forward import shipped

    if len(sources) != 2:
        raise UsageError(f"cnn fuses two sources, got {len(sources)}")
    network = shipped("cnn", "gray", device, precision, bf16=True)
    first = _focus_map(sources, network) > threshold
    first = _change_sides(first, smallest * first.size)
    first = ~_change_sides(~first, smallest * first.size)
    initial = np.where(first, sources[0], sources[1]).astype(np.float32)
    weight = guided_filter(initial, first.astype(np.float32), radius, eps)
    weight = np.clip(weight, 0, 1)
    return np.stack([weight, 1 - weight])


def _focus_map(sources: Array, network: Any) -> Array:
    """Mean over the windows at a pixel of the probability that the first source is sharp."""
    from methods.learned.inference.focusmap import STRIDE, WINDOW, focus
    from methods.learned.inference.forward import Extent, infer

    extent = Extent(2 * WINDOW + 8, stride=STRIDE, smallest=WINDOW, tile=512 * STRIDE)
    return infer(network, focus, sources, extent)[0]


def _change_sides(mask: Array, area: float) -> Array:
    """The mask without its regions of less than `area` pixels."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    keep = stats[:, cv2.CC_STAT_AREA] >= area
    keep[0] = False
    return keep[labels] if count > 1 else mask
