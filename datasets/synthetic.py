"""Pairs with a reference, made from photos: by the paper's blur and by a lens model.

Every random choice depends on the scene's name alone.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import NothingSelected, UsageError
from bench.core.image_io import SUFFIXES
from datasets._base import Scene, SceneImages, dataset
from datasets._depth import motorcycle_images
from datasets._photos import BUNDLED, PHOTOS, bundled, cut_to, known_scene, photo_of
from datasets._seeds import generator
from datasets.defocus import OUTLINE_SIGMA, Image, Kernel, lens_pair, region_pair
from datasets.masks import bsds_labels, random_mask, segment_mask

cv2 = lazy.load("cv2")

#: Standard deviation of the paper's Gaussians.
SIGMA = (2.0, 10.0)
#: Circles of confusion of the lens model, in pixels.
RADIUS = (2.0, 7.0)


@dataset(
    "synthetic",
    title="Photos with a region blurred as in the paper, and the motorcycle blurred by depth",
    citation="van der Walt et al. (2014), scikit-image, doi:10.7717/peerj.453; motorcycle: "
    "Scharstein et al. (2014), doi:10.1007/978-3-319-11752-2_3",
    licence=PHOTOS + "; motorcycle: Middlebury stereo, for research",
    argument="DIR",
    count=10,
    reference="yes",
)
def synthetic(folder: str = "") -> list[Scene]:
    """One pair per photo: a random object blurred in A, everything else in B."""
    scenes = []
    for name, file in photos_of(folder):
        sigma = round(float(generator("synthetic", name, "sigma").uniform(*SIGMA)), 2)
        note = f"object blurred by a Gaussian of sigma {sigma:g} in A, the rest in B"
        read = partial(region_images, name, file, sigma)
        scenes.append(Scene("synthetic", name, read, "synthetic", note=note))
    if not folder:
        note = "defocus computed from the measured disparity, two focus settings"
        scenes.append(Scene("synthetic", "motorcycle", motorcycle_images, "synthetic", note=note))
    return scenes


@dataset(
    "synthetic-lens",
    title="Pairs by a lens model: defocused objects spread over what lies behind",
    citation="van der Walt et al. (2014), scikit-image, doi:10.7717/peerj.453",
    licence=PHOTOS,
    argument="DIR",
    count=9,
    reference="yes",
)
def synthetic_lens(folder: str = "") -> list[Scene]:
    """One pair per photo, focused on an object and on its background.

    The object is a random shape, before another bundled photo. With a folder it stands before
    the rest of its own photo; if that folder is one of BSDS500's ``images`` with
    ``groundTruth`` beside, the object is a segment that a person drew.
    """
    scenes = []
    for name, file in photos_of(folder):
        rng = generator("synthetic-lens", name, "lens")
        behind, before = (round(float(r), 2) for r in rng.uniform(*RADIUS, 2))
        kernel: Kernel = "disk" if rng.random() < 0.7 else "gaussian"
        note = f"lens model, {kernel}, radii {behind:g} (background) and {before:g} (object)"
        read = partial(lens_images, name, file, (behind, before), kernel)
        scenes.append(Scene("synthetic-lens", name, read, "synthetic", note=note))
    return scenes


def region_images(name: str, file: Path | None, sigma: float) -> SceneImages:
    """The pair of `synthetic` for one photo; without `file`, for the bundled photo of that name."""
    photo = _photo(name, file)
    mask = random_mask(generator("synthetic", name, "mask"), *photo.shape[:2])
    a, b = region_pair(photo, mask, sigma)
    return known_scene(a, b, reference=photo, mask=~mask)


def lens_images(
    name: str, file: Path | None, radii: tuple[float, float], kernel: Kernel, enlarge: int = 1
) -> SceneImages:
    """The pair of `synthetic-lens` for one photo; see `region_images`.

    With `enlarge` everything is that many times larger, the circles of confusion too.
    """
    photo = _photo(name, file)
    rng = generator("synthetic-lens", name, "object")
    mask = _object(rng, file, photo.shape[:2])
    background = None if file else _other(rng, name, photo)
    if enlarge > 1:
        photo, mask = _enlarged(photo, enlarge), _enlarged(mask.astype(np.float32), enlarge) > 0.5
        background = None if background is None else _enlarged(background, enlarge)
        radii = (enlarge * radii[0], enlarge * radii[1])
    outline = enlarge * OUTLINE_SIGMA
    pair = lens_pair(photo, mask, radii, background=background, kernel=kernel, outline=outline)
    if rng.random() < 0.5:
        return known_scene(pair.near, pair.far, reference=pair.reference, mask=mask)
    return known_scene(pair.far, pair.near, reference=pair.reference, mask=~mask)


def _enlarged(image: Image, times: int) -> Image:
    large = cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    return np.clip(large, 0, 1)


def photos_of(folder: str) -> list[tuple[str, Path | None]]:
    """Scene names with their files, in the order of the names."""
    if not folder:
        return [(name, None) for name in BUNDLED]
    where = Path(folder).expanduser().absolute()
    if not where.is_dir():
        raise UsageError(f"{folder}: no such folder")
    files = [f for f in where.iterdir() if f.suffix.lower() in SUFFIXES and f.name[0] != "."]
    if not files:
        raise NothingSelected(f"{folder}: no photo in it ({', '.join(sorted(SUFFIXES))})")
    stems = [file.stem for file in files]
    named = [(f.name if stems.count(f.stem) > 1 else f.stem, f) for f in files]
    return [*sorted(named)]


def _photo(name: str, file: Path | None) -> Image:
    return bundled(name) if file is None else photo_of(file)


def _object(
    rng: np.random.Generator, file: Path | None, shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """A segment of the photo if it has a segmentation, else a random shape."""
    if file is not None:
        drawn_in = file.parents[2] / "groundTruth" / file.parent.name / f"{file.stem}.mat"
        if drawn_in.is_file():
            drawn = bsds_labels(drawn_in)
            labels = drawn[int(rng.integers(len(drawn)))]
            if labels.shape == shape:
                return segment_mask(rng, labels)
    return random_mask(rng, shape[0], shape[1])


def _other(rng: np.random.Generator, name: str, photo: Image) -> Image:
    """Another bundled photo of as many channels, cut or mirrored to the same size."""
    others = [bundled(other) for other in BUNDLED if other != name]
    chosen = [other for other in others if other.ndim == photo.ndim]
    other = chosen[int(rng.integers(len(chosen)))]
    return cut_to(other, photo.shape[:2])
