"""Read the weights of a published network: verified, without running code, converted once."""

from __future__ import annotations

import contextlib
from functools import lru_cache
from typing import Any

from bench.core.devices import check_device
from bench.core.errors import EnvironmentFault
from bench.core.files import write_bytes
from datasets.catalog import CataloguedFile
from datasets.fetch import cache_folder
from methods._files import path_of

#: Weights below it count as 0: no sum of a network is changed by them.
TINY = 1e-25


def weights_file(path: str) -> CataloguedFile:
    """A file of the collection ``weights``."""
    return CataloguedFile("weights", path)


@lru_cache(maxsize=16)
def load_state(file: CataloguedFile, device: str = "cpu") -> dict[str, Any]:
    """Tensors by name, on `device`.

    Raises
    ------
    Skipped
        The file is not on disk and cannot be downloaded.
    EnvironmentFault
        The file in ``MFIF_DATA`` differs from the catalogue, or there is no such device.
    """
    check_device(device)
    path = path_of(file)
    state = _converted(file) or _convert(path, file)
    return {name: _without_tiny(tensor).to(device) for name, tensor in state.items()}


def _without_tiny(tensor: Any) -> Any:
    """Weights that decay left next to 0 are subnormal, which costs a CPU most of its speed."""
    return tensor.where(tensor.abs() > TINY, 0) if tensor.is_floating_point() else tensor


def _place(file: CataloguedFile) -> Any:
    return cache_folder() / "converted" / f"{file.entry.sha256}.safetensors"


def _converted(file: CataloguedFile) -> dict[str, Any]:
    """The tensors of an earlier conversion; empty if there is none, or it is damaged."""
    import hashlib

    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        data = _place(file).read_bytes()
        known = _place(file).with_suffix(".sha256").read_text()
        if hashlib.sha256(data).hexdigest() != known:
            return {}
        return load(data)
    except (OSError, ValueError, SafetensorError):
        return {}


def _convert(path: Any, file: CataloguedFile) -> dict[str, Any]:
    """Read the authors' file, and keep its tensors as safetensors in the cache."""
    import hashlib

    import torch
    from safetensors.torch import save

    if path.suffix == ".mat":
        from scipy.io import loadmat

        state = {k: torch.from_numpy(v) for k, v in loadmat(path).items() if k[:2] != "__"}
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
    if not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise EnvironmentFault(f"{path}: holds other things than tensors")
    state = {name: tensor.detach().contiguous().clone() for name, tensor in state.items()}
    data = save(state)
    with contextlib.suppress(OSError):  # a cache that cannot be written only costs time
        write_bytes(_place(file), data)
        digest = hashlib.sha256(data).hexdigest().encode()
        write_bytes(_place(file).with_suffix(".sha256"), digest)
    return state
