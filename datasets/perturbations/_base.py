"""The registry of perturbations: what may follow the name of a dataset or scene after a ``+``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UsageError
from bench.core.registry import Registry, check_choice, check_name

Stage = Literal["geometry", "optics", "light", "sensor", "converter", "file"]

#: Where a photo is perturbed, in the order in which it comes about; motions come first.
STAGES: tuple[Stage, ...] = get_args(Stage)


@dataclass(frozen=True)
class Source:
    """Which source of a scene is perturbed.

    Attributes
    ----------
    index, count : int
        Its number from 0, and how many sources the scene has.
    rng : Generator
        Depends on the perturbation, the name of the scene and `index` alone: not on the amount,
        so that a larger amount is more of the same, and not on the order of the run.
    """

    index: int
    count: int
    rng: np.random.Generator


@dataclass(frozen=True)
class Perturbation:
    """A perturbation of the sources of a scene; the reference is never perturbed.

    Attributes
    ----------
    name, title : str
        What follows the ``+``, and what it does in a few words.
    unit : str
        Unit of the amount.
    fn : callable
        ``fn(image, amount, source)`` gives the perturbed image, both float64 in [0, 1],
        (H, W) or (H, W, 3); values outside are clipped. At the stage ``geometry``
        ``fn(amount, source)`` gives a `datasets.alignment.Motion`; the motions of several
        perturbations are joined and the image is resampled once.
    stage : str
        One of `STAGES`; perturbations act in their order, however they are written.
    first : bool
        Whether the first source is perturbed too, or only the others against it.
    identity : float
        The amount from which severity is counted.
    exact : bool
        Whether that amount leaves the images as they are to the last level.
    low, high : float
        Least and largest amount that are allowed.
    whole : bool
        Whether the amount is a whole number.
    default : float or None
        The amount of ``+NAME`` without a value; None if a value is needed.
    """

    name: str
    title: str
    unit: str
    fn: Callable[..., Any]
    stage: Stage
    first: bool
    identity: float
    low: float
    high: float
    exact: bool = True
    whole: bool = False
    default: float | None = None

    @property
    def form(self) -> str:
        """How it is written: ``+noise=X``, ``+vignetting[=X]``."""
        return f"+{self.name}" + ("=X" if self.default is None else "[=X]")

    @property
    def allowed(self) -> str:
        """The allowed amounts in words: ``a number from 0 to 128, 8-bit levels``."""
        kind = "whole number" if self.whole else "number"
        return f"a {kind} from {self.low:g} to {self.high:g} ({self.unit})"

    def severity(self, amount: float) -> float:
        """How far `amount` is from `identity`."""
        return abs(amount - self.identity)

    def amount(self, text: str | None) -> float:
        """The amount of ``+NAME=text``, or of ``+NAME`` if `text` is None.

        Raises
        ------
        UsageError
            It is missing, no number, or not allowed.
        """
        if text is None and self.default is not None:
            return self.default
        try:
            value = float(text or "")
        except ValueError:
            value = float("nan")
        if not self.low <= value <= self.high or (self.whole and value != round(value)):
            written = f"+{self.name}" if text is None else f"+{self.name}={text}"
            raise UsageError(f"{written}: {self.name} needs {self.allowed}")
        return value


PERTURBATIONS: Registry[Perturbation] = Registry("perturbation", "datasets.perturbations")

F = TypeVar("F", bound=Callable[..., Any])


def perturbation(
    name: str,
    *,
    title: str,
    unit: str,
    stage: Stage,
    first: bool,
    low: float,
    high: float,
    identity: float = 0.0,
    exact: bool = True,
    whole: bool = False,
    default: float | None = None,
) -> Callable[[F], F]:
    """Register a perturbation; see `Perturbation` for the arguments.

    Examples
    --------
    A file with this function, passed as ``--plugin``, gives ``+negative``:

    >>> from datasets.perturbations import perturbation
    >>> @perturbation(
    ...     "negative", title="a negative", unit="0 or 1", stage="file", first=False,
    ...     low=0, high=1, whole=True, default=1,
    ... )  # doctest: +SKIP
    ... def negative(image, amount, source):
    ...     return 1 - image if amount else image
    """
    check_name("perturbation", name)
    if set("+=./") & set(name):
        raise UsageError(f"perturbation {name!r}: its name cannot hold any of + = . /")
    check_choice("perturbation", name, "stage", stage, STAGES)

    def register(fn: F) -> F:
        PERTURBATIONS.add(
            Perturbation(
                name=name,
                title=title,
                unit=unit,
                fn=fn,
                stage=stage,
                first=first,
                identity=identity,
                low=low,
                high=high,
                exact=exact,
                whole=whole,
                default=default,
            )
        )
        return fn

    return register


def clipped(image: NDArray[Any]) -> NDArray[np.float64]:
    """float64 within [0, 1]."""
    return np.clip(np.asarray(image, np.float64), 0.0, 1.0)
