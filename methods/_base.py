"""The fusion methods: one module each, one decorated function.

A method takes float32 sources in [0, 1] and returns a fused image (``kind="transform"``) or
one weight map per source (``kind="decision"``). Colour, clipping, shape checks, folding of
stacks and quantisation are done once for all of them in `methods._fusion`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, get_args

from numpy.typing import NDArray

from bench.core.errors import UsageError
from bench.core.fingerprint import digest, file_digest
from bench.core.registry import Registry, check_choice, check_name
from datasets.catalog import CataloguedFile
from methods._program import Program

Kind = Literal["transform", "decision"]
Colour = Literal["luminance", "channels", "rgb"]
Stack = Literal["native", "pairwise"]
Family = Literal[
    "control", "multi-scale", "spatial", "sparse", "learned", "published-network", "program"
]

#: Families of trained networks, which need PyTorch and weights.
NETWORK_FAMILIES = frozenset({"learned", "published-network"})

#: Other names of families on the command line.
FAMILY_ALIASES = {"rivals": "published-network", "programs": "program"}


class Blend(Protocol):
    """A function that blends one channel of the sources with weights computed before.

    A decision method returns it instead of weights when one weight per pixel is not enough, as
    in two-scale fusion. It is called once per colour channel.
    """

    def __call__(self, channel: NDArray[Any], /) -> NDArray[Any]:
        """Blend one channel of all sources, float32 (N, H, W), to (H, W)."""
        ...


@dataclass(frozen=True)
class Method:
    """A fusion method: the function and what is known about it.

    Attributes
    ----------
    name : str
        Short name, as in tables and on the command line.
    title : str
        The name spelled out.
    fn : callable
        ``fn(sources, **parameters)``; `sources` is float32 (N, H, W) in [0, 1] — or
        (N, H, W, 3) with ``colour="rgb"`` when the sources have colour. Returns float
        (H, W) (or (H, W, 3)) for ``kind="transform"``; for ``kind="decision"`` weights
        (N, H, W), non-negative and of sum 1, or a `Blend`.
    kind : {'transform', 'decision'}
        Whether `fn` returns pixels or weights of the sources.
    colour : {'luminance', 'channels', 'rgb'}
        How colour sources are treated. A decision is made on luminance and applied to every
        channel (``luminance``), or made for each channel by itself (``channels``). A transform
        runs on each channel by itself (``channels``), on luminance with the chroma weighted by
        its strength (``luminance``), or takes all channels at once (``rgb``).
    stack : {'native', 'pairwise'}
        Whether `fn` takes N sources, or two; then a longer stack is folded from the left.
    family : str
        The group it is listed in, one of `Family`; ``control`` holds the baselines.
    paper, doi : str
        Where it is defined.
    weights : tuple of Path or CataloguedFile
        The files that the function reads: weights, settings, tables. Their contents are part of
        the result's key, and they are sent to workers on other machines.
    needs_reference : bool
        Whether `fn` takes the all-in-focus reference as its keyword argument ``reference``,
        float32 in [0, 1], (H, W) or (H, W, 3). The method is skipped on a scene without one.
    in_all : bool
        Whether ``all`` selects it.
    aliases : tuple of str
        What papers call it, where that is neither its name nor another method's.
    rounded_luminance : bool
        Whether the luminance of 8-bit colour sources is rounded to whole levels first, as codes
        do that convert colour to an 8-bit gray image.
    symmetric : bool
        Whether two sources may change places without any effect on the fused image.
    exact : bool
        Whether equal sources come back as they are. Transforms of networks need not either.
    keeps_tones : bool
        Whether the fused image has the tones of its sources. Some networks change them, or stretch
        every image to the full range.
    gray_as_rgb : bool
        Whether gray sources fuse to the same image as their copies in RGB. The programs of some
        networks have another rule for each.
    gflop : float, optional
        Cost of a network: 10⁹ operations, of which a multiply-add has two, of its convolutions and
        matrix products for two gray images of 512 x 512.
    program : Program, optional
        The program that the function starts; see `methods.programs.program`. Its version is part
        of the result's key.
    streams : bool
        Whether `fn`, and the `Blend` that it returns, take gray sources one at a time: they get
        `Planes` in place of an array, which have its length, shape and items. Large stacks then
        take little more memory than their images.
    any_order : bool
        Whether N > 2 sources may come in any order too: `fn` gets them in an order of their pixels,
        so that its sums are rounded alike.
    """

    name: str
    title: str
    fn: Callable[..., Any]
    kind: Kind
    colour: Colour
    stack: Stack
    family: Family
    paper: str
    doi: str
    weights: tuple[Path | CataloguedFile, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    takes_device: bool = False
    takes_precision: bool = False
    needs_reference: bool = False
    in_all: bool = True
    aliases: tuple[str, ...] = ()
    rounded_luminance: bool = False
    symmetric: bool = True
    exact: bool = True
    keeps_tones: bool = True
    gray_as_rgb: bool = True
    gflop: float | None = None
    program: Program | None = None
    streams: bool = False
    any_order: bool = False

    def __post_init__(self) -> None:
        """Refuse wrong metadata."""
        choices = {"kind": Kind, "colour": Colour, "stack": Stack, "family": Family}
        for item, allowed in choices.items():
            check_choice("method", self.name, item, getattr(self, item), get_args(allowed))
        check_name("method", self.name, {"all", *FAMILY_ALIASES, *get_args(Family)})
        if self.kind == "decision" and self.colour == "rgb":
            raise UsageError(
                f"method {self.name!r}: a decision takes luminance or channels, not rgb"
            )
        if not isinstance(self.weights, tuple):
            raise UsageError(
                f"method {self.name!r}: weights {self.weights!r} is not a tuple of paths"
            )
        if not isinstance(self.aliases, tuple):
            raise UsageError(
                f"method {self.name!r}: aliases {self.aliases!r} is not a tuple of text"
            )

    @property
    def year(self) -> int | None:
        """Year of the paper, the last one that its citation names; None without a paper."""
        if self.paper.startswith("this benchmark"):
            return None
        years = re.findall(r"\b(?:19|20)\d\d\b", self.paper)
        return int(years[-1]) if years else None

    @property
    def needs(self) -> tuple[str, ...]:
        """What it needs beside the sources and this benchmark's own files."""
        needs = ["the reference"] if self.needs_reference else []
        needs += ["PyTorch"] if self.family in NETWORK_FAMILIES else []
        if size := sum(file.entry.bytes for file in self._catalogued):
            needs.append(f"download of {size / 1e6:.1f} MB")
        return (*needs, *([] if self.program is None else [self.program.name]))

    @property
    def terms(self) -> str:
        """Terms of use of what it downloads, or of its program; empty if it is this benchmark's."""
        if self.program is not None:
            return self.program.licence
        return "; ".join(dict.fromkeys(file.entry.licence for file in self._catalogued))

    @property
    def _catalogued(self) -> list[CataloguedFile]:
        return [file for file in self.weights if isinstance(file, CataloguedFile)]

    @property
    def weights_digest(self) -> str | None:
        """Hash of the weights files; a missing file is ignored here, the method itself fails."""
        digests = [_digest(file) for file in self.weights]
        return digest(digests) if len(digests) > 1 else digests[0] if digests else None


