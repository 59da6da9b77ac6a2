"""Messages and progress on stderr, data on stdout."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any


def add_layout(add: Callable[..., object]) -> None:
    """Declare ``--layout``, which several commands have, with the method of a parser."""
    add(
        "--layout",
        nargs="+",
        default=[],
        metavar="[ROLE=]PATTERN",
        help="which files of folder:DIR are what, where their names do not say it: paths below "
        "DIR with {scene}, {source} and *, such as '{scene}_{source}'; ROLE is source (default), "
        "reference, mask or fused; several patterns of sources follow each other; without "
        "{scene} all files are one stack",
    )


def error(message: str) -> None:
    """One line on stderr, marked as an error."""
    print(f"error: {' '.join(message.split())}", file=sys.stderr)


def note(message: str) -> None:
    """One line on stderr."""
    print(message, file=sys.stderr)


def emit(text: str) -> None:
    """Data on stdout."""
    print(text)


def emit_json(value: Any) -> None:
    """A value as strict JSON on stdout; numbers that are not finite become null."""
    print(json_text(value))


def json_text(value: Any) -> str:
    """A value as strict JSON; numbers that are not finite become null."""
    return json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value


#: The path of a file within a message.
_PATH = re.compile(r"\S+/\S+")


class RunProgress:
    """A bar with the time left, on a terminal; a line for each cell that fails, everywhere.

    Parameters
    ----------
    lines : bool
        Whether scenes and failing cells get lines.
    """

    def __init__(self, *, lines: bool = True) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        screen = Console(stderr=True)
        self._bar = Progress(
            TextColumn("[progress.description]{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=screen,
            transient=True,
            disable=not screen.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=None)
        self._guard = threading.Lock()
        self._lines = lines
        self.counts: dict[str, int] = {}
        self.cached = 0
        self.notes: list[str] = []
        self._scenes: set[str] = set()
        self._reason = ""

    def __enter__(self) -> RunProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
        if kind is None and self._lines and self.counts:
            counts = ", ".join(f"{count} {status}" for status, count in sorted(self.counts.items()))
            note(f"{counts}; {self.cached} of them were finished before")
        for text in self.notes:
            note(text)

    def start(self, cells: int) -> None:
        """Show the bar of the cells; downloads have shown their own bars before."""
        self._bar.update(self._task, total=cells)
        self._bar.start()

    def working(self, what: str) -> None:
        """Say what is being done; where there is no terminal, a line for each scene."""
        self._bar.update(self._task, description=what)
        scene = what.partition(":")[0]
        if self._lines and self._bar.disable and scene not in self._scenes:
            self._scenes.add(scene)
            note(scene)

    def done(self, what: str, status: str, message: str, cached: bool) -> None:
        """Count a cell, and print one that is not ok: once for all that share a reason."""
        with self._guard:
            self.counts[status] = self.counts.get(status, 0) + 1
            self.cached += cached
            # Of many files that are missing each has a message of its own.
            reason = _PATH.sub("", message) if status == "skipped" else message
            known, self._reason = self._reason, reason if status != "ok" else self._reason
        self._bar.advance(self._task)
        if self._lines and status != "ok" and reason != known:
            self._bar.console.print(f"{status}: {what}: {message}", markup=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Keep the note and print it after the bar has ended."""
        self.notes.append(text)


class StepProgress:
    """What a search tries now: a line that changes, or a line for each step without a terminal."""

    def __init__(self) -> None:
        from rich.console import Console

        screen = Console(stderr=True)
        self._status = screen.status("starting") if screen.is_terminal else None
        self._step = ""

    def __enter__(self) -> StepProgress:
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def __call__(self, step: str, form: str, forms: int) -> None:
        """Show the step of the search and what is tried in it."""
        if self._status:
            from rich.markup import escape

            self._status.update(escape(f"{step} ({forms}): {form}"))
        elif step != self._step:
            note(f"{step} ({forms})")
        self._step = step


class TextProgress:
    """A few words on what is being done: a line that changes, on a terminal only."""

    def __init__(self) -> None:
        from rich.console import Console

        screen = Console(stderr=True)
        self._status = screen.status("starting") if screen.is_terminal else None

    def __enter__(self) -> TextProgress:
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def __call__(self, text: str) -> None:
        """Show the text."""
        if self._status:
            from rich.markup import escape

            self._status.update(escape(text))
