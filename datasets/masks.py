"""Masks of objects to defocus: random shapes, and segments drawn by people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ImageError

cv2 = lazy.load("cv2")
scipy = lazy.load("scipy")

Mask = NDArray[np.bool_]

#: Least and largest share of the image that an object covers.
SHARE = (0.12, 0.6)


def random_mask(rng: np.random.Generator, height: int, width: int) -> Mask:
    """A random object: a smooth blob, a polygon, an ellipse, or a wavy occluder from one side.

    Parameters
    ----------
    rng : numpy.random.Generator
        Decides kind, place and size.
    height, width : int
        Size of the image.

    Returns
    -------
    ndarray of bool
        (height, width), covering a share of the image within `SHARE`.

    Examples
    --------
    >>> import numpy as np
    >>> from datasets.masks import random_mask
    >>> mask = random_mask(np.random.default_rng(0), 60, 80)
    >>> mask.shape, bool(0.1 < mask.mean() < 0.7)
    ((60, 80), True)
    """
    draw = (_blob, _polygon, _ellipse, _side)[int(rng.integers(4))]
    for _ in range(20):
        mask = draw(rng, height, width)
        if SHARE[0] <= mask.mean() <= SHARE[1]:
            return mask
    mask = np.zeros((height, width), bool)
    mask[height // 4 : height - height // 4, width // 4 : width - width // 4] = True
    return mask


def fine_mask(rng: np.random.Generator, height: int, width: int, size: float) -> Mask:
    """Many objects over half of the image: where a smooth random field is positive.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws the field.
    height, width : int
        Size of the image.
    size : float
        Mean distance in pixels along a row or column at which the mask changes. A field of white
        noise, blurred by a Gaussian of standard deviation s, changes sign every pi * sqrt(2) * s
        pixels (Rice 1944, Bell System Technical Journal 23(3)).

    Returns
    -------
    ndarray of bool
        (height, width).

    Examples
    --------
    >>> import numpy as np
    >>> from datasets.masks import fine_mask
    >>> mask = fine_mask(np.random.default_rng(0), 1000, 1000, 25)
    >>> changes = np.count_nonzero(np.diff(mask, axis=1)) / 1000
    >>> round(1000 / changes)
    25
    """
    sigma = size / (np.pi * np.sqrt(2))
    field = rng.standard_normal((height, width), dtype=np.float32)
    return cv2.GaussianBlur(field, (0, 0), sigma, borderType=cv2.BORDER_REFLECT) > 0


def segment_mask(rng: np.random.Generator, labels: NDArray[np.integer]) -> Mask:
    """An object from a segmentation: one segment of fitting size, or several joined.

    Parameters
    ----------
    rng : numpy.random.Generator
        Chooses among them.
    labels : ndarray of int
        (H, W), one value per segment.

    Returns
    -------
    ndarray of bool
        (H, W). If no segments have a share within `SHARE`, a `random_mask`.
    """
    values, counts = np.unique(labels, return_counts=True)
    shares = counts / labels.size
    fit = (shares >= SHARE[0]) & (shares <= SHARE[1])
    if fit.any():
        return labels == rng.choice(values[fit])
    order = rng.permutation(values[shares < SHARE[0]])
    mask = np.zeros(labels.shape, bool)
    for value in order:
        mask |= labels == value
        if mask.mean() >= SHARE[0]:
            return mask
    return random_mask(rng, *labels.shape)


def bsds_labels(file: Path) -> list[NDArray[np.integer]]:
    """The segmentations in a ground-truth file of BSDS500, one per person.

    Raises
    ------
    ImageError
        The file is missing or has another format.
    """
    broken = (OSError, ValueError, KeyError, IndexError, TypeError, NotImplementedError)
    try:
        people: Any = scipy.io.loadmat(file)["groundTruth"]
        return [people[0, k]["Segmentation"][0, 0] for k in range(people.shape[1])]
    except (*broken, scipy.io.matlab.MatReadError) as error:
        raise ImageError(f"{file}: not a segmentation of BSDS500 ({error})") from None


def _blob(rng: np.random.Generator, height: int, width: int) -> Mask:
    """The largest connected region where a smooth random field is high."""
    coarse = rng.standard_normal((5, 5), dtype=np.float32)
    land = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    level = np.quantile(land, 1 - rng.uniform(*SHARE))
    _, labels, stats, _ = cv2.connectedComponentsWithStats((land > level).astype(np.uint8))
    return (
        labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])) if len(stats) > 1 else labels > 0
    )


def _polygon(rng: np.random.Generator, height: int, width: int) -> Mask:
    corners = int(rng.integers(4, 11))
    turn = np.sort(rng.uniform(0, 2 * np.pi, corners))
    away = rng.uniform(0.3, 0.75, corners) * min(height, width)
    x = rng.uniform(0.3, 0.7) * width + away * np.cos(turn)
    y = rng.uniform(0.3, 0.7) * height + away * np.sin(turn)
    sheet = np.zeros((height, width), np.uint8)
    cv2.fillPoly(sheet, [np.rint(np.stack([x, y], axis=1)).astype(np.int32)], 1)
    return sheet > 0


def _ellipse(rng: np.random.Generator, height: int, width: int) -> Mask:
    y, x = np.ogrid[:height, :width]
    dx, dy = x - rng.uniform(0.3, 0.7) * width, y - rng.uniform(0.3, 0.7) * height
    turn = rng.uniform(0, np.pi)
    a, b = rng.uniform(0.22, 0.5, 2) * np.array([width, height])
    along, across = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    return (along / a) ** 2 + (across / b) ** 2 < 1


def _side(rng: np.random.Generator, height: int, width: int) -> Mask:
    """Everything on one side of a wavy line."""
    upright = rng.random() < 0.5
    long, wide = (height, width) if upright else (width, height)
    coarse = rng.standard_normal((1, int(rng.integers(4, 9)))).astype(np.float32)
    wave = cv2.resize(coarse, (long, 1), interpolation=cv2.INTER_CUBIC)[0]
    edge = (rng.uniform(0.25, 0.55) + 0.07 * wave) * wide
    mask = np.arange(wide)[None, :] < edge[:, None]
    if rng.random() < 0.5:
        mask = mask[:, ::-1]
    return np.ascontiguousarray(mask if upright else mask.T)
