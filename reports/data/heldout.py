"""Mean PSNR on held-out pairs by kind of pair, colour and method, of a run on ``heldout-…``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import DataUnavailable
from bench.store.manifest import CellEntry
from datasets.heldout import PREFIX
from reports.data.means import IDENTICAL_DB
from reports.data.results import Results
from reports.data.sources import Sources

#: Kind of pair -> gray or colour -> method -> mean PSNR in dB.
Table = dict[str, dict[str, dict[str, float]]]


def heldout_scores(results: Results) -> dict[str, Any]:
    """The content of ``weights/heldout.json``: number of pairs by kind, and mean PSNR in dB.

    Gray scenes have the run's own scores. The run scores colour on luminance; here the error of
    the stored image is averaged over the three channels.

    Parameters
    ----------
    results : Results
        Results of a run of ``heldout-…`` datasets with the metric ``psnr``.

    Raises
    ------
    DataUnavailable
        The run has no such scene, or a cell without a score, image or reference.
    """
    values: dict[str, dict[str, dict[str, list[float]]]] = {}
    for cell, value in _values(results):
        kind, colour = cell.dataset.removeprefix(PREFIX), cell.scene.partition("_")[0]
        found = values.setdefault(kind, {}).setdefault(colour, {})
        found.setdefault(cell.method, []).append(min(value, IDENTICAL_DB))
    if not values:
        raise DataUnavailable(f"the run has no scene of a dataset {PREFIX}…")
    psnr: Table = {
        kind: {
            colour: {name: round(float(np.mean(each)), 2) for name, each in methods.items()}
            for colour, methods in colours.items()
        }
        for kind, colours in values.items()
    }
    pairs = {
        kind: max(len(each) for methods in colours.values() for each in methods.values())
        for kind, colours in values.items()
    }
    return {"pairs": pairs, "psnr": psnr}


def _values(results: Results) -> Iterator[tuple[CellEntry, float]]:
    """PSNR of every cell on a held-out pair."""
    sources = Sources(results.manifest)
    references: dict[tuple[str, str], NDArray[np.generic]] = {}
    for cell in results.manifest.cells:
        if not cell.dataset.startswith(PREFIX):
            continue
        where = f"{cell.dataset}/{cell.scene}: {cell.method}"
        score = cell.scores.get("psnr")
        if score is None or score.value is None:
            raise DataUnavailable(f"{where}: no psnr ({cell.message or 'not scored'})")
        if cell.scene.startswith("gray_"):
            yield cell, score.value
            continue
        if cell.place not in references:
            references = {cell.place: _reference(sources, results, cell)}
        image = results.store.get_image(cell.pixels)
        if image is None:
            raise DataUnavailable(f"{where}: its image is not in the store")
        yield cell, channel_psnr(image, references[cell.place])


def _reference(sources: Sources, results: Results, cell: CellEntry) -> NDArray[np.generic]:
    entry = results.manifest.scene[cell.place]
    images, why = sources.images(entry)
    if images is None or images.reference is None:
        raise DataUnavailable(f"{entry.name}: no reference ({why or 'it has none'})")
    return images.reference


def channel_psnr(image: NDArray[np.generic], reference: NDArray[np.generic]) -> float:
    """Peak signal-to-noise ratio of 8-bit images over all channels, in dB.

    Examples
    --------
    >>> import numpy as np
    >>> from reports.data.heldout import channel_psnr
    >>> reference = np.zeros((2, 2, 3), np.uint8)
    >>> round(channel_psnr(reference + np.uint8(1), reference), 2)
    48.13
    """
    error = float(np.mean((image.astype(np.float64) - reference.astype(np.float64)) ** 2))
    return 10 * math.log10(255**2 / error) if error else math.inf
