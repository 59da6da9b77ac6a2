"""The interface through which a run shows its progress."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the events of a run; see `bench.cli.console.RunProgress`."""

    def start(self, cells: int) -> None:
        """A run of so many cells begins."""

    def working(self, what: str) -> None:
        """Work on `what` begins."""

    def done(self, what: str, status: str, message: str, cached: bool) -> None:
        """A cell is finished."""

    def note(self, text: str) -> None:
        """Something that a reader of the results should know."""