def _digest(file: Path | CataloguedFile) -> str:
    """Hash of a file; that of a catalogued one is known before it is on disk."""
    if isinstance(file, CataloguedFile):
        return file.entry.sha256
    return file_digest(file) if file.is_file() else "missing"


METHODS: Registry[Method] = Registry("method", "methods")

Weights = Path | str | CataloguedFile

F = TypeVar("F", bound=Callable[..., Any])


def method(
    name: str,
    *,
    title: str,
    kind: Kind,
    family: Family,
    paper: str,
    doi: str = "",
    colour: Colour | None = None,
    stack: Stack = "native",
    weights: Weights | Sequence[Weights] | None = None,
    needs_reference: bool = False,
    in_all: bool = True,
    aliases: Sequence[str] = (),
    rounded_luminance: bool = False,
    symmetric: bool = True,
    exact: bool = True,
    keeps_tones: bool = True,
    gray_as_rgb: bool = True,
    gflop: float | None = None,
    streams: bool = False,
    any_order: bool = False,
) -> Callable[[F], F]:
    """Register a fusion function under `name`; see `Method` for the arguments.

    Without `colour` a decision is made on luminance, and a transform runs on each channel.

    The keyword arguments of the function are its parameters, and their defaults the
    benchmark's setting. A parameter ``device`` is set from ``--device``, and a parameter
    ``precision`` with the default ``"auto"`` to the number format that ``--precision`` selects
    (``"fp32"``, ``"bf16"`` or ``"fp16"``). `weights` is one path or several, of the files that
    the function reads; a relative path is relative to the function's file.

    Raises
    ------
    UsageError
        The function's signature is not ``fn(sources, *, name=default, ...)``, or an argument here
        has a value that is not allowed.

    Examples
    --------
    >>> from methods import method
    >>> @method("brightest", title="Brightest pixel", kind="transform", family="control",
    ...         paper="an example")
    ... def brightest(sources):
    ...     return sources.max(axis=0)
    """

    def register(fn: F) -> F:
        parameters = _parameters(name, fn)
        takes_device = parameters.pop("device", None) is not None
        takes_precision = parameters.get("precision") == "auto"
        if takes_precision:
            del parameters["precision"]
        if needs_reference and parameters.pop("reference", ...) is not None:
            raise UsageError(f"method {name!r}: needs_reference needs an argument reference=None")
        METHODS.add(
            Method(
                name=name,
                title=title,
                fn=fn,
                kind=kind,
                colour=colour or ("luminance" if kind == "decision" else "channels"),
                stack=stack,
                family=family,
                paper=paper,
                doi=doi,
                weights=absolute_paths(name, fn, weights),
                parameters=parameters,
                takes_device=takes_device,
                takes_precision=takes_precision,
                needs_reference=needs_reference,
                in_all=in_all,
                aliases=tuple(aliases),
                rounded_luminance=rounded_luminance,
                symmetric=symmetric,
                exact=exact,
                keeps_tones=keeps_tones,
                gray_as_rgb=gray_as_rgb,
                gflop=gflop,
                streams=streams,
                any_order=any_order,
            )
        )
        return fn

    return register


