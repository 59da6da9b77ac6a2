"""When the names of pictures count up: the frames of one stack, and what is missing of it."""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from datasets.layouts.files import Picture, natural
from datasets.layouts.names import WORD

#: Seconds between two frames of one stack that are named by the time.
LONGEST_PAUSE_S = 60

#: Prefixes that name no scene: what cameras and programs write before a number.
_NO_NAME = re.compile(
    r"|im|img|image|images|imagej|source|sources|src|input|inputs|focus|frame|frames|slice|"
    r"slices|photo|photos|picture|pic|view|layer|plane|step|shot|page|capture|snap|"
    r"_?dsc[fnm]?|dscn|_?mg|_?img|_img|cimg|pa|pxl|sam|dji|gopr|gopro|hpim|imgp|pict|pana|crw|"
    r"_?mvi|kif|rimg|dcp|sdc|img[_\- ]?z|z[_\- ]?stack",
    re.IGNORECASE,
)
#: Prefixes that say that each number is a scene of its own.
_SCENES = re.compile(
    r"(?:scenes?|pairs?|sets?|samples?|tests?|lytro|mffw[23]?|mfi[_\- ]?whu|grayscale)",
    re.IGNORECASE,
)
_LAST_WORD = re.compile(rf"(?<=.)[_\- .](?:{WORD})$", re.IGNORECASE)
_COUNTED = re.compile(r"(?P<before>.*?)(?P<number>\d+)(?P<after>\)?)")
_TIME = re.compile(
    r"(?:.*[_\- ])??(?P<date>(?:19|20)\d{2}[_\-.]?\d{2}[_\-.]?\d{2})[_\- T.]?"
    r"(?P<time>\d{2}[_\-.:h]?\d{2}[_\-.:m]?\d{2})(?P<part>\d{3}|[._\-]\d{1,6})?"
)


@dataclass(frozen=True)
class Counted:
    """A picture whose name ends with a number."""

    picture: Picture
    before: str
    number: int
    digits: int

    @property
    def name(self) -> str:
        """The text before the number, without its separator and a word such as ``image``."""
        return _LAST_WORD.sub("", self.before.strip("_- .("))

    @property
    def separated(self) -> bool:
        """Whether a separator stands between text and number."""
        return self.before[-1:] in ("_", "-", " ", ".", "(")

    @property
    def names_scene(self) -> bool:
        """Whether the text before the number is the scene's name."""
        if _NO_NAME.fullmatch(self.name):
            return False
        return self.separated or sum(map(str.isalpha, self.name)) >= 3

    @property
    def is_scene(self) -> bool:
        """Whether the text says that each number is a scene."""
        letter = self.name.lower() in ("c", "g") and self.digits == 2  # c_01 is a Lytro pair
        return letter or bool(_SCENES.fullmatch(self.name))


def counted(picture: Picture) -> Counted | None:
    """The number at the end of a picture's name."""
    match = _COUNTED.fullmatch(picture.stem)
    if not match:
        return None
    return Counted(picture, match["before"], int(match["number"]), len(match["number"]))


def taken_at(stem: str) -> datetime.datetime | None:
    """The time in a name such as ``IMG_20240101_120000``, and None if there is none.

    Examples
    --------
    >>> from datasets.layouts.sequences import taken_at
    >>> taken_at("PXL_20240101_120000123").microsecond, taken_at("P1000123")
    (123000, None)
    """
    match = _TIME.fullmatch(stem)
    if not match:
        return None
    digits = re.sub(r"\D", "", match["date"] + match["time"])
    part = re.sub(r"\D", "", match["part"] or "")
    # What follows the second is its fraction in the names of phones, else the number of a burst.
    fraction = int(part) * 1000 if len(part) == 3 else 0
    try:
        when = datetime.datetime.strptime(digits, "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return when.replace(microsecond=fraction)


def gap_in_letters(roles: Sequence[str]) -> str:
    """The first letter that is missing of small letters from ``a``; empty if none is.

    Examples
    --------
    >>> from datasets.layouts.sequences import gap_in_letters
    >>> gap_in_letters("ac"), gap_in_letters("bc"), gap_in_letters("ab")
    ('B', 'A', '')
    """
    there = {ord(role) - ord("a") for role in roles}
    missing = next(k for k in range(27) if k not in there)
    return chr(ord("A") + missing) if missing < len(there) else ""


def gap_in_count(frames: Sequence[Counted]) -> str:
    """Why numbered names are not one stack; empty if they count up.

    Short numbers begin at 0 or 1, those of cameras anywhere; numbers of three and more digits may
    also count in equal steps (``z000``, ``z010``, ``z020``).

    Parameters
    ----------
    frames : sequence of Counted
        Two or more, sorted by number, with different numbers.
    """
    numbers = [frame.number for frame in frames]
    long = min(frame.digits for frame in frames) >= 3
    if numbers[0] > 1 and not long:
        return f"{frames[0].picture.name} is the first, number 1 is missing"
    steps = {b - a for a, b in itertools.pairwise(numbers)}
    if steps == {1} or (long and len(steps) == 1 and len(numbers) > 2):
        return ""
    for a, b in itertools.pairwise(frames):
        if b.number != a.number + 1:
            missing = str(a.number + 1).zfill(a.digits)
            return f"number {missing} is missing between {a.picture.name} and {b.picture.name}"
    return ""


def gap_in_time(frames: Sequence[tuple[datetime.datetime, Picture]]) -> str:
    """Why names with a time are not one stack; empty if they are at most a minute apart."""
    for (a, first), (b, second) in itertools.pairwise(frames):
        if (b - a).total_seconds() > LONGEST_PAUSE_S:
            return (
                f"{first.name} and {second.name} are more than {LONGEST_PAUSE_S} s apart by their "
                "names"
            )
    return ""


def by_time(pictures: Sequence[Picture]) -> list[tuple[datetime.datetime, Picture]]:
    """The pictures that have a time in their names, in its order."""
    timed = [(when, p) for p in pictures if (when := taken_at(p.stem))]
    return sorted(timed, key=lambda pair: (pair[0], natural(pair[1].stem)))
