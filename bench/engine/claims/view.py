"""The images of a claim in one form, and the metrics of that form, each computed once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from numpy.typing import NDArray

from bench.core.errors import BenchError
from metrics import GrayImage, Scorer

Image = NDArray[Any]


@dataclass(frozen=True)
class ImageSet:
    """The images that a number was computed of.

    Attributes
    ----------
    sources : tuple of ndarray
        The sources, (H, W) or (H, W, 3).
    fused : ndarray
        The fused image.
    reference : ndarray or None
        The all-in-focus image, where it is known.
    """

    sources: tuple[Image, ...]
    fused: Image
    reference: Image | None = None

    @property
    def all(self) -> list[Image]:
        """Every image, the fused one last."""
        others = [] if self.reference is None else [self.reference]
        return [*self.sources, *others, self.fused]


class Scene:
    """What fused images are compared with; keeps the parts that metrics need of it.

    Parameters
    ----------
    images : ImageSet
        Sources and reference; the fused image is not used.
    """

    def __init__(self, images: ImageSet) -> None:
        self.sources = [GrayImage(image) for image in images.sources]
        reference = None if images.reference is None else GrayImage(images.reference)
        self.scorer = _scorer(self.sources, reference)
        self.against = [_scorer([], source) for source in self.sources]


def _scorer(sources: Sequence[GrayImage], reference: GrayImage | None) -> Scorer:
    """A scorer of gray images, which keeps them and their parts."""
    return Scorer(sources, reference)  # type: ignore[arg-type]  # it takes GrayImages too


class View:
    """The metrics of one form of the images; the mean of several scenes, such as channels.

    Parameters
    ----------
    scenes : sequence of Scene
        One, or one for each channel.
    fused : sequence of ndarray
        The fused image of each.
    """

    def __init__(self, scenes: Sequence[Scene], fused: Sequence[Image]) -> None:
        self._pairs = [(s, GrayImage(f)) for s, f in zip(scenes, fused, strict=True)]
        self._known: dict[tuple[str, int | None], float] = {}
        self.count = len(scenes[0].sources)

    def value(self, name: str, against: int | None = None) -> float:
        """The metric `name`, with source `against` as the reference; NaN where it is undefined."""
        key = (name, against)
        if key not in self._known:
            self._known[key] = fmean(
                _score(scene.scorer if against is None else scene.against[against], fused, name)
                for scene, fused in self._pairs
            )
        return self._known[key]


def _score(scorer: Scorer, fused: GrayImage, name: str) -> float:
    try:
        return scorer.score(fused, name)
    except BenchError:
        return math.nan
