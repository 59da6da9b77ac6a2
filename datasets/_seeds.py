"""Random numbers that depend on names alone, not on order or process."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(*names: str) -> np.random.Generator:
    """The random generator of these names."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))
