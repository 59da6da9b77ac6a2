"""A plug-in whose dataset is large and whose method holds a fixed number of bytes a pixel."""

import os
from pathlib import Path

import numpy as np

from bench.checks.methods import pair
from datasets import Scene, SceneImages, dataset
from methods import method

#: Bytes that `hungry` holds for each pixel, beside what the framework does.
BYTES = 400


@dataset("large", title="Large scenes", citation="none", licence="none")
def large():
    def read():
        return SceneImages(tuple(np.tile(image, (20, 30)) for image in pair(100, 100)))

    return [Scene("large", name, read, "synthetic") for name in ("one", "two")]


@method("hungry", title="Holds much", kind="transform", family="control", paper="a test")
def hungry(sources):
    with Path(os.environ["MFIF_TEST_FOLDER"], "tries").open("a") as file:
        file.write(f"{sources[0].size}\n")
    held = np.ones((BYTES // 8, *sources[0].shape))
    return sources[0] + 0 * held[0].astype(np.float32)
