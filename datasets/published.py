"""The fused images that other people published, and the scenes that they are of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from bench.core.errors import UsageError
from datasets.catalog import collection

#: What a user should know of images that were not made from quite the same files.
COPIES = "fused from JPEG copies of these sources"

_NN = r"(?P<scene>\d+)"


@dataclass(frozen=True)
class PublishedImage:
    """One published fused image.

    Attributes
    ----------
    path : str
        The file's path within its collection.
    note : str
        What a user should know of it; may be empty.
    """

    path: str
    note: str = ""


@dataclass(frozen=True)
class _Rule:
    """Which files of a collection are fused images, of which scenes and by which method.

    Attributes
    ----------
    collection, pattern : str
        The collection, and the regular expression of the paths, with the group ``scene`` and, if
        `method` is empty, the group ``method``.
    scene : str
        Format of the name of the scene.
    method : str
        The method that made them.
    note : str
        Of each image.
    """

    collection: str
    pattern: str
    scene: str
    method: str = ""
    note: str = ""


_RULES = (
    _Rule("liu2020", r"Results/\w+/(?P<scene>[cg]_\d\d)_(?P<method>.+)\.tif", "liu2020/{}"),
    _Rule(
        "mfifb",
        r"fused_images/(?P<scene>[a-z]+(?:_\d\d)?)_(?P<method>[A-Za-z_]+)\.\w+",
        "mfifb/{}",
    ),
    _Rule("mfifb", rf"fused_images/mffw_{_NN}_(?P<method>.+)\.\w+", "mffw/mffw_{}", note=COPIES),
    _Rule("mfi-whu", rf"fused_images/MFI-WHU_{_NN}_(?P<method>.+)\.jpg", "mfi-whu/mfi-whu_{}"),
    _Rule("mfi-whu", rf"fused_images/lytro_{_NN}_(?P<method>.+)\.jpg", "liu2020/c_{}"),
    _Rule("mfi-whu", rf"fused_images/mffw_{_NN}_(?P<method>.+)\.jpg", "mfifb/mffw_{}"),
    _Rule("mfi-whu", rf"fused_images/mffw_{_NN}_(?P<method>.+)\.jpg", "mffw/mffw_{}", note=COPIES),
    _Rule("mffw", rf"Results/Lytro_(?P<method>\w+)/{_NN}(_fusion)?\.png", "liu2020/c_{:0>2}"),
    _Rule("mffw", rf"Results/MFFW_(?P<method>\w+)/{_NN}(_fusion)?\.png", "mffw/mffw_{:0>2}"),
    _Rule("mffw", r"Results/\w+/(?P<scene>g_\d\d)_(?P<method>[a-z-]+)\.png\.png", "liu2020/{}"),
    _Rule("drl-fpd", r"results_lytro/(?P<scene>c_\d\d)\.tif", "liu2020/{}", "drl-fpd"),
    _Rule("drl-fpd", r"results_mffw/(?P<scene>mffw_\d\d)\.tif", "mfifb/{}", "drl-fpd"),
    _Rule("drl-fpd", r"results_mffw/(?P<scene>mffw_\d\d)\.tif", "mffw/{}", "drl-fpd", COPIES),
    _Rule("drl-fpd", rf"results_multiple3/lytro_{_NN}\.tif", "lytro-triple/triple_{}", "drl-fpd"),
    _Rule("drl-fpd", r"results_natural/(?P<scene>[a-z]+)_natural\.tif", "natural/{}", "drl-fpd"),
    _Rule("ifcnn", rf"Results/CMF/(?P<method>[A-Z-]+)-CMF-lytro-{_NN}\.png", "liu2020/c_{}"),
    _Rule(
        "ifcnn",
        rf"Code/results/(?P<method>[A-Z-]+)-CMF3-lytro-{_NN}\.png",
        "lytro-triple/triple_{}",
        note=COPIES,
    ),
    _Rule("db-mfif", rf"Lytro_results/lytro-{_NN}-DBMFIF\.png", "liu2020/c_{}", "db-mfif"),
    _Rule("mfif-gan", rf".+/Lytro_fusion_{_NN}\.jpg", "liu2020/c_{:0>2}", "mfif-gan"),
    _Rule("mfif-gan", rf".+/MFFW2_fusion_{_NN}\.jpg", "mffw/mffw_{:0>2}", "mfif-gan"),
    _Rule("mfif-gan", rf".+/grayscale_fusion_{_NN}\.jpg", "liu2020/g_{:0>2}", "mfif-gan"),
    _Rule("mmf-net", rf"ResultsLytro/lytro-{_NN}-Fusion\.png", "liu2020/c_{}", "mmf-net"),
)

#: Collections with fused images of published methods.
PUBLISHED = tuple(dict.fromkeys(rule.collection for rule in _RULES))


def published_datasets() -> list[str]:
    """The datasets whose scenes have published fused images.

    Examples
    --------
    >>> from datasets.published import published_datasets
    >>> published_datasets()
    ['liu2020', 'mfifb', 'mffw', 'mfi-whu', 'lytro-triple', 'natural']
    """
    return list(dict.fromkeys(rule.scene.partition("/")[0] for rule in _RULES))


@cache
def published_images(name: str) -> dict[str, dict[str, PublishedImage]]:
    """The fused images that came with a collection.

    Parameters
    ----------
    name : str
        The collection, one of `PUBLISHED`.

    Returns
    -------
    dict
        Method, in lower case with hyphens, to ``dataset/scene``, to the image, which
        `datasets.fetch.local_path` opens.

    Raises
    ------
    UsageError
        The collection has no fused images.

    Examples
    --------
    >>> from datasets.published import published_images
    >>> [len(published_images(name)) for name in ("liu2020", "mfifb", "mfi-whu")]
    [18, 30, 35]
    >>> published_images("liu2020")["nsct-sr"]["liu2020/g_01"].path
    'Results/grayscale/g_01_nsct-sr.tif'
    """
    if name not in PUBLISHED:
        raise UsageError(
            f"{name!r} has no published fused images; expected one of {', '.join(PUBLISHED)}"
        )
    methods: dict[str, dict[str, PublishedImage]] = {}
    for rule in _RULES:
        if rule.collection != name:
            continue
        pattern = re.compile(rule.pattern)
        for path in sorted(collection(name).entries):
            if match := pattern.fullmatch(path):
                method = (rule.method or match["method"]).lower().replace("_", "-")
                scene = rule.scene.format(match["scene"])
                methods.setdefault(method, {})[scene] = PublishedImage(path, rule.note)
    return dict(sorted(methods.items()))
