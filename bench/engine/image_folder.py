"""Fused images that lie in a folder as rows of a run: scored by our metrics, never timed.

``images:DIR`` are the methods whose images lie in DIR, ``images:NAME=DIR`` is one method with
the name NAME. A file belongs to the scene and the method that its path names; see
`bench.engine.image_match`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import DataUnavailable, NothingSelected, UsageError
from bench.core.fingerprint import digest, file_digest
from bench.core.image_io import SUFFIXES, read_image
from bench.core.pixels import quantise
from bench.engine.image_match import PATTERN_HINT, Matched, match_files
from bench.engine.image_names import SceneNames
from bench.engine.image_pattern import match_pattern
from bench.engine.jpeg_rows import SUFFIX
from datasets import Scene

IMAGES_PREFIX = "images:"


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
    notes : tuple of str
        Sentences about the images of the folder that are left out.
    asked : str
        The text that selects it, with others of its folder perhaps, from any working directory.
    """

    name: str
    folder: Path
    files: Mapping[str, Path]
    notes: tuple[str, ...] = field(default=(), compare=False)
    asked: str = field(default="", compare=False)

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
        return {
            "method": self.name,
            "folder": str(self.folder),
            "files": digest(files),
            "asked": self.asked,
        }

    def covers(self, scene: Scene) -> bool:
        """Whether the folder has images of the scene's dataset."""
        return any(name.startswith(f"{scene.dataset}/") for name in self.files)

    def key(self, scene: str, device: str, precision: str = "auto") -> str:
        """Key of the cell on the scene of fingerprint `scene`; device and format do not matter."""
        identity = {name: value for name, value in self.identity.items() if name != "asked"}
        return digest({**identity, "scene": scene, "kind": "images", "jpeg": 1})

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

    def note(self, scene: Scene) -> str:
        """Nothing: all that is known of the images of a folder is in `notes`."""
        return ""

    def path(self, scene: Scene) -> Path:
        """The file of the image of `scene`."""
        return self.files[scene.name]


def _content(file: Path) -> str:
    """Hash of a file; one that cannot be read fails when it is scored, not the run."""
    try:
        return file_digest(file)
    except OSError:
        return "unreadable"


def select_images(text: str, scenes: Sequence[Scene], pattern: str = "") -> list[ImageFolder]:
    """The methods of ``images:DIR``, or the one of ``images:NAME=DIR``.

    DIR may end with a pattern: ``images:results/{method}/{scene}``.

    Raises
    ------
    UsageError
        No such folder, an empty NAME, or NAME is given to several methods.
    NothingSelected
        The folder holds no image.
    """
    name, where = _name_and_folder(text)
    folder, own = _split_pattern(where)
    methods = find_images(folder, scenes, own or pattern, label=text)
    where = "/".join(filter(None, [str(folder.absolute()), own or pattern]))
    asked = f"{IMAGES_PREFIX}{where}" if name is None else f"{IMAGES_PREFIX}{name}={where}"
    methods = [replace(method, asked=asked) for method in methods]
    if name is None:
        return methods
    if len(methods) > 1:
        several = ", ".join(method.name for method in methods)
        raise UsageError(
            f"{text}: images of several methods ({several}); give the folder "
            f"of one, or how its files are called, as in {IMAGES_PREFIX}NAME=DIR/{{scene}}_x"
        )
    return [replace(methods[0], name=name)]


def gather_images(
    texts: Sequence[str], scenes: Sequence[Scene], pattern: str = ""
) -> list[ImageFolder]:
    """The methods of several ``DIR`` and ``NAME=DIR``; one method may lie in several folders.

    Raises
    ------
    UsageError
        As `select_images`; also when two folders have images of one scene and method.
    """
    found: dict[str, ImageFolder] = {}
    for text in texts:
        marked = text.lower().startswith(IMAGES_PREFIX)
        for method in select_images(text if marked else IMAGES_PREFIX + text, scenes, pattern):
            other = found.get(method.name)
            found[method.name] = method if other is None else _joined(other, method)
    return list(found.values())


def _joined(one: ImageFolder, two: ImageFolder) -> ImageFolder:
    """The images of a method in two folders."""
    if both := sorted(one.files.keys() & two.files.keys()):
        raise UsageError(
            f"{one.files[both[0]]} and {two.files[both[0]]} are both {one.name} of {both[0]}; "
            "name the methods with NAME=DIR"
        )
    files = {**one.files, **two.files}
    return ImageFolder(one.name, one.folder, files, one.notes + two.notes, one.asked)


