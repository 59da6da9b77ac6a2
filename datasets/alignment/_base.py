"""The registry of alignment methods.

An alignment method finds where the points of one view lie in another. Reading, scaling, chaining
the images of a stack, judging the result and resampling are the same for all of them; see
`datasets.alignment.stack`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from numpy.typing import NDArray

from bench.core.errors import ImageError, UnknownName, UsageError
from bench.core.registry import Registry, check_name

Array = NDArray[Any]

#: What stands for no alignment on the command line.
NONE = "none"


class NotAligned(ImageError):
    """Two images cannot be aligned, for the reason given; a scene stays as it is."""


@dataclass(frozen=True)
class Alignment:
    """A method that aligns two views of a scene.

    Attributes
    ----------
    name, title : str
        Name on the command line, and name spelled out.
    fn : callable
        ``fn(fixed, moving)``; see `alignment`.
    citation : str
        Source of the method.
    """

    name: str
    title: str
    fn: Callable[[Array, Array], Array]
    citation: str


ALIGNMENTS: Registry[Alignment] = Registry("alignment", "datasets.alignment")

F = TypeVar("F", bound=Callable[[Array, Array], Array])


def alignment(name: str, *, title: str, citation: str) -> Callable[[F], F]:
    """Register a function as an alignment method.

    Parameters
    ----------
    name, title, citation : str
        See `Alignment`.

    Returns
    -------
    callable
        The decorator. The function gets two views of one size, float32 (H, W) luminance in [0, 1],
        and returns a (3, 3) homography: the point (x, y) of the first one, whole numbers at the
        centres of pixels, lies at its image under the homography in the second one. It raises
        `NotAligned` with the reason where it finds none.

    Raises
    ------
    UsageError
        The name is ``none``, or has characters that select or separate.

    Examples
    --------
    >>> from datasets.alignment import ALIGNMENTS
    >>> ALIGNMENTS.names()
    ['ecc', 'features']
    """

    def register(fn: F) -> F:
        check_name("alignment", name, (NONE,))
        ALIGNMENTS.add(Alignment(name, title, fn, citation))
        return fn

    return register


def check_alignment(name: str) -> str:
    """The name of a registered method, or ``none``, in any case.

    Raises
    ------
    UnknownName
        There is no such method.
    UsageError
        It is no text.
    """
    if not isinstance(name, str):
        raise UsageError(f"align {name!r}: must be {NONE} or the name of an alignment method")
    lower = name.lower()
    if lower != NONE and lower not in ALIGNMENTS:
        raise UnknownName("alignment", name, [NONE, *ALIGNMENTS.names()])
    return NONE if lower == NONE else ALIGNMENTS[lower].name
