"""Every alignment method, on pairs whose motion is known."""

from __future__ import annotations

import numpy as np
import pytest

from bench.core.errors import UsageError
from datasets import load_scenes
from datasets.alignment import ALIGNMENTS, NotAligned, alignment
from datasets.alignment.tiles import small_view
from datasets.alignment.transforms import distances, of_motion
from reports.data.registration import known_motions, residuals

#: The project's own, asked before a test loads a plug-in.
METHODS = ALIGNMENTS.names()
#: Largest mean distance of the points of a grid that a method may leave, pixels.
MOST_LEFT_PX = {"ecc": 0.2, "features": 0.6}
FAR = "+shift=8+rotation=1+scale=1.02"


def views_of(name):
    """Views of a pair, and the homography between them."""
    (scene,) = load_scenes(name)
    sources = scene.images.sources
    height, width = sources[0].shape[:2]
    motion = scene.changes[0].motion(1, 2) if scene.changes else None
    truth = np.eye(3) if motion is None else of_motion(motion, height, width)
    return [small_view(source)[0] for source in sources], truth


def test_each_has_a_limit_here():
    assert sorted(MOST_LEFT_PX) == METHODS


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scene", ["chelsea", "coins"])
def test_a_known_motion_is_found(method, scene):
    views, truth = views_of(f"synthetic-lens{FAR}/{scene}")
    apart = distances(ALIGNMENTS[method].fn(*views), truth, *views[0].shape)
    assert apart.mean() < MOST_LEFT_PX[method]


@pytest.mark.parametrize("method", METHODS)
def test_brightness_does_not_matter(method):
    (first, second), truth = views_of(f"synthetic-lens{FAR}/chelsea")
    found = ALIGNMENTS[method].fn(first, (0.4 * second + 0.1).astype(np.float32))
    assert distances(found, truth, *first.shape).mean() < MOST_LEFT_PX[method]


@pytest.mark.parametrize("method", METHODS)
def test_the_same_views_give_the_same_transform(method):
    views, _ = views_of(f"synthetic-lens{FAR}/coins")
    once, again = (ALIGNMENTS[method].fn(*views) for _ in range(2))
    assert np.array_equal(once, again)


@pytest.mark.parametrize("method", METHODS)
def test_flat_views_are_refused_with_a_reason(method):
    flat = np.full((80, 90), 0.5, np.float32)
    with pytest.raises(NotAligned, match=r"correlation has no maximum|0 features match"):
        ALIGNMENTS[method].fn(flat, flat)


def test_none_stands_for_no_alignment():
    with pytest.raises(UsageError, match="'none'"):
        alignment("none", title="Nothing", citation="none")(lambda fixed, moving: np.eye(3))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "worst"), [("synthetic-lens", 0.2), ("synthetic-stack", 0.6)])
def test_what_ecc_leaves_of_known_motions(name, worst):
    """On average over the frame: 0.2 px; errors of the steps of a strongly blurred stack add up."""
    means = []
    for _, _, scene in known_motions((name,), (FAR,)):
        left = residuals(scene).query("method == 'ecc'")
        assert not left["failed"].any(), scene.name
        assert left["mean_px"].max() < worst, scene.name
        means += left["mean_px"].tolist()
    assert np.mean(means) < 0.1
