"""Two public collections of real pairs, and the fused images published with them."""

from __future__ import annotations

import re
from functools import partial

from bench.core.errors import UsageError
from datasets._base import Scene, dataset
from datasets.catalog import collection
from datasets.paper import read_pair

#: Collections with fused images of published methods.
PUBLISHED = ("liu2020", "mfifb")

_LIU_SOURCE = re.compile(r"sourceimages/\w+/(?P<scene>[cg]_\d\d)_(?P<source>\d+)\.tif")
_LIU_FUSED = re.compile(r"Results/\w+/(?P<scene>[cg]_\d\d)_(?P<method>.+)\.tif")
_MFIFB_SOURCE = re.compile(r"input/(?P<scene>[^/]+)/(?P=scene)_(?P<source>[AB])\.\w+")
_MFIFB_FUSED = re.compile(r"fused_images/(?P<scene>[a-z]+(?:_\d\d)?)_(?P<method>[A-Za-z_]+)\.\w+")

#: Names of the survey's gray pairs in the literature, where they are certain.
_TITLES = {"g_01": "Clock", "g_02": "Pepsi", "g_03": "Lab", "g_04": "Desk", "g_05": "Calendar"}


@dataset(
    "liu2020",
    title="10 gray pairs and the 20 Lytro colour pairs of the survey by Liu et al. (2020)",
    citation="Liu et al. (2020), doi:10.1016/j.inffus.2020.06.013; "
    "colour pairs: Nejati et al. (2015), doi:10.1016/j.inffus.2014.10.004",
    licence="no licence stated; for research; not redistributed here",
)
def liu2020() -> list[Scene]:
    """All 30 pairs, gray first, whether they are on this machine or not."""
    pairs = _grouped("liu2020", _LIU_SOURCE)
    return [_scene("liu2020", name, pairs[name]) for name in sorted(pairs, key=_gray_first)]


@dataset(
    "mfifb",
    title="MFIFB, 105 pairs from seven sources",
    citation="Zhang, X. Multi-focus Image Fusion: A Benchmark (2020), arXiv:2005.01116",
    licence="no licence stated; for research; not redistributed here",
)
def mfifb() -> list[Scene]:
    """All 105 pairs, whether they are on this machine or not."""
    pairs = _grouped("mfifb", _MFIFB_SOURCE)
    return [_scene("mfifb", name, pairs[name]) for name in sorted(pairs)]


def published_images(name: str) -> dict[str, dict[str, str]]:
    """The fused images that came with a collection.

    Parameters
    ----------
    name : {'liu2020', 'mfifb'}
        The collection, whose dataset of the same name has the scenes.

    Returns
    -------
    dict
        Method, in lower case with hyphens, to scene id, to the file's path within the
        collection; `datasets.fetch.local_path` opens it.

    Raises
    ------
    UsageError
        The collection has no fused images.

    Examples
    --------
    >>> from datasets.standard import published_images
    >>> len(published_images("liu2020")), len(published_images("mfifb"))
    (18, 30)
    >>> published_images("liu2020")["nsct-sr"]["g_01"]
    'Results/grayscale/g_01_nsct-sr.tif'
    """
    if name not in PUBLISHED:
        raise UsageError(
            f"{name!r} has no published fused images; expected one of {', '.join(PUBLISHED)}"
        )
    pattern = _LIU_FUSED if name == "liu2020" else _MFIFB_FUSED
    methods: dict[str, dict[str, str]] = {}
    for path in sorted(collection(name).entries):
        if match := pattern.fullmatch(path):
            method = match["method"].lower().replace("_", "-")
            methods.setdefault(method, {})[match["scene"]] = path
    return dict(sorted(methods.items()))


def _grouped(name: str, pattern: re.Pattern[str]) -> dict[str, list[str]]:
    """Paths of the sources of each scene, in their order."""
    pairs: dict[str, list[str]] = {}
    for path in sorted(collection(name).entries):
        if match := pattern.fullmatch(path):
            pairs.setdefault(match["scene"], []).append(path)
    return pairs


def _gray_first(name: str) -> tuple[bool, str]:
    return not name.startswith("g"), name


def _scene(name: str, scene: str, paths: list[str]) -> Scene:
    files = tuple((name, path) for path in paths)
    title = _TITLES.get(scene, "") if name == "liu2020" else ""
    return Scene(name, scene, partial(read_pair, files), "real", title=title, files=files)
