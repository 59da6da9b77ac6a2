"""Scoring one fused image: read its images, and select the metrics that are defined for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bench.core.errors import ImageError, UsageError
from bench.core.image_io import read_image
from bench.core.pixels import as_image
from bench.engine.names import is_glob, split_names
from bench.engine.selection import named_metrics, select_metrics
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
