"""Remarks: what a user should know of a file that was read nevertheless.

A reader does not know who asked for the file and where a note is shown. It makes a remark; whoever
wants to show remarks collects them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

_collected: ContextVar[list[str] | None] = ContextVar("collected remarks", default=None)


@contextlib.contextmanager
def collect() -> Iterator[list[str]]:
    """The list that every remark made within the block is added to, each text once.

    Blocks nest: the innermost one gets the remark. Each thread collects its own.

    Yields
    ------
    list of str
        One sentence each, in the order in which they were made.

    Examples
    --------
    >>> from bench.core.remarks import collect, remark
    >>> with collect() as remarks:
    ...     remark("a.png: has a palette")
    >>> remarks
    ['a.png: has a palette']
    """
    remarks: list[str] = []
    token = _collected.set(remarks)
    try:
        yield remarks
    finally:
        _collected.reset(token)


def remark(text: str) -> None:
    """Add a sentence to the list of the innermost `collect`; nothing happens without one.

    Parameters
    ----------
    text : str
        Begins with the file's name: ``"x.tif: its alpha channel is not opaque; it was dropped"``.
    """
    remarks = _collected.get()
    if remarks is not None and text not in remarks:
        remarks.append(text)
