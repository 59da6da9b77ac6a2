"""Lossless images beside JPEG ones: the same images through the same JPEG, as rows of their own.

Metrics see the loss of a JPEG, so a lossless image and one that was JPEG are not ranked together.
Where a scene has fused images of both kinds, each lossless one is scored once more as the JPEG
that most of the others are; `gf` is then also the row ``gf+jpeg``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from bench.core.fingerprint import digest
from bench.store.manifest import CellEntry, MethodEntry
from bench.store.records import FusionRecord

#: What the name of a row through JPEG ends with.
SUFFIX = "+jpeg"


def jpeg_name(method: str) -> str:
    """The name of the row that holds the images of `method` through JPEG."""
    return f"{method}{SUFFIX}"


def jpeg_of(records: Sequence[FusionRecord]) -> tuple[int, str] | None:
    """Quality and subsampling of most of the JPEG images of a scene; None if there are none.

    A colour image says more than a gray one, and of equally many the better quality is taken.

    Examples
    --------
    >>> from bench.engine.jpeg_rows import jpeg_of
    >>> from bench.store.records import FusionRecord
    >>> kinds = [("jpeg75", "4:2:0"), ("jpeg75", "4:2:0"), ("jpeg95", "4:2:0"), ("", "")]
    >>> jpeg_of([FusionRecord("ok", compression=c, subsampling=s) for c, s in kinds])
    (75, '4:2:0')
    """
    found = Counter(
        (int(record.compression.removeprefix("jpeg")), record.subsampling)
        for record in records
        if record.compression
    )
    return max(found, key=lambda kind: (found[kind], *kind)) if found else None


def jpeg_key(scene: str, pixels: str, quality: int, subsampling: str) -> str:
    """Key of the cell of the image of hash `pixels` through JPEG."""
    return digest({"kind": "jpeg", "scene": scene, "pixels": pixels}
                  | {"quality": quality, "subsampling": subsampling})  # fmt: skip


def jpeg_entries(methods: Sequence[MethodEntry], cells: Sequence[CellEntry]) -> list[MethodEntry]:
    """The methods of a run, each followed by its row through JPEG if a cell has it."""
    there = {cell.method for cell in cells} - {method.name for method in methods}
    entries = []
    for method in methods:
        entries.append(method)
        if (name := jpeg_name(method.name)) in there:
            title = f"{method.title}, through JPEG"
            identity = {"method": method.name, "kind": "jpeg", "of": method.identity}
            entries.append(
                replace(method, name=name, title=title, takes_precision=False, identity=identity)
            )
    return entries


def is_jpeg_row(method: MethodEntry) -> bool:
    """Whether a method of a run is the images of another one through JPEG."""
    return method.identity.get("kind") == "jpeg"
