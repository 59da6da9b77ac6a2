"""FCN: the fully convolutional two-stream network."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from bench.core.pixels import luminance
from bench.core.precision import Precision
from methods import method
from methods.learned import WEIGHTS

Array = NDArray[Any]


@method(
    "fcn",
    title="Fully convolutional two-stream network (FCN)",
    kind="transform",
    colour="rgb",
    stack="pairwise",
    family="learned",
    paper="Xu, Qin, Wang, Zhang, Huang, Ye, Multi-focus image fusion using fully convolutional "
    "two-stream network for visual sensors, KSII Transactions on Internet and Information "
    "Systems 12(5), 2018",
    doi="10.3837/tiis.2018.05.019",
    weights=WEIGHTS / "fcn.safetensors",
    gflop=351.5,
)
def fcn(sources: Array, *, device: str = "cpu", precision: Precision = "auto") -> Array:
    """Fuse by regression: the network computes every pixel of the fused image anew.

    Two streams of two 5 x 5 convolutions with 64 filters, a 1 x 1 fusion layer, two 5 x 5
    transposed convolutions; ReLU after every layer; trained on the mean squared error to the
    all-in-focus photo.

    Parameters
    ----------
    sources : ndarray
        float32 (2, H, W) or (2, H, W, 3) in [0, 1]. A longer stack is folded by the
        framework.
    device, precision : str
        Where and in which number format the network runs: see `bench.core.precision`.

    Returns
    -------
    ndarray
        float32 (H, W) or (H, W, 3).

    Raises
    ------
    UsageError
        There are not two sources.
    WeightsError
        The weights file is missing or damaged.

    Notes
    -----
    fidelity: gray images run through a network of one channel, colour through one of the
    paper's four (R, G, B and gray), of whose output R, G and B are kept. The paper names two
    learning rates; 1e-3 (section 2.4) is used, since 1e-5 (section 3.3.1) leaves the network
    far from trained (32.6 dB on validation after 10,000 steps). What the paper does not state or
    does differently: 8000 scenes in gray and 4000 in colour made of 200 photos instead of 1000
    groups; a rate that rises over the first steps and falls as a cosine; adaptive gradient
    clipping (`methods.learned.train.adaptive_clipping`), without which 1e-3 led to a black image
    after 3,700 steps; a running mean of the weights; a last bias that starts at mid-gray. The
    transposed convolutions are computed as ordinary ones, which are equal at stride 1.

    A plain regression also has to reproduce tones: on pairs brighter or noisier than the
    training data they shift by about a level. It was trained on one sharp and one blurred view
    of every pixel; where both are equally sharp it overshoots at edges (two copies of one photo
    give 26 dB).

    References
    ----------
    Xu, K., et al. KSII Transactions on Internet and Information Systems 12(5), 2018,
    https://doi.org/10.3837/tiis.2018.05.019

    Examples
    --------
    >>> import numpy as np
    >>> from methods.fcn import fcn
    >>> sources = np.random.default_rng(0).random((2, 20, 30), dtype=np.float32)
    >>> fcn(sources).shape
    (20, 30)
    """
    from methods.learned.inference.forward import Extent, infer, pairwise, shipped

    if len(sources) != 2:
        raise UsageError(f"fcn fuses two sources, got {len(sources)}")
    part = "gray" if sources.ndim == 3 else "four"
    network = shipped("fcn", part, device, precision, bf16=True)
    if part == "four":
        sources = np.concatenate([sources, luminance(sources)[..., None]], axis=-1)
    fused = infer(network, pairwise, sources, Extent(reach=8))
    return fused[0] if part == "gray" else np.moveaxis(fused[:3], 0, -1)
