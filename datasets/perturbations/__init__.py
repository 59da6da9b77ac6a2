"""Perturbations of scenes, as a suffix of their name: ``synthetic-lens+noise=5+shift=1``.

Each file registers some with `perturbation`. Motion and light differ between the sources: the
second and later ones are changed against the first, as in practice. Noise, sharpness, bits and
compression are the camera's: they are in all sources, with noise of its own in each. The
reference is never perturbed, and the images keep the type that the dataset's have.
"""

from __future__ import annotations

from datasets.perturbations._base import (
    PERTURBATIONS,
    STAGES,
    Perturbation,
    Source,
    perturbation,
)
from datasets.perturbations._change import (
    Perturbed,
    Step,
    parse_suffix,
    perturbed_scene,
    split_dataset,
    suffix_of,
    unchanged,
)

__all__ = [
    "PERTURBATIONS",
    "STAGES",
    "Perturbation",
    "Perturbed",
    "Source",
    "Step",
    "parse_suffix",
    "perturbation",
    "perturbed_scene",
    "split_dataset",
    "suffix_of",
    "unchanged",
]
