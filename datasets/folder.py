"""A user's own pairs and stacks, found by the names of files and directories."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ImageError, UsageError
from bench.core.image_io import page_count, read_image, read_pages
from bench.core.pixels import to_gray255
from bench.core.remarks import remark
from datasets._base import Scene, SceneImages, dataset
from datasets.layouts.files import SceneFiles, scan
from datasets.layouts.patterns import SEPARATOR, scenes_by_layout
from datasets.layouts.tree import scenes_below


@dataclass(frozen=True)
class FolderReader:
    """Reads a scene's files; an object rather than a closure, so that it can be pickled."""

    files: SceneFiles

    def __call__(self) -> SceneImages:
        """The images of the scene; a single source is a TIFF whose pages are the sources."""
        files = self.files
        for note in files.notes:
            remark(note)
        alone = len(files.sources) == 1
        return SceneImages(
            sources=tuple(
                read_pages(files.sources[0]) if alone else map(read_image, files.sources)
            ),
            reference=None if files.reference is None else read_image(files.reference),
            mask=None if files.mask is None else _mask(files.mask),
        )


@dataset(
    "folder",
    title="Pairs or stacks of a user's own",
    citation="none",
    licence="the user's",
    argument="DIR",
    argument_required=True,
    sources="",
    reference="some",
)
def folder(where: str) -> list[Scene]:
    """The scenes in a folder and in the folders below it.

    What is understood, in upper or lower case and with any of the image formats:

    - ``name_A.*`` and ``name_B.*``, or ``name_1.*``, ``name_2.*`` and so on, with ``_``, ``-`` or
      a space before the last part; ``nameA``, ``nameB``; ``name_near``, ``name_far``;
    - a folder for each scene, also several levels deep, with ``A``, ``B`` or ``image1``,
      ``image2`` in it; the folder's name is the scene's;
    - a folder for each source: ``source_1/1.jpg source_2/1.jpg full_clear/1.jpg``,
      ``imageA/001_A.png imageB/001_B.png``, ``A/ B/ GT/``, ``near/ far/``;
    - one stack whose names count up: ``DSC01234``, ``P1000123``, ``img_z000``, ``00``, or say the
      time, at most a minute apart: ``IMG_20240101_120000``;
    - a TIFF with several pages, which is a stack by itself.

    ``name_reference``, ``gt``, ``full_clear``, ``AIF`` and the like are the all-in-focus reference,
    ``name_mask``, ``label`` and ``map`` are white where the first source is in focus; ``name_F``,
    ``fused`` and ``result`` are fused images, which are left out. A raw file beside a picture
    of the same name is left out. Names that can be read in several ways are refused.

    Parameters
    ----------
    where : str
        The folder, or one TIFF file of several pages. Behind ``::`` follow patterns as
        ``--layout`` takes them: ``DIR::source_{source}/{scene}::reference=full_clear/{scene}``;
        see `datasets.layouts.patterns.scenes_by_layout`.

    Raises
    ------
    UsageError
        There is no such folder, or its names can be read in several ways, or a source is missing.
    NothingSelected
        No file has such a name.
    """
    place, *patterns = where.split(SEPARATOR)
    top = Path(place).expanduser().absolute()
    if top.is_file():
        found = [_stack(top)]
    elif not top.is_dir():
        raise UsageError(f"{place}: no such folder")
    else:
        tree = scan(str(top))
        found = scenes_by_layout(tree, patterns) if patterns else scenes_below(tree)
    return [Scene("folder", files.name, FolderReader(files), "real") for files in found]


def _stack(file: Path) -> SceneFiles:
    """The scene of one file, whose pages are the sources."""
    if (pages := page_count(file)) < 2:
        raise UsageError(f"{file}: a scene needs two sources, this file has {pages} page")
    return SceneFiles(file.stem, (file,), pages=pages)


def _mask(file: Path) -> NDArray[np.bool_]:
    """The mask, white as True; raises `ImageError` unless the image is black and white."""
    levels = to_gray255(read_image(file))
    if ((levels > 32) & (levels < 223)).mean() > 0.05:
        raise ImageError(f"{file}: not a mask; expected black and white pixels")
    return levels >= 128
