"""What a training tells the program that started it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from methods.learned.train.options import Report


class Observer:
    """Ignores everything; a program that shows progress overrides both methods."""

    def note(self, text: str) -> None:
        """Take one line about what is done or was found."""

    @contextmanager
    def progress(self, network: str) -> Iterator[Report | None]:
        """Give the function that is called with each `Progress` of the named network, or None."""
        yield None
