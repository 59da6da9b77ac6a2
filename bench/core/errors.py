"""The errors that a user may see, each with the exit code of a command that it ends.

A message is one line that names the file or argument, what came and what is allowed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: How many names the error about an unknown one lists.
MOST_KNOWN = 20


class BenchError(Exception):
    """Base of all expected errors: shown as one line, without a traceback."""

    exit_code = 2


class UsageError(BenchError):
    """An argument is wrong."""


class UnknownName(UsageError):
    """A method, metric, dataset or scene of that name does not exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        lower = {each.lower(): each for each in known}
        close = difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)
        shown = ", ".join(known[:MOST_KNOWN]) or "none"
        if len(known) > MOST_KNOWN:
            shown += f" and {len(known) - MOST_KNOWN} more"
        hint = (
            f"did you mean {' or '.join(repr(lower[c]) for c in close)}?"
            if close
            else f"known: {shown}"
        )
        super().__init__(f"unknown {kind} {name!r}; {hint}")


class ImageError(BenchError):
    """An image cannot be read, or fusion or scoring is not defined for it."""


class ImageWarning(UserWarning):
    """What a user should know of an image that was read nevertheless."""


class NothingSelected(BenchError):
    """The selection is empty."""

    exit_code = 3


class EnvironmentFault(BenchError):
    """The machine lacks what the command needs: a device, disk space, data."""

    exit_code = 4


class DataUnavailable(EnvironmentFault):
    """A dataset is neither on disk nor available from the network."""


class ContractViolation(BenchError):
    """A method, metric or dataset returned what its contract does not allow."""

    exit_code = 1


class ProgramFault(BenchError):
    """A program that a method starts failed, or did what it may not."""

    exit_code = 1


class Skipped(BenchError):
    """Raised by a method that declines a scene, with the reason; recorded as ``skipped``."""

    exit_code = 1
