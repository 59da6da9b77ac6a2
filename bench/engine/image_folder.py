"""Fused images that lie in a folder as rows of a run: scored by our metrics, never timed.

``images:DIR`` are the methods whose images lie in DIR, ``images:NAME=DIR`` is one method with
the name NAME. A file belongs to the scene and the method that its path names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import DataUnavailable, NothingSelected, UsageError
from bench.core.files import safe_name
from bench.core.fingerprint import digest, file_digest
from bench.core.image_io import SUFFIXES, read_image
from bench.core.pixels import quantise
from datasets import Scene

IMAGES_PREFIX = "images:"

#: Layouts that are tried when no pattern is given, the first that fits the most files is taken.
#: ``{mark}`` is a word such as ``_fused``. Without ``{method}`` the folder's name is the method.
PATTERNS = (
    "{method}/{scene}",
    "{method}/{scene}{mark}",
    "{scene}",
    "{scene}{mark}",
    "{scene}_{method}",
    "{method}_{scene}",
    "{dataset}/{scene}/{method}",
    "{scene}/{method}",
)
#: The layouts as help texts name them.
USUAL = "{method}/{scene}, {scene}, {scene}_{method}, {method}_{scene}, {scene}/{method}"
MARK = "[-_ ](?i:fused|fusion|result|f)"


@dataclass(frozen=True)
class ImageFolder:
    """The fused images of one method that lie in a folder.

    Attributes
    ----------
    name : str
        What the method is called.
    folder : Path
        The folder that was searched for its images.
    files : mapping
        Name of a scene to the file of its fused image.
    """

    name: str
    folder: Path
    files: Mapping[str, Path]

    #: The name of the group in tables.
    family = "images"

    @property
    def title(self) -> str:
        """A title which says that the images were not made here."""
        return f"{self.name}, fused images of {self.folder}"

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Which files these are, by their content."""
        files = {scene: _content(file) for scene, file in sorted(self.files.items())}
        return {"method": self.name, "folder": str(self.folder), "files": digest(files)}

    def covers(self, scene: Scene) -> bool:
        """Whether the folder has images of the scene's dataset."""
        return any(name.startswith(f"{scene.dataset}/") for name in self.files)

    def key(self, scene: str, device: str, precision: str = "auto") -> str:
        """Key of the cell on the scene of fingerprint `scene`; device and format do not matter."""
        return digest({**self.identity, "scene": scene, "kind": "images", "jpeg": 1})

    def image(self, scene: Scene) -> NDArray[Any]:
        """The fused image of `scene`; floating-point images with 65536 levels.

        Raises
        ------
        DataUnavailable
            The folder has no image of the scene.
        """
        if scene.name not in self.files:
            raise DataUnavailable(f"no fused image by {self.name} of {scene.id} in {self.folder}")
        image = read_image(self.path(scene))
        return quantise(image, np.uint16) if image.dtype.kind == "f" else image

    def path(self, scene: Scene) -> Path:
        """The file of the image of `scene`."""
        return self.files[scene.name]


def _content(file: Path) -> str:
    """Hash of a file; one that cannot be read fails when it is scored, not the run."""
    try:
        return file_digest(file)
    except OSError:
        return "unreadable"


def select_images(text: str, scenes: Sequence[Scene]) -> list[ImageFolder]:
    """The methods of ``images:DIR``, or the one of ``images:NAME=DIR``.

    Raises
    ------
    UsageError
        No such folder, or NAME is given to several methods.
    NothingSelected
        The folder holds no image.
    """
    name, equals, where = text.removeprefix(IMAGES_PREFIX).rpartition("=")
    folder = Path(where.strip("'\"")).expanduser()
    methods, _ = find_images(folder, scenes, label=text)
    if not equals:
        return methods
    if len(methods) > 1:
        several = ", ".join(method.name for method in methods)
        raise UsageError(f"{text}: images of several methods ({several}); give the folder of one")
    return [ImageFolder(name, methods[0].folder, methods[0].files)]


