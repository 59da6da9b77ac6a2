"""``python -m bench features``: what the FCN's layers respond to (the paper's Fig. 2)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import console
from bench.errors import EnvironmentFault, UsageError

#: Feature maps shown per layer.
SHOWN = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--scene", default="paper/clock", help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/features.png"), metavar="FILE")
    parser.add_argument("--maps", type=int, default=SHOWN, help="per layer (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Draw the maps of the scene's first two sources; returns the exit code."""
    from bench.images import to_gray255
    from datasets import load_scenes

    if not 1 <= args.maps <= 64:
        raise UsageError(f"--maps must lie in 1..64, got {args.maps}")
    scene = load_scenes(args.scene)[0]
    planes = [(to_gray255(x) / 255).astype(np.float32) for x in scene.images.sources[:2]]
    draw(planes, feature_maps(np.stack(planes)), args.maps, args.out)
    console.emit(str(args.out))
    return 0


def feature_maps(pair: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Responses of the shipped `fcn` to a pair of gray images.

    Parameters
    ----------
    pair : ndarray
        float32 (2, H, W) in [0, 1].

    Returns
    -------
    dict
        By layer — the second convolution of either stream, and the fusion layer — float32
        (64, H, W), after ReLU.
    """
    import torch

    from methods.learned import WEIGHTS
    from methods.learned.weights import load_network

    network: Any = load_network(WEIGHTS / "fcn.safetensors", "fcn", "gray")
    first, second = torch.from_numpy(pair)[:, None, None].unbind(0)
    with torch.inference_mode():
        maps = network.encode(first, second)
    names = ("stream A, 2nd layer", "stream B, 2nd layer", "fusion layer")
    return {name: x[0].numpy() for name, x in zip(names, maps, strict=True)}


def draw(
    pair: list[NDArray[np.float32]], maps: dict[str, NDArray[np.float32]], count: int, path: Path
) -> None:
    """One row per layer: the maps with the largest variance, each on its own scale."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise EnvironmentFault(
            "features draws with matplotlib, which is missing: pip install mfif-bench[plots]"
        ) from None
    figure = Figure(figsize=(1.5 * (count + 1), 5.2), layout="constrained")
    grid = figure.subplots(3, count + 1)
    beside = [pair[0], pair[1], None]
    for row, (name, stack), source in zip(grid, maps.items(), beside, strict=True):
        for axes in row:
            axes.set(xticks=[], yticks=[])
        row[0].set_ylabel(name)
        if source is None:
            row[0].imshow(np.mean(pair, axis=0), cmap="gray")
        else:
            row[0].imshow(source, cmap="gray")
        for axes, index in zip(row[1:], np.argsort(-stack.var(axis=(1, 2)))[:count], strict=True):
            axes.imshow(stack[index], cmap="gray")
            axes.set_title(f"map {index}", fontsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
