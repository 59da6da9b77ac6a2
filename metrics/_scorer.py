"""Several metrics of several fused images of one scene."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ContractViolation, UsageError
from bench.core.pixels import same_size
from metrics._base import METRICS, ROUNDING, Image, Metric
from metrics._parts import Plane


class Scorer:
    """Several metrics of several fused images of one scene.

    What the metrics need of the sources and of the reference (gradients, histograms, local
    moments, ...) is computed on first use and kept as long as the scorer; what they need of a
    fused image is shared among the metrics of one call. Calls may come from several threads.

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
        self.sources = [Plane.of(image) for image in sources]
        self.reference = None if reference is None else Plane.of(reference)
        named = {f"source {k + 1}": plane for k, plane in enumerate(self.sources)}
        if self.reference is not None:
            named["the reference"] = self.reference
        if not named:
            raise UsageError("a scorer needs sources or a reference")
        same_size([plane.levels for plane in named.values()], list(named))
        self._first, plane = next(iter(named.items()))
        self._extent = plane.levels
        self.shape = plane.shape

    def applicable(self, names: Sequence[str]) -> list[str]:
        """Those of `names` that are defined for this scene, in the order given.

        Parameters
        ----------
        names : sequence of str
            Names of metrics.

        Raises
        ------
        UnknownName
            No metric is called that.
        """
        return [name for name in names if not self.obstacle(name)]

    def obstacle(self, name: str) -> str:
        """Why a metric is not defined for this scene; empty when it is."""
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
            The metric gave a value outside of its own bounds, NaN, or something that is no number.
        """
        return self.scores(fused, [name])[name]

    def scores(self, fused: Image, names: Sequence[str]) -> dict[str, float]:
        """Several metrics of one fused image, by name; see `score`."""
        plane = Plane.of(fused)
        same_size([self._extent, plane.levels], [self._first, "the fused image"])
        return {name: self._bounded(plane, METRICS[name]) for name in names}

    def _bounded(self, fused: Plane, entry: Metric) -> float:
        value, (low, high) = self._one(fused, entry), entry.bounds
        if not low - ROUNDING <= value <= high + ROUNDING:  # nor is NaN
            raise ContractViolation(
                f"metric {entry.name!r} gave {value!r}, not in its bounds [{low:g}, {high:g}]"
            )
        return value

    def _one(self, fused: Plane, entry: Metric) -> float:
        if entry.needs == "fused":
            return entry.fn(fused)
        if entry.needs == "sources":
            return entry.fn(self.sources, fused)
        if self.reference is None:
            raise UsageError(self.obstacle(entry.name))
        return entry.fn(self.reference, fused)