def _name_and_folder(text: str) -> tuple[str | None, str]:
    """What stands before and behind the first ``=``; no name if that belongs to the folder."""
    given = text[len(IMAGES_PREFIX) :].strip()
    name, equals, where = given.partition("=")
    name = name.strip().strip("'\"")
    plain = given.strip("'\"")
    if not equals or "/" in name or "\\" in name or Path(plain).expanduser().is_dir():
        return None, plain
    if not name:
        raise UsageError(f"{text}: no name before the =; write {IMAGES_PREFIX}NAME=DIR")
    return name, where.strip().strip("'\"")


def _split_pattern(where: str) -> tuple[Path, str]:
    """The folder, and the parts from the first one with a field, which are the pattern."""
    parts = Path(where).expanduser().parts
    fields = [k for k, part in enumerate(parts) if "{scene}" in part or "{method}" in part]
    if not fields:
        return Path(where).expanduser(), ""
    return Path(*parts[: fields[0]]), "/".join(parts[fields[0] :])


def find_images(
    folder: Path, scenes: Sequence[Scene], pattern: str = "", label: str = ""
) -> list[ImageFolder]:
    """Match the image files below `folder` to scenes and methods.

    Parameters
    ----------
    folder : Path
        Searched with its sub-folders.
    scenes : sequence of Scene
        What they may be fused images of.
    pattern : str
        Path without its ending, with ``{scene}`` and ``{method}``, such as
        ``"{method}/{scene}"`` or ``"{scene}_{method}"``; may lie in any sub-folder. Unless it is
        given, names are understood as `bench.engine.image_match` says.
    label : str
        What messages call the folder.

    Returns
    -------
    list of ImageFolder
        The methods, sorted by name; the notes of the first are about images that are left out.

    Raises
    ------
    UsageError
        The folder does not exist, the pattern has no ``{scene}``, an image may be of two scenes,
        two images are of one scene, or none fits.
    NothingSelected
        The folder holds no image.
    """
    label = label or str(folder)
    if not folder.is_dir():
        raise UsageError(f"{label}: no such folder")
    folder = folder.absolute()
    paths = list(_image_files(folder))
    if not paths:
        raise NothingSelected(f"{label}: no image in it ({', '.join(sorted(SUFFIXES))})")
    names = SceneNames(scenes)
    try:
        if pattern:
            found = match_pattern(folder.name, paths, names, pattern)
        else:
            found = match_files(folder.name, paths, names)
    except UsageError as error:
        raise UsageError(f"{label}: {error}") from None
    for name in [name for name in found.methods if name.endswith(SUFFIX)]:
        found.derived += found.methods.pop(name).values()
    if not found.methods:
        selected = _some(sorted({scene.id for scene in scenes}))
        how = f"with the pattern {pattern}" if pattern else "by its name"
        raise UsageError(
            f"{label}: none of {len(paths)} images fits a scene of {selected} {how}, for example "
            f"{paths[0]}; {PATTERN_HINT}"
        )
    notes = tuple(_notes(folder, found))
    methods = [
        ImageFolder(name, folder, {scene: folder / path for scene, path in images.items()})
        for name, images in sorted(found.methods.items())
    ]
    return [replace(methods[0], notes=notes), *methods[1:]]


def _notes(folder: Path, found: Matched) -> Iterator[str]:
    """A sentence about each kind of image that is left out."""
    for paths, why in (
        (found.strays, "fits no scene"),
        (found.maps, "called as a decision map"),
        (found.derived, f"another row through JPEG ({SUFFIX}), which the run makes itself"),
        (found.sources, "called as a source or a reference"),
    ):
        if paths:
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            yield f"not scored, {why}: {folder / paths[0]}{more}"


def _image_files(folder: Path) -> Iterator[str]:
    """Paths of the image files below `folder`, folder by folder, each in order of name."""
    top = len(str(folder)) + (not str(folder).endswith(os.sep))
    for place, below, files in os.walk(folder):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(files):
            if name[0] != "." and os.path.splitext(name)[1].lower() in SUFFIXES:  # noqa: PTH122
                yield os.path.join(place[top:], name).replace(os.sep, "/")  # noqa: PTH118


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "") or "an empty selection"
