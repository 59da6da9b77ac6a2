"""Scenes and datasets.

A dataset is a function that lists its scenes without reading a pixel; a scene's images are
loaded when it is fused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import (
    ContractViolation,
    EnvironmentFault,
    ImageError,
)
from bench.core.pixels import as_image, same_size
from bench.core.registry import Registry, check_choice, check_name
from bench.core.remarks import collect
from datasets import fetch
from datasets.bits import bits_note, bits_to_scale, scale_bits
from datasets.catalog import collection

Origin = Literal["real", "synthetic", "stand-in"]
Known = Literal["yes", "no", "some"]


@dataclass(frozen=True)
class SceneImages:
    """The pixels of a scene.

    Attributes
    ----------
    sources : tuple of ndarray
        N >= 2 registered images of one size, ``uint8`` or ``uint16``, (H, W) or (H, W, 3).
    reference : ndarray or None
        The all-in-focus reference, where it is known.
    mask : ndarray or None
        ``bool`` (H, W): where the first source is in focus, where that is known.
    notes : tuple of str
        What a user should know of the images; `Scene.read_checked` adds what the readers of their
        files remark.
    bits : int
        The bits that 16-bit images had before they were scaled; 0 if they were not.
    index_map : ndarray or None
        ``uint8`` (H, W): which source is focused closest to what a pixel shows, counted from 0,
        where that is known.
    """

    sources: tuple[NDArray[np.generic], ...]
    reference: NDArray[np.generic] | None = None
    mask: NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()
    bits: int = 0
    index_map: NDArray[np.uint8] | None = None

    def check(self, name: str) -> SceneImages:
        """Return self, or raise `ImageError` that names an image of wrong type or size."""
        if not isinstance(self.sources, Sequence | np.ndarray):
            kind = _kind(self.sources)
            raise ImageError(f"scene {name}: the sources are {kind}, not a tuple of numpy arrays")
        if len(self.sources) < 2:
            raise ImageError(f"scene {name}: {len(self.sources)} source image; fusion needs two")
        images = [*self.sources, self.reference, self.mask, self.index_map]
        roles = [
            *(f"source {k + 1}" for k in range(len(self.sources))),
            "the reference",
            "the mask",
            "the index map",
        ]
        given = [(f"scene {name}: {r}", i) for r, i in zip(roles, images, strict=True)]
        given = [(what, image) for what, image in given if image is not None]
        for what, image in given:
            if not isinstance(image, np.ndarray):
                raise ImageError(f"{what} is {_kind(image)}, not a numpy array")
            try:
                as_image(image)
            except ImageError as error:
                raise ImageError(f"{what}: {error}") from error
        same_size([image for _, image in given if image is not None], [what for what, _ in given])
        types = {
            image.dtype.kind: what
            for what, image in given
            if image is not None and image.dtype not in (np.uint8, np.bool_)
        }
        if {"u", "f"} <= types.keys():
            raise ImageError(
                f"{types['f']} is floating-point, {types['u']} has 16-bit levels: "
                "the images of a scene must have one scale"
            )
        if self.index_map is not None and self.index_map.max() >= len(self.sources):
            raise ImageError(
                f"scene {name}: the index map names source {self.index_map.max() + 1} of "
                f"{len(self.sources)}"
            )
        return self

    def fingerprint(self) -> str:
        """SHA-256 over shapes, types and pixels of the sources and the reference."""
        digest = hashlib.sha256()
        images = [*self.sources, *([] if self.reference is None else [self.reference])]
        digest.update(f"{len(self.sources)} sources, {len(images)} images".encode())
        for image in images:
            digest.update(f"{image.shape} {image.dtype}".encode())
            digest.update(np.ascontiguousarray(image).tobytes())
        return digest.hexdigest()

    def scaled(self, name: str, bits: int = 0) -> SceneImages:
        """Checked images with 16-bit ones of fewer bits scaled, which a note says.

        Parameters
        ----------
        name : str
            Name of the scene in messages.
        bits : int
            The bits that 16-bit images have; 0 to take them from the largest value.

        Raises
        ------
        ImageError
            A value does not fit `bits`.
        """
        images = [*self.sources, *([] if self.reference is None else [self.reference])]
        names = [f"scene {name}: source {k + 1}" for k in range(len(self.sources))]
        names += [f"scene {name}: the reference"] * (len(images) - len(names))
        if not (found := bits_to_scale(images, names, bits)):
            return self
        reference = None if self.reference is None else scale_bits(self.reference, found)
        return replace(
            self,
            sources=tuple(scale_bits(source, found) for source in self.sources),
            reference=reference,
            notes=(*self.notes, bits_note(images, found)),
            bits=found,
        )


def _kind(value: object) -> str:
    """The type of a value as a user knows it: ``list``, ``PIL.Image.Image``."""
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


class SceneChange(Protocol):
    """A change of a scene's images after they are read: a perturbation, or a registration.

    It can be pickled, gives the same images in every process, and leaves the reference as it is.
    The cells of a changed scene are cells of their own, since their keys follow the pixels.
    """

    @property
    def name(self) -> str:
        """What the manifest calls it: ``noise=5``."""
        ...

    @property
    def functions(self) -> Sequence[Callable[..., Any]]:
        """The registered functions that it calls, by which a plug-in's file is found."""
        ...

    def apply(self, images: SceneImages) -> SceneImages:
        """The changed images of checked ones: as many, of their sizes and types."""
        ...


