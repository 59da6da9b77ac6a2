"""Whether worker processes import PyTorch, which takes seconds, once at their start."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.core.errors import DataUnavailable
from bench.core.precision import Precision
from bench.engine.selection import ConfiguredMethod, SelectedMethod
from bench.store.manifest import load_manifest
from bench.store.store import Store
from methods import NETWORK_FAMILIES


def learned_is_needed(
    methods: Sequence[SelectedMethod], out: Path, store: Store, device: str, precision: Precision
) -> bool:
    """Whether the run is likely to fuse with a learned method.

    The manifest of the last run into `out` has the fingerprints of the scenes; if all learned
    cells on those are stored, the answer is no. If the answer is wrong, a process imports PyTorch
    later.

    Parameters
    ----------
    methods : sequence of SelectedMethod
        Methods of the run.
    out : Path
        Output folder of the run.
    store : Store
        Store of the run.
    device, precision : str
        Part of a cell's key.
    """
    learned = [
        m for m in methods if isinstance(m, ConfiguredMethod) and m.family in NETWORK_FAMILIES
    ]
    if not learned:
        return False
    try:
        scenes = load_manifest(out).scenes
    except DataUnavailable:
        return True
    prints = [scene.fingerprint for scene in scenes if scene.fingerprint]
    keys = (
        method.key(fingerprint, device, precision) for method in learned for fingerprint in prints
    )
    return not prints or any(store.get(key) is None for key in keys)
