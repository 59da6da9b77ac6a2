"""The errors that plug-ins raise and catch; defined in `bench.core.errors`."""

from __future__ import annotations

from bench.core.errors import (
    BenchError,
    ContractViolation,
    DataUnavailable,
    EnvironmentFault,
    ImageError,
    ImageWarning,
    NothingSelected,
    ProgramFault,
    Skipped,
    UnknownName,
    UsageError,
)

__all__ = [
    "BenchError",
    "ContractViolation",
    "DataUnavailable",
    "EnvironmentFault",
    "ImageError",
    "ImageWarning",
    "NothingSelected",
    "ProgramFault",
    "Skipped",
    "UnknownName",
    "UsageError",
]
