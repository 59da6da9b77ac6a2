"""The four scenes of the paper's Tables 1 to 4, or substitutes.

Clock and Pepsi are widely used real pairs. Camera and Color were made by the paper's authors and
never published: they are made again here, as in section 3.1, from photos that may be
redistributed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bench.core.image_io import read_image
from bench.core.pixels import luminance
from datasets import fetch
from datasets._base import Scene, SceneImages, dataset
from datasets._photos import bundled, known_scene, outline, reduced
from datasets.defocus import Image, lens_pair, region_pair

#: Sigma of the Gaussians in pixels; the paper draws it from [2, 10] and does not state the values.
CAMERA_SIGMA = 4.0
COLOR_SIGMA = 5.0
#: Radii of the stand-ins' circles of confusion in pixels: of the background, of the object.
CLOCK_RADII = (4.5, 5.0)
PEPSI_RADII = (4.0, 5.5)

CITATION = (
    "Xu, K., Qin, Z., Wang, G., Zhang, H., Huang, K., Ye, S. Multi-focus Image Fusion using "
    "Fully Convolutional Two-stream Network for Visual Sensors. KSII Transactions on Internet "
    "and Information Systems 12(5), 2253-2272 (2018). doi:10.3837/tiis.2018.05.019"
)


@dataset(
    "paper",
    title="The scenes of the paper's Tables 1 to 4",
    citation=CITATION,
    licence="Clock and Pepsi: see `bench data list`; the others: CC0 photos of scikit-image",
    count=4,
    reference="some",
)
def paper() -> list[Scene]:
    """Clock, Pepsi, Camera and Color, in the order of the tables.

    The first two are downloaded if they are neither in ``MFIF_DATA`` nor in the cache; if
    that fails, lens pairs of two bundled photos replace them, marked as stand-ins.
    """
    return [
        _real_or_stand_in("clock", "Clock", "g_01", clock_stand_in, "the astronaut's face"),
        _real_or_stand_in("pepsi", "Pepsi", "g_02", pepsi_stand_in, "the photographer"),
        Scene(
            dataset="paper",
            id="camera",
            title="Camera",
            read=camera_images,
            origin="synthetic",
            note=(
                "Camera is made as the paper says, not the paper's own pair: scikit-image's "
                "camera photo at 256x256; the photographer's trunk, head and right arm blurred "
                f"by a Gaussian of sigma {CAMERA_SIGMA:g} in A, everything else in B"
            ),
        ),
        Scene(
            dataset="paper",
            id="color",
            title="Color",
            read=color_images,
            origin="synthetic",
            note=(
                "Color is a substitute for the paper's unpublished 640x396 pair: scikit-image's "
                "coffee photo at 600x400; cup, saucer and spoon blurred by a Gaussian of sigma "
                f"{COLOR_SIGMA:g} in A, everything else in B"
            ),
        ),
    ]


def _real_or_stand_in(
    name: str, title: str, pair: str, stand_in: Callable[[], SceneImages], what: str
) -> Scene:
    paths = [f"sourceimages/grayscale/{pair}_{k}.tif" for k in (1, 2)]
    files = tuple(("liu2020", path) for path in paths)
    if fetch.available("liu2020", paths) or not fetch.fetch(files, progress=False):
        return Scene(
            dataset="paper",
            id=name,
            title=title,
            read=partial(read_pair, files),
            origin="real",
            note=f"{title} is the original pair ({pair} of the liu2020 collection)",
            files=files,
        )
    return Scene(
        dataset="paper",
        id=name,
        title=title,
        read=stand_in,
        origin="stand-in",
        note=(
            f"{title} is a STAND-IN ({what} in a photo of scikit-image, defocused by a lens "
            "model), because the original pair is not available here: its scores cannot be "
            "compared with the paper's"
        ),
    )


def read_pair(files: tuple[tuple[str, str], ...]) -> SceneImages:
    """The sources of a catalogued pair, downloaded if need be."""
    return SceneImages(tuple(read_image(fetch.local_path(*file)) for file in files))


def clock_stand_in() -> SceneImages:
    """A disk of the astronaut photo in focus, then the rest of it; gray, 512 x 512."""
    photo = luminance(bundled("astronaut"))
    rows, columns = np.indices(photo.shape)
    return _lens_scene(photo, np.hypot(columns - 224, rows - 120) < 110, CLOCK_RADII)


def pepsi_stand_in() -> SceneImages:
    """The photographer in focus, then the background; gray, 512 x 512."""
    photo = bundled("camera")
    photographer = np.kron(outline("camera"), np.ones((2, 2), bool))
    return _lens_scene(photo, photographer, PEPSI_RADII)


def _lens_scene(photo: Image, mask: NDArray[np.bool_], radii: tuple[float, float]) -> SceneImages:
    near, far, reference = lens_pair(photo, mask, radii)
    return known_scene(near, far, reference=reference, mask=mask)


def camera_images() -> SceneImages:
    """Photographer blurred, surroundings blurred; gray, 256 x 256."""
    photo, photographer = reduced(bundled("camera"), 256), outline("camera")
    a, b = region_pair(photo, photographer, CAMERA_SIGMA)
    return known_scene(a, b, reference=photo, mask=~photographer)


def color_images() -> SceneImages:
    """Coffee cup blurred, table blurred; RGB, 600 x 400."""
    photo, cup = bundled("coffee"), outline("coffee")
    a, b = region_pair(photo, cup, COLOR_SIGMA)
    return known_scene(a, b, reference=photo, mask=~cup)