@dataclass(frozen=True)
class Scene:
    """A scene: the function that reads its images, and their metadata.

    Attributes
    ----------
    dataset, id : str
        The two parts of its name.
    read : callable
        Returns the `SceneImages`; called when they are needed.
    origin : {'real', 'synthetic', 'stand-in'}
        Photographed; made from a photo, so that the reference is known; or made in place
        of a real scene that is not available.
    note : str
        Text for the captions of tables.
    title : str
        Its name in tables, when the field has one (*Clock*).
    files : tuple of (str, str)
        Collection and path of each catalogued file that `read` opens; see `datasets.fetch`.
    selected : str
        The part of the selection that it belongs to; set by `load_scenes`.
    bits : int
        The bits that its 16-bit images have, 16 for no scaling; 0 to take them from the largest
        value. See `datasets.bits`.
    lacks : callable or None
        Says why the images cannot be read, for files that are not catalogued; see `missing`.
    changes : tuple of SceneChange
        What is done to the images after they are read and scaled, in this order.
    """

    dataset: str
    id: str
    read: Callable[[], SceneImages]
    origin: Origin
    note: str = ""
    title: str = ""
    files: tuple[tuple[str, str], ...] = ()
    selected: str = ""
    bits: int = 0
    lacks: Callable[[], str] | None = None
    changes: tuple[SceneChange, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an unknown origin."""
        check_choice("scene", self.name, "origin", self.origin, get_args(Origin))

    @property
    def name(self) -> str:
        """``dataset/id``."""
        return f"{self.dataset}/{self.id}"

    def missing(self) -> str:
        """The reason why the images cannot be read, or an empty text; downloads nothing.

        A dataset lists all of its scenes, also those whose files are not available. To read many
        scenes, call `datasets.fetch.fetch` with their `files` first, then skip those that are
        still missing, with this reason.
        """
        if self.lacks and (reason := self.lacks()):
            return reason
        for name, path in self.files:
            try:
                if fetch.find(name, path, verify=False) is None:
                    reason = fetch.blocked(collection(name).url) or "has not been downloaded"
                    return fetch.unavailable(name, path, reason)
            except EnvironmentFault as error:
                return str(error)
        return ""

    @cached_property
    def images(self) -> SceneImages:
        """The checked images, read on first use and kept."""
        return self.read_checked()

    def read_checked(self) -> SceneImages:
        """Read the images again, check that they can be fused, and scale 12 bits stored in 16.

        Then `changes` are made. The `notes` are what a user should know of the images.

        Raises
        ------
        ContractViolation
            `read` did not return `SceneImages`, or a change did not keep number and size.
        ImageError
            Types or sizes of the images do not match, or a value does not fit `bits`.
        """
        with collect() as remarks:
            images = self.read()
        if not isinstance(images, SceneImages):
            kind = type(images).__name__
            raise ContractViolation(f"scene {self.name}: read() gave {kind}, not SceneImages")
        images = images.check(self.name)
        images = replace(images, notes=(*images.notes, *remarks)).scaled(self.name, self.bits)
        for change in self.changes:
            before, images = images, change.apply(images).check(self.name)
            if [s.shape[:2] for s in images.sources] != [s.shape[:2] for s in before.sources]:
                raise ContractViolation(f"scene {self.name}: {change.name} changed number or size")
        return images


@dataclass(frozen=True)
class Dataset:
    """A dataset: the function that lists its scenes and what is known about it.

    Attributes
    ----------
    name, title : str
        Short name and full title.
    scenes : callable
        ``scenes()`` or, when `argument` is set, ``scenes(argument)``; a list of `Scene`.
    citation, licence : str
        Citation and terms of use.
    argument : str
        Empty, or the name of the argument after the colon, e.g. ``DIR`` in ``folder:DIR``.
    argument_required : bool
        Whether the dataset needs its argument.
    count : int
        How many scenes it has without an argument; 0 if that depends on the files of the user.
    sources : str
        How many sources a scene has, such as ``"2"`` or ``"3-6"``; empty if that depends.
    reference : str
        Whether the all-in-focus reference is known: ``yes``, ``no`` or ``some``.
    """

    name: str
    title: str
    scenes: Callable[..., list[Scene]]
    citation: str
    licence: str
    argument: str = ""
    argument_required: bool = False
    count: int = 0
    sources: str = "2"
    reference: Known = "no"
    extra: dict[str, Any] = field(default_factory=dict)


DATASETS: Registry[Dataset] = Registry("dataset", "datasets")

F = TypeVar("F", bound=Callable[..., list[Scene]])


def dataset(
    name: str,
    *,
    title: str,
    citation: str,
    licence: str,
    argument: str = "",
    argument_required: bool = False,
    count: int = 0,
    sources: str = "2",
    reference: Known = "no",
) -> Callable[[F], F]:
    """Register a function that lists scenes; see `Dataset` for the arguments."""

    def register(fn: F) -> F:
        check_name("dataset", name)
        check_choice("dataset", name, "reference", reference, get_args(Known))
        DATASETS.add(
            Dataset(
                name=name,
                title=title,
                scenes=fn,
                citation=citation,
                licence=licence,
                argument=argument,
                argument_required=argument_required,
                count=count,
                sources=sources,
                reference=reference,
            )
        )
        return fn

    return register
