"""Images for plug-ins: reading, writing and the scales that methods and metrics see.

The functions are defined in `bench.core.image_io` (files) and `bench.core.pixels` (arithmetic).
"""

from __future__ import annotations

from bench.core.image_io import (
    SUFFIXES,
    encode_png,
    page_count,
    read_image,
    read_pages,
    write_image,
)
from bench.core.pixels import (
    LUMINANCE_WEIGHTS,
    as_image,
    luminance,
    quantise,
    same_size,
    strips,
    to_gray255,
    to_unit,
)

__all__ = [
    "LUMINANCE_WEIGHTS",
    "SUFFIXES",
    "as_image",
    "encode_png",
    "luminance",
    "page_count",
    "quantise",
    "read_image",
    "read_pages",
    "same_size",
    "strips",
    "to_gray255",
    "to_unit",
    "write_image",
]
