"""Which rows of a run are JPEG or were: they are marked, and ranked apart from lossless ones."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from bench.engine.jpeg_rows import SUFFIX, jpeg_name
from bench.store.manifest import RunManifest
from reports.data.parts import holds, scores_of
from reports.data.results import Results

#: Follows the name of a method whose images are or were JPEG.
MARK = " †"


def jpeg_methods(manifest: RunManifest, dataset: str = "", scene: str = "") -> dict[str, list[int]]:
    """The methods that have JPEG images, and their qualities, the lowest first.

    Parameters
    ----------
    manifest : RunManifest
        Of a run.
    dataset, scene : str
        Only that dataset or subset, only that scene; all when empty.
    """
    found: dict[str, set[int]] = {}
    for cell in manifest.cells:
        here = holds(dataset, *cell.place) and scene in ("", cell.scene)
        if here and cell.compression:
            quality = int(cell.compression.removeprefix("jpeg"))
            found.setdefault(cell.method, set()).add(quality)
    return {method: sorted(qualities) for method, qualities in found.items()}


def jpeg_note(methods: dict[str, list[int]]) -> list[str]:
    """The meaning of `MARK` as a sentence, with the qualities; nothing without JPEG rows."""
    if not methods:
        return []
    by_quality: dict[str, list[str]] = {}
    for method, qualities in methods.items():
        by_quality.setdefault("/".join(map(str, qualities)), []).append(method)
    usual = max(by_quality, key=lambda quality: len(by_quality[quality]))
    others = [f"{quality}: {', '.join(names)}" for quality, names in by_quality.items()
              if quality != usual]  # fmt: skip
    which = f"quality {usual}" + (f", but {'; '.join(others)}" if others else "")
    return [
        f"{MARK.strip()}: the images are or were JPEG ({which}); they compete among themselves, "
        "and lossless images among themselves. METHOD+jpeg: the images of METHOD through the "
        "same JPEG."
    ]


def _lossy(scores: pd.DataFrame) -> set[str]:
    """The methods of which some image is or was JPEG, and the rows through JPEG."""
    names = {str(name) for name in scores["method"].unique()}
    jpeg = set(scores.loc[scores["compression"] != "", "method"])
    return jpeg | {name for name in names if name.endswith(SUFFIX)}


def settled(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores in which each method is JPEG or lossless, for all of these scenes.

    A method that is JPEG on some scenes has its images through JPEG on the others.
    """
    jpeg = scores["compression"] != ""
    method = scores["method"]
    mixed = set(method[jpeg]) & set(method[~jpeg & (scores["status"] == "ok")])
    kept = scores[jpeg | ~method.isin(mixed)]
    return kept.replace({"method": {jpeg_name(name): name for name in mixed}}) if mixed else scores


def by_compression(results: Results, dataset: str = "") -> tuple[Results | None, Results | None]:
    """The lossless rows of a run, and its JPEG rows; None for those that it has none of."""
    scores = settled(scores_of(results, dataset))
    lossy = scores["method"].isin(_lossy(scores))
    if not lossy.any():
        return results, None
    results = replace(results, scores=scores)
    if lossy.all():
        return None, results
    return replace(results, scores=scores[~lossy]), replace(results, scores=scores[lossy])
