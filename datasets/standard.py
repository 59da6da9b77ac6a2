"""Public collections of real pairs and stacks, catalogued and downloaded when they are used."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

from datasets._base import Scene, dataset
from datasets.catalog import collection
from datasets.layouts.files import natural
from datasets.paper import read_pair
from datasets.subsets import SUBSETS

#: The datasets of this module; other people's fused images are of their scenes.
CATALOGUED = (
    "liu2020", "mfifb", "mfi-whu", "mffw", "lytro-triple", "natural", "stacks", "misaligned",
    "low-light",
)  # fmt: skip

_LIU = re.compile(r"sourceimages/\w+/(?P<scene>[cg]_\d\d)_\d+\.tif")
_MFIFB = re.compile(r"input/(?P<scene>[^/]+)/(?P=scene)_[AB]\.\w+")
_WHU = re.compile(r"input/MFI-WHU_(?P<scene>\d\d)/.+\.jpg")
_MFFW_PAIRS = re.compile(r"test_set/MFFW2/(?P<scene>\d+)/image\d\.tif")
_MFFW_STACKS = re.compile(r"test_set/MFFW3/(?P<scene>\d+)/image\d\.png")
_TRIPLES = re.compile(r"sourceimages/multiple/lytro-(?P<scene>\d\d)-[A-C]\.tif")
_NATURAL = re.compile(r"sourceimages/naturalDatasets/(?P<scene>[a-z]+)[12]\.bmp")
_MISALIGNED = re.compile(r"Testdataset/(?P<scene>V-\d/pair\d+)/.+\.jpg")
_LOW_LIGHT = re.compile(r"iso_\d+/(?P<scene>iso_\d+)_[AB]\.JPG")
_FRAMES = re.compile(r"(?P<scene>.+/)\D*\d+\.jpg", re.IGNORECASE)

#: Names of the survey's gray pairs in the literature, where they are certain.
_TITLES = {"g_01": "Clock", "g_02": "Pepsi", "g_03": "Lab", "g_04": "Desk", "g_05": "Calendar"}

#: By how much the scale changes from the first to the last frame of a stack, percent.
_SCALE_CHANGES = {
    "pcb": 3.7, "pcb-depth": 16, "chip": 8.9, "bucket": 6.5, "ball": 6.5, "kitchen": 4.4
}  # fmt: skip

_RESEARCH = "no licence stated; for research; not redistributed here"


@dataset(
    "liu2020",
    title="10 gray pairs and the 20 Lytro colour pairs of the survey by Liu et al. (2020)",
    citation="Liu et al. (2020), doi:10.1016/j.inffus.2020.06.013; "
    "colour pairs: Nejati et al. (2015), doi:10.1016/j.inffus.2014.10.004",
    licence=_RESEARCH,
    count=30,
)
def liu2020() -> list[Scene]:
    """All 30 pairs, gray first, whether they are on this machine or not."""
    scenes = _scenes("liu2020", _grouped("liu2020", _LIU), title=lambda id: _TITLES.get(id, ""))
    return sorted(scenes, key=lambda scene: (not scene.id.startswith("g"), scene.id))


@dataset(
    "mfifb",
    title="MFIFB, 105 pairs from seven sources",
    citation="Zhang, X. Multi-focus Image Fusion: A Benchmark (2020), arXiv:2005.01116",
    licence=_RESEARCH,
    count=105,
)
def mfifb() -> list[Scene]:
    """All 105 pairs, whether they are on this machine or not."""
    return _scenes("mfifb", _grouped("mfifb", _MFIFB))


@dataset(
    "mfi-whu",
    title="MFI-WHU: the 30 pairs of the comparative study by Zhang (2022)",
    citation="Zhang, H. et al. (2021), doi:10.1016/j.inffus.2020.08.022; study: Zhang, X. (2022), "
    "doi:10.1109/TPAMI.2021.3078906",
    licence="pairs: MIT; the study states none; for research; not redistributed here",
    count=30,
)
def mfi_whu() -> list[Scene]:
    """All 30 pairs, of JPEG files, whether they are on this machine or not."""
    return _scenes("mfi-whu", _grouped("mfi-whu", _WHU), id="mfi-whu_{}")


@dataset(
    "mffw",
    title="MFFW: 13 pairs and 6 stacks of photos from the internet, without loss",
    citation="Xu et al. (2020), arXiv:2002.04780",
    licence="no licence stated; photos of others; for research; not redistributed here",
    count=19,
    sources="2-6",
)
def mffw() -> list[Scene]:
    """The pairs ``mffw_01`` to ``mffw_13``, then the stacks ``mffw3_1`` to ``mffw3_6``.

    MFIFB has JPEG copies of the pairs; they are the subset ``mffw-jpeg``.
    """
    pairs = _scenes("mffw", _grouped("mffw", _MFFW_PAIRS), id="mffw_{:0>2}")
    return pairs + _scenes("mffw", _grouped("mffw", _MFFW_STACKS), id="mffw3_{}")


@dataset(
    "lytro-triple",
    title="Four Lytro scenes of three images each, without loss",
    citation="Nejati et al. (2015), doi:10.1016/j.inffus.2014.10.004; files: Liu et al. (2022), "
    "doi:10.1016/j.inffus.2022.06.001",
    licence="for research; not redistributed here",
    count=4,
    sources="3",
)
def lytro_triple() -> list[Scene]:
    """All four triples, whether they are on this machine or not."""
    return _scenes("lytro-triple", _grouped("drl-fpd", _TRIPLES), id="triple_{}")


@dataset(
    "natural",
    title="18 gray pairs in use since the 1990s, such as Balloon, Clock and Leopard",
    citation="files: Liu et al. (2022), doi:10.1016/j.inffus.2022.06.001",
    licence="for research; not redistributed here",
    count=18,
)
def natural_pairs() -> list[Scene]:
    """All 18 pairs; seven are those of liu2020, Clock has its full range of levels here."""
    return _scenes("natural", _grouped("drl-fpd", _NATURAL), title=str.capitalize)


@dataset(
    "stacks",
    title="Seven stacks of 7 to 65 photos: circuit boards, keyboard, bucket, ball, kitchen",
    citation="see `bench data list`",
    licence="pcb, pcb-depth, keyboard: MIT; chip: LGPL-2.1; bucket, ball, kitchen: none stated",
    count=7,
    sources="7-65",
)
def stacks() -> list[Scene]:
    """All seven stacks, whether they are on this machine or not; only ``keyboard`` is aligned."""
    scenes = []
    for name, subset in SUBSETS.items():
        if subset.dataset == "stacks":
            ((_, files),) = _grouped(name, _FRAMES).items()
            scene = _scene("stacks", subset.scenes, subset.title, files)
            change = _SCALE_CHANGES.get(scene.id)
            note = f"not aligned: the scale changes by {change} %" if change else ""
            scenes.append(replace(scene, note=note))
    return scenes


@dataset(
    "misaligned",
    title="60 misaligned pairs of three objects through a microscope, with marked points",
    citation="MA-MFIF, https://github.com/Romatic-zbj/Multi-focus-image-fusion-registration.",
    licence=_RESEARCH,
    count=60,
)
def misaligned() -> list[Scene]:
    """All 60 pairs, whether they are on this machine or not; see `datasets.point_pairs`."""
    groups = _grouped("misaligned", _MISALIGNED)
    # The first source is the template, whose file is called X_t.jpg.
    first = {
        scene: sorted(files, key=lambda file: not PurePosixPath(file[1]).stem.endswith("_t"))
        for scene, files in groups.items()
    }
    return _scenes("misaligned", {scene.replace("/", "_"): files for scene, files in first.items()})


@dataset(
    "low-light",
    title="10 noisy pairs taken in low light, ISO 2500 to 6400",
    citation="Bouzos et al. (2023), doi:10.1109/TIP.2023.3276330",
    licence=_RESEARCH,
    count=10,
)
def low_light() -> list[Scene]:
    """All 10 pairs; of each file the photo is read, not the preview that follows it."""
    return _scenes("low-light", _grouped("low-light", _LOW_LIGHT))


def _grouped(name: str, pattern: re.Pattern[str]) -> dict[str, list[tuple[str, str]]]:
    """Collection and path of the sources of each scene, in their order."""
    scenes: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(collection(name).entries, key=natural):
        if match := pattern.fullmatch(path):
            scenes.setdefault(match["scene"], []).append((name, path))
    return scenes


def _scenes(
    name: str,
    groups: dict[str, list[tuple[str, str]]],
    *,
    id: str = "{}",
    title: Callable[[str], str] = lambda id: "",
) -> list[Scene]:
    """The scenes of a dataset, whose files are `groups`."""
    return [_scene(name, id.format(scene), title(scene), files) for scene, files in groups.items()]


def _scene(name: str, scene: str, title: str, files: Iterable[tuple[str, str]]) -> Scene:
    files = tuple(files)
    return Scene(name, scene, partial(read_pair, files), "real", title=title, files=files)
