"""Progress that is not shown."""

from __future__ import annotations


class Silent:
    """Shows nothing."""

    def start(self, cells: int) -> None:
        """Nothing."""

    def working(self, what: str) -> None:
        """Nothing."""

    def done(self, what: str, status: str, message: str, cached: bool) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""
