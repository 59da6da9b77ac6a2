"""Match files to scenes and methods by a pattern such as ``{method}/{scene}``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bench.core.errors import UsageError
from bench.core.files import safe_name
from bench.engine.image_match import ImageFile, Matched, assign, one_picture
from bench.engine.image_names import SceneNames, is_mark, words_of


def match_pattern(root: str, paths: Sequence[str], names: SceneNames, pattern: str) -> Matched:
    """Match files whose path, without endings, ends as the pattern says.

    Parameters
    ----------
    root : str
        Name of the folder, which is the method's without ``{method}``.
    paths : sequence of str
        Image files from there.
    names : SceneNames
        The scenes; in a name, case, separators and leading zeros do not matter.
    pattern : str
        With ``{scene}``, and possibly ``{method}`` and ``{dataset}``; ``*`` is any part of a name.

    Raises
    ------
    UsageError
        The pattern has no ``{scene}`` or an unknown field, a file may be of two scenes, or two
        files are of one scene and method.
    """
    files = [ImageFile(path) for path in paths]
    spelled = _spelled(files, names)
    datasets = {safe_name(scene.dataset) for scene in names.scenes.values()}
    matcher = _matcher(pattern, {"scene": list(spelled), "dataset": sorted(datasets)})
    single = {  # with a *, a name may be read in several ways: all are found, so that it is refused
        text: _matcher(pattern, {"scene": [text], "dataset": sorted(datasets)})
        for text in (spelled if "*" in pattern else ())
    }
    found = Matched()
    for file in files:
        path = "/".join(file.parts)
        match = matcher.fullmatch(path)
        texts = [text for text, one in single.items() if one.fullmatch(path)]
        texts = texts or ([match["scene"]] if match else [])
        fits = list(dict.fromkeys(name for text in texts for name in spelled[text]))
        if match and (of := match.groupdict().get("dataset")):
            fits = [name for name in fits if safe_name(names.scenes[name].dataset) == of]
        if match is None or not fits:
            found.strays.append(file.path)
            continue
        method = match.groupdict().get("method") or root
        images = found.methods.setdefault(method, {})
        assign(images, method, one_picture(file.path, fits), file.path)
    return found


def _spelled(files: Sequence[ImageFile], names: SceneNames) -> dict[str, tuple[str, ...]]:
    """The scenes by all ways in which the paths write them."""
    spelled: dict[str, tuple[str, ...]] = {}
    for text in {part for file in files for part in file.parts}:
        words = words_of(text)
        spans = [
            text[words[i].start : words[j].end]
            for i in range(len(words))
            for j in range(i, len(words))
        ]
        for span in (text, *spans):
            if span in spelled:
                continue
            if scenes := names.whole(span) or _numbered(span, names):
                spelled[span] = scenes
    return spelled


def _numbered(text: str, names: SceneNames) -> tuple[str, ...]:
    """The scenes that a mere number stands for."""
    words = [word for word in words_of(text) if not is_mark(word)]
    if len(words) != 1 or not words[0].number or text != text.strip():
        return ()
    scenes, series = names.numbered(words[0].key[0], frozenset())
    return scenes if len(series) == 1 else ()


def _matcher(pattern: str, names: Mapping[str, Sequence[str]]) -> re.Pattern[str]:
    if unknown := set(re.findall(r"\{.*?\}", pattern)) - {"{scene}", "{method}", "{dataset}"}:
        raise UsageError(
            f"--pattern {pattern!r}: {min(unknown)} must be {{scene}}, {{method}} or {{dataset}}"
        )
    if "{scene}" not in pattern:
        raise UsageError(f"--pattern {pattern!r} has no {{scene}}")
    fields = {"method": "[^/]+"}
    for field, known in names.items():  # the longest first, as one may begin like another
        longest = sorted(known, key=len, reverse=True)
        fields[field] = "|".join(map(re.escape, longest)) or "(?!)"
    text = re.escape(pattern).replace(r"\*", "[^/]*?")
    for field, expression in fields.items():
        mark = rf"\{{{field}\}}"
        text = text.replace(mark, f"(?P<{field}>{expression})", 1).replace(mark, f"(?P={field})")
    return re.compile("(?:.*/)?" + text)
