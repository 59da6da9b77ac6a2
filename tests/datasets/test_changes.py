"""Scenes whose images are changed after they are read."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace

import numpy as np
import pytest

from bench.core.errors import ContractViolation
from bench.workers.scene_loader import SceneLoader
from datasets import Scene, SceneImages

A = np.arange(48, dtype=np.uint16).reshape(6, 8) * 80  # 12 bits in 16


def images() -> SceneImages:
    return SceneImages((A, A[::-1]), reference=A)


@dataclass(frozen=True)
class Flip:
    """Mirrors all sources; with `cut`, also loses a column."""

    cut: int = 0
    name = "flip"
    functions = ()

    def apply(self, images: SceneImages) -> SceneImages:
        sources = tuple(s[:, ::-1][:, self.cut :] for s in images.sources)
        return replace(images, sources=sources, notes=(*images.notes, "flipped"))


def test_a_change_sees_checked_and_scaled_images_and_leaves_the_reference():
    scene = Scene("own", "one", images, "real")
    flipped = replace(scene, changes=(Flip(),)).images
    assert np.array_equal(flipped.sources[0], scene.images.sources[0][:, ::-1])
    assert flipped.sources[0].max() == A.max() * 16
    assert np.array_equal(flipped.reference, scene.images.reference)
    assert flipped.fingerprint() != scene.images.fingerprint()
    assert flipped.notes[-1] == "flipped"


def test_changes_are_made_in_order_and_each_once():
    scene = Scene("own", "one", images, "real")
    twice = replace(scene, changes=(Flip(), Flip()))
    assert twice.images.fingerprint() == scene.images.fingerprint()


def test_a_change_must_keep_the_sizes():
    scene = Scene("own", "one", lambda: SceneImages((A, A)), "real", changes=(Flip(cut=1),))
    with pytest.raises(ContractViolation, match="own/one: flip changed number or size"):
        scene.read_checked()


def test_a_worker_reads_the_changed_images():
    scene = Scene("own", "one", images, "real", changes=(Flip(),))
    loaded = SceneLoader.of(scene).load()
    assert loaded.images.fingerprint() == scene.images.fingerprint()
    assert pickle.loads(pickle.dumps(scene)).changes == scene.changes
