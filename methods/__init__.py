"""The fusion methods: one module each, one decorated function.

A method takes float32 sources in [0, 1] and returns a fused image (``kind="transform"``) or
one weight map per source (``kind="decision"``). Colour, clipping, shape checks, folding of
stacks and quantisation are done once for all of them in `methods._fusion`.
"""

from __future__ import annotations

from methods._base import FAMILY_ALIASES, METHODS, NETWORK_FAMILIES, Blend, Method, method
from methods._fusion import bind, fuse, fuse_prepared
from methods._sources import Planes, Sources

__all__ = [
    "FAMILY_ALIASES",
    "METHODS",
    "NETWORK_FAMILIES",
    "Blend",
    "Method",
    "Planes",
    "Sources",
    "bind",
    "fuse",
    "fuse_prepared",
    "method",
]