def absolute_paths(
    name: str, fn: Callable[..., Any], weights: Any
) -> tuple[Path | CataloguedFile, ...]:
    """The files that a method reads, as absolute paths."""
    given = (weights,) if isinstance(weights, Weights) else () if weights is None else weights
    if not isinstance(given, Sequence) or not all(isinstance(f, Weights) for f in given):
        raise UsageError(
            f"method {name!r}: weights {weights!r} is not a path; give one, or a list of them"
        )
    home = Path(fn.__code__.co_filename).parent
    return tuple(file if isinstance(file, CataloguedFile) else home / file for file in given)


def _parameters(name: str, fn: Callable[..., Any]) -> dict[str, Any]:
    """Keyword arguments of `fn` with their defaults."""
    if not inspect.isfunction(fn):
        raise UsageError(f"method {name!r}: {fn!r} is not a plain function")
    arguments = list(inspect.signature(fn).parameters.values())
    if not arguments or arguments[0].default is not inspect.Parameter.empty:
        raise UsageError(f"method {name!r}: its first argument must be the sources")
    return _defaults(name, arguments[1:])


def keyword_defaults(name: str, fn: Callable[..., Any]) -> dict[str, Any]:
    """Keyword arguments with their defaults of a function that takes nothing else."""
    if not inspect.isfunction(fn):
        raise UsageError(f"method {name!r}: {fn!r} is not a plain function")
    return _defaults(name, list(inspect.signature(fn).parameters.values()))


def _defaults(name: str, arguments: Sequence[inspect.Parameter]) -> dict[str, Any]:
    defaults = {}
    for parameter in arguments:
        if parameter.kind is not parameter.KEYWORD_ONLY or parameter.default is parameter.empty:
            raise UsageError(
                f"method {name!r}: argument {parameter.name!r} must be keyword-only with a default"
            )
        if not isinstance(parameter.default, bool | int | float | str | tuple | list | None):
            raise UsageError(
                f"method {name!r}: the default of {parameter.name!r} is "
                f"{type(parameter.default).__name__}; it must be text, a number, a tuple or None"
            )
        defaults[parameter.name] = parameter.default
    return defaults
