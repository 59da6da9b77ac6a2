"""A simple focus measure, the baseline for all methods."""

from __future__ import annotations

from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from methods import method
from methods._filters import one_hot, remove_small_regions

cv2 = lazy.load("cv2")

Array = NDArray[Any]


@method(
    "sobel",
    title="Sobel energy, pixels copied",
    kind="decision",
    family="control",
    paper="Tenenbaum, Accommodation in computer vision, PhD thesis, Stanford University, 1970",
)
def sobel(sources: Array, *, sigma: float = 3.0, min_region: float = 0.01) -> Array:
    """Copy each pixel from the source with the largest Sobel energy around it.

    Energy is the squared Sobel gradient smoothed by a Gaussian. Regions of the resulting map
    that are smaller than a share of the image go to their nearest larger region.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    sigma : float
        Standard deviation of the Gaussian, in pixels.
    min_region : float
        Smallest region kept, as a share of the image's area.

    Returns
    -------
    ndarray
        float32 (N, H, W), 1 for the source that is copied and 0 for the others.

    Raises
    ------
    UsageError
        `sigma` is not positive, or `min_region` lies outside [0, 1].

    Notes
    -----
    fidelity: a baseline, not a published method; Tenenbaum's gradient is the field's oldest
    focus measure. Where energies tie the first source is copied, so there the order matters.

    References
    ----------
    Tenenbaum 1970, PhD thesis, Stanford University

    Examples
    --------
    >>> import numpy as np
    >>> from methods.sobel import sobel
    >>> sharp = np.random.default_rng(0).random((16, 16), np.float32)
    >>> float(sobel(np.stack([sharp, np.full_like(sharp, 0.5)]))[0].mean())
    1.0
    """
    if not sigma > 0:
        raise UsageError(f"sigma must be positive, got {sigma}")
    if not 0 <= min_region <= 1:
        raise UsageError(f"min_region must lie in [0, 1], got {min_region}")
    energies = np.stack([_energy(source, sigma) for source in sources])
    labels = remove_small_regions(np.argmax(energies, axis=0), min_region * energies[0].size)
    return one_hot(labels, len(sources))


def _energy(image: Array, sigma: float) -> Array:
    across = cv2.Sobel(image, -1, 1, 0)
    down = cv2.Sobel(image, -1, 0, 1)
    return cv2.GaussianBlur(across * across + down * down, (0, 0), sigma)
