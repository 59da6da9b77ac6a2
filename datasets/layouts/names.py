"""What the name of a file or a directory says: whose source, reference, mask or result it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["source", "reference", "mask", "fused"]

_REFERENCE = (
    r"gt|ground[_\- ]?truth|full[_\- ]?clear|aif|all[_\- ]?in[_\- ]?focus|reference|ref|truth"
)
_MASK = r"masks?|maps?|labels?|(?:focus|decision)[_\- ]?maps?"
_FUSED = r"fused?|fusion|results?|outputs?"
#: Words before a source's letter or number that name no scene: ``image1``, ``source_A``.
WORD = r"sources?|src|images?|img|im|inputs?|focus|frame|slice|photo|pic|view"
#: Behind such a word without a separator only these letters: ``images`` is no source.
_BEHIND_WORD = r"(?-i:[A-Zab])"

#: Words that say which source it is.
WORDS = {
    **{"near": "1", "foreground": "1", "fg": "1", "front": "1"},
    **{"far": "2", "background": "2", "bg": "2", "back": "2"},
}
_FOCUS = "|".join(WORDS)

_SPECIAL = rf"(?P<reference>{_REFERENCE})|(?P<mask>{_MASK})|(?P<fused>{_FUSED})"
_SPECIAL_LAST = re.compile(rf"(?:(?P<scene>.+)[_\- .])?(?:{_SPECIAL})", re.IGNORECASE)
_SPECIAL_FIRST = re.compile(rf"(?:{_SPECIAL})[_\- .](?P<scene>.+)", re.IGNORECASE)
_LETTER = re.compile(
    rf"(?:(?P<scene>.+?)[_\- .])?"
    rf"(?:(?:(?:{WORD})[_\- ])?(?P<role>[a-z])|(?:{WORD})(?P<joined>{_BEHIND_WORD}))",
    re.IGNORECASE,
)
#: Without a separator only a capital letter behind a small one or a digit is a role: ``bookA``.
_JOINED_LETTER = re.compile(r"(?P<scene>.*[a-z0-9)])(?P<role>[A-Z])")
_FOCUS_WORD = re.compile(
    rf"(?:(?P<scene>.+)[_\- .])?(?P<role>{_FOCUS})(?:[_\- ]?focus(?:ed)?)?"
    rf"|(?P<first>{_FOCUS})(?:[_\- ]?focus(?:ed)?)?[_\- .](?P<last>.+)",
    re.IGNORECASE,
)
_FOLDER_ROLE = re.compile(
    rf"(?P<letter>[a-z])|(?:{WORD})(?:[_\- ](?P<role>[a-z])|[_\- ]?(?P<number>\d{{1,2}}))"
    rf"|(?:{WORD})(?P<joined>{_BEHIND_WORD})"
    rf"|(?P<word>{_FOCUS})(?:[_\- ]?focus(?:ed)?)?",
    re.IGNORECASE,
)
_FOLDER_SPECIAL = re.compile(
    rf"(?:(?P<reference>{_REFERENCE})s?|(?P<mask>{_MASK})|(?P<fused>{_FUSED}))"
    r"(?:[_\- ]?images?)?",
    re.IGNORECASE,
)
_FOLDER_RESULTS = re.compile(r"(?:fused|fusion|results?|outputs?)[_\- ].*", re.IGNORECASE)


@dataclass(frozen=True)
class Meaning:
    """What a name says.

    Attributes
    ----------
    kind : {'source', 'reference', 'mask', 'fused'}
        What the picture is.
    scene : str
        The rest of the name; empty where there is none.
    role : str
        Which source: a small letter or a number; empty for other kinds.
    certain : bool
        Whether it can mean nothing else, so that a scene without a second source is an error.
    """

    kind: Kind
    scene: str
    role: str = ""
    certain: bool = True


def meaning_of(stem: str) -> Meaning | None:
    """What the name of a picture says, if it says more than a number.

    Examples
    --------
    >>> from datasets.layouts.names import meaning_of
    >>> meaning_of("lytro-01-A")
    Meaning(kind='source', scene='lytro-01', role='a', certain=True)
    >>> meaning_of("1_all_in_focus").kind, meaning_of("fused_1").kind, meaning_of("DSC01234")
    ('reference', 'fused', None)
    """
    for pattern in (_SPECIAL_LAST, _SPECIAL_FIRST):
        if match := pattern.fullmatch(stem):
            kind = next(k for k in ("reference", "mask", "fused") if match[k])
            return Meaning(kind, (match["scene"] or "").strip())  # type: ignore[arg-type]
    if match := _FOCUS_WORD.fullmatch(stem):
        role = WORDS[(match["role"] or match["first"]).lower()]
        scene = _scene_of(match["scene"] or match["last"])
        return Meaning("source", scene, role, certain=False)
    if match := _LETTER.fullmatch(stem):
        role = (match["role"] or match["joined"]).lower()
        return Meaning("source", _scene_of(match["scene"]), role)
    if match := _JOINED_LETTER.fullmatch(stem):
        return Meaning("source", match["scene"].strip(), match["role"].lower(), certain=False)
    return None


def _scene_of(text: str | None) -> str:
    """The scene's name, which a word such as ``image`` is not."""
    text = (text or "").strip()
    return "" if re.fullmatch(WORD, text, re.IGNORECASE) else text


def folder_meaning(name: str) -> Meaning | None:
    """What the name of a directory says of the pictures in it.

    Examples
    --------
    >>> from datasets.layouts.names import folder_meaning
    >>> folder_meaning("source_1").role, folder_meaning("B").role, folder_meaning("far").role
    ('1', 'b', '2')
    >>> folder_meaning("full_clear").kind, folder_meaning("fused_images").kind
    ('reference', 'fused')
    >>> folder_meaning("kitchen"), folder_meaning("1")
    (None, None)
    """
    if match := _FOLDER_SPECIAL.fullmatch(name):
        kind = next(k for k in ("reference", "mask", "fused") if match[k])
        return Meaning(kind, "")  # type: ignore[arg-type]
    if _FOLDER_RESULTS.fullmatch(name):
        return Meaning("fused", "")
    if match := _FOLDER_ROLE.fullmatch(name):
        role = match["letter"] or match["role"] or match["joined"] or match["number"]
        role = (role or WORDS[match["word"].lower()]).lower()
        role = str(int(role)) if role.isdecimal() else role
        return Meaning("source", "", role, certain=not match["letter"])
    return None
