"""How exact the alignment methods are: against known motions, and against points marked by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datasets import Scene, SceneImages, load_scenes
from datasets.alignment import ALIGNMENTS, NONE, NotAligned
from datasets.alignment.stack import chained, find_steps
from datasets.alignment.transforms import distances, of_motion
from datasets.perturbations import Perturbed
from datasets.point_pairs import PointPairs, point_pairs

Array = NDArray[np.float64]

#: The scenes whose motions are known: these, with each of the perturbations.
SETS = ("synthetic-lens", "synthetic-stack")
MOTIONS = ("+shift=1", "+shift=8+rotation=1+scale=1.02")

#: The column that says whether a method gave up, so that the scene stayed as it was.
FAILED = "failed"


def known_motions(
    sets: Sequence[str] = SETS, motions: Sequence[str] = MOTIONS
) -> Iterator[tuple[str, str, Scene]]:
    """Data set, perturbation and scene of each scene whose motion is known."""
    for name in sets:
        for motion in motions:
            yield from ((name, motion, scene) for scene in load_scenes(name + motion))


def residuals(scene: Scene) -> pd.DataFrame:
    """What each method leaves of the known motion of each source of a perturbed scene.

    Parameters
    ----------
    scene : Scene
        Perturbed by motions alone.

    Returns
    -------
    DataFrame
        A row for each method (``none`` first) and each source but the first one: ``method``,
        ``source``, ``mean_px`` and ``worst_px`` of the distances between where the points of a
        grid are and where they are found, and ``failed``.
    """
    images = scene.images
    count, (height, width) = len(images.sources), images.sources[0].shape[:2]
    (perturbed,) = (change for change in scene.changes if isinstance(change, Perturbed))
    truth = [of_motion(perturbed.motion(k, count), height, width) for k in range(count)]
    rows = []
    for method in (NONE, *ALIGNMENTS.names()):
        found, failed = transforms_of(images, method)
        for k in range(1, count):
            apart = distances(found[k], truth[k], height, width)
            rows.append((method, k + 1, float(apart.mean()), float(apart.max()), failed))
    return pd.DataFrame(rows, columns=["method", "source", "mean_px", "worst_px", FAILED])


def transforms_of(images: SceneImages, method: str) -> tuple[Sequence[Array], bool]:
    """The transform of each source, and whether the method gave up: then nothing is moved."""
    still = [np.eye(3)] * len(images.sources)
    if method == NONE:
        return still, False
    try:
        return chained(find_steps(images.sources, method)), False
    except NotAligned:
        return still, True


def marked_pairs() -> list[tuple[Scene, PointPairs]]:
    """The pairs of ``misaligned`` that are on disk and whose points may judge a registration."""
    scenes = [scene for scene in load_scenes("misaligned") if not scene.missing()]
    pairs = [(scene, point_pairs(scene.name)) for scene in scenes]
    return [(scene, points) for scene, points in pairs if points.sure]


def point_distances(scene: Scene, points: PointPairs) -> dict[str, float]:
    """Mean distance of the marked points of a pair, pixels, by method.

    The last two are what a transform leaves that is fitted to the very points: no transform of
    its kind comes nearer.
    """
    found = {}
    for method in (NONE, *ALIGNMENTS.names()):
        (_, transform), _ = transforms_of(scene.images, method)
        found[method] = points.error(np.linalg.inv(transform))
    for model in ("similarity", "affine"):
        found[f"{model} fitted"] = _fitted(points, model)
    return found


def _fitted(points: PointPairs, model: str) -> float:
    """What is left when a model is fitted to the points by least squares."""
    x, y = points.second.T
    one, none = np.ones_like(x), np.zeros_like(x)
    if model == "affine":
        rows = [x, y, one, none, none, none], [none, none, none, x, y, one]
    else:
        rows = [x, -y, one, none], [y, x, none, one]
    design = np.concatenate([np.stack(row, axis=1) for row in rows])
    solved, *_ = np.linalg.lstsq(design, points.first.T.ravel(), rcond=None)
    apart = (design @ solved - points.first.T.ravel()).reshape(2, -1)
    return float(np.hypot(*apart).mean())
