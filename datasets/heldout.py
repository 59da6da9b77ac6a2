"""Held-out pairs with a reference, from photos that no network of this project was trained on.

The photos are the ``held-out`` part of BSDS500 or of a folder (`datasets.photo_parts`). Every
pair is listed twice: ``colour_NAME`` in colour, and ``gray_NAME``, converted to luminance.
Region, lens and camera pairs are made like those of ``synthetic``, ``synthetic-lens`` and
``synthetic-camera``. The pairs of many pixels have the exposure, noise and compression of a camera:
*enlarged* pairs are four times as wide and high, circles of confusion too, so they have no detail
finer than four pixels; *mosaic* pairs are sixteen photos side by side, sharp to the last pixel. The
images of a camera lie between both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import DataUnavailable
from bench.core.pixels import to_gray255
from datasets._base import Scene, SceneImages, dataset
from datasets._depth import motorcycle_images
from datasets._photos import known_scene, photo_of
from datasets._seeds import generator
from datasets.camera import shot_images
from datasets.defocus import Image, Kernel, lens_pair
from datasets.masks import random_mask
from datasets.photo_parts import list_photos, photo_folder
from datasets.synthetic import RADIUS, SIGMA, lens_images, region_images

#: Prefix of the names of these datasets, before the kind of pair.
PREFIX = "heldout-"

#: Kinds of pair: region blur, a lens, a lens and a sensor, measured depth; then the kinds of many
#: pixels.
KINDS, LARGE = ("region", "lens", "camera", "depth"), ("enlarged", "mosaic")

#: Prefixes of the names of the scenes.
COLOURS = ("gray", "colour")

#: Factor by which a photo is enlarged, and number of photos along each side of a mosaic.
ENLARGE = SIDE = 4

#: Every n-th photo begins a pair of many pixels, since such a pair takes seconds to make.
EVERY = 5

Read = Callable[[], SceneImages]

#: Registers a data set of the held-out photos.
of_photos = partial(
    dataset,
    citation="Arbeláez, Maire, Fowlkes, Malik (2011), IEEE TPAMI 33(5), doi:10.1109/TPAMI.2010.161",
    licence="BSDS500: research and education, not for commerce",
    argument="DIR",
    reference="yes",
)


@of_photos(PREFIX + "region", title="Held-out photos, a region blurred as in the paper")
def heldout_region(folder: str = "") -> list[Scene]:
    """One pair per photo, as in ``synthetic``."""
    pairs = []
    for name, file in held_out_photos("region", folder):
        sigma = round(float(generator("synthetic", name, "sigma").uniform(*SIGMA)), 2)
        note = f"object blurred by a Gaussian of sigma {sigma:g} in A, the rest in B"
        pairs.append((name, note, partial(region_images, name, file, sigma)))
    return in_gray_and_colour("region", pairs)


@of_photos(PREFIX + "lens", title="Held-out photos, defocused by a lens model")
def heldout_lens(folder: str = "") -> list[Scene]:
    """One pair per photo, as in ``synthetic-lens``."""
    photos = held_out_photos("lens", folder)
    return in_gray_and_colour("lens", [(n, _lens_note(n), _lens_pair(n, f)) for n, f in photos])


@of_photos(PREFIX + "camera", title="Held-out photos, defocused, as a camera stores them")
def heldout_camera(folder: str = "") -> list[Scene]:
    """One pair per photo, as in ``synthetic-camera``."""
    photos = held_out_photos("camera", folder)
    return in_gray_and_colour(
        "camera", [(n, _shot_note(n), _shot(n, _lens_pair(n, f))) for n, f in photos]
    )


@of_photos(PREFIX + "enlarged", title="Held-out photos enlarged by 4, as a camera")
def heldout_enlarged(folder: str = "") -> list[Scene]:
    """A pair of every fifth photo, of sixteen times its pixels."""
    photos = held_out_photos("enlarged", folder)[::EVERY]
    pairs = [(n, _shot_note(n), _shot(n, _lens_pair(n, f, ENLARGE))) for n, f in photos]
    return in_gray_and_colour("enlarged", pairs)


@of_photos(PREFIX + "mosaic", title="Mosaics of sixteen held-out photos, as a camera")
def heldout_mosaic(folder: str = "") -> list[Scene]:
    """A pair that begins at every fifth photo."""
    photos = held_out_photos("mosaic", folder)
    files = [file for _, file in photos]
    pairs = []
    for k in range(0, len(photos), EVERY):
        name = photos[k][0]
        radii, kernel = _lens(name)
        made = partial(_mosaic_images, files, k, radii, kernel)
        pairs.append((name, _shot_note(name), _shot(name, made)))
    return in_gray_and_colour("mosaic", pairs)


@dataset(
    PREFIX + "depth",
    title="The motorcycle of synthetic, defocused by its measured depth, gray and in colour",
    citation="Scharstein et al. (2014), doi:10.1007/978-3-319-11752-2_3",
    licence="Middlebury stereo, for research",
    count=2,
    reference="yes",
)
def heldout_depth() -> list[Scene]:
    """One pair; no photos are needed."""
    note = "defocus computed from the measured disparity, two focus settings"
    return in_gray_and_colour("depth", [("motorcycle", note, motorcycle_images)])


def held_out_photos(kind: str, folder: str) -> list[tuple[str, Path]]:
    """Names and files of the held-out photos, in the order of the names."""
    try:
        where = photo_folder(Path(folder).expanduser().absolute() if folder else None)
        files = list_photos(where, "held-out")
    except DataUnavailable as error:
        raise DataUnavailable(f"dataset {PREFIX}{kind}: {error}") from None
    stems = [file.stem for file in files]
    return [(f.name if stems.count(f.stem) > 1 else f.stem, f) for f in files]


def in_gray_and_colour(kind: str, pairs: Sequence[tuple[str, str, Read]]) -> list[Scene]:
    """Every pair in gray, then every pair in colour."""

    def both() -> Iterator[Scene]:
        for name, note, read in pairs:
            yield Scene(PREFIX + kind, f"gray_{name}", partial(_gray, read), "synthetic", note)
        for name, note, read in pairs:
            yield Scene(PREFIX + kind, f"colour_{name}", read, "synthetic", note)

    return list(both())


def _gray(read: Read) -> SceneImages:
    images = read()
    sources = tuple(_levels(source) for source in images.sources)
    reference = None if images.reference is None else _levels(images.reference)
    return SceneImages(sources, reference=reference, mask=images.mask)


def _levels(image: NDArray[np.generic]) -> NDArray[np.uint8]:
    return to_gray255(image).astype(np.uint8)


def _lens(name: str) -> tuple[tuple[float, float], Kernel]:
    """Circles of confusion of background and object, and the kernel, of one photo."""
    rng = generator("synthetic-lens", name, "lens")
    behind, before = (round(float(radius), 2) for radius in rng.uniform(*RADIUS, 2))
    return (behind, before), "disk" if rng.random() < 0.7 else "gaussian"


def _lens_note(name: str) -> str:
    (behind, before), kernel = _lens(name)
    return f"lens model, {kernel}, radii {behind:g} (background) and {before:g} (object)"


def _lens_pair(name: str, file: Path, times: int = 1) -> Read:
    radii, kernel = _lens(name)
    return partial(lens_images, name, file, radii, kernel, times)


def _shot_note(name: str) -> str:
    return f"{_lens_note(name)}; exposure, noise and JPEG of two shots"


def _shot(name: str, read: Read) -> Read:
    return partial(shot_images, name, read)


def _mosaic_images(
    files: Sequence[Path], k: int, radii: tuple[float, float], kernel: Kernel
) -> SceneImages:
    """An object cut from the mosaic of the photos from `k` on, before the next ones' mosaic."""
    front, behind = (
        _mosaic([files[i % len(files)] for i in range(at, at + SIDE**2)]) for at in (k, k + SIDE**2)
    )
    height, width = np.minimum(front.shape[:2], behind.shape[:2])
    front, behind = front[:height, :width], behind[:height, :width]
    mask = random_mask(generator("mosaic", files[k].stem), height, width)
    pair = lens_pair(front, mask, radii, background=behind, kernel=kernel)
    return known_scene(pair.near, pair.far, reference=pair.reference, mask=mask)


def _mosaic(files: Sequence[Path]) -> Image:
    """`SIDE` x `SIDE` photos side by side, upright ones turned, all cut to the smallest."""
    photos = [photo_of(file) for file in files]
    photos = [p if p.shape[0] <= p.shape[1] else p.swapaxes(0, 1) for p in photos]
    colour = [p if p.ndim == 3 else np.repeat(p[..., None], 3, axis=2) for p in photos]
    height, width = (min(p.shape[axis] for p in colour) for axis in (0, 1))
    cut = [p[:height, :width] for p in colour]
    rows = [np.concatenate(cut[i : i + SIDE], axis=1) for i in range(0, SIDE**2, SIDE)]
    return np.concatenate(rows)
