"""Selection by name: lists with commas, aliases, globs and exclusions.

Upper and lower case do not matter; ``fcn*`` stands for all that match, and ``-rp`` takes out
what was chosen before it.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from bench.core.errors import UnknownName, UsageError
from bench.core.registry import Named, Registry

#: What papers call metrics, where that is neither our name nor our label; in plain letters.
METRIC_ALIASES = {
    "cb": "qcb",
    "cv": "qcv",
    "en": "ie",
    "entropy": "ie",
    "nmi": "mi",
    "qfmi": "fmi",
    "qg": "qabf",
    "qmi": "mi",
    "qs": "q",
    "qviff": "viff",
    "std": "sd",
}

_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Row(Protocol):
    """An entry that can be selected: it has a name and belongs to a family."""

    @property
    def name(self) -> str:
        """Name, unique within a selection."""
        ...

    @property
    def family(self) -> str:
        """The group that it is listed in."""
        ...


N = TypeVar("N", bound=Named)
R = TypeVar("R", bound=Row)
T = TypeVar("T", bound=Named)


def split_outside(text: str, separator: str = ",") -> list[str]:
    """Split at the separators that lie outside brackets and quotes; parts are stripped.

    Examples
    --------
    >>> from bench.engine.names import split_outside
    >>> split_outside("a, lp@size=(5,5),mode='x,y'")
    ['a', 'lp@size=(5,5)', "mode='x,y'"]
    """
    parts, start, closing, quote, before = [], 0, [], "", ""
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"" and before in (*"=([{,:", ""):  # not an apostrophe within a word
            quote = letter
        elif letter in _CLOSING:
            closing.append(_CLOSING[letter])
        elif closing and letter == closing[-1]:
            closing.pop()
        elif letter == separator and not closing:
            parts.append(text[start:place])
            start = place + 1
        before = letter if not letter.isspace() else before
    if closing or quote:
        raise UsageError(f"{text!r}: {quote or closing[-1]} is missing")
    return [part.strip() for part in (*parts, text[start:])]


def as_texts(texts: object) -> list[str]:
    """A list of texts, from one or several; anything else is a `UsageError`."""
    several = isinstance(texts, Iterable) and not isinstance(texts, str)
    found: list[Any] = list(texts) if several else [texts]  # type: ignore[call-overload]
    for text in found:
        if not isinstance(text, str):
            raise UsageError(f"a name must be text, got {type(text).__name__} {text!r}")
    return found


def split_names(texts: str | Sequence[str]) -> list[str]:
    """Split at commas, keeping together the parameters of one method.

    Examples
    --------
    >>> from bench.engine.names import split_names
    >>> split_names(["average,lp@levels=5,size=(3,3),gf", "-rp"])
    ['average', 'lp@levels=5,size=(3,3)', 'gf', '-rp']
    >>> split_names("lp@levels=5,images:mine=DIR")
    ['lp@levels=5', 'images:mine=DIR']
    """
    names: list[str] = []
    for text in as_texts(texts):
        for part in filter(None, split_outside(text)):
            if (
                "=" in part
                and not {":", "@"} & set(part.partition("=")[0])
                and names
                and ("@" in names[-1].partition(":")[0])
            ):
                names[-1] += f",{part}"
            else:
                names.append(part)
    return names


def plain(name: str) -> str:
    """Letters and digits in lower case, so that ``Q^{AB/F}`` is ``qabf``."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def find(registry: Registry[N], name: str, aliases: Mapping[str, str] | None = None) -> N:
    """The entry of that name, alias or label; case, dashes and brackets do not matter.

    Raises
    ------
    UnknownName
        No entry has that name, or more than one.
    """
    if name in registry:
        return registry[name]
    for same in (str.lower, plain):
        if len(found := [e for e in registry if same(e.name) == same(name)]) == 1:
            return found[0]
    if plain(name) in (aliases or {}):
        return registry[(aliases or {})[plain(name)]]
    called = [e for e in registry if plain(name) in map(plain, getattr(e, "aliases", ()))]
    if len(called) == 1:
        return called[0]
    found = [e for e in registry if plain(name) and plain(getattr(e, "label", "")) == plain(name)]
    return found[0] if len(found) == 1 else registry[name]


def is_glob(text: str) -> bool:
    """Whether `text` is a glob, which selects all names that match it."""
    return any(mark in text for mark in "*?")


def matching(kind: str, pattern: str, rows: Iterable[T]) -> list[T]:
    """The rows whose names match the glob `pattern` in upper or lower case.

    Raises
    ------
    UnknownName
        No name matches.
    """
    rows = list(rows)
    found = [row for row in rows if fnmatch.fnmatchcase(row.name.lower(), pattern.lower())]
    if not found:
        raise UnknownName(kind, pattern, (row.name for row in rows))
    return found


def choose(
    kind: str, texts: str | Sequence[str], expand: Callable[[str], Sequence[R]]
) -> dict[str, R]:
    """What `texts` select, by name, in order; each text adds, or removes after a ``-``.

    Parameters
    ----------
    kind : str
        The word for a row in messages.
    texts : str or sequence of str
        See `split_names`.
    expand : callable
        Gives the rows of one text.
    """
    chosen: dict[str, R] = {}
    for text in split_names(texts):
        if text.startswith("-"):
            for name in _excluded(kind, text[1:], chosen, expand):
                chosen.pop(name, None)
            continue
        for row in expand(text):
            if chosen.setdefault(row.name, row) != row:
                raise UsageError(f"{text}: another {kind} that is selected is called {row.name!r}")
    return chosen


def _excluded(
    kind: str, text: str, chosen: Mapping[str, R], expand: Callable[[str], Sequence[R]]
) -> list[str]:
    if not chosen:
        raise UsageError(f"-{text}: nothing was selected before it to leave out; write all -{text}")
    try:
        return [row.name for row in matching(kind, text, chosen.values())]
    except UnknownName:
        return [row.name for row in expand(text)]
