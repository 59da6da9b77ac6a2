"""Registration of the images of a scene: each module registers a method that aligns two of them."""

from __future__ import annotations

from datasets.alignment._base import (
    ALIGNMENTS,
    NONE,
    Alignment,
    NotAligned,
    alignment,
    check_alignment,
)
from datasets.alignment.motion import Motion
from datasets.alignment.stack import AlignedImages, align
from datasets.alignment.tiles import estimate_motion, small_view

__all__ = [
    "ALIGNMENTS",
    "NONE",
    "AlignedImages",
    "Alignment",
    "Motion",
    "NotAligned",
    "align",
    "alignment",
    "check_alignment",
    "estimate_motion",
    "small_view",
]
