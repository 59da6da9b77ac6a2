"""A plug-in as a stranger writes one: a tiny dataset, and methods that go wrong in each way."""

import numpy as np

from bench.checks.methods import pair
from bench.core.errors import DataUnavailable, Skipped
from datasets import Scene, SceneImages, dataset
from methods import method

CONTROL = {"kind": "transform", "family": "control", "paper": "a test"}


@dataset("tiny", title="Tiny scenes", citation="none", licence="none")
def tiny():
    def scene(name, seed):
        def read():
            truth = pair(40, 48, seed)[0]
            return SceneImages(tuple(pair(40, 48, seed)), truth)

        return Scene("tiny", name, read, "synthetic", note="made by a test", title=name.title())

    return [scene("one", 1), scene("two", 2)]


@dataset("tiny-broken", title="A scene that cannot be read", citation="none", licence="none")
def tiny_broken():
    def gone():
        raise DataUnavailable("the file is on the moon")

    def uneven():
        return SceneImages((np.zeros((4, 4), np.uint8), np.zeros((4, 5), np.uint8)))

    return [
        Scene("tiny-broken", "gone", gone, "real"),
        Scene("tiny-broken", "uneven", uneven, "real"),
    ]


@method("raises", title="Raises", **CONTROL)
def raises(sources):
    raise RuntimeError("no luck\ntoday")


@method("not-a-number", title="NaN", **CONTROL)
def not_a_number(sources):
    return np.full_like(sources[0], np.nan)


@method("wrong-shape", title="Wrong shape", **CONTROL)
def wrong_shape(sources):
    return sources


@method("declines", title="Declines", **CONTROL)
def declines(sources):
    raise Skipped("only for portraits")


@method("exhausts", title="Out of memory", **CONTROL)
def exhausts(sources):
    raise MemoryError


@method("heavy-weights", title="Weights that sum to 2", **{**CONTROL, "kind": "decision"})
def heavy_weights(sources):
    return np.ones_like(sources)


@method("changes-sources", title="Writes into its input", **CONTROL)
def changes_sources(sources):
    sources += 0.25
    return np.mean(sources, axis=0)
