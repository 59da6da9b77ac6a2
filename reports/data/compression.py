"""Which rows of a run are JPEG or were: they are marked, and ranked apart from lossless ones."""

from __future__ import annotations

from dataclasses import replace

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


def by_compression(results: Results, dataset: str = "") -> tuple[Results | None, Results | None]:
    """The lossless rows of a run, and its JPEG rows; None for those that it has none of."""
    scores = results.scores
    here = scores.index.isin(scores_of(results, dataset).index)
    lossy = scores["compression"] != ""
    if not (lossy & here).any():
        return results, None
    if not (~lossy & here).any():
        return None, results
    return replace(results, scores=scores[~lossy]), replace(results, scores=scores[lossy])
