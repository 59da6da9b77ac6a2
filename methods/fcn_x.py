"""FCN-X: a network for any number of sources, blended or copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from bench.core.precision import Precision
from methods import method
from methods.learned import WEIGHTS

if TYPE_CHECKING:
    from methods.learned.inference.forward import Extent

Array = NDArray[Any]

PAPER = "this benchmark (methods/learned/focusnet.py)"


@method(
    "fcn-x",
    title="Focus network, blended (FCN-X)",
    kind="decision",
    family="learned",
    paper=PAPER,
    weights=WEIGHTS / "fcn-x.safetensors",
)
def fcn_x(
    sources: Array, *, shrink: int = 0, device: str = "cpu", precision: Precision = "auto"
) -> Array:
    """Weights that have the least error on average: soft where it is uncertain who is sharp.

    `methods.learned.nets.focusnet.FocusNet` scores every source at every pixel; a softmax over the
    sources makes weights of the scores. The order of the sources does not matter: to the bit for
    two, up to the rounding of sums (one level at a pixel or two) for more.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    shrink : int
        The network sees the sources this many times smaller, and its weights are enlarged again.
        0 takes 1 below 5.2 megapixels, then 2, from 11.7 on 3 and from 20.8 on 4. That saves most
        of the time, and does good where even the sharpest detail takes several pixels; in an image
        that is sharp to the last pixel it costs detail. 1 decides at full size.
    device, precision : str
        Where and in which number format the network runs: see `bench.core.precision`.

    Returns
    -------
    ndarray
        float32 (N, H, W), non-negative, of sum 1.

    Raises
    ------
    UsageError
        `shrink` is not a whole number from 0 on.
    WeightsError
        The weights file is missing or damaged.

    Notes
    -----
    fidelity: a method of this benchmark; the network is described in
    `methods.learned.nets.focusnet`, its training in `methods.learned.train.recipes`.

    References
    ----------
    Zaheer, M., et al. Deep sets. NeurIPS 2017, arXiv:1703.06114 (merging that knows no order)

    Examples
    --------
    >>> import numpy as np
    >>> from methods.fcn_x import fcn_x
    >>> sources = np.random.default_rng(0).random((3, 20, 30), dtype=np.float32)
    >>> bool(np.allclose(fcn_x(sources).sum(axis=0), 1, atol=1e-6))
    True
    """
    from methods.learned.inference.decision import blended
    from methods.learned.inference.forward import shipped

    network = shipped("fcn-x", "gray", device, precision, bf16=True)
    return blended(network, sources, _extent(), shrink)


@method(
    "fcn-x-hard",
    title="Focus network, pixels copied (FCN-X hard)",
    kind="decision",
    family="learned",
    paper=PAPER,
    weights=WEIGHTS / "fcn-x.safetensors",
)
def fcn_x_hard(
    sources: Array,
    *,
    smallest: float = 0.003,
    shrink: int = 0,
    device: str = "cpu",
    precision: Precision = "auto",
) -> Array:
    """Copy every pixel from one source: the network's decision without its crumbs.

    The source with the largest score of the network's second output takes the pixel. Then
    regions smaller than a share of the image go over to the source next to them.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    smallest : float
        Least share of the image's pixels that a region must have to stay.
    shrink : int
        As of `fcn_x`; it is the scores that are enlarged.
    device, precision : str
        Where and in which number format the network runs: see `bench.core.precision`.

    Returns
    -------
    ndarray
        float32 (N, H, W), 0 or 1.

    Raises
    ------
    UsageError
        `smallest` is not in [0, 1), or `shrink` is not a whole number from 0 on.
    WeightsError
        The weights file is missing or damaged.

    Notes
    -----
    fidelity: a method of this benchmark; see `fcn_x`. Equal scores go to the brighter
    source, whatever the order.

    References
    ----------
    Zaheer, M., et al. Deep sets. NeurIPS 2017, arXiv:1703.06114 (merging that knows no order)

    Examples
    --------
    >>> import numpy as np
    >>> from methods.fcn_x import fcn_x_hard
    >>> sources = np.random.default_rng(0).random((2, 20, 30), dtype=np.float32)
    >>> [float(x) for x in np.unique(fcn_x_hard(sources))]
    [0.0, 1.0]
    """
    from methods.learned.inference.decision import copied
    from methods.learned.inference.forward import shipped

    network = shipped("fcn-x", "gray", device, precision, bf16=True)
    return copied(network, sources, _extent(), smallest, shrink)


def _extent() -> Extent:
    from methods.learned.inference.forward import Extent
    from methods.learned.nets.focusnet import MULTIPLE, REACH

    return Extent(reach=REACH, multiple=MULTIPLE, smallest=MULTIPLE, tile=1536)
