"""Pairs with a reference, with the exposure, noise and compression of a camera."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bench.core.pixels import quantise, to_unit
from datasets._base import Scene, SceneImages, dataset
from datasets._photos import PHOTOS
from datasets._seeds import generator
from datasets.defocus import degrade
from datasets.synthetic import synthetic_lens

#: Standard deviation of the logarithm of the exposure between shots, of a camera in manual mode.
#: With four times as much, PSNR measures how a method averages brightness, not what it selects.
EXPOSURE = 0.005


@dataset(
    "synthetic-camera",
    title="The pairs of synthetic-lens with the exposure, noise and JPEG of two shots",
    citation="van der Walt et al. (2014), scikit-image, doi:10.7717/peerj.453",
    licence=PHOTOS,
    argument="DIR",
    count=9,
    reference="yes",
)
def synthetic_camera(folder: str = "") -> list[Scene]:
    """Each source with its own exposure (0.5 %), noise (1 level) and JPEG quality (90 to 100).

    Everything else, also the reference, is as in ``synthetic-lens``: the difference of a method's
    scores shows how much it relies on sources that agree to the last level.
    """
    return [
        Scene(
            "synthetic-camera",
            scene.id,
            partial(shot_images, scene.id, scene.read),
            "synthetic",
            note=f"{scene.note}; exposure, noise and JPEG of two shots",
        )
        for scene in synthetic_lens(folder)
    ]


def shot_images(name: str, read: Callable[[], SceneImages]) -> SceneImages:
    """The images of `read` with each source degraded; the reference is unchanged."""
    given = read()
    rng = generator("synthetic-camera", name, "shots")
    sources = [degrade(to_unit(source), rng, exposure=EXPOSURE) for source in given.sources]
    shots = tuple(quantise(source) for source in sources)
    return SceneImages(shots, reference=given.reference, mask=given.mask)
