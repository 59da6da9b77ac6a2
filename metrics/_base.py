"""The metrics: pure functions on luminance images of whole numbers 0..255.

Each is registered with what is known about it — direction, bounds, what it needs, citation —
by the decorator `metric`, and can be called by itself on arrays. `Scorer` applies several to
several fused images of one scene and computes what they share only once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ContractViolation, ImageError, UsageError
from bench.core.pixels import same_size
from bench.core.registry import Registry, check_choice, check_name
from metrics._parts import GrayImage

Family = Literal["information", "gradient", "structural", "perceptual", "reference", "descriptive"]
Needs = Literal["fused", "sources", "reference"]
Stack = Literal["native", "two"]

Image = NDArray[np.generic] | GrayImage

#: The origin of the values of each set in `Metric.golden`.
GOLDEN_SETS = {
    "liu2020": "the survey's authors' own MATLAB values (Information Fusion 64, 2020)",
    "octave": "the field's public MATLAB code, run under GNU Octave",
}


@dataclass(frozen=True)
class Metric:
    """A metric: the function and what is known about it.

    Attributes
    ----------
    name, label, title : str
        Name on the command line, name in tables, name spelled out.
    fn : callable
        ``fn(fused)``, ``fn(sources, fused)`` or ``fn(reference, fused)``, see `needs`; takes
        images (see `bench.core.pixels.as_image`) or `GrayImage` objects, returns a float.
    family : {'information', 'gradient', 'structural', 'perceptual', 'reference', 'descriptive'}
        The group it is listed in.
    higher_is_better : bool
        The direction.
    bounds : tuple of float
        The least and greatest value it can take; infinite where there is none.
    needs : {'fused', 'sources', 'reference'}
        What it compares the fused image with: nothing, the sources, the all-in-focus reference.
    symmetric : bool
        Whether the order of the sources has no influence.
    stack : {'native', 'two'}
        Whether it is defined for N > 2 sources.
    paper, doi : str
        Where it is defined; `doi` is empty when the paper has none.
    formula : str
        The definition in one line of plain text.
    golden : str
        Which published values it is tested against: ``SET COLUMN``, several joined with
        commas (``"liu2020 QE, octave QE_flat0"``); empty when there are none. `GOLDEN_SETS`
        names the origin of each set.
    tolerance : float
        The largest difference to the golden values that is accepted.
    deviations : str
        Known differences to public codes, with their size.
    smallest : int
        The least height and width that it is defined for.
    variant_of : str
        The metric of which this is a variant: computed as in a public code, in other units or on
        other features. Of a metric and its variants one counts in overall ranks.
    version : int
        Raised when a change of the code changes its numbers.
    """

    name: str
    label: str
    title: str
    fn: Callable[..., float]
    family: Family
    higher_is_better: bool
    bounds: tuple[float, float]
    needs: Needs
    symmetric: bool
    stack: Stack
    paper: str
    doi: str
    formula: str
    golden: str
    tolerance: float
    deviations: str
    smallest: int = 2
    variant_of: str = ""
    version: int = 1

    def __post_init__(self) -> None:
        """Refuse incomplete or contradictory metadata."""
        for item in ("name", "label", "title", "paper", "formula"):
            if not str(getattr(self, item)).strip():
                raise UsageError(f"metric {self.name!r}: {item} is empty")
        choices = {"family": Family, "needs": Needs, "stack": Stack}
        for item, kind in choices.items():
            check_choice("metric", self.name, item, getattr(self, item), get_args(kind))
        check_name("metric", self.name, {"all", "paper", "principal", *get_args(Family)})
        for item in ("smallest", "version"):
            if type(getattr(self, item)) is not int:
                raise UsageError(
                    f"metric {self.name!r}: {item} {getattr(self, item)!r} is not a whole number"
                )
        if len(self.bounds) != 2 or not self.bounds[0] < self.bounds[1]:
            raise UsageError(f"metric {self.name!r}: bounds {self.bounds} are not (low, high)")
        if self.golden and not self.tolerance > 0:
            raise UsageError(f"metric {self.name!r}: golden values need a tolerance above 0")
        if any(len(part.split()) != 2 for part in self.golden.split(",") if part.strip()):
            raise UsageError(f"metric {self.name!r}: golden {self.golden!r} is not 'SET COLUMN, …'")
        if self.smallest < 1 or self.version < 1:
            raise UsageError(f"metric {self.name!r}: smallest and version start at 1")

    @property
    def golden_columns(self) -> list[tuple[str, str]]:
        """Set and column of each of the published values that `golden` names."""
        parts = (part.split() for part in self.golden.split(",") if part.strip())
        return [(golden, column) for golden, column in parts]

    def obstacle(self, sources: int, shape: tuple[int, int], reference: bool) -> str:
        """The reason why the metric is not defined for such a scene; empty if it is defined.

        Parameters
        ----------
        sources : int
            Number of sources.
        shape : tuple of int
            Height and width.
        reference : bool
            Whether the all-in-focus reference is known.
        """
        if self.needs == "reference" and not reference:
            return f"metric {self.name!r} needs a reference image, and the scene has none"
        if self.needs == "sources" and sources < 2:
            return f"metric {self.name!r} needs at least two sources, got {sources}"
        if self.needs == "sources" and self.stack == "two" and sources > 2:
            return f"metric {self.name!r} is defined for two sources, got {sources}"
        if min(shape) < self.smallest:
            return (
                f"metric {self.name!r} needs images of at least "
                f"{self.smallest}x{self.smallest} pixels, got {shape[1]}x{shape[0]}"
            )
        return ""


#: Accepted excess of a value over its bounds.
ROUNDING = 1e-6

METRICS: Registry[Metric] = Registry("metric", "metrics")


def metric(
    name: str,
    *,
    label: str,
    title: str,
    family: Family,
    higher_is_better: bool,
    bounds: tuple[float, float],
    needs: Needs,
    paper: str,
    formula: str,
    doi: str = "",
    symmetric: bool = True,
    stack: Stack = "native",
    golden: str = "",
    tolerance: float = 1e-4,
    deviations: str = "",
    smallest: int = 2,
    variant_of: str = "",
    version: int = 1,
) -> Callable[[Callable[..., float]], Callable[..., float]]:
    """Register a function as the metric `name`; see `Metric` for the arguments.

    The function is written on `GrayImage` objects: ``fn(fused)``, ``fn(sources, fused)`` or
    ``fn(reference, fused)``. The decorated function, which is the registered one,
    also accepts images and checks their number and sizes first.

    Raises
    ------
    UsageError
        The metadata is incomplete, or the name is taken.
    ContractViolation
        Raised by the decorated function when `fn` returns something that is not a number.

    Examples
    --------
    >>> import numpy as np
    >>> from metrics import METRICS
    >>> METRICS["ie"].label
    'IE'
    >>> METRICS["ie"].fn(np.array([[0, 255], [0, 255]], np.uint8))
    1.0
    """

    def register(fn: Callable[..., float]) -> Callable[..., float]:
        @functools.wraps(fn)
        def checked(*args: Any) -> float:
            value = fn(*_gray_images(entry, args))
            try:
                return float(value)
            except Exception as error:  # whatever the conversion of a user's object raises
                raise ContractViolation(
                    f"metric {name!r} returned {_short(value)}, not a number"
                ) from error

        entry = Metric(
            name=name,
            label=label,
            title=title,
            fn=checked,
            family=family,
            higher_is_better=higher_is_better,
            bounds=bounds,
            needs=needs,
            symmetric=symmetric,
            stack=stack,
            paper=paper,
            doi=doi,
            formula=formula,
            golden=golden,
            tolerance=tolerance,
            deviations=deviations,
            smallest=smallest,
            variant_of=variant_of,
            version=version,
        )
        METRICS.add(entry)
        return checked

    return register


def _short(value: object) -> str:
    """``None``, or the type (and shape) of a value whose text may be long."""
    shape = f" of shape {value.shape}" if isinstance(value, np.ndarray) else ""
    return "None" if value is None else type(value).__name__ + shape


def _gray_images(entry: Metric, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments of a call as gray images; raises an error that names a wrong argument."""
    wanted = {"fused": "(fused)", "sources": "(sources, fused)", "reference": "(reference, fused)"}
    if len(args) != (1 if entry.needs == "fused" else 2):
        raise UsageError(f"metric {entry.name!r} is called as {entry.name}{wanted[entry.needs]}")
    fused = GrayImage.of(args[-1])
    others = list(args[:-1])
    if entry.needs == "sources":
        if isinstance(args[0], GrayImage) or not isinstance(args[0], Sequence | np.ndarray):
            raise UsageError(f"metric {entry.name!r}: the sources must be a sequence of images")
        others = list(args[0])
    others = [GrayImage.of(image) for image in others]
    reference = entry.needs == "reference"
    obstacle = entry.obstacle(len(others), fused.shape, reference)
    if obstacle:
        raise (ImageError if "pixels" in obstacle else UsageError)(obstacle)
    names = ["the reference"] if reference else [f"source {k + 1}" for k in range(len(others))]
    same_size([image.levels for image in (*others, fused)], [*names, "the fused image"])
    if entry.needs == "sources":
        return others, fused
    return (*others, fused)