def find_images(
    folder: Path, scenes: Sequence[Scene], pattern: str = "", label: str = ""
) -> tuple[list[ImageFolder], list[Path]]:
    """Match the image files below `folder` to scenes and methods.

    Parameters
    ----------
    folder : Path
        Searched with its sub-folders.
    scenes : sequence of Scene
        What they may be fused images of.
    pattern : str
        Path without its ending, with ``{scene}`` and ``{method}``, such as
        ``"{method}/{scene}"`` or ``"{scene}_{method}"``; may lie in any sub-folder. The first
        of `PATTERNS` that fits the most files unless given.
    label : str
        What messages call the folder.

    Returns
    -------
    list of ImageFolder, list of Path
        The methods, sorted by name, and the image files that fit no scene.

    Raises
    ------
    UsageError
        The folder does not exist, the pattern has no ``{scene}``, or nothing fits.
    NothingSelected
        The folder holds no image.
    """
    label = label or str(folder)
    if not folder.is_dir():
        raise UsageError(f"{label}: no such folder")
    folder = folder.absolute()
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not files:
        raise NothingSelected(f"{label}: no image in it ({', '.join(sorted(SUFFIXES))})")
    best: dict[tuple[str, str], Path] = {}
    clash = ""
    for text in [pattern] if pattern else PATTERNS:
        found, doubles = _match(folder, files, text, scenes)
        clash = clash or doubles
        if len(found) > len(best) and not doubles:
            best = found
    if not best and clash:
        raise UsageError(f"{clash}; use other folders, or score with --pattern")
    if not best:
        raise UsageError(
            f"{label}: none of {len(files)} images fits {pattern or USUAL} with a scene of "
            f"{_some(sorted({scene.id for scene in scenes}))}"
        )
    by_method: dict[str, dict[str, Path]] = {}
    for (scene, method), file in best.items():
        by_method.setdefault(method, {})[scene] = file
    used = set(best.values())
    methods = [ImageFolder(name, folder, by_method[name]) for name in sorted(by_method)]
    return methods, [file for file in files if file not in used]


def _match(
    folder: Path, files: Sequence[Path], pattern: str, scenes: Sequence[Scene]
) -> tuple[dict[tuple[str, str], Path], str]:
    """File of each scene and method, and a sentence about two files of the same ones, if any."""
    ids = {name: scene.id for scene in scenes for name in (scene.id, safe_name(scene.id))}
    names = {"scene": list(ids), "dataset": sorted({safe_name(s.dataset) for s in scenes})}
    matcher = _matcher(pattern, names)
    found: dict[tuple[str, str], Path] = {}
    doubles = ""
    for file in files:
        match = matcher.fullmatch(file.relative_to(folder).with_suffix("").as_posix())
        if not match:
            continue
        groups = match.groupdict()
        method = groups.get("method") or folder.name
        fits = [s.name for s in scenes if s.id == ids[groups["scene"]]
                and groups.get("dataset") in (None, safe_name(s.dataset))]  # fmt: skip
        if len(fits) > 1:
            doubles = f"{file} may be of {fits[0]} or of {fits[1]}"
        for scene in fits:
            if other := found.get((scene, method)):
                doubles = f"{other} and {file} are both {method} of {scene}"
            found.setdefault((scene, method), file)
    return found, doubles


def _matcher(pattern: str, names: Mapping[str, Sequence[str]]) -> re.Pattern[str]:
    if "{scene}" not in pattern:
        raise UsageError(f"--pattern {pattern!r} has no {{scene}}")
    text = re.escape(pattern).replace(r"\{mark\}", MARK)
    fields = {"method": "[^/]+"}
    for field, known in names.items():  # the longest first, as one may begin like another
        longest = sorted(known, key=len, reverse=True)
        fields[field] = "|".join(map(re.escape, longest)) or "(?!)"
    for field, expression in fields.items():
        mark = rf"\{{{field}\}}"
        text = text.replace(mark, f"(?P<{field}>{expression})", 1).replace(mark, f"(?P={field})")
    return re.compile("(?:.*/)?" + text)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "") or "an empty selection"
