"""Which device a network runs on."""

from __future__ import annotations

import torch

from bench.core.errors import EnvironmentFault, UsageError


def resolve_device(name: str) -> torch.device:
    """``cpu``, ``cuda`` or ``cuda:N`` as a device that is there.

    Raises
    ------
    UsageError
        It is the name of no device.
    EnvironmentFault
        The machine has none; there is no silent fall-back.

    Examples
    --------
    >>> from methods.learned.inference.devices import resolve_device
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"device {name!r} is none of cpu, cuda, cuda:N") from None
    if device.type == "cpu":
        return device
    if device.type != "cuda":
        raise UsageError(f"device {name!r} is none of cpu, cuda, cuda:N")
    if not torch.cuda.is_available():
        raise EnvironmentFault(f"device {name!r}: this machine or this torch has no CUDA")
    if device.index is not None and device.index >= torch.cuda.device_count():
        raise EnvironmentFault(f"device {name!r}: there are {torch.cuda.device_count()}")
    return device
