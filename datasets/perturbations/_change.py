"""Perturbations written as a suffix, ``+noise=5+shift=1``, and what they make of a scene."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ContractViolation, UnknownName, UsageError
from bench.core.pixels import as_image, quantise
from datasets._base import Scene, SceneImages
from datasets._seeds import generator
from datasets.alignment import Motion
from datasets.perturbations._base import PERTURBATIONS, STAGES, Perturbation, Source, clipped

scipy = lazy.load("scipy")

#: Order of the spline that moved images are resampled by.
SPLINE = 3


@dataclass(frozen=True)
class Step:
    """A perturbation by its name, and its amount."""

    name: str
    amount: float

    def __str__(self) -> str:
        """``noise=5``."""
        return f"{self.name}={self.amount:.12g}"

    @property
    def entry(self) -> Perturbation:
        """The registered perturbation."""
        return PERTURBATIONS[self.name]


def parse_suffix(suffix: str) -> tuple[Step, ...]:
    """The perturbations of ``+noise=5+shift=1``, in the order in which they act.

    Raises
    ------
    UnknownName
        There is no such perturbation.
    UsageError
        A value is not allowed, or a perturbation is given twice.

    Examples
    --------
    >>> from datasets.perturbations import parse_suffix
    >>> [str(step) for step in parse_suffix("+noise=5.0+shift=1+vignetting")]
    ['shift=1', 'vignetting=0.3', 'noise=5']
    """
    steps: dict[str, Step] = {}
    for part in suffix.removeprefix("+").split("+"):
        written, equals, value = (text.strip() for text in part.partition("="))
        same = [entry for entry in PERTURBATIONS if entry.name.lower() == written.lower()]
        if not same:
            raise UnknownName("perturbation", written, PERTURBATIONS.names())
        entry = same[0]
        if entry.name in steps:
            raise UsageError(f"+{part}: {entry.name} is given twice in {suffix}")
        steps[entry.name] = Step(entry.name, entry.amount(value if equals else None))
    return tuple(sorted(steps.values(), key=lambda s: (STAGES.index(s.entry.stage), s.name)))


def suffix_of(steps: Sequence[Step]) -> str:
    """How the perturbations are written: ``+shift=1+noise=5``."""
    return "".join(f"+{step}" for step in steps)


@dataclass(frozen=True)
class Perturbed:
    """The change that perturbs the sources of a scene.

    Attributes
    ----------
    scene : str
        Name of the scene as it is, which decides the random numbers.
    steps : tuple of Step
        What is done, in this order.
    """

    scene: str
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        """``shift=1+noise=5``."""
        return suffix_of(self.steps).removeprefix("+")

    @property
    def functions(self) -> Sequence[Callable[..., Any]]:
        """The registered functions."""
        return [step.entry.fn for step in self.steps]

    def motion(self, index: int, count: int) -> Motion:
        """Where the points of a source lie after its perturbation; the first stays where it is.

        Parameters
        ----------
        index, count : int
            Number of the source from 0, and how many there are.
        """
        motion = Motion()
        for step in self.steps:
            if step.entry.stage == "geometry" and (index or step.entry.first):
                source = self._source(step, index, count)
                motion = motion.then(step.entry.fn(step.amount, source))
        return motion

    def apply(self, images: SceneImages) -> SceneImages:
        """The images with perturbed sources, of the type that they had; reference and mask stay."""
        before = [as_image(source) for source in images.sources]
        after = tuple(self._perturbed(k, len(before), image) for k, image in enumerate(before))
        notes = images.notes
        if all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)) and any(
            step.entry.severity(step.amount) for step in self.steps
        ):
            notes = (*notes, f"+{self.name} leaves the images as they are")
        return replace(images, sources=after, notes=notes)

    def _source(self, step: Step, index: int, count: int) -> Source:
        rng = generator("perturbation", step.name, self.scene, str(index))
        return Source(index, count, rng)

    def _perturbed(self, index: int, count: int, image: NDArray[Any]) -> NDArray[Any]:
        deep = np.issubdtype(image.dtype, np.floating)
        top = 1.0 if deep else float(np.iinfo(image.dtype).max)
        unit = moved(image.astype(np.float64) / top, self.motion(index, count))
        for step in self.steps:
            entry = step.entry
            if entry.stage == "geometry" or not (index or entry.first):
                continue
            changed = entry.fn(unit, step.amount, self._source(step, index, count))
            if np.shape(changed) != unit.shape or not np.isfinite(changed).all():
                raise ContractViolation(
                    f"perturbation {step.name!r}: it must give finite numbers of shape "
                    f"{unit.shape}, as it was given; got shape {np.shape(changed)}"
                )
            unit = clipped(changed)
        return unit.astype(image.dtype) if deep else quantise(unit, image.dtype)


def moved(image: NDArray[np.float64], motion: Motion) -> NDArray[np.float64]:
    """The image with its points moved, by cubic splines; what comes in is mirrored.

    Parameters
    ----------
    image : ndarray of float64
        (H, W) or (H, W, 3) in [0, 1].
    motion : Motion
        Where its points go.
    """
    if motion.factor == 1 and motion.shift == 0:
        return image
    back = 1 / motion.factor
    matrix = np.array([[back.real, back.imag], [-back.imag, back.real]])
    centre = (np.array(image.shape[:2]) - 1) / 2
    offset = centre - matrix @ (centre + np.array([motion.shift.imag, motion.shift.real]))
    layers = [image] if image.ndim == 2 else [image[..., c] for c in range(image.shape[2])]
    done = [
        scipy.ndimage.affine_transform(layer, matrix, offset, order=SPLINE, mode="mirror")
        for layer in layers
    ]
    return clipped(done[0] if image.ndim == 2 else np.stack(done, axis=-1))


def perturbed_scene(scene: Scene, steps: tuple[Step, ...]) -> Scene:
    """The scene with perturbed sources, as a scene of the dataset ``NAME+noise=5``.

    Examples
    --------
    >>> from datasets import load_scenes
    >>> from datasets.perturbations import parse_suffix, perturbed_scene
    >>> clean = load_scenes("synthetic-lens/coins")[0]
    >>> perturbed_scene(clean, parse_suffix("+noise=5")).name
    'synthetic-lens+noise=5/coins'
    """
    suffix = suffix_of(steps)
    return replace(
        scene,
        dataset=scene.dataset + suffix,
        title=f"{scene.title} {suffix}" if scene.title else "",
        note="; ".join(filter(None, [scene.note, f"sources perturbed: {suffix}"])),
        changes=(*scene.changes, Perturbed(scene.name, steps)),
    )


def unchanged(scene: Scene) -> Scene:
    """The scene as it is read, without perturbations and other changes."""
    return replace(scene, dataset=split_dataset(scene.dataset)[0], changes=())


def split_dataset(name: str) -> tuple[str, tuple[Step, ...]]:
    """A dataset's name without its perturbations, and these.

    A name whose suffix is no perturbation is one of its own.

    Examples
    --------
    >>> from datasets.perturbations import split_dataset
    >>> split_dataset("synthetic-lens+noise=5")
    ('synthetic-lens', (Step(name='noise', amount=5.0),))
    >>> split_dataset("synthetic-lens")
    ('synthetic-lens', ())
    """
    base, plus, suffix = name.partition("+")
    try:
        return (base, parse_suffix(suffix)) if plus else (name, ())
    except (UnknownName, UsageError):
        return name, ()
