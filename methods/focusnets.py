"""FCN-X and the smaller FCN-S: focus networks for any number of sources, blended or copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from numpy.typing import NDArray

from bench.core.precision import Precision
from methods import Planes, method
from methods.learned import WEIGHTS

if TYPE_CHECKING:
    from methods.learned.inference.forward import Extent

Array = NDArray[Any]

#: Sources as an array or one at a time; the weights are given alike.
Given = TypeVar("Given", Array, Planes)


@method(
    "fcn-x",
    title="Focus network, blended (FCN-X)",
    kind="decision",
    family="learned",
    paper="this benchmark (methods/learned/nets/focusnet.py)",
    weights=WEIGHTS / "fcn-x.safetensors",
    gflop=31.2,
    streams=True,
    any_order=True,
)
def fcn_x(
    sources: Given, *, shrink: int = 0, device: str = "cpu", precision: Precision = "auto"
) -> Given:
    """Weights of the least expected error: soft where the sharp source is uncertain.

    `methods.learned.nets.focusnet.FocusNet` scores every source at every pixel; a softmax over the
    sources turns the scores into weights. The order of the sources does not matter: fused
    images are equal to the bit.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    shrink : int
        The sources are reduced by this factor for the network, and its weights are enlarged again.
        0 takes 1 below 5.2 megapixels, then 2, from 11.7 on 3 and from 20.8 on 4. That saves most
        of the time, and improves images whose sharpest detail takes several pixels; in an image
        that is sharp to the last pixel it loses detail. 1 decides at full size.
    device, precision : str
        Where and in which number format the network runs: see `bench.core.precision`.

    Returns
    -------
    ndarray
        float32 (N, H, W), non-negative, of sum 1.

    Raises
    ------
    UsageError
        `shrink` is not a whole number of at least 0.
    WeightsError
        The weights file is missing or damaged.

    Notes
    -----
    fidelity: a method of this benchmark; the network is described in
    `methods.learned.nets.focusnet`, its training in `methods.learned.train.recipes`.

    References
    ----------
    Zaheer, M., et al. Deep sets. NeurIPS 2017, arXiv:1703.06114 (merging independent of order)

    Examples
    --------
    >>> import numpy as np
    >>> from methods.focusnets import fcn_x
    >>> sources = np.random.default_rng(0).random((3, 20, 30), dtype=np.float32)
    >>> bool(np.allclose(fcn_x(sources).sum(axis=0), 1, atol=1e-6))
    True
    """
    return _blended("fcn-x", sources, shrink, device, precision)


@method(
    "fcn-x-hard",
    title="Focus network, pixels copied (FCN-X hard)",
    kind="decision",
    family="learned",
    paper="this benchmark (methods/learned/nets/focusnet.py)",
    weights=WEIGHTS / "fcn-x.safetensors",
    gflop=31.2,
    streams=True,
    any_order=True,
)
def fcn_x_hard(
    sources: Given,
    *,
    smallest: float = 0.003,
    shrink: int = 0,
    device: str = "cpu",
    precision: Precision = "auto",
) -> Given:
    """Copy every pixel from one source: the network's decision without its smallest regions.

    The source with the largest score of the network's second output takes the pixel. Then
    regions smaller than a share of the image take the source of their neighbour.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    smallest : float
        Least share of the image's pixels that a region must have to stay.
    shrink : int
        As in `fcn_x`, but the scores are enlarged.
    device, precision : str
        Where and in which number format the network runs: see `bench.core.precision`.

    Returns
    -------
    ndarray
        float32 (N, H, W), 0 or 1.

    Raises
    ------
    UsageError
        `smallest` is not in [0, 1), or `shrink` is not a whole number of at least 0.
    WeightsError
        The weights file is missing or damaged.

    Notes
    -----
    fidelity: a method of this benchmark; see `fcn_x`. Equal scores go to the brighter
    source, in any order.

    References
    ----------
    Zaheer, M., et al. Deep sets. NeurIPS 2017, arXiv:1703.06114 (merging independent of order)

    Examples
    --------
    >>> import numpy as np
    >>> from methods.focusnets import fcn_x_hard
    >>> sources = np.random.default_rng(0).random((2, 20, 30), dtype=np.float32)
    >>> [float(x) for x in np.unique(fcn_x_hard(sources))]
    [0.0, 1.0]
    """
    return _copied("fcn-x", sources, smallest, shrink, device, precision)


@method(
    "fcn-s",
    title="Small focus network, blended (FCN-S)",
    kind="decision",
    family="learned",
    paper="this benchmark (methods/learned/nets/smallnet.py)",
    weights=WEIGHTS / "fcn-s.safetensors",
    gflop=3.9,
    streams=True,
    any_order=True,
)
def fcn_s(
    sources: Given, *, shrink: int = 1, device: str = "cpu", precision: Precision = "auto"
) -> Given:
    """The blend of `fcn-x` with an eighth of its operations: for large photos on a CPU.

    Errors and the order of the sources are as in `fcn_x`.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    shrink : int
        As in `fcn_x`, but 1 by default: one position of the network is 4 x 4 pixels already.
    device, precision : str
        As in `fcn_x`.

    Returns
    -------
    ndarray
        float32 (N, H, W), non-negative, of sum 1.

    Notes
    -----
    fidelity: a method of this benchmark; the network is described in
    `methods.learned.nets.smallnet`, its training in `methods.learned.train.recipes`.

    References
    ----------
    Zaheer, M., et al. Deep sets. NeurIPS 2017, arXiv:1703.06114 (merging independent of order)

    Examples
    --------
    >>> import numpy as np
    >>> from methods.focusnets import fcn_s
    >>> sources = np.random.default_rng(0).random((3, 20, 30), dtype=np.float32)
    >>> bool(np.allclose(fcn_s(sources).sum(axis=0), 1, atol=1e-6))
    True
    """
    return _blended("fcn-s", sources, shrink, device, precision)


@method(
    "fcn-s-hard",
    title="Small focus network, pixels copied (FCN-S hard)",
    kind="decision",
    family="learned",
    paper="this benchmark (methods/learned/nets/smallnet.py)",
    weights=WEIGHTS / "fcn-s.safetensors",
    gflop=3.9,
    streams=True,
    any_order=True,
)
def fcn_s_hard(
    sources: Given,
    *,
    smallest: float = 0.003,
    shrink: int = 1,
    device: str = "cpu",
    precision: Precision = "auto",
) -> Given:
    """The decision of `fcn-x-hard` with an eighth of its operations.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    smallest, shrink, device, precision
        As in `fcn_x_hard`; `shrink` is 1 by default.

    Returns
    -------
    ndarray
        float32 (N, H, W), 0 or 1.

    Notes
    -----
    fidelity: a method of this benchmark; see `fcn_s` and `fcn_x_hard`.

    References
    ----------
    Zaheer, M., et al. Deep sets. NeurIPS 2017, arXiv:1703.06114 (merging independent of order)

    Examples
    --------
    >>> import numpy as np
    >>> from methods.focusnets import fcn_s_hard
    >>> sources = np.random.default_rng(0).random((2, 20, 30), dtype=np.float32)
    >>> [float(x) for x in np.unique(fcn_s_hard(sources))]
    [0.0, 1.0]
    """
    return _copied("fcn-s", sources, smallest, shrink, device, precision)


def _blended(name: str, sources: Given, shrink: int, device: str, precision: Precision) -> Given:
    from methods.learned.inference.decision import blended
    from methods.learned.inference.forward import shipped

    network = shipped(name, "gray", device, precision, bf16=True)
    return blended(network, sources, _extent(name), shrink)


def _copied(
    name: str, sources: Given, smallest: float, shrink: int, device: str, precision: Precision
) -> Given:
    from methods.learned.inference.decision import copied
    from methods.learned.inference.forward import shipped

    network = shipped(name, "gray", device, precision, bf16=True)
    return copied(network, sources, _extent(name), smallest, shrink)


def _extent(name: str) -> Extent:
    from methods.learned.inference.forward import Extent
    from methods.learned.nets import focusnet, smallnet

    net, tile = {"fcn-x": (focusnet, 1536), "fcn-s": (smallnet, 4096)}[name]
    return Extent(reach=net.REACH, multiple=net.MULTIPLE, smallest=net.MULTIPLE, tile=tile)
