"""Several metrics of several fused images of one scene."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ContractViolation, UsageError
from bench.core.pixels import same_size
from metrics._base import METRICS, ROUNDING, Image, Metric
from metrics._parts import GrayImage


class Scorer:
    """Several metrics of several fused images of one scene.

    The parts of the sources and of the reference (gradients, histograms, local moments, ...) are
    computed on first use and kept as long as the scorer; the parts of a fused image are shared
    among the metrics of one call. Several threads may call it at the same time.

    Parameters
    ----------
    sources : sequence of ndarray
        The scene's images, as `bench.core.pixels.as_image` accepts them; colour counts as
        luminance. May be empty when only metrics without sources are wanted.
    reference : ndarray, optional
        The all-in-focus reference.

    Raises
    ------
    ImageError
        An image is not one that metrics are defined for, or the sizes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics import Scorer
    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> scorer = Scorer([ramp, ramp])
    >>> {name: round(value, 6) for name, value in scorer.scores(ramp, ["mi", "q"]).items()}
    {'mi': 2.0, 'q': 1.0}
    """

    def __init__(
        self,
        sources: Sequence[NDArray[np.generic]],
        reference: NDArray[np.generic] | None = None,
    ) -> None:
        self.sources = [GrayImage.of(image) for image in sources]
        self.reference = None if reference is None else GrayImage.of(reference)
        named = {f"source {k + 1}": image for k, image in enumerate(self.sources)}
        if self.reference is not None:
            named["the reference"] = self.reference
        if not named:
            raise UsageError("a scorer needs sources or a reference")
        same_size([image.levels for image in named.values()], list(named))
        self._first, image = next(iter(named.items()))
        self._extent = image.levels
        self.shape = image.shape

    def applicable(self, names: Sequence[str]) -> list[str]:
        """Those of `names` that are defined for this scene, in the order given.

        Parameters
        ----------
        names : sequence of str
            Names of metrics.

        Raises
        ------
        UnknownName
            A name is not that of a metric.
        """
        return [name for name in names if not self.obstacle(name)]

    def obstacle(self, name: str) -> str:
        """The reason why a metric is not defined for this scene; empty if it is defined."""
        return METRICS[name].obstacle(len(self.sources), self.shape, self.reference is not None)

    def score(self, fused: Image, name: str) -> float:
        """One metric of one fused image.

        Parameters
        ----------
        fused : ndarray
            See `bench.core.pixels.as_image`; of the scene's height and width.
        name : str
            The metric.

        Raises
        ------
        UsageError
            The metric is not defined here: it needs a reference that the scene does not have,
            or it is defined for two sources only.
        ImageError
            The fused image is not of the scene's size, too small for the metric, or no image.
        ContractViolation
            The metric returned a value outside of its bounds, NaN, or something else.
        """
        return self.scores(fused, [name])[name]

    def scores(self, fused: Image, names: Sequence[str]) -> dict[str, float]:
        """Several metrics of one fused image, by name; see `score`."""
        image = GrayImage.of(fused)
        same_size([self._extent, image.levels], [self._first, "the fused image"])
        return {name: self._bounded(image, METRICS[name]) for name in names}

    def _bounded(self, fused: GrayImage, entry: Metric) -> float:
        value, (low, high) = self._one(fused, entry), entry.bounds
        if not low - ROUNDING <= value <= high + ROUNDING:  # False for NaN too
            raise ContractViolation(
                f"metric {entry.name!r} gave {value!r}, not in its bounds [{low:g}, {high:g}]"
            )
        return value

    def _one(self, fused: GrayImage, entry: Metric) -> float:
        if entry.needs == "fused":
            return entry.fn(fused)
        if entry.needs == "sources":
            return entry.fn(self.sources, fused)
        if self.reference is None:
            raise UsageError(self.obstacle(entry.name))
        return entry.fn(self.reference, fused)
