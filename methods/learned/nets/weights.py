"""Weights files: safetensors that say what they are, checked before a number of them is used.

A file belongs to one method and holds one or more networks, each with its architecture and
arguments. Numbers are stored in half precision, which changes a fused image by less than one
level in a thousand and keeps every file under 2 MB. The kernels of an `FCN`'s decoder are
those of transposed convolutions, as in the paper.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from bench.core.errors import EnvironmentFault, UsageError
from bench.core.files import write_bytes
from methods.learned.nets.networks import FCN, build, flip_transposed

#: Where the shipped weights lie.
FOLDER = Path(__file__).parents[1] / "weights"

#: SHA-256 of every shipped file, committed beside them.
REGISTRY = FOLDER / "registry.json"

FORMAT = "mfif-bench weights 1"


#: What reading a file of any bytes may raise.
_DAMAGED = (SafetensorError, ValueError, KeyError, TypeError, AttributeError, OverflowError)


class WeightsError(EnvironmentFault):
    """A weights file is missing, damaged, or not what it is called."""


class Described(NamedTuple):
    """A network with what is needed to build it again."""

    architecture: str
    arguments: Mapping[str, Any]
    network: nn.Module


def sha256(path: Path) -> str:
    """Hash of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def save_weights(path: Path, method: str, networks: Mapping[str, Described]) -> None:
    """Write the networks of one method; the file appears whole or not at all.

    Parameters
    ----------
    path : Path
        Target.
    method : str
        Whose weights they are; `load_network` refuses them under another name.
    networks : mapping
        By part.
    """
    tensors: dict[str, Tensor] = {}
    parts = {}
    for part, (architecture, arguments, network) in networks.items():
        state = {key: value.detach().cpu() for key, value in network.state_dict().items()}
        if isinstance(network, FCN):
            state = flip_transposed(state)
        for key, value in state.items():
            tensors[f"{part}/{key}"] = value.to(torch.float16).contiguous().clone()
        parts[part] = {"architecture": architecture, "arguments": dict(arguments)}
    metadata = {"format": FORMAT, "method": method, "networks": json.dumps(parts, sort_keys=True)}
    write_bytes(path, _ordered(save(tensors, metadata)))


def _ordered(data: bytes) -> bytes:
    """A safetensors file with its header sorted: equal weights, equal bytes, equal hash.

    The library writes the metadata in the order of a hash table, another one every time.
    """
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors stay aligned
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def read_weights(path: Path, method: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Descriptions by part and tensors of a weights file, all checks made.

    Raises
    ------
    WeightsError
        The file is missing, truncated, of another format or method, or it is one of the
        shipped files and its hash is not the registered one.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: no such weights file")
    data = path.read_bytes()
    if path.parent.resolve() == FOLDER.resolve():
        _check_hash(path, data)
    try:
        length = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + length])["__metadata__"]
        if metadata["format"] != FORMAT:
            raise WeightsError(f"{path}: format {metadata['format']!r} is not {FORMAT!r}")
        parts, owner = json.loads(metadata["networks"]), metadata["method"]
        for part in parts.values():
            if not (isinstance(part["architecture"], str) and isinstance(part["arguments"], dict)):
                raise ValueError("a network without architecture or arguments")
        tensors = load(data)
    except _DAMAGED as error:
        raise WeightsError(f"{path}: damaged, or not a weights file ({error})") from None
    for key, value in tensors.items():
        if value.dtype != torch.float16 or not bool(value.isfinite().all()):
            raise WeightsError(f"{path}: {key} holds other than finite float16 numbers")
    if owner != method:
        raise WeightsError(f"{path}: these are the weights of {owner!r}, not of {method!r}")
    return parts, tensors


def _check_hash(path: Path, data: bytes) -> None:
    try:
        known = dict(json.loads(REGISTRY.read_text())) if REGISTRY.is_file() else {}
    except (ValueError, TypeError) as error:
        raise WeightsError(f"{REGISTRY}: damaged ({error})") from None
    found = hashlib.sha256(data).hexdigest()
    if path.name not in known:
        raise WeightsError(f"{path}: not one of the shipped weights, by {REGISTRY.name}")
    if known[path.name] != found:
        raise WeightsError(
            f"{path}: its SHA-256 is {found[:12]}…, but {known[path.name][:12]}… is registered: "
            "truncated, changed or renamed"
        )


def load_network(
    path: Path,
    method: str,
    part: str,
    *,
    paper_form: bool = False,
    needed: tuple[str, Mapping[str, Any]] | None = None,
) -> nn.Module:
    """A network of a weights file in float32, on the CPU, ready to run.

    Parameters
    ----------
    path : Path
        The file.
    method, part : str
        What it must be.
    paper_form : bool
        Leave an `FCN`'s decoder as transposed convolutions; by default it becomes the equal,
        faster ordinary ones.
    needed : (str, mapping), optional
        Architecture and arguments that it must have; of `NETWORKS`, as a rule.

    Raises
    ------
    WeightsError
        See `read_weights`; also when there is no such part, it is not the network needed, or the
        tensors do not fit the architecture they claim.
    """
    parts, tensors = read_weights(path, method)
    if part not in parts:
        raise WeightsError(f"{path}: holds no network {part!r}, only {', '.join(parts)}")
    architecture, arguments = parts[part]["architecture"], dict(parts[part]["arguments"])
    if needed is not None and (architecture, arguments) != (needed[0], dict(needed[1])):
        raise WeightsError(
            f"{path}: {method} needs {needed[0]} {dict(needed[1])} as {part!r}, the file holds "
            f"{architecture} {arguments}"
        )
    state = {
        key.removeprefix(f"{part}/"): value.float()
        for key, value in tensors.items()
        if key.startswith(f"{part}/")
    }
    if architecture == "FCN":
        arguments["transposed"] = paper_form
        state = state if paper_form else flip_transposed(state)
    try:
        network = build(architecture, arguments)
        network.load_state_dict(state)
    except (RuntimeError, UsageError) as error:
        reason = str(error).splitlines()[-1].strip()
        raise WeightsError(f"{path}: does not fit {architecture} ({reason})") from None
    return network.eval().requires_grad_(False)


def register(path: Path) -> None:
    """Enter a file's hash in the registry beside it."""
    registry = path.parent / REGISTRY.name
    known = json.loads(registry.read_text()) if registry.is_file() else {}
    known[path.name] = sha256(path)
    write_bytes(registry, (json.dumps(known, indent=2, sort_keys=True) + "\n").encode())
