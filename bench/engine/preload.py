"""Whether the processes of a run need PyTorch, which takes seconds to import, from their start."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.core.errors import DataUnavailable
from bench.core.precision import Precision
from bench.engine.selection import ConfiguredMethod, SelectedMethod
from bench.store.manifest import load_manifest
from bench.store.store import Store


def learned_is_needed(
    methods: Sequence[SelectedMethod], out: Path, store: Store, device: str, precision: Precision
) -> bool:
    """Whether a learned method is likely to be run.

    The last run into `out` tells the scenes' fingerprints; when every learned cell of those is
    stored, none is. Where this is wrong, a process imports PyTorch itself, later.

    Parameters
    ----------
    methods : sequence of SelectedMethod
        What is run.
    out : Path
        Output folder of the run.
    store : Store
        Its store.
    device, precision : str
        Part of a cell's key.
    """
    learned = [m for m in methods if isinstance(m, ConfiguredMethod) and m.family == "learned"]
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
