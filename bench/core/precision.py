"""Number formats of trained networks, chosen so that other machines can reproduce the scores."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, get_args

from bench.core.errors import UsageError

#: A number format, or ``auto`` for the one that `number_format` chooses.
Precision = Literal["auto", "fp32", "bf16", "fp16"]

#: What a user may choose; half precision is for CUDA, where ``auto`` selects it.
PRECISIONS: tuple[Precision, ...] = ("auto", "fp32", "bf16")


@cache
def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware (AMX or AVX-512 BF16)."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), [])
    return "amx_bf16" in flags or "avx512_bf16" in flags


def number_format(device: str, precision: Precision = "auto") -> Precision:
    """The format that `precision` means on `device`: never ``auto``.

    Parameters
    ----------
    device : str
        ``cpu``, ``cuda`` or ``cuda:N``.
    precision : {'auto', 'fp32', 'bf16', 'fp16'}
        ``auto`` is the fastest that gives the same image to the eye: half precision on CUDA,
        bfloat16 on a processor that multiplies it in hardware, float32 on any other. Scores in
        bfloat16 and in float32 differ in the third decimal; in ``fp32`` those of two processors
        differ by rounding.

    Raises
    ------
    UsageError
        The format is unknown.

    Examples
    --------
    >>> from bench.core.precision import number_format
    >>> number_format("cuda"), number_format("cpu", "fp32")
    ('fp16', 'fp32')
    """
    if precision not in get_args(Precision):
        raise UsageError(f"precision {precision!r} must be one of {', '.join(get_args(Precision))}")
    if precision != "auto":
        return precision
    if device.startswith("cuda"):
        return "fp16"
    return "bf16" if cpu_has_bf16() else "fp32"
