"""The datasets: each module registers functions that return a list of scenes."""

from __future__ import annotations

from datasets._base import DATASETS, Dataset, Scene, SceneChange, SceneImages, dataset
from datasets._selection import load_scenes, names_scenes

__all__ = [
    "DATASETS",
    "Dataset",
    "Scene",
    "SceneChange",
    "SceneImages",
    "dataset",
    "load_scenes",
    "names_scenes",
]
