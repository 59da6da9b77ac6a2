"""FCN-W: the two-stream network with weights as output."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from bench.core.precision import Precision
from methods import method
from methods.learned import WEIGHTS

Array = NDArray[Any]


@method(
    "fcn-w",
    title="Two-stream network with a weight head (FCN-W)",
    kind="decision",
    stack="pairwise",
    family="learned",
    paper="this benchmark; the body of Xu et al. 2018",
    weights=WEIGHTS / "fcn-w.safetensors",
    gflop=175.7,
)
def fcn_w(sources: Array, *, device: str = "cpu", precision: Precision = "auto") -> Array:
    """Weights by the FCN's body with a sigmoid in place of its last ReLU.

    Tones and colours come from the sources, so the network only has to distinguish sharp from
    blurred. Its receptive field is 17 x 17 pixels, too small to decide on a flat region.

    Parameters
    ----------
    sources : ndarray
        float32 (2, H, W) in [0, 1].
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
    fidelity: body, filters and streams are the paper's; the head, the loss (logarithm of the
    squared error) and the patches of 64 x 64 are ours.

    References
    ----------
    Xu, K., et al. 2018, https://doi.org/10.3837/tiis.2018.05.019 (the body)

    Examples
    --------
    >>> import numpy as np
    >>> from methods.fcn_w import fcn_w
    >>> sources = np.random.default_rng(0).random((2, 20, 30), dtype=np.float32)
    >>> bool(np.allclose(fcn_w(sources).sum(axis=0), 1))
    True
    """
    from methods.learned.inference.forward import Extent, infer, pairwise, shipped

    if len(sources) != 2:
        raise UsageError(f"fcn-w fuses two sources, got {len(sources)}")
    network = shipped("fcn-w", "gray", device, precision, bf16=True)
    weight = infer(network, pairwise, sources, Extent(reach=8))
    return np.concatenate([weight, 1 - weight])
