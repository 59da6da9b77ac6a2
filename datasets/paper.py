"""The four scenes of the paper's Tables 1 to 4, or what takes their place.

Clock and Pepsi are real pairs that everybody uses. Camera and Color were made by the paper's
authors and never published: they are made again here, as section 3.1 says, from photos that
may be passed on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bench.core.image_io import read_image
from datasets import _standin, fetch
from datasets._base import Scene, SceneImages, dataset
from datasets._photos import bundled, known_scene, outline, reduced
from datasets.defocus import region_pair

#: Of the Gaussians; the paper draws them from [2, 10] and does not say which these scenes had.
CAMERA_SIGMA = 4.0
COLOR_SIGMA = 5.0

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
)
def paper() -> list[Scene]:
    """Clock, Pepsi, Camera and Color, in the order of the tables.

    The first two are downloaded if they are neither in ``MFIF_DATA`` nor in the cache; where
    that fails, scenes drawn by code stand in for them and say so.
    """
    return [
        _real_or_drawn(
            "clock", "Clock", "g_01", _standin.clock_scene, "an alarm clock before a bookcase"
        ),
        _real_or_drawn("pepsi", "Pepsi", "g_02", _standin.can_scene, "a can before a printed page"),
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


def _real_or_drawn(
    name: str, title: str, pair: str, draw: Callable[[], SceneImages], what: str
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
        read=draw,
        origin="stand-in",
        note=(
            f"{title} is a STAND-IN drawn by code ({what}), because the original pair is not to "
            "be had here: its scores cannot be compared with the paper's"
        ),
    )


def read_pair(files: tuple[tuple[str, str], ...]) -> SceneImages:
    """The sources of a catalogued pair, downloaded if need be."""
    return SceneImages(tuple(read_image(fetch.local_path(*file)) for file in files))


def camera_images() -> SceneImages:
    """Photographer blurred, surroundings blurred; gray, 256 x 256."""
    photo, photographer = reduced(bundled("camera"), 256), outline("camera")
    a, b = region_pair(photo, photographer, CAMERA_SIGMA)
    return known_scene(a, b, truth=photo, mask=~photographer)


def color_images() -> SceneImages:
    """Coffee cup blurred, table blurred; RGB, 600 x 400."""
    photo, cup = bundled("coffee"), outline("coffee")
    a, b = region_pair(photo, cup, COLOR_SIGMA)
    return known_scene(a, b, truth=photo, mask=~cup)
