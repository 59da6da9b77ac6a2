"""Scores of a run's fused images against a reference that was changed: does the order depend on it?

Only the reference changes; the fused images are those of the store, and the metrics that take no
reference keep their scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import lazy_loader as lazy
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.core.errors import DataUnavailable
from bench.core.pixels import to_gray255, to_unit
from datasets.defocus import gaussian_blur
from metrics import METRICS, Scorer
from reports.data.evidence import LEFT_OUT
from reports.data.results import Results
from reports.data.sources import Sources

cv2 = lazy.load("cv2")

Levels = NDArray[np.float32]

#: The metrics that are computed again.
RESCORED = ("psnr", "ssim")

#: Weights of red, green and blue in the luminance of Recommendation ITU-R BT.709.
BT709 = (0.2126, 0.7152, 0.0722)


@dataclass(frozen=True)
class Change:
    """What is done to a reference.

    Attributes
    ----------
    name, title : str
        Short name, and what is done, with its size.
    apply : callable
        From gray levels 0..255, float32 (H, W), and a generator of random numbers, to levels.
    weights : tuple of float
        Weights of red, green and blue by which the reference and the fused images become gray;
        empty for the benchmark's own rule.
    """

    name: str
    title: str
    apply: Callable[[Levels, np.random.Generator], Levels]
    weights: tuple[float, ...] = ()


def _shifted(x: Levels, _: np.random.Generator) -> Levels:
    move = np.array([[1, 0, 0.5], [0, 1, 0.5]], np.float32)
    return cv2.warpAffine(
        x, move, x.shape[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )


def _rounded(x: Levels, _: np.random.Generator) -> Levels:
    return (4 * np.rint(x / 4)).astype(np.float32)


def _gamma(x: Levels, _: np.random.Generator) -> Levels:
    return (255 * (x / 255) ** 0.95).astype(np.float32)


def _resampled(x: Levels, _: np.random.Generator) -> Levels:
    height, width = x.shape
    small = cv2.resize(x, (3 * width // 4, 3 * height // 4), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


#: The changes that were tried.
CHANGES = (
    Change("gray BT.709", "gray by the weights of BT.709, fused images too", lambda x, _: x, BT709),
    Change("rounded", "rounded to 6 bits", _rounded),
    Change("brighter", "multiplied by 1.02", lambda x, _: 1.02 * x),
    Change("gamma", "raised to 0.95", _gamma),
    Change(
        "noise",
        "noise of standard deviation 2 levels",
        lambda x, rng: x + 2 * rng.standard_normal(x.shape, dtype=np.float32),
    ),
    Change("blurred", "Gaussian blur of 0.7 pixels", lambda x, _: gaussian_blur(x, 0.7)),
    Change(
        "sharpened",
        "unsharp mask of 1 pixel, 50 %",
        lambda x, _: 1.5 * x - 0.5 * gaussian_blur(x, 1),
    ),
    Change("resampled", "reduced to 3/4 and enlarged again", _resampled),
    Change("shifted", "shifted by half a pixel across and down", _shifted),
)


def rescored(
    results: Results, dataset: str, changes: Sequence[Change] = CHANGES, seed: int = 0
) -> dict[str, dict[str, pd.DataFrame]]:
    """Scores of the fused images of a data set against changed references, higher better.

    Parameters
    ----------
    results : Results
        A run.
    dataset : str
        One of its data sets, whose scenes have a reference.
    changes : sequence of Change
        What is done to the references.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    dict of str to dict of str to DataFrame
        By the name of the change and by metric: one row a scene, one column a method.

    Raises
    ------
    DataUnavailable
        A reference or a fused image is not on this machine any more.
    """
    sources, rows = Sources(results.manifest), []
    for scene in results.manifest.scenes:
        if scene.dataset != dataset or not scene.reference:
            continue
        images, why = sources.images(scene)
        if images is None or images.reference is None:
            raise DataUnavailable(f"{scene.name}: no reference ({why or 'it has none'})")
        fused = _fused(results, scene.dataset, scene.scene)
        for k, change in enumerate(changes):
            reference = _changed(images.reference, change, np.random.default_rng([seed, k]))
            scorer = Scorer([], reference)
            for method, image in fused.items():
                found = scorer.scores(_gray(image, change.weights), scorer.applicable(RESCORED))
                rows += [
                    (change.name, metric, scene.name, method, _signed(metric, value))
                    for metric, value in found.items()
                ]
    table = pd.DataFrame(rows, columns=["change", "metric", "where", "method", "value"])
    return {
        change.name: {
            str(metric): part.pivot(index="where", columns="method", values="value")
            for metric, part in table[table["change"] == change.name].groupby("metric")
        }
        for change in changes
    }


def _signed(metric: str, value: float) -> float:
    signed = value if METRICS[metric].higher_is_better else -value
    return signed if math.isfinite(signed) else math.nan


def _fused(results: Results, dataset: str, scene: str) -> dict[str, NDArray[np.generic]]:
    """The stored images of a scene by method, without those that no agreement is about."""
    found = {}
    for cell in results.manifest.cells:
        if cell.place != (dataset, scene) or not cell.pixels or cell.method in LEFT_OUT:
            continue
        image = results.store.get_image(cell.pixels)
        if image is None:
            raise DataUnavailable(
                f"{dataset}/{scene}: {cell.method}: its image is not in the store"
            )
        found[cell.method] = image
    return found


def _changed(
    reference: NDArray[np.generic], change: Change, rng: np.random.Generator
) -> NDArray[np.uint8]:
    levels = change.apply(_gray(reference, change.weights).astype(np.float32), rng)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def _gray(image: NDArray[np.generic], weights: Collection[float]) -> NDArray[np.uint8]:
    if not weights or image.ndim == 2:
        return to_gray255(image).astype(np.uint8)
    levels = 255 * to_unit(image).astype(np.float64) @ np.array([*weights])
    return np.floor(levels + 0.5).astype(np.uint8)
