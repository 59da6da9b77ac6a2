"""Visual information fidelity for fusion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from metrics import Plane, metric
from metrics._parts import shared
from metrics._windows import Gaussian, Moments

Array = NDArray[np.float64]

WINDOWS = tuple(Gaussian(size, size / 5) for size in (17, 9, 5, 3))  #: One per scale.
SHARES = (1 / 2.15, 0.0, 0.15 / 2.15, 1 / 2.15)  #: Weight of each scale.
NOISE = 0.005 * 255**2  #: Variance of the eye's own noise.
TINY = 1e-10


@shared
def _scale(plane: Plane, k: int) -> Array:
    """The image at scale k: filtered with each finer step's next window and halved."""
    if k == 0:
        return plane.gray
    return np.ascontiguousarray(WINDOWS[k].valid(_scale(plane, k - 1))[::2, ::2])


@shared
def _moments(plane: Plane, k: int) -> Moments:
    x = _scale(plane, k)
    mean = WINDOWS[k].valid(x)
    var = WINDOWS[k].valid(np.square(x)) - np.square(mean)
    return Moments(mean, np.maximum(var, 0, out=var))


def _information(fused: Plane, source: Plane, k: int) -> tuple[Array, Array, Array]:
    """Gain g, information with distortion N and without D, in each window."""
    x, f = _moments(source, k), _moments(fused, k)
    cov = WINDOWS[k].valid(_scale(source, k) * _scale(fused, k)) - x.mean * f.mean
    silent = x.var < TINY
    gain = cov / (x.var + TINY)
    rest = f.var - gain * cov
    gain[silent] = 0
    rest[silent] = f.var[silent]
    var = np.where(silent, 0, x.var)
    lost = f.var < TINY
    gain[lost] = 0
    rest[lost] = 0
    reversed_ = gain < 0
    rest[reversed_] = f.var[reversed_]
    gain[reversed_] = 0
    np.maximum(rest, TINY, out=rest)
    with_distortion = np.log10(1 + np.square(gain) * var / (rest + NOISE))
    return gain, with_distortion, np.log10(1 + var / NOISE)


@metric(
    "viff",
    label="VIFF",
    title="Visual information fidelity for fusion",
    family="perceptual",
    higher_is_better=True,
    bounds=(0, np.inf),
    needs="sources",
    symmetric=False,
    paper="Han, Cai, Cao, Xu 2013, Information Fusion 14(2)",
    doi="10.1016/j.inffus.2011.08.002",
    formula="sum over scales of p sum(N) / sum(D), N and D of the source with the smaller gain",
    golden="octave VIFF",
    tolerance=1e-9,
    deviations="Luminance only; the paper's colour version adds the chroma channels.",
    smallest=41,
)
def viff(sources: list[Plane], fused: Plane) -> float:
    """Information that the eye gets from the fused image over that in the sources.

    At four scales the fused image is modelled as gain times source plus distortion in each
    window; per window the source with the smallest gain counts (of equal gains the last
    source, so that the order has a small influence). N sources are met in the same way.

    Parameters
    ----------
    sources : sequence of ndarray
        N >= 2 images, see `bench.images.as_image`; colour counts as luminance.
    fused : ndarray
        An image of the same height and width.

    Returns
    -------
    float
        At least 0; 1 when all images are equal, above 1 when contrast was enhanced.

    Raises
    ------
    ImageError
        Sizes differ, or an image is smaller than 41x41.

    Examples
    --------
    >>> from skimage.data import camera
    >>> from metrics.viff import viff
    >>> round(viff([camera()[:64, :64]] * 2, camera()[:64, :64]), 6)
    1.0
    """
    total = 0.0
    for k, share in enumerate(SHARES):
        if share == 0:
            continue
        gain, top, bottom = _information(fused, sources[0], k)
        for source in sources[1:]:
            g, n, d = _information(fused, source, k)
            later = g <= gain
            gain, top, bottom = (
                np.where(later, new, old) for new, old in ((g, gain), (n, top), (d, bottom))
            )
        total += share * float((top + 1e-7).sum() / (bottom + 1e-7).sum())
    return total
