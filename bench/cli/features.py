"""Draw what the FCN's layers respond to (the paper's Fig. 2), as PNG and PDF.

for example:
  python -m bench features
  python -m bench features --scene liu2020/c_05 --maps 7 --out maps.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from bench.cli import console
from bench.core.errors import UsageError

#: Feature maps shown per layer.
SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add(
        "--scene",
        default="paper/clock",
        help="a scene, whose first two sources are used (default: %(default)s)",
    )
    add(
        "--out",
        type=Path,
        default=Path("results/features.png"),
        metavar="FILE",
        help="the PNG file; the PDF is written beside it (default: %(default)s)",
    )
    add("--maps", type=int, default=SHOWN, help="maps per layer (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Draw the maps of the scene's first two sources; returns the exit code."""
    from datasets import load_scenes
    from reports.figures.drawing import save, stem, style
    from reports.figures.network_figures import feature_maps, features_figure, gray_image

    if not 1 <= args.maps <= 64:
        raise UsageError(f"--maps must lie in 1..64, got {args.maps}")
    scene = load_scenes(args.scene)[0]
    pair = [gray_image(source) for source in scene.images.sources[:2]]
    with style():
        title = f"Feature maps of fcn: {scene.title or scene.name}"
        figure = features_figure(pair, feature_maps(np.stack(pair)), args.maps, title)
        for path in save(figure, stem(args.out)):
            console.emit(str(path))
    return 0
