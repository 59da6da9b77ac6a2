"""Scoring one fused image: read its images, and select the metrics that are defined for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bench.core.errors import ImageError, UsageError
from bench.core.image_io import read_image
from bench.core.pixels import as_image
from bench.engine.fused_bits import at_scale_of
from bench.engine.names import is_glob, split_names
from bench.engine.selection import named_metrics, select_metrics
from datasets.bits import bits_note, bits_to_scale, scale_bits
from metrics import Scorer

#: An array, or the path of an image file.
Image = NDArray[Any] | Path | str


def read_images(images: Sequence[Image], *called: str) -> list[tuple[str, NDArray[Any]]]:
    """The arrays and the images of files, each with its name in messages."""
    if isinstance(images, str | Path):
        raise UsageError(f"a list of images is needed, got {str(images)!r}")
    found = []
    for k, image in enumerate(images):
        name = called[k] if len(called) > 1 else f"{called[0]} {k + 1}"
        if isinstance(image, str | Path):
            found.append((str(image), read_image(image)))
            continue
        try:
            found.append((name, as_image(image)))
        except ImageError as error:
            raise ImageError(f"{name}: {error}") from None
    return found


def scaled_for_scores(
    images: Sequence[tuple[str, NDArray[Any]]], sources: int, bits: int
) -> tuple[list[NDArray[Any]], list[str]]:
    """The arrays with 12 bits stored in 16 scaled, and what a user should know of that.

    Parameters
    ----------
    images : sequence of (str, ndarray)
        The sources, the fused image and, where it is known, the reference, with their names.
    sources : int
        How many of them are sources.
    bits : int
        8 to 16, or 0 for the bits of the largest value of the sources and the reference.
    """
    names, arrays = [name for name, _ in images], [array for _, array in images]
    given = [k for k in range(len(arrays)) if k != sources]
    unscaled = [arrays[k] for k in given]
    found = bits_to_scale(unscaled, [names[k] for k in given], bits)
    if not found:
        return arrays, []
    for k in given:
        arrays[k] = scale_bits(arrays[k], found)
    notes = [f"{names[0]}: {bits_note(unscaled, found)}"]
    fused = at_scale_of(arrays[sources], arrays[:sources], found)
    if fused is not arrays[sources]:
        notes.append(
            f"{names[sources]}: it has {found} bits too and was scaled as the sources were"
        )
    arrays[sources] = fused
    return arrays, notes


def defined_metrics(metrics: str | Sequence[str], scorer: Scorer) -> list[str]:
    """Names of the selected metrics; raises if one that was selected by name is not defined."""
    names = [metric.name for metric in select_metrics(metrics)]
    if any(text.lower() == "all" or is_glob(text) for text in split_names(metrics)):
        kept = named_metrics(metrics)
        names = [name for name in names if name in kept or not scorer.obstacle(name)]
    for name in names:
        if why := scorer.obstacle(name):
            raise (ImageError if "pixels" in why else UsageError)(why)
    return names
